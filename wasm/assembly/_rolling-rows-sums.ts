/**
 * Sums of the front and the back of a window, and how they are renewed. Included by
 * rolling-rows.ts, whose header gives the idea.
 */

import {
  BLOCK,
  BOUNDARY,
  HEAD,
  mask,
  MAX,
  meanAt,
  MIN,
  minAt,
  MOMENTS,
  stride,
  SUM,
  sumAt,
  windowRows,
} from './_rolling-rings';

export const ANCHOR: usize = 40;
export const DEVIATIONS: usize = 48;
export const SQUARES: usize = 56;
export const TOTAL: usize = 64;
/** v128: minimum, minimum of -x. */
export const EXTREMES: usize = 80;

export const EXTREME: u32 = MIN | MAX;

// @ts-ignore: decorator
@inline
function bothEnds(value: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(value), 1, -value);
}

/** Entry number `index` of a ring whose head is 0. */
// @ts-ignore: decorator
@inline
export function entryAt(record: usize, index: i32): usize {
  return <usize>load<u32>(record, BLOCK) + <usize>index * stride;
}

/** Makes a value the anchor of a window that has no others; it is still to be added. */
export function startBack(record: usize, value: f64): void {
  store<f64>(record, value, ANCHOR);
  store<f64>(record, 0, DEVIATIONS);
  store<f64>(record, 0, SQUARES);
  store<f64>(record, 0, TOTAL);
  v128.store(record, f64x2.splat(Infinity), EXTREMES);
}

/** @param lanes Those of the mask; a constant where the caller knows them. */
// @ts-ignore: decorator
@inline
export function addToBack(record: usize, value: f64, lanes: u32): void {
  if (lanes & MOMENTS) {
    const deviation = value - load<f64>(record, ANCHOR);
    store<f64>(record, load<f64>(record, DEVIATIONS) + deviation, DEVIATIONS);
    store<f64>(record, load<f64>(record, SQUARES) + deviation * deviation, SQUARES);
  }
  if (lanes & SUM) store<f64>(record, load<f64>(record, TOTAL) + value, TOTAL);
  if (lanes & EXTREME) {
    const extremes = f64x2.pmin(v128.load(record, EXTREMES), bothEnds(value));
    v128.store(record, extremes, EXTREMES);
  }
}

/** Makes all entries of a full window the front and the newest the anchor. */
export function renew(record: usize): void {
  store<i32>(record, windowRows, BOUNDARY);
  if (mask == MOMENTS) fillMoments(record);
  else if (mask) fillFront(record, windowRows);
}

/** Lanes of the `count` oldest entries, whose newest becomes the anchor; an empty back. */
export function fillFront(record: usize, count: i32): void {
  const block = <usize>load<u32>(record, BLOCK);
  const end = block + <usize>windowRows * stride;
  const oldest = block + <usize>load<u32>(record, HEAD) * stride;
  let entry = oldest + <usize>(count - 1) * stride;
  if (entry >= end) entry -= end - block;
  const anchor = load<f64>(entry);
  startBack(record, anchor);
  let sum: f64 = 0;
  let deviations: f64 = 0;
  let squares: f64 = 0;
  let extremes = f64x2.splat(Infinity);
  for (let left = count; left > 0; left--) {
    const value = load<f64>(entry);
    if (mask & SUM) {
      sum += value;
      store<f64>(entry + sumAt, sum);
    }
    if (mask & MOMENTS) {
      const deviation = value - anchor;
      deviations += deviation;
      squares += deviation * deviation;
      store<f64>(entry + meanAt, deviations);
      store<f64>(entry + meanAt, squares, 8);
    }
    if (mask & EXTREME) {
      extremes = f64x2.pmin(extremes, bothEnds(value));
      v128.store(entry + minAt, extremes);
    }
    entry = entry == block ? end - stride : entry - stride;
  }
}

export const MOMENTS_STRIDE: usize = 24;

/** `fillFront` of a full window, where there are but the sums of deviations. */
function fillMoments(record: usize): void {
  const block = <usize>load<u32>(record, BLOCK);
  const oldest = block + <usize>load<u32>(record, HEAD) * MOMENTS_STRIDE;
  const last = block + <usize>(windowRows - 1) * MOMENTS_STRIDE;
  const newest = oldest == block ? last : oldest - MOMENTS_STRIDE;
  const anchor = load<f64>(newest);
  store<f64>(record, anchor, ANCHOR);
  store<f64>(record, 0, DEVIATIONS);
  store<f64>(record, 0, SQUARES);
  let deviations: f64 = 0;
  let squares: f64 = 0;
  let entry = newest;
  let until = block;
  for (;;) {
    for (; entry >= until; entry -= MOMENTS_STRIDE) {
      const deviation = load<f64>(entry) - anchor;
      deviations += deviation;
      squares += deviation * deviation;
      store<f64>(entry, deviations, 8);
      store<f64>(entry, squares, 16);
    }
    if (until == oldest) return;
    entry = last;
    until = oldest;
  }
}
