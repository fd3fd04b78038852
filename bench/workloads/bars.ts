/**
 * One-second bars as a sink gets them, made up: sixteen columns, prices in cents, scores with a
 * null now and then, and exchange sequence numbers, which are larger than a double can count.
 */

import { Random } from '../../connectors/generator/random.ts';
import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { symbolTexts } from './w1.ts';

const BATCH_ROWS = 8192;
export const BAR_SYMBOLS = 1000;
const START_NS = 1_767_623_400_000_000_000n;
const SECOND_NS = 1_000_000_000n;
/** Beyond 2^60: neighbours differ by less than a double's step of 256. */
const FIRST_SEQUENCE = 1_795_000_000_010_000_001n;
const NULL_SHARE = 0.02;

const NUMBERS = ['open', 'high', 'low', 'close', 'volume'] as const;
const DERIVED = ['vwap', 'volatility', 'return_pct'] as const;
const SCORES = ['z_return', 'z_volume', 'z_volatility'] as const;

export const BAR_SCHEMA: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'window_start', type: 'timestamp' },
    { name: 'window_end', type: 'timestamp' },
    ...[...NUMBERS, ...DERIVED, ...SCORES].map((name) => ({ name, type: 'float64' }) as const),
    { name: 'trades', type: 'int64' },
    { name: 'sequence', type: 'int64' },
  ],
  time: 'window_start',
  key: 'symbol',
};

export function barBatches(rows: number): ColumnBatch[] {
  const random = new Random(1, 0);
  const dictionary = symbolTexts(BAR_SYMBOLS);
  const batches: ColumnBatch[] = [];
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    batches.push(barBatch(from, Math.min(BATCH_ROWS, rows - from), dictionary, random));
  }
  return batches;
}

function barBatch(
  from: number,
  rowCount: number,
  dictionary: readonly string[],
  random: Random,
): ColumnBatch {
  const unit = (): number => random.unit();
  const codes = Uint32Array.from({ length: rowCount }, (_, i) => (from + i) % BAR_SYMBOLS);
  const start = BigInt64Array.from(
    { length: rowCount },
    (_, i) => START_NS + BigInt(Math.floor((from + i) / BAR_SYMBOLS)) * SECOND_NS,
  );
  const cents = Float64Array.from(codes, (code) => 2000 + code * 7 + Math.round(unit() * 100));
  const prices = [0, 5, -4, 2].map((ticks) => cents.map((price) => (price + ticks) / 100));
  const volume = cents.map(() => Math.ceil(unit() * 50) * 100);
  const derived = DERIVED.map(() => cents.map((price) => price / 100 + unit()));
  const scores = SCORES.map(() =>
    cents.map(() => (unit() < NULL_SHARE ? Number.NaN : unit() * 6 - 3)),
  );
  const floats = [...prices, volume, ...derived, ...scores];
  return {
    rowCount,
    columns: [
      { type: 'string', codes, dictionary },
      { type: 'timestamp', values: start },
      { type: 'timestamp', values: start.map((time) => time + SECOND_NS) },
      ...floats.map((values) => ({ type: 'float64', values }) as const),
      { type: 'int64', values: start.map(() => BigInt(Math.ceil(unit() * 60))) },
      {
        type: 'int64',
        values: start.map((_, i) => FIRST_SEQUENCE + BigInt(2 * (from + i))),
      },
    ],
  };
}
