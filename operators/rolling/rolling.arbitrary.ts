/** Streams for tests of `rolling`, and how near a result must come to its definition. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { durationNs } from '../../engine/contract/time.ts';
import type { Row } from '../../engine/testing/harness.ts';
import type { Value } from '../../engine/testing/table.ts';
import type { Window } from './rolling.oracle.ts';

export const SECOND = 1_000_000_000n;

export const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'x', type: 'float64' },
    { name: 'n', type: 'int64' },
    { name: 'venue', type: 'string' },
  ],
  time: 'event_time',
  key: 'symbol',
};

export function rowOf(seconds: number, symbol: string, x: number | null): Row {
  const event_time = BigInt(Math.round(seconds * 1000)) * (SECOND / 1000n);
  return { event_time, symbol, x, n: null, venue: null };
}

/** Values of the streams below: ordinary, equal, huge, infinite, tiny steps on a large base. */
export const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -50, max: 50 }).map((cents) => cents / 8) },
  { weight: 4, arbitrary: fc.constantFrom(1, 1, 1, 0, -0) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 }).map((step) => 1e9 + step * 1e-3) },
  { weight: 1, arbitrary: fc.constantFrom(1e12, -1e12, 1e300, 1e-300) },
  { weight: 1, arbitrary: fc.constantFrom(Infinity, -Infinity) },
  { weight: 5, arbitrary: fc.constant(null) },
);

export const stream = fc
  .record({
    steps: fc.array(
      fc.tuple(fc.constantFrom(0, 0.1, 0.1, 0.5, 1, 3, 20), fc.constantFrom(0, 0, 0, 0.5, 4, 30)),
      { maxLength: 100, size: 'max' },
    ),
    symbols: fc.array(fc.constantFrom('A', 'A', 'B'), { minLength: 1, maxLength: 9 }),
    values: fc.array(value, { minLength: 1, maxLength: 80, size: 'max' }),
    isOrdered: fc.boolean(),
    tolerance: fc.constantFrom(0n, 2n * SECOND, 100n * SECOND),
    sizes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
    restartAfterBatch: fc.array(fc.nat(20), { maxLength: 2 }),
  })
  .map(({ steps, symbols, values, isOrdered, tolerance, sizes, restartAfterBatch }) => {
    let now = 1000;
    const rows = steps.map(([step, back], i) => {
      now += step;
      const time = isOrdered ? now : now - back;
      return rowOf(time, symbols[i % symbols.length]!, values[i % values.length]!);
    });
    return { rows, maxOutOfOrdernessNs: tolerance, sizes, restartAfterBatch };
  });

export const extents = ['1 row', '2 rows', '5 rows', '40 rows', '1s', '3s', '60s'];

export function windowOf(
  over: string,
  excludeCurrent: boolean,
  minRows: number | undefined,
): Window {
  const rows = /^(\d+) row/.exec(over)?.[1];
  return {
    over: rows === undefined ? { durationNs: durationNs(over) } : { rows: Number(rows) },
    excludeCurrent,
    minRows: minRows ?? Number(rows ?? 1),
  };
}

/** 1e-9 of the value, or of what rounding in values of this scale leaves over. */
export function assertNear(
  actual: Value | undefined,
  expected: number | null,
  scale: number,
  what: string,
): void {
  if (expected === null || actual === null || actual === undefined) {
    assert.equal(actual, expected, what);
    return;
  }
  const error = Math.abs(Number(actual) - expected);
  const tolerance = 1e-9 * Math.max(Math.abs(expected), scale);
  const isNear = error <= tolerance || Object.is(actual, expected);
  assert(isNear, `${what}: ${String(actual)}, not ${expected}`);
}
