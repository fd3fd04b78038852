/** A server that cuts a reader off: because it is slow, or because it is no longer wanted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SplitReader } from '../../engine/contract/connector.ts';
import type { EngineError } from '../../engine/contract/error.ts';
import { NatsServer, type ServerOptions } from '../testing/nats-server.ts';
import {
  addStream,
  configOf,
  openSource,
  publishAll,
  readRows,
  tradeRows,
  trades,
} from './read-stream.fixture.ts';

const forever = { until: 'forever' };

async function failureOf(reader: SplitReader): Promise<EngineError> {
  try {
    await readRows(reader);
    throw new Error('no failure');
  } catch (error) {
    return error as EngineError;
  } finally {
    await reader.close();
  }
}

test('a reader that the server finds too slow is cut off, and loses nothing', async () => {
  // So little may wait in the server that it cuts off who does not read for a moment.
  await using server = await NatsServer.start({
    config: 'max_payload: 200000\nmax_pending: 600000\nwrite_deadline: "200ms"',
  });
  await server.manage((manager) => addStream(manager));
  const messages = trades(0, 200).map(([subject, payload]): [string, string] => {
    return [subject, `${' '.repeat(50_000)}${payload as string}`];
  });
  await publishAll(server, messages);
  const config = configOf(server, { ...forever, max_pending_bytes: '32MiB' });
  const reader = await openSource(config, { batchRows: 10 });
  const rows = [...(await readRows(reader, 10)).rows];
  for (let pause = 0; pause < 2; pause++) {
    rows.push(...(await readRows(reader, 10)).rows);
    const untilMs = Date.now() + 600;
    while (Date.now() < untilMs);
  }
  rows.push(...(await readRows(reader, 200 - rows.length)).rows);
  await reader.close();
  assert.deepEqual(rows, tradeRows(0, 200));
  assert.match(server.log, /Slow Consumer Detected/);
  assert.ok(reader.status!().metrics!['recreates_total']! >= 1);
});

test('a server that comes back with another password is told, and not tried for ever', async () => {
  const withPassword = (password: string): ServerOptions => ({
    config: `authorization { user: engine, password: ${password} }`,
    connect: { user: 'engine', pass: password },
  });
  await using server = await NatsServer.start(withPassword('first'));
  await server.manage((manager) => addStream(manager));
  await publishAll(server, trades(0, 20));
  const options = { ...forever, user: 'engine', password: 'first' };
  const reader = await openSource(configOf(server, options));
  assert.deepEqual((await readRows(reader, 20)).rows, tradeRows(0, 20));
  await server.kill();
  await server.resume(withPassword('second'));
  assert.equal((await failureOf(reader)).code, 'nats/denied');
  const anew = openSource(configOf(server, options));
  await assert.rejects(anew, { code: 'nats/denied' });
});
