/** Databento's csv files: both spellings of prices and times, what is undefined, and zstd. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { ColumnStore } from '../formats/column-store.ts';
import { openCsv } from '../formats/csv-decoder.ts';
import { columnsOf } from './file-fields.ts';
import { parseOptions, plan, read, rowsOf, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const T = 1609160400_098821953n;
const HEADER =
  'ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,' +
  'ts_in_delta,sequence,symbol';
const format = 'databento_csv';

function put(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const usual = ['ESH1', T, 1n, T + 328104n, 'T', 'A', 3720.25, 5, 129n, 1170380n];

test('numbers and pretty texts are the same rows, without a column named', async () => {
  const raw =
    '1609160400099150057,1609160400098821953,0,1,5482,T,A,0,3720250000000,5,129,19251,1170380,ESH1';
  const pretty =
    '2020-12-28T13:00:00.099150057Z,2020-12-28T13:00:00.098821953Z,0,1,5482,T,A,0,' +
    '3720.250000000,5,129,19251,1170380,ESH1';
  const path = put('both.csv', `${HEADER}\n${raw}\n${pretty}\n`);
  const { rows, rejected, error } = await read({ path, format });
  assert.equal(error, undefined);
  assert.deepEqual(rejected, []);
  assert.deepEqual(rows, [usual, usual]);
});

test('what is undefined is null, and a time that is undefined a bad row', async () => {
  const max = '18446744073709551615';
  const path = put(
    'undefined.csv',
    `${HEADER}\n${max},${T},0,1,5482,T,N,0,9223372036854775807,4294967295,0,0,1,ESH1\n` +
      `,${T},0,1,5482,T,N,0,,,0,0,2,ESH1\n` +
      `${T},${max},0,1,5482,T,N,0,1,1,0,0,3,ESH1\n` +
      `${T},${T},0,1,5482,T,N,0,1x,1,0,0,4,ESH1\n` +
      `${T},${T},0,1,5482,T,N,0,1,1,0,0,5,\n`,
  );
  const { rows, rejected } = await read({ path, format });
  assert.deepEqual(
    rows.map((row) => [row[3], row[6], row[7], row[9]]),
    [
      [null, null, null, 1n],
      [null, null, null, 2n],
    ],
  );
  assert.deepEqual(
    rejected.map(({ line, reason }) => `${line} ${reason}`),
    [
      '4 event_time: empty, expected a time such as 2013-10-07T13:30:00Z or an epoch',
      '5 price: "1x", expected a number',
      '6 symbol: empty, expected a text',
    ],
  );
});

test('quotes and bars, named columns, a column that the file lacks', async () => {
  const quotes = put(
    'mbp-1.csv',
    'ts_recv,ts_event,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,' +
      'bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00,symbol\n' +
      `1,${T},5482,A,A,0,1,1,0,0,1,3720250000000,3720.5,24,11,15,9,ESH1\n`,
  );
  const columns = { symbol: {}, event_time: {}, bid: 'bid_px', ask: 'ask_px', bids: 'bid_sz' };
  const book = await read({ path: quotes, format, schema: 'mbp-1', columns });
  assert.equal(book.error, undefined);
  assert.deepEqual(book.rows, [['ESH1', T, 3720.25, 3720.5, 24]]);
  const bars = put(
    'bars.csv',
    'ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume\n' +
      `${T},33,1,5482,1000000000,4000000000,-2000000000,3000000000,18446744073709551615\n`,
  );
  const options = { path: bars, format, schema: 'ohlcv-1m' } as const;
  const { error } = await read(options);
  assert.match(error!.message, /no column "symbol"; its header is ts_event, rtype/);
  const byId = { symbol: 'instrument_id', event_time: {}, low: {}, volume: {} };
  assert.deepEqual((await read({ ...options, columns: byId })).rows, [['5482', T, -2, null]]);
  const { problems } = plan({ path: 'a.csv', format, columns: { ...byId, price: {} } });
  assert.equal(problems.length, 2);
  assert.match(
    problems[0]!,
    /^columns.low config\/unknown-column: schema trades has no column "low"/,
  );
});

test('every price in billionths becomes the double nearest to it', async () => {
  const store = new ColumnStore(
    columnsOf(
      parseOptions({ path: 'a.csv', format, columns: { symbol: {}, event_time: {}, price: {} } }),
      'symbol',
    ),
    4096,
  );
  const price = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 2n }),
    fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }),
  );
  const csv = { delimiter: ',', hasHeader: true, timeUnit: 1n };
  await fc.assert(
    fc.asyncProperty(
      fc.array(price, { minLength: 1, maxLength: 300, size: 'max' }),
      async (prices) => {
        const lines = prices.map((value) => `A,${T},${value}\n`);
        const path = put('prices.csv', `symbol,ts_event,price\n${lines.join('')}`);
        const decoder = await openCsv(path, store, csv);
        const batch = (await decoder.next())!;
        await decoder.close();
        const rows = rowsOf({ ...batch, unit: 0, bytesRead: 0 });
        assert.deepEqual(
          rows.map((row) => row[2]),
          prices.map((value) => Number(`${value}e-9`)),
        );
      },
    ),
    { numRuns: 40 },
  );
});
