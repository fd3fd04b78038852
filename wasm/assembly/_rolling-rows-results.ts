/** Results of windows of rows. Included by rolling-rows.ts, whose header gives the idea. */

import {
  BLOCK,
  COUNT,
  HEAD,
  mask,
  meanAt,
  minAt,
  minRows,
  MOMENTS,
  stride,
  SUM,
  sumAt,
  windowRows,
} from './_rolling-rings';
import {
  ANCHOR,
  DEVIATIONS,
  EXTREME,
  EXTREMES,
  MOMENTS_STRIDE,
  SQUARES,
  TOTAL,
} from './_rolling-rows-sums';

export let outCount: usize = 0;
let outSum: usize = 0;
let outMean: usize = 0;
let outMin: usize = 0;
let outMax: usize = 0;
let outVariance: usize = 0;
let outStddev: usize = 0;
export let outZscore: usize = 0;
let outVariancePop: usize = 0;
let outStddevPop: usize = 0;
/** Whether anything but a score is wanted of the moments. */
export let hasMoments: usize = 0;

export function loadOutputs(job: usize): void {
  outCount = load<u32>(job, 64);
  outSum = load<u32>(job, 68);
  outMean = load<u32>(job, 72);
  outMin = load<u32>(job, 76);
  outMax = load<u32>(job, 80);
  outVariance = load<u32>(job, 84);
  outStddev = load<u32>(job, 88);
  outZscore = load<u32>(job, 92);
  outVariancePop = load<u32>(job, 96);
  outStddevPop = load<u32>(job, 100);
  hasMoments = outMean | outVariance | outStddev | outVariancePop | outStddevPop;
}

/** What no result may be: NaN and infinities become null. */
// @ts-ignore: decorator
@inline
function finite(value: f64): f64 {
  return value + (value - value);
}

/** Results of a window, whatever it holds. */
export function emit(record: usize, row: u32, value: f64): void {
  const count = load<i32>(record, COUNT);
  if (count == 0 || count < minRows) return emitNull(row, count);
  const number = <f64>count;
  if (count == windowRows) {
    emitFull(record, row, value, mask, stride, number, 1 / number, 1 / (number - 1));
    return;
  }
  emitValues(
    row,
    value,
    mask,
    number,
    1 / number,
    1 / (number - 1),
    load<f64>(record, ANCHOR),
    load<f64>(record, DEVIATIONS),
    load<f64>(record, SQUARES),
    load<f64>(record, TOTAL),
    v128.load(record, EXTREMES),
  );
}

/** What a window of too few values has: their number. */
function emitNull(row: u32, count: i32): void {
  const at = <usize>row << 3;
  if (outCount) store<i64>(outCount + at, count);
  if (outSum) store<f64>(outSum + at, NaN);
  if (outMean) store<f64>(outMean + at, NaN);
  if (outMin) store<f64>(outMin + at, NaN);
  if (outMax) store<f64>(outMax + at, NaN);
  if (outVariance) store<f64>(outVariance + at, NaN);
  if (outStddev) store<f64>(outStddev + at, NaN);
  if (outZscore) store<f64>(outZscore + at, NaN);
  if (outVariancePop) store<f64>(outVariancePop + at, NaN);
  if (outStddevPop) store<f64>(outStddevPop + at, NaN);
}

/** The score alone, of a full window with the lanes of the moments alone. */
// @ts-ignore: decorator
@inline
export function emitScore(
  record: usize,
  value: f64,
  target: usize,
  inverse: f64,
  freedom: f64,
): void {
  const head = <usize>load<u32>(record, HEAD);
  const oldest = <usize>load<u32>(record, BLOCK) + head * MOMENTS_STRIDE;
  const deviations = load<f64>(oldest, 8) + load<f64>(record, DEVIATIONS);
  const squares = load<f64>(oldest, 16) + load<f64>(record, SQUARES);
  store<f64>(
    target,
    scoreOf(value, load<f64>(record, ANCHOR), deviations, squares, inverse, freedom),
  );
}

