/** Captured Binance streams: trades, book tickers, what is neither, and the skew of the clock. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { plan, read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const format = 'binance_ws';
/** The exchange's clock, in milliseconds, and a local clock that is 1.25 s behind. */
const E = 1723161255000;
const SKEW_MS = -1250;

function put(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  const text = lines.map((line) => `${line}\n`).join('');
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

/** A line that comes `late` milliseconds after the exchange's time `at`, both from `E` on. */
function line(at: number, late: number, stream: string, data: object): string {
  const local = `${E + at + SKEW_MS + late}000000`;
  return `${local} ${JSON.stringify({ stream, data })}`;
}

function trade(at: number, late: number, more: object = {}): string {
  const data = {
    e: 'trade',
    E: E + at,
    s: 'BTCUSDT',
    t: 7,
    p: '61837.63',
    q: '0.02',
    T: E + at - 1,
    m: true,
  };
  return line(at, late, 'btcusdt@trade', { ...data, ...more });
}

function ticker(at: number, late: number): string {
  const data = { u: 50093239212, s: 'BTCUSDT', b: '61837.63', B: '3.78', a: '61837.64', A: '1.54' };
  return line(at, late, 'btcusdt@bookTicker', data);
}

const depth = (at: number, late: number): string =>
  line(at, late, 'btcusdt@depth@100ms', {
    e: 'depthUpdate',
    E: E + at,
    s: 'BTCUSDT',
    b: [],
    a: [],
  });

const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n;

test('trades, with the side of the aggressor; the rest is passed over and counted', async () => {
  const path = put('trades.gz', [
    depth(0, 5),
    trade(10, 5),
    ticker(11, 5),
    '1723161254206652067 {"lastUpdateId":50093239218,"bids":[],"asks":[]}',
    trade(20, 9, { t: 8, m: false, p: '1', q: '2', T: E + 19 }),
    trade(30, 5, { X: 'INSURANCE_FUND', p: '0', q: '0' }),
    trade(40, 5, { X: 'MARKET', t: 9 }),
    `${E}000000 {"result":null,"id":1}`,
  ]);
  const { rows, rejected, error, status } = await read({ path, format });
  assert.equal(error, undefined);
  assert.deepEqual(rejected, []);
  assert.deepEqual(rows, [
    ['BTCUSDT', ns(E + 9), ns(E + 10 - 1245), 61837.63, 0.02, 'A', 7n],
    ['BTCUSDT', ns(E + 19), ns(E + 20 - 1241), 1, 2, 'B', 8n],
    ['BTCUSDT', ns(E + 39), ns(E + 40 - 1245), 61837.63, 0.02, 'A', 9n],
  ]);
  assert.deepEqual(status?.metrics, {
    clock_skew_seconds: -1.245,
    messages_passed_over: 4,
    trades_not_market: 1,
  });
});

test('book tickers have the local time, less the smallest difference seen so far', async () => {
  const path = put('tickers.txt', [
    ticker(0, 5),
    depth(1, 9),
    ticker(2, 5),
    trade(3, 4),
    ticker(4, 5),
    // Of the last stretches of a minute only the best two count.
    trade(130_000, 40),
    ticker(130_001, 41),
    trade(190_000, 30),
    ticker(190_001, 31),
  ]);
  const options = { path, format, stream: 'book_ticker' } as const;
  const { rows, status } = await read(options);
  assert.deepEqual(
    rows.map((row) => row[1]),
    // The first message with a time was 9 ms on its way.
    [ns(E - 4), ns(E + 2 - 4), ns(E + 4 + 1), ns(E + 130_001 + 37), ns(E + 190_002)],
  );
  assert.deepEqual(rows[0]!.slice(3), [61837.63, 3.78, 61837.64, 1.54, 50093239212n]);
  assert.equal(status?.metrics?.['clock_skew_seconds'], -1.22);
  const small = await read(options, { batchRows: 1 });
  assert.deepEqual(small.rows, rows);
  for (const [index, resumeAt] of small.positions.entries()) {
    const rest = await read(options, { batchRows: 1, resumeAt });
    assert.deepEqual(rest.rows, rows.slice(index + 1), `behind row ${index}`);
  }
});

test('times in microseconds, book tickers of futures, messages without a stream', async () => {
  const data = JSON.parse(trade(10, 5).slice(20)).data as Record<string, number>;
  const raw = { ...data, E: data['E']! * 1000 + 7, T: data['T']! * 1000 + 5 };
  const path = put('raw.txt', [`${E}000000000 {}`.slice(6), `${E}000000 ${JSON.stringify(raw)}`]);
  const result = await read({ path, format, columns: { symbol: {}, event_time: {} } });
  assert.deepEqual(result.rows, [['BTCUSDT', ns(E + 9) + 5000n]]);
  const future = {
    e: 'bookTicker',
    E: E + 3,
    T: E + 2,
    s: 'X',
    u: 1,
    b: '1',
    B: '1',
    a: '2',
    A: '1',
  };
  const futures = put('futures.txt', [line(3, 5, 'x@bookTicker', future)]);
  const tickers = await read({ path: futures, format, stream: 'book_ticker' });
  assert.deepEqual(
    tickers.rows.map((row) => row[1]),
    [ns(E + 2)],
  );
});

test('lines that are none are bad rows', async () => {
  const path = put('bad.txt', [
    '{"stream":"x@trade","data":{}}',
    `${E}000000 {"stream":"x@trade","data":`,
    `${E}000000 {"stream":1,"data":{}}`,
    trade(1, 1, { m: 'true' }),
    trade(2, 1, { p: undefined }),
    trade(3, 1, { p: 'x' }),
    trade(4, 1, { T: 'noon' }),
    trade(5, 1, { s: '' }),
    trade(6, 1),
    '',
  ]);
  const { rows, rejected } = await read({ path, format });
  assert.equal(rows.length, 1);
  const expected = [
    /^1 no capture: expected a local time in nanoseconds and a JSON object$/,
    /^2 no JSON: /,
    /^3 no message of a stream: /,
    /^4 m: expected true or false/,
    /^5 price: missing from the message$/,
    /^6 price: "x", expected a number$/,
    /^7 event_time: .*/,
    /^8 symbol: .*/,
  ];
  assert.equal(rejected.length, expected.length);
  for (const [index, { line: number, reason }] of rejected.entries()) {
    assert.match(`${number} ${reason}`, expected[index]!);
  }
});

test('lints', () => {
  const { problems } = plan({
    path: 'a.gz',
    format,
    stream: 'book_ticker',
    columns: { symbol: {}, event_time: {}, price: {} },
  });
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^columns.price config\/unknown-column: stream book_ticker has no/);
});
