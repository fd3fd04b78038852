/**
 * The definition of `rolling`, row by row: every window is collected afresh from all rows before,
 * and every statistic computed from its values in two passes.
 */

import type { Row } from '../../engine/testing/harness.ts';

export interface Window {
  /** Rows, or nanoseconds. */
  readonly over: { readonly rows: number } | { readonly durationNs: bigint };
  readonly excludeCurrent: boolean;
  readonly minRows: number;
}

export interface Arrival {
  readonly row: Row;
  readonly key: string;
  readonly time: bigint;
  readonly watermark: bigint;
}

const BEGINNING = -(2n ** 63n) + 1n;

/** What each row brings along: the watermark is that of all rows before it. */
export function arrivals(rows: readonly Row[], maxOutOfOrdernessNs = 0n): Arrival[] {
  let latest: bigint | undefined;
  return rows.map((row) => {
    const time = row['event_time'] as bigint;
    const watermark = latest === undefined ? BEGINNING : latest - maxOutOfOrdernessNs;
    if (latest === undefined || time > latest) latest = time;
    return { row, key: row['symbol'] as string, time, watermark };
  });
}

/** Values of a column in the window of each row, in the order of the window. */
export function windowsOf(all: readonly Arrival[], column: string, window: Window): number[][] {
  return all.map((current, position) => {
    const until = window.excludeCurrent ? position : position + 1;
    const own = all
      .slice(0, until)
      .filter(({ key, row }) => key === current.key && row[column] !== null);
    if ('rows' in window.over) {
      return own.slice(-window.over.rows).map(({ row }) => row[column] as number);
    }
    const now = current.time > current.watermark ? current.time : current.watermark;
    const lower = now - window.over.durationNs;
    // Equal times stay in the order of arrival: sort is stable.
    return own
      .filter(({ time }) => time > lower && time <= current.time)
      .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
      .map(({ row }) => row[column] as number);
  });
}

export interface Statistics {
  readonly count: number;
  readonly sum: number | null;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly variance: number | null;
  readonly stddev: number | null;
  readonly zscore: number | null;
}

/** Statistics of a window for a row with the value `current`. */
export function statisticsOf(
  values: readonly number[],
  current: number | null,
  minRows: number,
): Statistics {
  const count = values.length;
  if (count === 0 || count < minRows) {
    const nothing = { sum: null, mean: null, min: null, max: null };
    return { count, ...nothing, variance: null, stddev: null, zscore: null };
  }
  const shifted = meanAndVariance(values);
  const sum = finite(values.reduce((total, value) => total + value, 0));
  const mean = finite(values[0]! + shifted.mean);
  const variance = count < 2 ? null : finite(shifted.variance);
  const stddev = variance === null ? null : Math.sqrt(variance);
  const distance = current === null ? null : current - values[0]! - shifted.mean;
  const zscore = distance === null || !stddev ? null : finite(distance / stddev);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return { count, sum, mean, min, max, variance, stddev, zscore };
}

/**
 * Two passes over the distances from the first value: subtracting near doubles is exact, so large
 * prices lose nothing. The mean is relative to the first value.
 */
function meanAndVariance(values: readonly number[]): { mean: number; variance: number } {
  const distances = values.map((value) => value - values[0]!);
  const mean = distances.reduce((total, distance) => total + distance, 0) / distances.length;
  const squares = distances.map((distance) => (distance - mean) ** 2);
  const variance = squares.reduce((total, square) => total + square, 0) / (distances.length - 1);
  return { mean, variance };
}

/** The n-th value before each row: over rows of all values, over a duration of its window. */
export function lagsOf(
  all: readonly Arrival[],
  column: string,
  distance: number,
  over: Window['over'],
): (number | null)[] {
  const reach = 'rows' in over ? { rows: Number.MAX_SAFE_INTEGER } : over;
  const before = windowsOf(all, column, { over: reach, excludeCurrent: true, minRows: 1 });
  return before.map((values) => values.at(-distance) ?? null);
}

export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
