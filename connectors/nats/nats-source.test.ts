import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import type { EngineError } from '../../engine/contract/error.ts';
import { pack } from '../../engine/contract/message-pack.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { ArrowStreamWriter } from '../parquet/arrow-stream.ts';
import { RowBuffer } from '../parquet/row-buffer.ts';
import { NatsServer } from '../testing/nats-server.ts';
import { columnBatch, type Row } from '../testing/rows.ts';
import { nats } from './nats-source.ts';
import {
  addStream,
  configOf,
  type Message,
  openSource,
  publishAll,
  readAll,
  readRows,
  START_NS,
  trade,
  tradeRows,
  trades,
} from './read-stream.fixture.ts';

const SCHEMA: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

function arrowMessage(rows: readonly Row[]): Uint8Array {
  const buffer = new RowBuffer(SCHEMA.columns, Math.max(1, rows.length));
  buffer.append(columnBatch(SCHEMA, rows), [0, 1, 2], undefined, 0, rows.length);
  const writer = new ArrowStreamWriter(SCHEMA.columns, [true, false, false]);
  return writer.write(buffer, buffer.capacityMax).next().value!.bytes;
}

/** One server for all tests: each has the stream for itself. */
let shared: NatsServer | undefined;
after(async () => shared?.[Symbol.asyncDispose]());

async function withStream(
  messages: readonly Message[],
  use: (server: NatsServer) => Promise<void>,
): Promise<void> {
  shared ??= await NatsServer.start();
  const server = shared;
  await server.manage((manager) => addStream(manager));
  try {
    await publishAll(server, messages);
    await use(server);
  } finally {
    await server.manage((manager) => manager.streams.delete('T'));
  }
}

test('rows come from JSON objects, arrays and lines, in order', async () => {
  const json = (i: number): string => trade(i).json;
  const messages: Message[] = [
    ['t.0', json(0)],
    ['t.0', `[${json(1)},${json(2)},${json(3)}]`],
    ['t.1', `${json(4)}\n${json(5)}\n`],
    ['t.1', '[]'],
    ['t.2', json(6)],
  ];
  await withStream(messages, async (server) => {
    const { rows, rejected, position } = await readAll(configOf(server));
    assert.deepEqual(rows, tradeRows(0, 7));
    assert.deepEqual(rejected, []);
    assert.equal(position['sequence'], 5);
  });
});

test('rows come from MessagePack maps and arrays of them, with 64-bit times', async () => {
  const value = (i: number) => {
    const [symbol, event_time, price] = trade(i).row;
    return { symbol, event_time, price };
  };
  const messages: Message[] = [
    ['t.0', pack(value(0))],
    ['t.0', pack([value(1), value(2)])],
    ['t.0', pack(7)],
  ];
  await withStream(messages, async (server) => {
    const { rows, rejected } = await readAll(configOf(server, { format: 'msgpack' }));
    assert.deepEqual(rows, tradeRows(0, 3));
    assert.deepEqual(
      rejected.map(({ line, reason }) => [line, reason]),
      [[3, 'not an object, expected an object a row']],
    );
  });
});

test('Arrow messages of any size are cut into batches and put together', async () => {
  const sizes = [1, 3000, 0, 7, 5000, 64];
  let at = 0;
  const messages = sizes.map((size): Message => {
    const message = arrowMessage(tradeRows(at, at + size));
    at += size;
    return ['t.0', message];
  });
  await withStream(messages, async (server) => {
    const config = configOf(server, { format: 'arrow' });
    for (const batchRows of [64, 1024, 16_384]) {
      const { rows, rejected } = await readAll(config, { batchRows });
      assert.deepEqual(rejected, []);
      assert.equal(rows.length, at);
      assert.deepEqual(rows, tradeRows(0, at), `batches of ${batchRows}`);
    }
  });
});

/** Messages of the trades from one number to another. */
const WAYS = {
  arrow: (from: number, to: number) => arrowMessage(tradeRows(from, to)),
  array: (from: number, to: number) => `[${tradesOf(from, to)}]`,
  lines: (from: number, to: number) => tradesOf(from, to).replaceAll('},{', '}\n{'),
};

for (const [way, messageOf] of Object.entries(WAYS)) {
  test(`reading goes on behind any position, within a message too: ${way}`, async () => {
    const messages = [0, 50, 100, 150].map((from): Message => ['t.0', messageOf(from, from + 50)]);
    await withStream(messages, async (server) => {
      const config = configOf(server, { format: way === 'arrow' ? way : 'json' });
      const reader = await openSource(config, { batchRows: 16 });
      const positions: [number, SplitPosition][] = [[0, reader.position()]];
      let count = 0;
      for (;;) {
        const batch = await reader.poll();
        if (batch === 'end') break;
        if (batch === 'idle') continue;
        count += batch.rowCount;
        positions.push([count, reader.position()]);
      }
      await reader.close();
      assert.equal(count, 200);
      for (const [read, resumeAt] of positions) {
        const { rows } = await readAll(config, { resumeAt, batchRows: 16 });
        assert.deepEqual(rows, tradeRows(read, 200), `behind row ${read}`);
      }
    });
  });
}

