/** Functions of a window against their definitions, for windows that hold anything. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { runOperator } from '../../engine/testing/harness.ts';
import { assertNear, extents, rowOf, schema, stream, windowOf } from './rolling.arbitrary.ts';
import { arrivals, finite, windowsOf } from './rolling.oracle.ts';
import { rolling } from './rolling.ts';

type Definition = (values: readonly number[], current: number | null) => number | null;

/** Type 7: between the values around place (n - 1) p of the ascending values. */
function quantile(values: readonly number[], p: number): number {
  const ascending = [...values].sort((a, b) => a - b);
  const place = (ascending.length - 1) * p;
  const [a, b] = [ascending[Math.floor(place)]!, ascending[Math.ceil(place)]!];
  const share = place - Math.floor(place);
  return a === b ? a : a + share * (b - a);
}

function distances(values: readonly number[]): number[] {
  const median = quantile(values, 0.5);
  return values.map((value) => Math.abs(value - median));
}

const mean = (values: readonly number[]): number => sum(values) / values.length;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const iqr = (values: readonly number[]): number => quantile(values, 0.75) - quantile(values, 0.25);

function robustScore(values: readonly number[], current: number | null): number | null {
  if (current === null) return null;
  const away = current - quantile(values, 0.5);
  const mad = quantile(distances(values), 0.5);
  if (mad > 0) return (0.6745 * away) / mad;
  const all = mean(distances(values));
  return all > 0 ? away / (1.2533 * all) : null;
}

const ORDERED: Readonly<Record<string, Definition>> = {
  'median(x)': (values) => quantile(values, 0.5),
  'quantile(x, 0)': (values) => Math.min(...values),
  'quantile(x, 1)': (values) => Math.max(...values),
  'quantile(x, 0.25)': (values) => quantile(values, 0.25),
  'quantile(x, p => 0.9)': (values) => quantile(values, 0.9),
  'iqr(x)': iqr,
  'iqr_lower(x)': (values) => (iqr(values) > 0 ? quantile(values, 0.25) - 1.5 * iqr(values) : null),
  'iqr_upper(x, 3)': (values) =>
    iqr(values) > 0 ? quantile(values, 0.75) + 3 * iqr(values) : null,
  'mad(x)': (values) => quantile(distances(values), 0.5),
  'robust_zscore(x)': robustScore,
};

/** Distances from the mean, which is taken of distances from the first value. */
function deviations(values: readonly number[]): number[] {
  const shifted = values.map((value) => value - values[0]!);
  const middle = mean(shifted);
  return shifted.map((value) => value - middle);
}

const power = (values: readonly number[], n: number): number =>
  sum(deviations(values).map((value) => value ** n));

const SHAPE: Readonly<Record<string, Definition>> = {
  'variance_pop(x)': (values) => power(values, 2) / values.length,
  'stddev_pop(x)': (values) => Math.sqrt(power(values, 2) / values.length),
  'skew(x)': (values) => {
    const n = values.length;
    const second = power(values, 2) / n;
    if (n < 3 || second === 0) return null;
    return (power(values, 3) / n / second ** 1.5) * (Math.sqrt(n * (n - 1)) / (n - 2));
  },
  'kurtosis(x)': (values) => {
    const n = values.length;
    const second = power(values, 2) / n;
    if (n < 4 || second === 0) return null;
    const excess = power(values, 4) / n / second ** 2 - 3;
    return ((n - 1) / ((n - 2) * (n - 3))) * ((n + 1) * excess + 6);
  },
  'slope(x)': (values) => {
    if (values.length < 2) return null;
    const middle = (values.length - 1) / 2;
    const own = deviations(values);
    return sum(own.map((y, i) => y * (i - middle))) / sum(own.map((_, i) => (i - middle) ** 2));
  },
};

/** Whether the largest value hides the digits of the others from any sum. */
function isHidden(values: readonly number[]): boolean {
  const finites = values.filter(Number.isFinite);
  const spread = Math.max(...finites) - Math.min(...finites);
  const least = Math.min(...values.map((v) => Math.abs(v - values[0]!)).filter((d) => d > 0));
  return finites.length < values.length || spread > 1e60 || spread > 1e6 * least;
}

const options = fc.record({
  over: fc.constantFrom(...extents),
  excludeCurrent: fc.boolean(),
  minRows: fc.constantFrom(undefined, undefined, 1),
});

function compare(
  definitions: Readonly<Record<string, Definition>>,
  isIllPosed: (values: readonly number[], current: number | null) => boolean,
  scaleOf: (name: string, values: readonly number[]) => number,
): void {
  const names = Object.keys(definitions);
  const columns = Object.fromEntries(names.map((text, i) => [`c${i}`, text]));
  const property = fc.property(stream, options, ({ rows, sizes, ...run }, given) => {
    const { over, excludeCurrent, minRows } = given;
    const config = {
      ...{ over, exclude_current: excludeCurrent, columns },
      ...(minRows && { min_rows: minRows }),
    };
    const { outputs } = runOperator(rolling, config, schema, cut(rows, sizes), run);
    const window = windowOf(over, excludeCurrent, minRows);
    const windows = windowsOf(arrivals(rows, run.maxOutOfOrdernessNs), 'x', window);
    for (const [i, actual] of outputs['main']!.entries()) {
      const values = windows[i]!;
      const current = rows[i]!['x'] as number | null;
      const isComplete = values.length > 0 && values.length >= window.minRows;
      if (isComplete && isIllPosed(values, current)) continue;
      for (const [j, name] of names.entries()) {
        const expected = isComplete ? definitions[name]!(values, current) : null;
        const wanted = expected === null ? null : finite(expected);
        assertNear(actual[`c${j}`], wanted, scaleOf(name, values), `${name} of row ${i}`);
      }
    }
  });
  fc.assert(property, { numRuns: 250 });
}

test('quantiles and what is made of them are what their definitions say', () => {
  // Near 1e300 the definition itself overflows, and beside an infinity it is inf - inf.
  const isHuge = (values: readonly number[], current: number | null): boolean =>
    [...values, current ?? 0].some((value) => Math.abs(value) > 1e200);
  compare(ORDERED, isHuge, () => 0);
});

test('higher moments and the slope are what their definitions say', () => {
  compare(SHAPE, isHidden, (name, values) =>
    name === 'slope(x)' ? Math.sqrt(power(values, 2) / values.length) : 1e-3,
  );
});

test('a half of equal values has a robust score all the same', () => {
  //                    median 5, mad 0, mean distance 4 / 7
  const values = [5, 5, 5, 5, 5, 6, 8];
  const rows = values.map((x, i) => rowOf(i, 'A', x));
  const config = { over: '7 rows', columns: { z: 'robust_zscore(x)', m: 'mad(x)' } };
  const last = runOperator(rolling, config, schema, [rows]).outputs['main']!.at(-1)!;
  assert.equal(last['m'], 0);
  assertNear(last['z'], 3 / (1.2533 * (4 / 7)), 0, 'score');
});
