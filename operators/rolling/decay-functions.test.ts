/** Means that decay, sessions and pairs against their definitions, over all rows of a key. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { assertNear, extents, rowOf, SECOND, stream, windowOf } from './rolling.arbitrary.ts';
import { arrivals, finite, windowsOf } from './rolling.oracle.ts';
import { rolling } from './rolling.ts';

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'x', type: 'float64' },
    { name: 'y', type: 'float64' },
    { name: 'venue', type: 'string' },
    { name: 'day', type: 'int64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

type Maybe = number | null;

function rowsOf(values: readonly Maybe[]): Row[] {
  return values.map((x, i) => ({ ...rowOf(i, 'A', x), y: null, venue: null, day: null }));
}

function results(columns: Readonly<Record<string, string>>, rows: readonly Row[]): Row[] {
  const config = { over: '5 rows', columns };
  return runOperator(rolling, config, schema, cut(rows, [3]), { restartAfterBatch: 1 }).outputs[
    'main'
  ]!;
}

/** Prices that have digits to lose, and gaps. */
const prices = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 40 }).map((n) => 1e6 + n / 64) },
    { weight: 1, arbitrary: fc.constantFrom(null, null, NaN, Infinity, -Infinity) },
  ),
  { maxLength: 60, size: 'max' },
);

interface Moments {
  readonly mean: Maybe;
  /** Distance of a value from the mean, before the mean is rounded. */
  readonly from: (value: number) => number;
  readonly biased: Maybe;
  readonly unbiased: Maybe;
}

/** Weighted moments of the values so far, each with its weight written out. */
function weighted(
  values: readonly Maybe[],
  alpha: number,
  adjust: boolean,
  ignoreNulls: boolean,
): Moments {
  const kept = values.flatMap((value, i) =>
    value === null || !Number.isFinite(value) ? [] : [{ value, place: i }],
  );
  if (kept.length === 0) return { mean: null, biased: null, unbiased: null, from: () => NaN };
  const age = (i: number): number =>
    ignoreNulls ? kept.length - 1 - i : values.length - 1 - kept[i]!.place;
  let weights = kept.map((_, i) => (1 - alpha) ** age(i));
  if (!adjust)
    weights = recursiveWeights(
      kept.map(({ place }) => place),
      alpha,
      ignoreNulls,
    );
  const base = kept[0]!.value;
  const total = weights.reduce((a, b) => a + b, 0);
  const average = (of: (distance: number) => number): number =>
    kept.reduce((sum, { value }, i) => sum + weights[i]! * of(value - base), 0) / total;
  const mean = average((distance) => distance);
  const biased = average((distance) => (distance - mean) ** 2);
  const squares = weights.reduce((sum, weight) => sum + weight * weight, 0);
  const free = total * total - squares;
  const unbiased = kept.length > 1 ? (biased * total * total) / free : null;
  return { mean: base + mean, biased, unbiased, from: (value) => value - base - mean };
}

/** Without adjustment each value takes its share of what is, after the gap has decayed it. */
function recursiveWeights(
  places: readonly number[],
  alpha: number,
  ignoreNulls: boolean,
): number[] {
  let weights: number[] = [];
  for (const [i, place] of places.entries()) {
    if (i === 0) {
      weights = [1];
      continue;
    }
    const old = (1 - alpha) ** (ignoreNulls ? 1 : place - places[i - 1]!);
    const share = alpha === 0.5 ? 1 - old : alpha / (old + alpha);
    weights = [...weights.map((weight) => weight * (1 - share)), share];
  }
  return weights;
}

