/**
 * What a window keeps of a column. Every path adds and merges with these functions, values in the
 * order of arrival, so that all paths give the same bits.
 *
 *   sum       8 bytes: f64
 *   moments   32 bytes: 0 f64 anchor, 8 unused, 16 f64 sum of x - anchor, 24 f64 sum of its
 * squares;
 *             the number of values is a u32 elsewhere
 *   extremes  16 bytes: 0 f64 minimum, 8 f64 minimum of -x; both +Infinity where there is no value
 *   ends      32 bytes: 0 first value, 8 i64 its time, 16 last value, 24 i64 its time
 *
 * Moments. The anchor is the first value and, from the 65th value on, the mean of those before it,
 * renewed every 64 values. Deviations from it are small, and exact where values are close, so that
 * the squares cancel at most by the factor 64 and mostly not at all; a constant window has exactly
 * zero sums. Against Welford's recurrence this saves a division per value and, far from zero
 * (1e9 + k * 1e-3), the rounding of the mean.
 */

/** Values between two renewals of the anchor: a power of two. */
export const ANCHOR_VALUES: u32 = 64;

export const MOMENTS_SUMS: usize = 16;
export const ENDS_FIRST_TIME: usize = 8;
export const ENDS_LAST: usize = 16;
export const ENDS_LAST_TIME: usize = 24;

/** Whether the value counts: neither null (NaN) nor infinite. */
// @ts-ignore: decorator
@inline
export function isValue(value: f64): bool {
  return abs(value) < Infinity;
}

/** The pair (a, b). */
// @ts-ignore: decorator
@inline
export function pair(a: f64, b: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(a), 1, b);
}

/** Moves the anchor to the mean of the `count` values so far, or to the first value. */
export function renewAnchor(moments: usize, count: u32, value: f64): void {
  if (count == 0) {
    store<f64>(moments, value);
    return;
  }
  const anchor = load<f64>(moments);
  const sum = load<f64>(moments, MOMENTS_SUMS);
  const renewed = anchor + sum / <f64>count;
  if (!isValue(renewed)) return;
  const shift = renewed - anchor;
  const rest = sum - shift * <f64>count;
  const squares = load<f64>(moments, MOMENTS_SUMS + 8) - shift * (sum + rest);
  store<f64>(moments, renewed);
  store<f64>(moments, rest, MOMENTS_SUMS);
  store<f64>(moments, max<f64>(squares, 0), MOMENTS_SUMS + 8);
}

/** Adds a value to moments that have an anchor. */
// @ts-ignore: decorator
@inline
export function addDeviation(moments: usize, value: f64): void {
  const deviation = value - load<f64>(moments);
  const sums = f64x2.add(
    v128.load(moments, MOMENTS_SUMS),
    pair(deviation, deviation * deviation),
  );
  v128.store(moments, sums, MOMENTS_SUMS);
}

// @ts-ignore: decorator
@inline
export function addToMoments(moments: usize, counter: usize, value: f64): void {
  const count = load<u32>(counter);
  if ((count & (ANCHOR_VALUES - 1)) == 0) renewAnchor(moments, count, value);
  store<u32>(counter, count + 1);
  addDeviation(moments, value);
}

// @ts-ignore: decorator
@inline
export function addToExtremes(extremes: usize, value: f64): void {
  v128.store(extremes, f64x2.pmin(v128.load(extremes), pair(value, -value)));
}

/**
 * `T` is f64 or i64; ties go to the earlier row for the first value, the later one for the last.
 */
// @ts-ignore: decorator
@inline
export function addToEnds<T>(ends: usize, value: T, time: i64): void {
  if (time < load<i64>(ends, ENDS_FIRST_TIME)) {
    store<T>(ends, value);
    store<i64>(ends, time, ENDS_FIRST_TIME);
  }
  if (time >= load<i64>(ends, ENDS_LAST_TIME)) {
    store<T>(ends, value, ENDS_LAST);
    store<i64>(ends, time, ENDS_LAST_TIME);
  }
}

// @ts-ignore: decorator
@inline
export function addOne(counter: usize): void {
  store<u32>(counter, load<u32>(counter) + 1);
}