/** A deviation of 0 makes it infinite, or NaN, and so null. */
// @ts-ignore: decorator
@inline
function scoreOf(
  value: f64,
  anchor: f64,
  deviations: f64,
  squares: f64,
  inverse: f64,
  freedom: f64,
): f64 {
  const mean = deviations * inverse;
  const deviation = sqrt((squares - deviations * mean) * freedom);
  return finite((value - anchor - mean) / deviation);
}

/** Results of a full window: what follows its oldest entry in the front, and the back. */
// @ts-ignore: decorator
@inline
export function emitFull(
  record: usize,
  row: u32,
  value: f64,
  lanes: u32,
  entryBytes: usize,
  number: f64,
  inverse: f64,
  freedom: f64,
): void {
  const head = <usize>load<u32>(record, HEAD);
  const oldest = <usize>load<u32>(record, BLOCK) + head * entryBytes;
  let anchor: f64 = 0;
  let deviations: f64 = 0;
  let squares: f64 = 0;
  let sum: f64 = 0;
  let extremes = f64x2.splat(0);
  if (lanes & MOMENTS) {
    const lane = lanes == MOMENTS ? oldest + 8 : oldest + meanAt;
    anchor = load<f64>(record, ANCHOR);
    deviations = load<f64>(lane) + load<f64>(record, DEVIATIONS);
    squares = load<f64>(lane, 8) + load<f64>(record, SQUARES);
  }
  if (lanes & SUM) sum = load<f64>(oldest + sumAt) + load<f64>(record, TOTAL);
  if (lanes & EXTREME) {
    extremes = f64x2.pmin(v128.load(oldest + minAt), v128.load(record, EXTREMES));
  }
  emitValues(
    row,
    value,
    lanes,
    number,
    inverse,
    freedom,
    anchor,
    deviations,
    squares,
    sum,
    extremes,
  );
}

/**
 * Stores what is wanted of a window of `number` values.
 * @param inverse 1 / number.
 * @param freedom 1 / (number - 1).
 */
// @ts-ignore: decorator
@inline
function emitValues(
  row: u32,
  value: f64,
  lanes: u32,
  number: f64,
  inverse: f64,
  freedom: f64,
  anchor: f64,
  deviations: f64,
  squares: f64,
  sum: f64,
  extremes: v128,
): void {
  const at = <usize>row << 3;
  if (outCount) store<i64>(outCount + at, <i64>number);
  if (lanes & SUM) {
    if (outSum) store<f64>(outSum + at, finite(sum));
  }
  if (lanes & EXTREME) {
    if (outMin) store<f64>(outMin + at, f64x2.extract_lane(extremes, 0));
    if (outMax) store<f64>(outMax + at, -f64x2.extract_lane(extremes, 1));
  }
  if (lanes & MOMENTS) {
    if (outZscore) {
      const score = scoreOf(value, anchor, deviations, squares, inverse, freedom);
      store<f64>(outZscore + at, score);
    }
    if (hasMoments) emitMoments(at, number, anchor, deviations, squares);
  }
}

/** Divisions, where a product with the inverse would make a mean of 49 sevens no seven. */
// @ts-ignore: decorator
@inline
function emitMoments(
  at: usize,
  number: f64,
  anchor: f64,
  deviations: f64,
  squares: f64,
): void {
  const mean = deviations / number;
  if (outMean) store<f64>(outMean + at, finite(anchor + mean));
  const parts = squares - deviations * mean;
  if (outVariance | outStddev) {
    // 0 / 0 of a single value is null.
    const variance = parts / (number - 1);
    if (outVariance) store<f64>(outVariance + at, finite(variance));
    if (outStddev) store<f64>(outStddev + at, finite(sqrt(variance)));
  }
  if (outVariancePop | outStddevPop) {
    const variance = parts / number;
    if (outVariancePop) store<f64>(outVariancePop + at, finite(variance));
    if (outStddevPop) store<f64>(outStddevPop + at, finite(sqrt(variance)));
  }
}
