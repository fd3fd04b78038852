/** Results from the sorted values of a window. Included by rolling-order.ts. */

import { minRows } from './_rolling-rings';
import { at, openSorted, SORTED_COUNT } from './_rolling-sorted';

/** 0.6745 standard deviations are the median distance from the median, 1.2533 their mean. */
const MAD_SCALE: f64 = 0.6745;
const MEAN_SCALE: f64 = 1.2533;

/**
 * Stores what is wanted of the window of a record at a row with the value `value`. `outputs` is a
 * list, `length` long, of {kind u32, pointer u32, argument f64}:
 *
 *   0 quantile, argument p     1 iqr     2, 3 lower and upper fence, argument k
 *   4 mad                      5 robust z-score
 */
export function emitOrdered(
  record: usize,
  row: u32,
  value: f64,
  outputs: usize,
  length: u32,
): void {
  const sorted = openSorted(record);
  const count = load<i32>(record, SORTED_COUNT);
  const isEnough = count > 0 && count >= minRows;
  for (let i: u32 = 0; i < length; i++) {
    const output = outputs + (<usize>i << 4);
    const target = <usize>load<u32>(output, 4) + (<usize>row << 3);
    const kind = load<u32>(output);
    const result = isEnough ? resultOf(kind, load<f64>(output, 8), sorted, count, value) : NaN;
    // Adding 0 makes -0 a 0; an infinity becomes null.
    store<f64>(target, result - result == 0 ? result + 0.0 : NaN);
  }
}

// @ts-ignore: decorator
@inline
function resultOf(kind: u32, argument: f64, sorted: usize, count: i32, value: f64): f64 {
  if (kind == 0) return quantile(sorted, count, argument);
  if (kind == 4) return medianDistance(sorted, count, quantile(sorted, count, 0.5));
  if (kind == 5) return robustScore(sorted, count, value);
  const lower = quantile(sorted, count, 0.25);
  const upper = quantile(sorted, count, 0.75);
  const range = upper - lower;
  if (kind == 1) return range;
  if (!(range > 0)) return NaN;
  return kind == 2 ? lower - argument * range : upper + argument * range;
}

/** Between two neighbours, a share of the way from `a` to `b`. */
// @ts-ignore: decorator
@inline
function between(a: f64, b: f64, share: f64): f64 {
  if (share == 0 || a == b) return a;
  const range = b - a;
  return range - range == 0 ? a + share * range : a * (1 - share) + b * share;
}

// @ts-ignore: decorator
@inline
function quantile(sorted: usize, count: i32, p: f64): f64 {
  const place = <f64>(count - 1) * p;
  const index = <i32>place;
  const share = place - <f64>index;
  const a = at(sorted, index);
  return share == 0 ? a : between(a, at(sorted, index + 1), share);
}

/**
 * Median of the distances from the median. Those below it, from the middle down, and those above,
 * from the middle up, both rise: what belongs to the smaller half of all is found by bisection.
 */
function medianDistance(sorted: usize, count: i32, median: f64): f64 {
  if (median - median != 0) return NaN;
  const below = count >> 1;
  const taken = (count - 1) >> 1;
  let low = max(0, taken - (count - below));
  let high = min(taken, below);
  while (low < high) {
    const middle = (low + high) >> 1;
    const nextBelow = median - at(sorted, below - 1 - middle);
    const lastAbove = at(sorted, below + (taken - middle) - 1) - median;
    if (nextBelow < lastAbove) low = middle + 1;
    else high = middle;
  }
  let left = below - 1 - low;
  let right = below + (taken - low);
  let nextLeft = left >= 0 ? median - at(sorted, left) : Infinity;
  let nextRight = right < count ? at(sorted, right) - median : Infinity;
  const first = min(nextLeft, nextRight);
  if (count & 1) return first;
  if (nextLeft <= nextRight) {
    left--;
    nextLeft = left >= 0 ? median - at(sorted, left) : Infinity;
  } else {
    right++;
    nextRight = right < count ? at(sorted, right) - median : Infinity;
  }
  return between(first, min(nextLeft, nextRight), 0.5);
}

/** Linear in the window only where more than half of it is equal and this value is another. */
function robustScore(sorted: usize, count: i32, value: f64): f64 {
  const median = quantile(sorted, count, 0.5);
  const distance = medianDistance(sorted, count, median);
  if (distance > 0) return (MAD_SCALE * (value - median)) / distance;
  if (at(sorted, 0) == at(sorted, count - 1) || distance != distance) return NaN;
  if (value == median) return 0;
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) sum += abs(at(sorted, i) - median);
  return (value - median) / (MEAN_SCALE * (sum / <f64>count));
}