test('messages of one row, with others among them, keep rows, positions and origins', async () => {
  const messages: Message[] = [];
  const rowsUpTo: number[] = [0];
  const poison: number[] = [];
  let next = 0;
  for (let i = 1; i <= 120; i++) {
    const count = i % 5 === 0 ? 3 : i % 7 === 0 ? 0 : 1;
    const objects = tradesOf(next, next + count);
    next += count;
    rowsUpTo.push(next);
    if (count === 0) poison.push(i);
    messages.push(['t.0', count === 0 ? '{"symbol":' : i % 5 === 0 ? `[${objects}]` : objects]);
  }
  await withStream(messages, async (server) => {
    const config = configOf(server);
    const reader = await openSource(config, { batchRows: 16 });
    // Not of this run, which ends behind the last message that was there when it began.
    await publishAll(server, trades(1000, 1010));
    const ends: [number, number, SplitPosition][] = [];
    let [count, rejected] = [0, 0];
    for (;;) {
      const batch = await reader.poll();
      if (batch === 'end') break;
      if (batch === 'idle') continue;
      count += batch.rowCount;
      for (const { line, origin } of batch.rejected) {
        assert.equal(line, poison[rejected++]);
        assert.equal(origin, 'T t.0');
      }
      const position = reader.position();
      assert.equal(count, rowsUpTo[Number(position['sequence'])]! + Number(position['row'] ?? 0));
      ends.push([count, rejected, position]);
    }
    await reader.close();
    assert.equal(count, next);
    assert.equal(rejected, poison.length);
    for (const [read, lost, resumeAt] of ends) {
      const rest = await readSome(config, resumeAt, next - read + poison.length - lost);
      assert.deepEqual(rest.rows, tradeRows(read, next), `behind row ${read}`);
      assert.equal(rest.rejected.length, poison.length - lost);
    }
  });
});

function tradesOf(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => trade(from + i).json).join(',');
}

/** The next rows behind a position, rejected ones too. */
async function readSome(config: unknown, resumeAt: SplitPosition, enough: number) {
  const reader = await openSource(config, { resumeAt, batchRows: 1 });
  try {
    return await readRows(reader, enough);
  } finally {
    await reader.close();
  }
}

test('the key comes from the subject where the source says so', async () => {
  const [price, time] = [1.5, `${START_NS}`];
  const messages: Message[] = [
    ['t.0.AAPL', `{"T":${time},"p":${price}}`],
    ['t.1.MSFT', `{"T":${time},"p":${price}}`],
    ['t.2', `{"T":${time},"p":${price}}`],
  ];
  await withStream(messages, async (server) => {
    const options = { subject_token: 3, columns: { event_time: 'T', price: 'p' } };
    const { rows, rejected } = await readAll(configOf(server, options));
    assert.deepEqual(rows, [
      ['AAPL', START_NS, 1.5],
      ['MSFT', START_NS, 1.5],
    ]);
    assert.equal(rejected[0]!.reason, 'symbol: missing, expected a text');
    assert.equal(rejected[0]!.origin, 'T t.2');
  });
});

test('a subject filter reads what matches, and ends where nothing more does', async () => {
  const messages = Array.from({ length: 30 }, (_, i): Message => [`t.${i % 3}`, trade(i).json]);
  await withStream(messages, async (server) => {
    const { rows } = await readAll(configOf(server, { subject: 't.1' }));
    assert.deepEqual(
      rows,
      tradeRows(0, 30).filter((_, i) => i % 3 === 1),
    );
    assert.deepEqual((await readAll(configOf(server, { subject: 't.9' }))).rows, []);
  });
});

test('poison becomes dead letters with stream, subject, sequence and bytes', async () => {
  const binary = Uint8Array.of(0xff, 0, 1, 2);
  const messages: Message[] = [
    ['t.0', trade(0).json],
    ['t.0', 'not JSON'],
    ['t.1', binary],
    ['t.0', ''],
    ['t.0', '{"symbol":"A","event_time":"yesterday","price":1}'],
    ['t.0', `[${trade(1).json},{"symbol":"A"},5]`],
    ['t.0', `${trade(2).json}\n{"sym\n${trade(3).json}`],
    ['t.0', trade(4).json],
  ];
  await withStream(messages, async (server) => {
    const { rows, rejected } = await readAll(configOf(server));
    assert.deepEqual(rows, tradeRows(0, 5));
    assert.deepEqual(
      rejected.map(({ origin, line, raw }) => [origin, line, raw]),
      [
        ['T t.0', 2, 'not JSON'],
        ['T t.1', 3, `base64:${Buffer.from(binary).toString('base64')}`],
        ['T t.0', 4, ''],
        ['T t.0', 5, '{"symbol":"A","event_time":"yesterday","price":1}'],
        ['T t.0', 6, '{"symbol":"A"}'],
        ['T t.0', 6, '5'],
        ['T t.0', 7, '{"sym'],
      ],
    );
    assert.match(rejected[0]!.reason, /^no JSON: .*begins with "not JSON"/);
    assert.match(rejected[3]!.reason, /^event_time: "yesterday", expected a time/);
  });
});