test('decaying moments are the weighted moments of all values so far', () => {
  const options = fc.record({
    alpha: fc.constantFrom(0.05, 0.3, 0.5, 0.9),
    adjust: fc.boolean(),
    ignoreNulls: fc.boolean(),
    before: fc.boolean(),
  });
  const property = fc.property(
    prices,
    options,
    (values, { alpha, adjust, ignoreNulls, before }) => {
      const how = `alpha => ${alpha}, adjust => ${adjust}, ignore_nulls => ${ignoreNulls}`;
      const own = `${how}, exclude_current => ${before}`;
      const columns = {
        m: `ewm_mean(x, ${own})`,
        v: `ewm_variance(x, ${own})`,
        b: `ewm_variance(x, ${own}, bias => true)`,
        s: `ewm_stddev(x, ${own})`,
        z: `ewm_zscore(x, ${how}, min_rows => 3)`,
      };
      for (const [i, row] of results(columns, rowsOf(values)).entries()) {
        const seen = values.slice(0, before ? i : i + 1);
        const { mean, biased, unbiased } = weighted(seen, alpha, adjust, ignoreNulls);
        assertNear(row['m'], mean, 0, `mean of row ${i}`);
        assertNear(row['v'], unbiased, 1e-3, `variance of row ${i}`);
        assertNear(row['b'], biased, 1e-3, `biased variance of row ${i}`);
        assertNear(row['s'], unbiased === null ? null : Math.sqrt(unbiased), 1e-1, `stddev ${i}`);
        const past = weighted(values.slice(0, i), alpha, adjust, ignoreNulls);
        const count = values.slice(0, i).filter((x) => x !== null && Number.isFinite(x)).length;
        const x = values[i]!;
        const isScored = x !== null && count >= 3 && past.biased! > 1e-12;
        if (isScored) {
          const score = finite(past.from(x) / Math.sqrt(past.biased!));
          assertNear(row['z'], score, 1e-2, `score of row ${i}`);
        } else if (x === null || count < 3) {
          assert.equal(row['z'], null);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 80 });
});

test('a gap decays the weights, unless nulls are ignored', () => {
  const columns = {
    gap: 'ewm_mean(x, 0.5, adjust => true)',
    none: 'ewm_mean(x, 0.5, adjust => true, ignore_nulls => true)',
    recursive: 'ewm_mean(x, 0.5)',
    plain: 'ewm_mean(x, 0.5, ignore_nulls => true)',
  };
  const last = results(columns, rowsOf([1, null, 3])).at(-1)!;
  // Weights 1/4 and 1; 1/2 and 1.
  assertNear(last['gap'], 2.6, 0, 'gap');
  assertNear(last['none'], 3.5 / 1.5, 0, 'none');
  // As pandas says.
  assert.equal(last['recursive'], 2.5);
  assert.equal(last['plain'], 2);
});

test('a ramp of 1e-3 on 1e9 keeps its digits for ever, a constant has no variance', () => {
  const ramp = Array.from({ length: 4000 }, (_, i) => 1e9 + i * 1e-3);
  const columns = { s: 'ewm_stddev(x, 0.1)', c: 'ewm_variance(y, 0.1)', z: 'ewm_zscore(y, 0.1)' };
  const rows = rowsOf(ramp).map((row): Row => ({ ...row, y: 0.1 }));
  const last = results(columns, rows).at(-1)!;
  const shifted = weighted(
    ramp.slice(-500).map((x) => x - 1e9),
    0.1,
    false,
    false,
  );
  assertNear(last['s'], Math.sqrt(shifted.unbiased!), 0, 'stddev');
  assert.equal(last['c'], 0);
  assert.equal(last['z'], null);
});

test('a clamped baseline is moved by no more than the clamp', () => {
  const values = [...Array.from({ length: 50 }, (_, i) => 100 + (i % 2)), 1e6, 100];
  const columns = {
    clamped: 'ewm_zscore(x, 0.05, clamp => 3)',
    free: 'ewm_zscore(x, 0.05)',
  };
  const rows = results(columns, rowsOf(values));
  assert(Number(rows.at(-2)!['clamped']) > 1e5);
  assert(Math.abs(Number(rows.at(-1)!['clamped'])) < 3);
  assert(Number(rows.at(-1)!['free']) < -0.2);
});

test('a seeded mean is a plain mean, then moves by its share', () => {
  const options = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 4 }));
  const property = fc.property(prices, options, (values, [n, skip]) => {
    const rows = results({ m: `seeded_mean(x, 0.25, ${n}, ${skip})` }, rowsOf(values));
    for (const [i, row] of rows.entries()) {
      const seen = values
        .slice(0, i + 1)
        .filter((x): x is number => x !== null && Number.isFinite(x))
        .slice(skip);
      let mean: Maybe = null;
      if (seen.length >= n) {
        mean = seen.slice(0, n).reduce((a, b) => a + b, 0) / n;
        for (const x of seen.slice(n)) mean += 0.25 * (x - mean);
      }
      assertNear(row['m'], mean, 0, `row ${i}`);
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test('an indicator of equal prices is the one that its page states', () => {
  const columns = {
    wilder: 'rsi(x, 3)',
    cutler: "rsi(x, 3, 'cutler')",
    up: "rsi(x + y, 3, 'cutler')",
    macd: 'macd(x, 2, 3, 2)',
    atr: 'atr(x, x, x, 2)',
  };
  const rows = rowsOf(Array.from({ length: 8 }, () => 5)).map((row, y): Row => ({ ...row, y }));
  const last = results(columns, rows).at(-1)!;
  assert.equal(last['wilder'], 50);
  assert.equal(last['cutler'], null);
  assert.equal(last['up'], 100);
  assert.equal(last['macd'], 0);
  assert.equal(last['atr'], 0);
});

test('a session is what lies behind the last change of its anchor', () => {
  const rows = fc.array(
    fc.record({
      gap: fc.constantFrom(0, 1, 60, 3600, 90_000),
      back: fc.constantFrom(0, 0, 0, 80_000),
      symbol: fc.constantFrom('A', 'B'),
      x: fc.constantFrom(1.5, 2, -3, 1e9, null, Infinity),
      y: fc.constantFrom(0, 1, 10, 100, null),
      venue: fc.constantFrom('P', 'P', 'Q', null),
      day: fc.constantFrom(1n, 2n, 2n, 3n, null),
    }),
    { maxLength: 60, size: 'max' },
  );
  const property = fc.property(rows, (steps) => {
    let now = 1_000_000;
    const all = steps.map(({ gap, back, ...row }): Row => {
      now += gap;
      return { event_time: BigInt(now - back) * SECOND, ...row };
    });
    const columns = {
      text: 'session_sum(x, venue)',
      number: 'session_vwap(x, y, day)',
      daily: "session_max(x, every => '1d', offset => '1h')",
      first: 'session_first(x, day)',
    };
    const hour = 3600n * SECOND;
    const dayOf = (row: Row): bigint => ((row['event_time'] as bigint) - hour) / (24n * hour);
    for (const [i, row] of results(columns, all).entries()) {
      const own = all.slice(0, i + 1).filter(({ symbol }) => symbol === row['symbol']);
      const near = (name: string, expected: Maybe): void =>
        assertNear(row[name], expected === null ? null : finite(expected), 1e-3, `${name} ${i}`);
      const texts = session(own, (each) => each['venue']!, false);
      near(
        'text',
        sumOf(texts, (each) => each['x'] as Maybe),
      );
      const numbers = session(own, (each) => each['day']!, true);
      const traded = numbers?.filter(({ x, y }) => y !== null && finiteOf(x as Maybe) !== null);
      const volume = sumOf(traded, (each) => each['y'] as Maybe);
      const notional = sumOf(traded, (each) => (each['x'] as number) * (each['y'] as number));
      near('number', volume === null ? null : finite(notional! / volume));
      const days = valuesOf(session(own, dayOf, true));
      near('daily', days.length === 0 ? null : Math.max(...days));
      near('first', valuesOf(numbers)[0] ?? null);
    }
  });
  fc.assert(property, { numRuns: 80 });
});

function finiteOf(value: Maybe): Maybe {
  return value === null ? null : finite(value);
}

function valuesOf(rows: readonly Row[] | undefined): number[] {
  return (rows ?? []).map(({ x }) => finiteOf(x as Maybe)).filter((x) => x !== null);
}

function sumOf(rows: readonly Row[] | undefined, of: (row: Row) => Maybe): Maybe {
  const values = (rows ?? []).map((row) => finiteOf(of(row))).filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0);
}

/** Rows of the session of the last row; undefined where it belongs to none, or one that is past. */
function session(
  rows: readonly Row[],
  anchorOf: (row: Row) => unknown,
  isForward: boolean,
): Row[] | undefined {
  let taken: Row[] = [];
  let anchor: unknown;
  let isTaken = false;
  for (const row of rows) {
    const own = anchorOf(row);
    const isPast = isForward && anchor !== undefined && (own as bigint) < (anchor as bigint);
    isTaken = own !== null && !isPast;
    if (!isTaken) continue;
    taken = own === anchor ? [...taken, row] : [row];
    anchor = own;
  }
  return isTaken ? taken : undefined;
}

test('correlation, covariance and slope are those of the pairs in the window', () => {
  const seconds = fc.array(fc.constantFrom(1, 2, 3.5, -4, 100, null), { minLength: 1 });
  const given = fc.tuple(stream, seconds, fc.constantFrom(...extents), fc.boolean());
  const property = fc.property(given, ([{ rows, sizes, ...run }, ys, over, excludeCurrent]) => {
    const all = rows.map((row, i): Row => {
      // Moderate values: beside 1e300 or an infinity no product has digits.
      const x = typeof row['x'] === 'number' && Math.abs(row['x']) < 1e10 ? row['x'] : null;
      const y = ys[i % ys.length]!;
      return { ...rowOf(0, 'A', 0), ...row, x, y, venue: null, day: null };
    });
    const columns = {
      r: 'correlation(x, y)',
      c: 'covariance(x, y)',
      s: 'regr_slope(x, y)',
    };
    const config = { over, exclude_current: excludeCurrent, min_rows: 1, columns };
    const { outputs } = runOperator(rolling, config, schema, cut(all, sizes), run);
    const paired = all.map((row, i): Row => {
      const isPair = row['x'] !== null && row['y'] !== null;
      return { ...row, place: isPair ? i : null };
    });
    const window = windowOf(over, excludeCurrent, 1);
    const windows = windowsOf(arrivals(paired, run.maxOutOfOrdernessNs), 'place', window);
    for (const [i, row] of outputs['main']!.entries()) {
      const pairs = windows[i]!.map((place) => all[place]!);
      const [a, b] = ['x', 'y'].map((name) => deviations(pairs.map((p) => p[name] as number)));
      const product = (left: number[], right: number[]): number =>
        left.reduce((sum, value, j) => sum + value * right[j]!, 0);
      const n = pairs.length;
      const [aa, bb, ab] = [product(a!, a!), product(b!, b!), product(a!, b!)];
      assertNear(row['c'], n < 2 ? null : ab / (n - 1), Math.sqrt(aa * bb), `covariance ${i}`);
      assertNear(row['s'], n < 2 || bb === 0 ? null : ab / bb, Math.sqrt(aa), `slope ${i}`);
      const isFlat = n < 2 || aa === 0 || bb === 0;
      assertNear(row['r'], isFlat ? null : ab / Math.sqrt(aa * bb), 1, `correlation ${i}`);
    }
  });
  fc.assert(property, { numRuns: 100 });
});

/** Distances from the mean, which is taken of distances from the first value. */
function deviations(values: readonly number[]): number[] {
  const shifted = values.map((value) => value - values[0]!);
  const middle = shifted.reduce((a, b) => a + b, 0) / shifted.length;
  return shifted.map((value) => value - middle);
}
