/** Three servers that keep a stream together, and the one that leads it is killed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { z } from '../../engine/contract/fields.ts';
import { freePort, NatsServer } from '../testing/nats-server.ts';
import type { Row } from '../testing/rows.ts';
import { openConnection } from './connection.ts';
import { connectionFields } from './connection-fields.ts';
import { nats } from './nats-source.ts';
import { publishMessage } from './publish-message.ts';
import { openSource, readRows, TRADES, tradeRows, trades } from './read-stream.fixture.ts';

const NAMES = ['n1', 'n2', 'n3'] as const;

async function startCluster(): Promise<NatsServer[]> {
  const ports = await Promise.all(NAMES.map(() => freePort()));
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  return Promise.all(
    NAMES.map((name, at) =>
      NatsServer.start({
        config: `server_name: ${name}
          cluster { name: t, listen: "127.0.0.1:${ports[at]}", routes: [${routes}] }`,
      }),
    ),
  );
}

/** Until the servers have found each other. */
async function tried<T>(attempt: () => Promise<T>): Promise<T> {
  for (const untilMs = Date.now() + 30_000; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

test('a leader that is killed: every message is stored and read once, in order', async () => {
  const servers = await startCluster();
  const urls = servers.map(({ url }) => url).join(',');
  const connection = await openConnection(
    z.strictObject(connectionFields).parse({ servers: urls }),
    { who: 'test' },
  );
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 3_000 });
    const made = { name: 'T', subjects: ['t.>'], num_replicas: 3 };
    const info = await tried(() => manager.streams.add(made));
    const client = jetstream(connection);
    const context = { client, who: 'test', giveUpMs: 30_000 };
    const publish = async (from: number, to: number): Promise<void> => {
      for (const [at, [subject, payload]] of trades(from, to).entries()) {
        await publishMessage(context, subject, payload, `id-${from + at}`);
      }
    };
    await publish(0, 200);
    const options = { servers: urls, stream: 'T', format: 'json', columns: TRADES };
    const reader = await openSource(z.strictObject(nats.fields).parse(options), { batchRows: 16 });
    const rows: Row[] = [...(await readRows(reader, 100)).rows];
    const leader = (await tried(() => manager.streams.info('T'))).cluster?.leader;
    const killed = servers[NAMES.indexOf(leader as 'n1')];
    assert.ok(killed !== undefined, `${info.cluster?.leader} led, ${leader} leads`);
    await killed.kill();
    const publishing = publish(200, 400);
    rows.push(...(await readRows(reader, 300 - rows.length)).rows);
    await killed.resume();
    await publishing;
    rows.push(...(await readRows(reader, 400 - rows.length)).rows);
    await reader.close();
    assert.deepEqual(rows, tradeRows(0, 400));
    const { state } = await tried(() => manager.streams.info('T'));
    assert.equal(state.messages, 400);
  } finally {
    await connection.close();
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
});
