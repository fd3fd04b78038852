/**
 * Five-minute bars of real trades against bars computed with pandas. Skipped where the data does
 * not lie beside the repository.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { runOperator } from '../../engine/testing/harness.ts';
import { assertSameRows, type Row } from '../../engine/testing/table.ts';
import { tumblingWindow } from './tumbling-window.ts';

const shared = fileURLToPath(new URL('../../../../shared', import.meta.url));
const trades = [7, 8, 9].map((day) => `${shared}/data/us-equities/trades-2013-10-0${day}.csv.gz`);
const expected = `${shared}/oracle/bars-5m-2013-10-07_09.csv`;
const missing = [...trades, expected].find((path) => !existsSync(path));
const skip = missing === undefined ? false : `no file ${missing}`;

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'size', type: 'int64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

function* lines(text: string): Generator<string[]> {
  let from = text.indexOf('\n') + 1;
  while (from > 0 && from < text.length) {
    const end = text.indexOf('\n', from);
    yield text.slice(from, end < 0 ? undefined : end).split(',');
    from = end + 1;
  }
}

function* readTrades(batchRows: number): Generator<Row[]> {
  let batch: Row[] = [];
  for (const path of trades) {
    for (const [time, symbol, , price, size] of lines(gunzipSync(readFileSync(path)).toString())) {
      const row = { event_time: BigInt(time!), symbol: symbol! };
      batch.push({ ...row, price: Number(price), size: BigInt(size!) });
      if (batch.length < batchRows) continue;
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

function number(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text);
}

test('five-minute bars of three days of trades', { skip }, () => {
  const config = {
    size: '5m',
    allowed_lateness: '10s',
    aggregates: {
      open: 'first(price)',
      high: 'max(price)',
      low: 'min(price)',
      close: 'last(price)',
      volume: 'sum(size)',
      trades: 'count()',
      vwap: 'sum(price * size) / sum(size)',
      stddev: 'stddev(price)',
    },
  };
  const batches = [...readTrades(65_536)];
  const result = runOperator(tumblingWindow, config, schema, batches, {
    maxOutOfOrdernessNs: 2_000_000_000n,
  });
  const bars = [...lines(readFileSync(expected, 'utf8'))].map(([start, symbol, ...values]): Row => {
    const [open, high, low, close, volume, count, vwap, stddev] = values.map(number);
    return {
      symbol: symbol!,
      window_start: parseIsoTime(start!)!,
      ...{ open: open!, high: high!, low: low!, close: close!, volume: volume! },
      ...{ trades: BigInt(count!), vwap: vwap!, stddev: stddev! },
    };
  });
  assert(bars.length > 1600, 'the expected bars were read');
  assert.equal(result.late, 0);
  assertSameRows(result.outputs['main']!, bars);
});
