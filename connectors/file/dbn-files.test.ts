/** DBN files made field by field: columns, nulls, records of all kinds, restarts. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import {
  dbnBar,
  dbnEvent,
  type DbnHead,
  dbnHead,
  dbnQuote,
  UNDEFINED_PRICE,
  UNDEFINED_SIZE,
  UNDEFINED_TIME,
} from './dbn.fixture.ts';
import { readShared } from './read-dbn.fixture.ts';
import { type Options, plan, read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const T = 1381152600_000_000_000n;
const DAY = 86_400_000_000_000n;
const mappings: DbnHead['mappings'] = [{ raw: 'ABC', intervals: [[20131007, 20131009, '1']] }];

function put(name: string, ...parts: readonly Buffer[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

test('the usual columns, where none are named', async () => {
  const path = put('usual.dbn', dbnHead({ mappings }), dbnEvent());
  const names = plan({ path }).schema.columns.map(({ name, type }) => `${name} ${type}`);
  assert.deepEqual(names, [
    'symbol string',
    'event_time timestamp',
    'publisher_id int64',
    'ts_recv timestamp',
    'action string',
    'side string',
    'price float64',
    'size float64',
    'flags int64',
    'sequence int64',
  ]);
  const { rows } = await read({ path });
  assert.deepEqual(rows, [['ABC', T, 7n, T + 1000n, 'T', 'B', 1.5, 100, 128n, 9n]]);
});

test('what is undefined is null', async () => {
  const undefinedTrade = dbnEvent({
    price: UNDEFINED_PRICE,
    size: UNDEFINED_SIZE,
    received: UNDEFINED_TIME,
    side: '\0',
  });
  const path = put('undefined.dbn', dbnHead({ mappings }), undefinedTrade);
  const columns = { symbol: 'symbol', event_time: 'ts_event', ts_recv: 'ts_recv', side: 'side' };
  const numbers = { price: 'price', size: { from: 'size', type: 'int64' as const } };
  const { rows } = await read({ path, columns: { ...columns, ...numbers } });
  assert.deepEqual(rows, [['ABC', T, null, null, null, null]]);
  const quotes = put(
    'quote.dbn',
    dbnHead({ schema: 1, mappings }),
    dbnQuote({}, 1_000_000_001n, UNDEFINED_PRICE),
  );
  const book = {
    bid_px: 'bid_px',
    ask_px: 'ask_px',
    bid_sz: 'bid_sz',
    ask_sz: 'ask_sz',
    ask_ct: 'ask_ct',
  };
  const result = await read({
    path: quotes,
    schema: 'mbp-1',
    columns: { symbol: 'symbol', event_time: 'ts_event', ...book },
  });
  assert.deepEqual(result.rows, [['ABC', T, 1.000000001, null, 10, null, 4n]]);
});

test('a time that is undefined, or out of range, is a bad row', async () => {
  const path = put(
    'times.dbn',
    dbnHead({ mappings }),
    dbnEvent({ event: UNDEFINED_TIME, received: T }),
    dbnEvent(),
    dbnEvent({ event: 2n ** 63n - 1n, received: T }),
  );
  const { rows, rejected } = await read({ path });
  assert.equal(rows.length, 1);
  assert.deepEqual(
    rejected.map(({ line, reason }) => `${line} ${reason}`),
    [
      '1 event_time: undefined, expected a time such as 2013-10-07T13:30:00Z or an epoch',
      '3 event_time: 9223372036854775807, expected a time from 1678-01-01 to 2262-01-01',
    ],
  );
  assert.equal(JSON.parse(rejected[1]!.raw).ts_event, '9223372036854775807');
});

test('prices are the doubles nearest to their billionths', async () => {
  const price = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 2n }),
    fc.bigInt({ min: 2n ** 53n - 9n, max: 2n ** 53n + 999n }),
    fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(price, { minLength: 1, maxLength: 500, size: 'max' }),
      async (prices) => {
        const records = prices.map((value) => dbnEvent({ price: value }));
        const path = put('prices.dbn', dbnHead({ mappings }), ...records);
        const { rows } = await readShared(path);
        assert.deepEqual(
          rows.map((row) => row[6]),
          prices.map((value) => Number(`${value}e-9`)),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test('records of other types, with a time of sending, and of unknown types', async () => {
  const path = put(
    'mixed.dbn',
    dbnHead({ tsOut: true, mappings }),
    dbnEvent({ out: T, sequence: 1 }),
    dbnEvent({ rtype: 0x7e, bytes: 16, out: T }),
    dbnEvent({ rtype: 0xa0, bytes: 56, out: T }),
    dbnEvent({ out: T + 1n, sequence: 2 }),
  );
  const { rows, status } = await read({ path });
  assert.deepEqual(
    rows.map((row) => row.at(-1)),
    [1n, 2n],
  );
  assert.deepEqual(status?.metrics, { records_passed_over: 2 });
});

test('bars of every length', async () => {
  const prices = [1n, 4n, -2n, 3n].map((price) => price * 1_000_000_000n);
  for (const [schema, number, rtype] of [
    ['ohlcv-1s', 5, 0x20],
    ['ohlcv-1d', 8, 0x23],
    ['ohlcv-1h', 7, 0x11],
  ] as const) {
    const bars = [dbnBar(rtype, prices, 2n ** 40n), dbnBar(rtype, prices, UNDEFINED_TIME)];
    const path = put('bars.dbn', dbnHead({ schema: number, mappings }), ...bars);
    const { rows } = await read({ path, schema });
    assert.deepEqual(rows[0], ['ABC', T, 7n, 1, 4, -2, 3, 2 ** 40]);
    assert.equal(rows[1]!.at(-1), null);
  }
});

test('flags that doubt a record are counted, or reject it', async () => {
  const records = [0x80, 0x88, 0x84, 0x8c].map((flags) => dbnEvent({ flags }));
  const path = put('flags.dbn', dbnHead({ mappings }), ...records);
  const kept = await read({ path });
  assert.equal(kept.rows.length, 4);
  assert.deepEqual(kept.status?.metrics, { bad_ts_recv_rows: 2, maybe_bad_book_rows: 2 });
  const { rows, rejected } = await read({ path, bad_quality: 'reject' });
  assert.equal(rows.length, 1);
  assert.deepEqual(
    rejected.map(({ line, reason }) => `${line} ${reason}`),
    [
      '2 flags: BAD_TS_RECV, expected neither (bad_quality: reject)',
      '3 flags: MAYBE_BAD_BOOK, expected neither (bad_quality: reject)',
      '4 flags: BAD_TS_RECV and MAYBE_BAD_BOOK, expected neither (bad_quality: reject)',
    ],
  );
});

test('cuts into batches and restarts change nothing', async () => {
  const records = Array.from({ length: 20_000 }, (_, row) =>
    dbnEvent({
      instrument: 1 + (row % 700),
      event: T + BigInt(row) * (DAY / 10_000n),
      sequence: row,
    }),
  );
  const many = Array.from(
    { length: 650 },
    (_, index): NonNullable<DbnHead['mappings']>[number] => ({
      raw: `S${index}`,
      intervals: [[20131001, 20131101, String(index + 1)]],
    }),
  );
  const path = put('many.dbn', dbnHead({ mappings: many }), ...records);
  const columns = { symbol: 'symbol', event_time: 'ts_event', sequence: 'sequence' };
  const whole = await read({ path, columns });
  assert.equal(whole.rows.length + whole.rejected.length, records.length);
  assert.ok(whole.rejected.length > 1000);
  for (const row of whole.rows) assert.equal(row[0], `S${Number(row[2]) % 700}`);
  const small = await read({ path, columns }, { batchRows: 999 });
  assert.deepEqual(small.rows, whole.rows);
  assert.deepEqual(small.rejected, whole.rejected);
  const resumeAt = small.positions[7]!;
  const rest = await read({ path, columns }, { batchRows: 999, resumeAt });
  assert.deepEqual(rest.rows, small.rows.slice(-rest.rows.length));
  assert.deepEqual(rest.batchSizes, small.batchSizes.slice(8));
});

test('lints', () => {
  const cases: readonly [Options, string[]][] = [
    [{ path: 'a.dbn' }, []],
    [{ path: 'a.dbn.zst', schema: 'ohlcv-1d' }, []],
    [
      { path: 'a.csv' },
      ['config/missing-field: columns is missing, which says what to read from the files'],
    ],
    [
      { path: 'a.dbn', columns: { symbol: 'symbol', event_time: 'ts_event', open: 'open' } },
      ['columns.open config/unknown-column: schema trades has no column "open"'],
    ],
    [
      {
        path: 'a.dbn',
        columns: { symbol: 'symbol', event_time: 'ts_event', p: { from: 'prize' } },
      },
      ['columns.p.from config/unknown-column: schema trades has no column "prize"'],
    ],
    [
      {
        path: 'a.dbn',
        columns: { symbol: {}, event_time: {}, price: { type: 'int64' } },
      },
      ['columns.price.type config/column-type: price is read as float64, got int64'],
    ],
    [
      {
        path: 'a.csv',
        columns: { symbol: 's', event_time: 't' },
        schema: 'trades',
        bad_quality: 'keep',
        stream: 'trade',
      },
      ['schema', 'bad_quality', 'stream'].map((name) => {
        const formats =
          name === 'schema' ? 'dbn and databento_csv' : name === 'stream' ? 'binance_ws' : 'dbn';
        return `${name} config/constraint: ${name} is for ${formats} files, and the format is csv`;
      }),
    ],
  ];
  for (const [options, want] of cases) {
    assert.deepEqual(
      plan(options).problems.map((line) => line.trim()),
      want,
    );
  }
});