test('poison among Arrow messages rejects messages or rows; the rest is read', async () => {
  const good = arrowMessage(tradeRows(0, 10));
  const damaged = Uint8Array.from(good);
  damaged.fill(0xaa, 40, 200);
  const otherColumns = tableToIPC(tableFromArrays({ sym: ['A'], p: [1] }), 'stream');
  const withNulls = arrowMessage([
    ['A', START_NS, 1],
    [null, START_NS, 2],
    ['C', null, 3],
  ]);
  const messages = [good, damaged, good.subarray(0, 100), otherColumns, withNulls, good].map(
    (payload): Message => ['t.0', payload],
  );
  await withStream(messages, async (server) => {
    const { rows, rejected } = await readAll(configOf(server, { format: 'arrow' }));
    assert.deepEqual(rows, [...tradeRows(0, 10), ['A', START_NS, 1], ...tradeRows(0, 10)]);
    assert.deepEqual(
      rejected.map(({ line }) => line),
      [2, 3, 4, 5, 5],
    );
    assert.match(rejected[0]!.reason, /^no Arrow IPC stream/);
    assert.equal(rejected[2]!.reason, 'no column "symbol"; it has sym, p');
    assert.equal(rejected[3]!.reason, 'symbol: null, expected a text');
  });
});

test('a new run whose first messages are all in another format fails, naming both', async () => {
  await withStream(trades(0, 40), async (server) => {
    const config = configOf(server, { format: 'arrow' });
    const reader = await openSource(config);
    await assert.rejects(readRows(reader), (error: EngineError) => {
      assert.equal(error.code, 'source/format');
      assert.match(error.message, /first 16 messages of stream T cannot be read as arrow/);
      assert.match(error.message, /message 17 on t\.0: .*it is like JSON/);
      return true;
    });
    await reader.close();
    // One that goes on from a checkpoint has read the format before: it does not stop at poison.
    const resumed = await readAll(config, { resumeAt: { sequence: 0, time: '', stream: '' } });
    assert.equal(resumed.rejected.length, 40);
  });
});

test('reading starts at the first message, a sequence, a time, or with what is new', async () => {
  await withStream(trades(0, 10), async (server) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const time = new Date().toISOString();
    await publishAll(server, trades(10, 20));
    const read = async (start: unknown) => (await readAll(configOf(server, { start }))).rows;
    assert.deepEqual(await read('first'), tradeRows(0, 20));
    assert.deepEqual(await read({ sequence: 5 }), tradeRows(4, 20));
    assert.deepEqual(await read({ sequence: 21 }), []);
    assert.deepEqual(await read({ time }), tradeRows(10, 20));
    assert.deepEqual(await read({ time: '2100-01-01' }), []);
    assert.deepEqual(await read({ time: '2001-01-01' }), tradeRows(0, 20));
    await assert.rejects(read({ sequence: 22 }), { code: 'nats/no-sequence' });

    const reader = await openSource(configOf(server, { start: 'new', until: 'forever' }));
    assert.equal(await reader.poll(), 'idle');
    await publishAll(server, trades(20, 25));
    assert.deepEqual((await readRows(reader, 5)).rows, tradeRows(20, 25));
    assert.equal(reader.status!().state, 'connected');
    await reader.close();
  });
});

test('what does not exist is told with what does', async () => {
  await withStream(trades(0, 1), async (server) => {
    const code = async (options: Record<string, unknown>): Promise<string> => {
      const found = nats.splits(configOf(server, options) as never, { source: 'trades' });
      return found.then(
        () => 'ok',
        (error: EngineError) => `${error.code}: ${error.message}`,
      );
    };
    assert.equal(
      await code({ stream: 'TRADES' }),
      'nats/no-stream: source "trades": there is no stream TRADES; the server has T',
    );
    assert.equal(
      await code({ subject: 'trades.>' }),
      'nats/no-subject: source "trades": no subject of stream T matches trades.>: it takes t.>',
    );
    assert.match(
      await code({ servers: 'nats://127.0.0.1:1', connect_timeout: '100ms' }),
      /^nats\/unreachable: .*127\.0\.0\.1:1 \(connection refused\); gave up after 100ms$/,
    );
  });
});

test('a partitioned stream has a watermark for each partition', async () => {
  await using server = await NatsServer.start();
  await server.manage((manager) =>
    addStream(manager, { description: 'tidemark partitions=4 hash=fnv1a32 sid=abc' }),
  );
  const found = async (partitions: number) => {
    const [split] = await nats.splits(configOf(server) as never, { source: 'trades', partitions });
    return split!;
  };
  for (const partitions of [4, 16]) {
    const { watermarkScope, notes } = await found(partitions);
    assert.equal(watermarkScope, 'partition');
    assert.equal(notes, undefined);
  }
  const { watermarkScope, notes } = await found(6);
  assert.equal(watermarkScope, 'split');
  assert.equal(notes?.length, 1);
  assert.match(notes[0]!, /source "trades": stream T has 4 partitions.* set partitions to 4 or a/);
});
