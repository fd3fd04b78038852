/** Random trades for the properties of windows: few keys, close times, values of every kind. */

import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import type { Row } from '../../engine/testing/table.ts';

export const TRADES: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'size', type: 'float64' },
    { name: 'sequence', type: 'int64' },
    { name: 'sent', type: 'timestamp' },
    { name: 'venue', type: 'string' },
    { name: 'odd', type: 'boolean' },
  ],
  time: 'event_time',
  key: 'symbol',
};

/** Every aggregate of every type; in the shape of a bar as far as it goes. */
export const BAR_AGGREGATES: Readonly<Record<string, string>> = {
  open: 'first(price)',
  high: 'max(price)',
  low: 'min(price)',
  close: 'last(price)',
  volume: 'sum(size)',
  trades: 'count()',
  prices: 'count(price)',
  sizes: 'count(size)',
  vwap: 'sum(price * size) / sum(size)',
  notional: 'sum(size * price)',
  mean: 'mean(price)',
  variance: 'variance(price)',
  volatility: 'stddev(price)',
  variance_all: 'variance_pop(price)',
  volatility_all: 'stddev_pop(price)',
};

/** What keeps the fused kernel out. */
export const OTHER_AGGREGATES: Readonly<Record<string, string>> = {
  largest: 'max(size)',
  first_sequence: 'first(sequence)',
  last_sequence: 'last(sequence)',
  lowest_sequence: 'min(sequence)',
  highest_sequence: 'max(sequence)',
  sequences: 'sum(sequence)',
  first_sent: 'first(sent)',
  latest_sent: 'max(sent)',
  earliest_sent: 'min(sent)',
  venues: 'count(venue)',
  odds: 'count(odd)',
  odd_size: 'sum(case when odd then size end)',
};

export const ALL_AGGREGATES = { ...BAR_AGGREGATES, ...OTHER_AGGREGATES };

/** Values whose sums, in any order, are exact. */
const price = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -400, max: 4000 }).map((quarter) => quarter / 4) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1e9, 1e9 + 2 ** -10, 2 ** -40) },
  { weight: 2, arbitrary: fc.constant(null) },
);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 1000 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

export interface Trades {
  readonly rows: readonly Row[];
  readonly maxOutOfOrdernessNs: bigint;
}

/** Trades about `start`, most of them `step` apart, some of them much too late. */
export function arbitraryTrades(step: bigint, start = 0n, maxLength = 60): fc.Arbitrary<Trades> {
  const row = fc.record({
    moved: fc.oneof(
      { weight: 12, arbitrary: fc.bigInt({ min: 0n, max: 2n * step }) },
      { weight: 1, arbitrary: fc.bigInt({ min: 5n * step, max: 40n * step }) },
    ),
    back: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0n) },
      { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: 4n * step }) },
      { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 40n * step }) },
    ),
    symbol: fc.constantFrom('A', 'B', 'C'),
    price,
    size,
    sequence: fc.option(fc.bigInt({ min: -5n, max: 2n ** 53n }), { freq: 6 }),
    sent: fc.option(fc.bigInt({ min: -5n, max: 2n ** 62n }), { freq: 6 }),
    venue: fc.constantFrom('X', 'Y', null),
    odd: fc.constantFrom(true, false, null),
  });
  return fc
    .record({
      steps: fc.array(row, { maxLength, size: 'max' }),
      tolerance: fc.constantFrom(0n, step, 4n * step, 20n * step),
    })
    .map(({ steps, tolerance }) => {
      let now = start;
      const rows = steps.map(({ moved, back, ...values }): Row => {
        now += moved;
        return { event_time: now - back, ...values };
      });
      return { rows, maxOutOfOrdernessNs: tolerance };
    });
}

/** Every sequence of up to `rowsMax` rows of these keys and times. */
export function* everyInput(
  keys: readonly string[],
  times: readonly bigint[],
  rowsMax: number,
): Generator<Row[]> {
  const choices = keys.flatMap((symbol) => times.map((event_time) => ({ symbol, event_time })));
  function* extend(rows: Row[]): Generator<Row[]> {
    yield rows;
    if (rows.length === rowsMax) return;
    for (const { symbol, event_time } of choices) {
      const price = 2 ** rows.length;
      yield* extend([...rows, { event_time, symbol, price, size: 1 }]);
    }
  }
  yield* extend([]);
}

/** Trades of three keys, 250 ms apart, each moved by up to `far` places: long walks to a window. */
export function disorderedTrades(count: number, far: number, seed: number): Row[] {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const rows = Array.from({ length: count }, (_, i): Row => {
    const event_time = BigInt(i) * 250_000_000n;
    return { event_time, symbol: 'ABC'[random(3)]!, price: random(100), size: 1 };
  });
  for (const i of rows.keys()) {
    const other = Math.min(count - 1, i + random(far));
    [rows[i], rows[other]] = [rows[other]!, rows[i]!];
  }
  return rows;
}
