/** What can happen to a stream, its server and the way there: never a hang, never a silent loss. */

import assert from 'node:assert/strict';
import { createServer, connect as dial, type Socket } from 'node:net';
import { test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { nkeys } from '@nats-io/transport-node';
import type { SplitReader } from '../../engine/contract/connector.ts';
import type { EngineError } from '../../engine/contract/error.ts';
import { NatsServer } from '../testing/nats-server.ts';
import type { Row } from '../testing/rows.ts';
import { nats } from './nats-source.ts';
import {
  addStream,
  configOf,
  openSource,
  publishAll,
  readAll,
  readRows,
  tradeRows,
  trades,
} from './read-stream.fixture.ts';

async function startWithTrades(count: number): Promise<NatsServer> {
  const server = await NatsServer.start();
  await server.manage((manager) => addStream(manager));
  await publishAll(server, trades(0, count));
  return server;
}

const forever = { until: 'forever' };

async function failureOf(reader: SplitReader): Promise<string> {
  try {
    await readRows(reader);
    return 'no failure';
  } catch (error) {
    return (error as EngineError).code;
  } finally {
    await reader.close();
  }
}

test('a server that is killed and comes back: every row once', async () => {
  await using server = await startWithTrades(500);
  const reader = await openSource(configOf(server, forever), { batchRows: 64 });
  const rows: Row[] = [...(await readRows(reader, 200)).rows];
  await server.kill();
  const rest = readRows(reader, 500 - rows.length);
  // What had arrived is read; then the state says what is being done.
  while (reader.status!().state !== 'reconnecting') {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await server.resume();
  rows.push(...(await rest).rows);
  await publishAll(server, trades(500, 600));
  rows.push(...(await readRows(reader, 100)).rows);
  assert.deepEqual(rows, tradeRows(0, 600));
  assert.equal(reader.status!().state, 'connected');
  assert.ok(reader.status!().metrics!['recreates_total']! >= 1);
  await reader.close();
});

test('sockets that are cut with messages on their way: every row once', async () => {
  await using server = await startWithTrades(3000);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = dial(server.port, '127.0.0.1');
    sockets.add(client);
    // In small pieces, so that a cut leaves half a message behind.
    upstream.on('data', (bytes) => {
      for (let at = 0; at < bytes.length; at += 1000) client.write(bytes.subarray(at, at + 1000));
    });
    client.on('data', (bytes) => upstream.write(bytes));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as { port: number };
  const config = configOf(server, { servers: `nats://127.0.0.1:${port}`, ...forever });
  const reader = await openSource(config, { batchRows: 100 });
  const rows: Row[] = [];
  let cuts = 0;
  while (rows.length < 3000) {
    rows.push(...(await readRows(reader, 1)).rows);
    if (rows.length > (cuts + 1) * 800 && cuts < 3) {
      cuts++;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    }
  }
  assert.deepEqual(rows, tradeRows(0, 3000));
  assert.equal(cuts, 3);
  await reader.close();
  proxy.close();
});

test('a consumer that is deleted is made again behind the last message', async () => {
  await using server = await startWithTrades(200);
  const reader = await openSource(configOf(server, forever));
  const rows = [...(await readRows(reader, 200)).rows];
  await server.manage(async (manager) => {
    for await (const { name } of manager.consumers.list('T')) {
      await manager.consumers.delete('T', name);
    }
  });
  await publishAll(server, trades(200, 300));
  rows.push(...(await readRows(reader, 100)).rows);
  assert.deepEqual(rows, tradeRows(0, 300));
  await reader.close();
});

test('a stream that is replaced, shortened or expired is told at the start', async () => {
  await using server = await startWithTrades(50);
  const { position } = await readAll(configOf(server));
  const resumed = async (resumeAt: typeof position): Promise<string> =>
    readAll(configOf(server), { resumeAt }).then(
      () => 'no failure',
      (error: EngineError) => error.code,
    );
  assert.equal(await resumed(position), 'no failure');
  assert.equal(await resumed({ ...position, sequence: 51 }), 'nats/stream-truncated');
  assert.equal(await resumed({ ...position, time: '1' }), 'nats/stream-truncated');
  assert.equal(await resumed({ ...position, stream: 'sid:other' }), 'nats/stream-replaced');
  const early = { ...position, sequence: 10, time: '' };
  await server.manage((manager) => manager.streams.purge('T', { seq: 11 }));
  assert.equal(await resumed(early), 'no failure');
  await server.manage((manager) => manager.streams.purge('T', { seq: 12 }));
  assert.equal(await resumed(early), 'nats/stream-expired');
  await server.manage(async (manager) => {
    await manager.streams.delete('T');
    await addStream(manager);
  });
  await publishAll(server, trades(0, 60));
  assert.equal(await resumed(position), 'nats/stream-replaced');
});

test('a stream that is deleted or replaced while it is read is told', async () => {
  await using server = await startWithTrades(50);
  const read = async (): Promise<SplitReader> => {
    const reader = await openSource(configOf(server, forever));
    await readRows(reader, 50);
    return reader;
  };
  let reader = await read();
  await server.manage(async (manager) => {
    await manager.streams.delete('T');
    await addStream(manager);
  });
  await publishAll(server, trades(0, 60));
  // Which of the two depends on the moment at which the reader looks.
  assert.match(await failureOf(reader), /^nats\/(?:stream-replaced|no-stream)$/);

  reader = await read();
  await server.manage((manager) => manager.streams.delete('T'));
  assert.equal(await failureOf(reader), 'nats/no-stream');
});

test('messages of other subjects that expire are no loss', async () => {
  await using server = await startWithTrades(10);
  const config = configOf(server, { ...forever, subject: 't.0' });
  const reader = await openSource(config);
  const rows = [...(await readRows(reader, 10)).rows];
  await publishAll(
    server,
    trades(0, 30).map(([, payload]) => ['t.1', payload]),
  );
  while (reader.position()['sequence'] !== 40) await reader.poll();
  await server.manage((manager) => manager.streams.purge('T', { seq: 36 }));
  const { position } = await readRows(reader, 0);
  await reader.close();
  await publishAll(server, trades(10, 15));
  const resumed = await openSource(config, { resumeAt: position });
  rows.push(...(await readRows(resumed, 5)).rows);
  await resumed.close();
  assert.deepEqual(rows, tradeRows(0, 15));
});

test('messages above 1 MB are read one at a time, with those around them', async () => {
  await using server = await NatsServer.start({ config: 'max_payload: 8MB' });
  await server.manage((manager) => addStream(manager));
  const padded = (i: number, bytes: number): [string, string] => {
    return ['t.0', `${' '.repeat(bytes)}${trades(i, i + 1)[0]![1] as string}`];
  };
  await publishAll(server, [
    ...trades(0, 20),
    padded(20, 3_000_000),
    padded(21, 5_000_000),
    ...trades(22, 40),
  ]);
  for (const max_pending_bytes of ['1MiB', '16MiB']) {
    const { rows } = await readAll(configOf(server, { max_pending_bytes }));
    assert.deepEqual(rows, tradeRows(0, 40), max_pending_bytes);
  }
});

test('a reader that nobody asks holds a bounded number of messages, and loses none', async () => {
  await using server = await startWithTrades(2000);
  const config = configOf(server, { ...forever, max_pending_messages: 64 });
  const reader = await openSource(config, { batchRows: 10 });
  const rows = [...(await readRows(reader, 10)).rows];
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const delivered = await server.manage(async (manager) => {
    const infos = await manager.consumers.list('T').next();
    return infos[0]?.delivered.consumer_seq ?? 0;
  });
  assert.ok(delivered <= 10 + 64, `${delivered} delivered`);
  rows.push(...(await readRows(reader, 1990)).rows);
  assert.deepEqual(rows, tradeRows(0, 2000));
  await reader.close();
});

test('who may not is told, and why', async () => {
  const user = nkeys.createUser();
  const seed = Buffer.from(user.getSeed()).toString();
  const config = `
    accounts { APP { jetstream: enabled, users: [
      { user: admin, password: s3cret }
      { nkey: ${user.getPublicKey()} }
      { user: engine, password: own, permissions { subscribe: { allow: ["_INBOX_engine.>"] } } }
      { user: reader, password: weak, permissions { publish: { deny: "$JS.API.CONSUMER.>" } } }
    ] } }`;
  const admin = { user: 'admin', pass: 's3cret' };
  await using server = await NatsServer.start({ config, connect: admin });
  await server.manage((manager) => addStream(manager));
  await publishAll(server, trades(0, 5));
  const read = async (options: Record<string, unknown>): Promise<string> => {
    try {
      return `${(await readAll(configOf(server, options))).rows.length} rows`;
    } catch (error) {
      return `${(error as EngineError).code}: ${(error as EngineError).message}`;
    }
  };
  assert.equal(await read({ user: 'admin', password: 's3cret' }), '5 rows');
  assert.equal(await read({ nkey: seed }), '5 rows');
  const engine = { user: 'engine', password: 'own' };
  assert.equal(await read({ ...engine, inbox_prefix: '_INBOX_engine' }), '5 rows');
  assert.match(await read(engine), /^nats\/denied: .*_INBOX/);
  const wrong = await read({ user: 'admin', password: 'hunter2' });
  assert.match(wrong, /^nats\/denied: source "trades": nats:.* refuses .*authorization/i);
  assert.ok(!wrong.includes('hunter2'));
  assert.match(await read({}), /^nats\/denied/);
  assert.match(await read({ nkey: 'no/such.nk' }), /^nats\/credentials: .*no such file/);
  assert.match(await read({ nkey: 'SUNOSEED' }), /^nats\/credentials: .*no seed/);
  assert.match(await read({ user: 'reader', password: 'weak' }), /^nats\/denied: .*CONSUMER/);
});

test('a server that comes late is waited for', async () => {
  await using server = await NatsServer.start();
  await server.manage(async (manager, connection) => {
    await addStream(manager);
    await jetstream(connection).publish('t.0', trades(0, 1)[0]![1]);
  });
  await server.kill();
  const found = nats.splits(configOf(server, { connect_timeout: '8s' }) as never, {
    source: 'trades',
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.resume();
  assert.equal((await found).length, 1);
});
