import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiscardPolicy } from '@nats-io/jetstream';
import type { Committable, SinkContext } from '../../engine/contract/connector.ts';
import type { EngineError } from '../../engine/contract/error.ts';
import { z } from '../../engine/contract/fields.ts';
import { unpack } from '../../engine/contract/message-pack.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { NatsServer } from '../testing/nats-server.ts';
import { columnBatch, type Row } from '../testing/rows.ts';
import { natsSink } from './nats-sink.ts';
import { mayBeForgotten } from './nats-sink-writer.ts';
import { windowProblem } from './sink-stream.ts';
import { fillSubject, subjectFilter } from './subject-template.ts';

const SCHEMA: Schema = {
  columns: [
    { name: 'anomaly_id', type: 'string' },
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'score', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

function alerts(from: number, to: number): Row[] {
  return Array.from({ length: to - from }, (_, i) => {
    const n = from + i;
    return [`id ${n}`, `S${n % 5}`, BigInt(n) * 1_000_000_000n, n % 7 === 0 ? null : n / 2];
  });
}

function configOf(server: NatsServer, options: Record<string, unknown> = {}): never {
  const given = { servers: server.url, stream: 'A', subject: 'a.{symbol}', connect_timeout: '5s' };
  return z.strictObject(natsSink.fields).parse({ ...given, ...options }) as never;
}

function contextOf(options: Partial<SinkContext> = {}): SinkContext {
  return { sink: 'alerts', pipeline: 'p', schema: SCHEMA, ...options };
}

async function addStream(server: NatsServer, windowMs = 120_000): Promise<void> {
  await server.manage((manager) =>
    manager.streams.add({ name: 'A', subjects: ['a.*'], duplicate_window: windowMs * 1e6 }),
  );
}

interface Stored {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly id: string;
}

async function stored(server: NatsServer): Promise<Stored[]> {
  return server.manage(async (manager) => {
    const { state } = await manager.streams.info('A');
    const messages: Stored[] = [];
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage('A', { seq });
      if (message === null) continue;
      const { subject, data } = message;
      messages.push({ subject, data, id: message.header.get('Nats-Msg-Id') });
    }
    return messages;
  });
}

async function storedIds(server: NatsServer): Promise<string[]> {
  const found = await stored(server);
  return found.map(({ data }) => String(JSON.parse(Buffer.from(data).toString()).anomaly_id));
}

const idsOf = (rows: readonly Row[]): string[] => rows.map(([id]) => id as string);
const sorted = (texts: readonly string[]): string[] => [...texts].sort();

test('anomalies are out at once, each under its own subject and id', async () => {
  await using server = await NatsServer.start();
  await addStream(server);
  const writer = await natsSink.open(configOf(server), contextOf());
  await writer.write(columnBatch(SCHEMA, [['x 1', 'BRK.B', 1_500_000_000n, null]]));
  const { committables } = await writer.prepareCommit(1, false);
  assert.deepEqual(committables, []);
  const [message, ...others] = await stored(server);
  assert.deepEqual(others, []);
  assert.equal(message!.subject, 'a.BRK_B');
  assert.equal(message!.id, 'p/alerts/x%201');
  assert.deepEqual(JSON.parse(Buffer.from(message!.data).toString()), {
    anomaly_id: 'x 1',
    symbol: 'BRK.B',
    event_time: '1970-01-01T00:00:01.500000000Z',
    score: null,
  });
  await writer.close();
});

test('a replay leaves out what the stream holds, after the duplicate window too', async () => {
  await using server = await NatsServer.start();
  await addStream(server, 100);
  const config = configOf(server);
  const first = await natsSink.open(config, contextOf());
  await first.write(columnBatch(SCHEMA, alerts(0, 40)));
  const { carried } = await first.prepareCommit(1, false);
  await first.write(columnBatch(SCHEMA, alerts(40, 70)));
  await first.prepareCommit(2, false);
  // Epoch 2 never became a checkpoint: the engine dies, and comes back when ids are forgotten.
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const resume = { epoch: 1, carried };
  const second = await natsSink.open(config, contextOf({ resume }));
  await second.write(columnBatch(SCHEMA, alerts(40, 90)));
  await second.prepareCommit(2, true);
  await second.close();
  assert.deepEqual(sorted(await storedIds(server)), sorted(idsOf(alerts(0, 90))));

  await new Promise((resolve) => setTimeout(resolve, 300));
  const anew = await natsSink.open(config, contextOf());
  await anew.write(columnBatch(SCHEMA, alerts(0, 100)));
  await anew.prepareCommit(1, true);
  await anew.close();
  assert.deepEqual(sorted(await storedIds(server)), sorted(idsOf(alerts(0, 100))));
});

test('rows for the checkpoint are seen at the commit, once however often it is made', async () => {
  await using server = await NatsServer.start();
  await addStream(server, 100);
  const config = configOf(server, { publish: 'at_checkpoint', format: 'msgpack' });
  const writer = await natsSink.open(config, contextOf());
  await writer.write(columnBatch(SCHEMA, alerts(0, 30)));
  await writer.write(columnBatch(SCHEMA, alerts(30, 50)));
  const { committables } = await writer.prepareCommit(7, false);
  assert.deepEqual(await stored(server), []);
  await natsSink.commit(config, committables, contextOf());
  await natsSink.commit(config, committables, contextOf());
  await new Promise((resolve) => setTimeout(resolve, 300));
  await natsSink.commit(config, committables, contextOf());
  const messages = await stored(server);
  assert.equal(messages.length, 50);
  const rows = messages.map(({ data }) => unpack(data) as Record<string, unknown>);
  assert.deepEqual(
    rows.sort((a, b) => Number(a['event_time']) - Number(b['event_time'])),
    alerts(0, 50).map(([anomaly_id, symbol, event_time, score]) => {
      return { anomaly_id, symbol, event_time, score };
    }),
  );
  // The same epoch of another run, with other rows, is not taken for a duplicate.
  await writer.write(columnBatch(SCHEMA, alerts(60, 65)));
  const again: readonly Committable[] = (await writer.prepareCommit(7, true)).committables;
  await natsSink.commit(config, again, contextOf());
  assert.equal((await stored(server)).length, 55);
  await writer.close();
});

test('a killed server loses and doubles nothing, and each subject keeps its order', async () => {
  await using server = await NatsServer.start();
  await addStream(server);
  const writer = await natsSink.open(configOf(server, { connect_timeout: '20s' }), contextOf());
  await writer.write(columnBatch(SCHEMA, alerts(0, 300)));
  await server.kill();
  const writing = writer.write(columnBatch(SCHEMA, alerts(300, 900)));
  await server.resume();
  await writing;
  await writer.prepareCommit(1, true);
  await writer.close();
  const messages = await stored(server);
  assert.equal(messages.length, 900);
  const rows = messages.map(({ data }) => JSON.parse(Buffer.from(data).toString()));
  for (let s = 0; s < 5; s++) {
    const own = rows.filter(({ symbol }) => symbol === `S${s}`).map((row) => row.anomaly_id);
    const wanted = alerts(0, 900).filter(([, symbol]) => symbol === `S${s}`);
    assert.deepEqual(own, idsOf(wanted));
  }
});

test('streams that do not do are refused with both sides', async () => {
  await using server = await NatsServer.start();
  const refusal = async (options: Record<string, unknown>, context: Partial<SinkContext> = {}) => {
    try {
      const writer = await natsSink.open(configOf(server, options), contextOf(context));
      await writer.close();
      return 'taken';
    } catch (error) {
      return `${(error as EngineError).code}: ${(error as EngineError).message}`;
    }
  };
  assert.equal(
    await refusal({}),
    'nats/no-stream: sink "alerts": there is no stream A; the server has none',
  );
  await addStream(server, 60_000);
  assert.equal(
    await refusal({ subject: 'b.{symbol}' }),
    'nats/no-subject: sink "alerts": stream A does not take b.*: it takes a.*',
  );
  assert.match(
    await refusal({}, { checkpointMs: 30_000 }),
    /^nats\/duplicate-window: .* for 60s \(duplicate_window\), but .* again for 65s: .* 30s/,
  );
  assert.equal(await refusal({}, { checkpointMs: 10_000 }), 'taken');
  assert.equal(await refusal({ stream: 'NEW', subject: 'n.{symbol}', create: true }), 'taken');
  assert.match(
    await refusal({ stream: 'N2', subject: 'n.{symbol}', create: true }),
    /^nats\/refused/,
  );
});

test('a full stream is told', async () => {
  await using server = await NatsServer.start();
  await server.manage((manager) =>
    manager.streams.add({ name: 'A', subjects: ['a.*'], max_msgs: 10, discard: DiscardPolicy.New }),
  );
  const writer = await natsSink.open(configOf(server), contextOf());
  const writing = writer
    .write(columnBatch(SCHEMA, alerts(0, 20)))
    .then(() => writer.prepareCommit(1, true));
  await assert.rejects(writing, { code: 'nats/stream-full' });
  await writer.close();
});

test('options that do not go together are linted', () => {
  const bars: Schema = { ...SCHEMA, columns: SCHEMA.columns.slice(1) };
  const problems = (options: Record<string, unknown>, schema: Schema): string[] => {
    const found: string[] = [];
    const config = z
      .strictObject(natsSink.fields)
      .parse({ stream: 'A', subject: 'a.{symbol}', ...options });
    natsSink.plan(config as never, schema, ({ path, message }) => {
      found.push(`${path.join('.')}: ${message}`);
    });
    return found;
  };
  assert.deepEqual(problems({}, SCHEMA), []);
  assert.deepEqual(problems({}, bars), []);
  assert.deepEqual(problems({ publish: 'at_once' }, bars), [
    'publish: rows that are published at once need an id',
  ]);
  assert.deepEqual(problems({ publish: 'at_once', id: ['symbol', 'at'] }, bars), [
    'id: the rows have no column at',
  ]);
  assert.deepEqual(problems({ id: ['symbol'] }, bars), [
    'id: id is for at_once; at a checkpoint rows are known by their number in it',
  ]);
  assert.deepEqual(problems({ subject: 'a.{sym}' }, SCHEMA), [
    'subject: the rows have no column sym',
  ]);
  assert.deepEqual(problems({ user: 'u', nkey: 'SU', password: 'p' }, SCHEMA), [
    'nkey: user and nkey are two ways to prove who one is',
  ]);
});

test('subjects are filled without breaking them', () => {
  const fill = (value: string): string => fillSubject('a.{s}.x-{s}', () => value);
  assert.equal(fill('AAPL'), 'a.AAPL.x-AAPL');
  assert.equal(fill('BRK.B *>'), 'a.BRK_B___.x-BRK_B___');
  assert.equal(fill(''), 'a._.x-_');
  assert.equal(subjectFilter('a.{s}.x-{s}.b'), 'a.*.*.b');
});

test('the server has forgotten ids after its window, and half of that is trusted', () => {
  assert.equal(mayBeForgotten(1000, 50_000, 120_000), false);
  assert.equal(mayBeForgotten(1000, 70_000, 120_000), true);
  assert.equal(mayBeForgotten(50_000, 1000, 120_000), true, 'a clock that went back');
  assert.equal(windowProblem(120_000, { intervalMs: 10_000, connectMs: 30_000 }), undefined);
  assert.match(windowProblem(60_000, { intervalMs: 10_000, connectMs: 30_000 })!, /60s.*70s/);
});
