/** Quantiles of windows that are kept in leaves, against a sort of each window. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { runOperator } from '../../engine/testing/harness.ts';
import { assertNear, rowOf, schema } from './rolling.arbitrary.ts';
import { rolling } from './rolling.ts';

const columns = {
  least: 'quantile(x, 0)',
  low: 'quantile(x, 0.1)',
  middle: 'median(x)',
  most: 'quantile(x, 1)',
  mad: 'mad(x)',
};
const SHARES = { least: 0, low: 0.1, middle: 0.5, most: 1 };

/** Values by row number; each takes leaves apart or together in its own way. */
const SHAPES: Readonly<Record<string, (i: number, random: number) => number>> = {
  rising: (i) => i,
  falling: (i) => -i / 7,
  sawtooth: (i) => i % 700,
  random: (_, random) => random,
  'few values': (_, random) => Math.floor(random * 5),
  'equal, then random': (i, random) => (i % 3000 < 2000 ? 0 : random),
  'outward and inward': (i, random) => Math.sin(i / 400) * random,
};

/** Of ascending values, as type 7. */
function quantile(ascending: Float64Array, p: number): number {
  const place = (ascending.length - 1) * p;
  const [a, b] = [ascending[Math.floor(place)]!, ascending[Math.ceil(place)]!];
  return a === b ? a : a + (place - Math.floor(place)) * (b - a);
}

function assertRow(row: Readonly<Record<string, unknown>>, window: Float64Array, at: string): void {
  const ascending = window.toSorted();
  for (const [name, share] of Object.entries(SHARES)) {
    assertNear(row[name] as number, quantile(ascending, share), 1, `${name} ${at}`);
  }
  const median = quantile(ascending, 0.5);
  const distances = ascending.map((value) => Math.abs(value - median)).sort();
  assertNear(row['mad'] as number, quantile(distances, 0.5), 1, `mad ${at}`);
}

/** Reproducible numbers from 0 to 1 (xorshift). */
function numbers(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const run = fc.record({
  seed: fc.integer({ min: 1 }),
  length: fc.integer({ min: 2049, max: 3400 }),
  sizes: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 4 }),
  restartAfterBatch: fc.array(fc.nat(8), { maxLength: 2 }),
});

for (const [name, shape] of Object.entries(SHAPES)) {
  test(`quantiles of long windows of rows: ${name}`, () => {
    const property = fc.property(run, ({ seed, length, sizes, restartAfterBatch }) => {
      const next = numbers(seed);
      const values = Float64Array.from({ length: 7_000 }, (_, i) => shape(i, next()));
      const rows = [...values].map((x, i) => rowOf(i, 'A', x));
      const config = { over: `${length} rows`, min_rows: 1, columns };
      const batches = cut(rows, sizes);
      const { outputs } = runOperator(rolling, config, schema, batches, { restartAfterBatch });
      for (let i = seed % 31; i < rows.length; i += 31) {
        const window = values.slice(Math.max(0, i + 1 - length), i + 1);
        assertRow(outputs['main']![i]!, window, `of row ${i}`);
      }
    });
    fc.assert(property, { numRuns: 3 });
  });
}

test('quantiles of long windows of time, out of order, growing and shrinking', () => {
  const property = fc.property(run, ({ seed, sizes, restartAfterBatch }) => {
    const next = numbers(seed);
    // Ten rows a second, 125, one: windows of 20 s hold 200, 2,500 and 20.
    let now = 1000;
    const rows = Array.from({ length: 8_000 }, (_, i) => {
      now += i < 1_000 ? 0.1 : i < 7_500 ? 0.008 : 1;
      const late = i % 40 === 0 ? next() * 3 : 0;
      return rowOf(now - late, 'A', Math.floor(next() * 1_000) / 8);
    });
    const config = { over: '20s', columns };
    const batches = cut(rows, sizes);
    const options = { restartAfterBatch, maxOutOfOrdernessNs: 4_000_000_000n };
    const { outputs } = runOperator(rolling, config, schema, batches, options);
    for (let i = seed % 61; i < rows.length; i += 61) {
      const time = rows[i]!['event_time'] as bigint;
      const window = rows.slice(0, i + 1).filter(({ event_time }) => {
        const age = time - (event_time as bigint);
        return age >= 0n && age < 20_000_000_000n;
      });
      const values = Float64Array.from(window, ({ x }) => x as number);
      assertRow(outputs['main']![i]!, values, `of row ${i}`);
    }
    assert.equal(outputs['main']!.length, rows.length);
  });
  fc.assert(property, { numRuns: 3 });
});
