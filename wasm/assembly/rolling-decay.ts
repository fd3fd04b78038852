/**
 * Means and variances whose weights decay with every row: no window, a record for each key, a few
 * operations a row.
 *
 * A mean is the unrounded sum of two doubles, so that steps of 1e-3 on prices of 1e9 keep their
 * digits for as long as the stream runs. Values that are not finite, or so far off that the square
 * of the distance is not, count as nulls: they could never be forgotten.
 *
 * Record of a key, 64 bytes, all zero for a new key:
 *
 *    0 mean f64      8 its rest f64      16 variance, weighted (biased) f64
 *   24 sum of weights f64               32 sum of squared weights f64
 *   40 weight of what was before the next value f64
 *   48 values seen f64
 *
 * Job, 64 bytes:
 *
 *    0 records u32   4 keys u32[rows]    8 values f64[rows]    12 rows u32
 *   16 outputs u32  20 outputs length u32
 *   24 settings f64[4]
 *
 * Output, 24 bytes: kind u32 (mean, variance, stddev, zscore), pointer u32 (f64[rows]), before this
 * row u32, values needed u32, biased u32, unused.
 */

const MEAN: usize = 0;
const REST: usize = 8;
const VARIANCE: usize = 16;
const WEIGHTS: usize = 24;
const SQUARES: usize = 32;
const OLD_WEIGHT: usize = 40;
const SEEN: usize = 48;
const RECORD_BYTES: usize = 64;

const OUTPUT_BYTES: usize = 24;

let outputs: usize = 0;
let outputsLength: u32 = 0;

// @ts-ignore: decorator
@inline
function isFinite(value: f64): bool {
  return value - value == 0;
}

/** Moves the mean of a record by a small step. */
// @ts-ignore: decorator
@inline
function moveMean(record: usize, step: f64): void {
  const mean = load<f64>(record, MEAN);
  const rest = load<f64>(record, REST) + step;
  const next = mean + rest;
  store<f64>(record, next, MEAN);
  store<f64>(record, rest - (next - mean), REST);
}

/** Distance of a value from the mean of a record. */
// @ts-ignore: decorator
@inline
function distanceOf(record: usize, value: f64): f64 {
  return value - load<f64>(record, MEAN) - load<f64>(record, REST);
}

/** Variance of a record; NaN where one value says nothing of it. */
function varianceOf(record: usize, isBiased: bool): f64 {
  const variance = load<f64>(record, VARIANCE);
  if (isBiased) return variance;
  if (load<f64>(record, SEEN) < 2) return NaN;
  return unbiased(variance, load<f64>(record, WEIGHTS), load<f64>(record, SQUARES));
}

/** Results of the record as it is, which is that before the row if `isBefore`. */
function emit(record: usize, row: u32, value: f64, isBefore: bool): void {
  const seen = load<f64>(record, SEEN);
  for (let i: u32 = 0; i < outputsLength; i++) {
    const output = outputs + <usize>i * OUTPUT_BYTES;
    if ((load<u32>(output, 8) != 0) != isBefore) continue;
    const kind = load<u32>(output);
    let result: f64 = NaN;
    if (seen > 0 && seen >= <f64>load<u32>(output, 12)) {
      if (kind == 0) {
        result = load<f64>(record, MEAN);
      } else {
        const isBiased = load<u32>(output, 16) != 0;
        if (kind == 3) {
          if (isBiased || seen >= 2) {
            result = scoreOf(
              isBiased,
              distanceOf(record, value),
              load<f64>(record, VARIANCE),
              load<f64>(record, WEIGHTS),
              load<f64>(record, SQUARES),
            );
          }
        } else {
          result = varianceOf(record, isBiased);
          if (kind == 2) result = sqrt(result);
        }
      }
    }
    store<f64>(<usize>load<u32>(output, 4) + (<usize>row << 3), isFinite(result) ? result : NaN);
  }
}

/**
 * Exponentially weighted moments as pandas defines them. Settings: alpha; adjust; ignore nulls;
 * clamp, how many standard deviations a value may be off to move the moments by no more, 0 = any.
 *
 * An alpha of 0.5 without adjustment gives a value all the weight that a gap has freed, as it does
 * there: 1, null, 3 have the mean 2.5.
 */
export function ewm(job: usize): void {
  const records = <usize>load<u32>(job);
  const keys = <usize>load<u32>(job, 4);
  const values = <usize>load<u32>(job, 8);
  const rows = load<u32>(job, 12);
  outputs = load<u32>(job, 16);
  outputsLength = load<u32>(job, 20);
  alpha = load<f64>(job, 24);
  isAdjusted = load<f64>(job, 32) != 0;
  isIgnoring = load<f64>(job, 40) != 0;
  clamp = load<f64>(job, 48);
  if (clamp == 0 && outputsLength == 1) {
    const kind = load<u32>(outputs);
    const isBefore = load<u32>(outputs, 8) != 0;
    if (kind == 3 && isBefore && !isAdjusted) ewmPlain(records, keys, values, rows, 3, true, false);
    else ewmPlain(records, keys, values, rows, kind, isBefore, isAdjusted);
    return;
  }
  for (let row: u32 = 0; row < rows; row++) {
    const record = records + <usize>load<u32>(keys + (<usize>row << 2)) * RECORD_BYTES;
    ewmRow(record, row, load<f64>(values + (<usize>row << 3)));
  }
}

let alpha: f64 = 0;
let isAdjusted: bool = false;
let isIgnoring: bool = false;
let clamp: f64 = 0;

function ewmRow(record: usize, row: u32, value: f64): void {
  emit(record, row, value, true);
  const isValue = isFinite(value) && isNear(record, value);
  if (load<f64>(record, SEEN) == 0) {
    if (isValue) start(record, value);
  } else if (isValue) {
    decay(record, alpha);
    const old = load<f64>(record, OLD_WEIGHT);
    const weight = isAdjusted ? 1 : alpha == 0.5 ? 1 - old : alpha;
    update(record, distanceOf(record, value), weight, clamp);
    if (!isAdjusted) normalise(record);
  } else if (!isIgnoring) {
    decay(record, alpha);
  }
  emit(record, row, value, false);
}

/**
 * `ewm` without a clamp, for one output: the same operations in the same order, where a value
 * follows two others and, without adjustment, no gap. The weight of what was before is then the sum
 * of weights, or 1.
 */
// @ts-ignore: decorator
@inline
function ewmPlain(
  records: usize,
  keys: usize,
  values: usize,
  rows: u32,
  kind: u32,
  isBefore: bool,
  adjusts: bool,
): void {
  const target = <usize>load<u32>(outputs, 4);
  const needed = max<f64>(<f64>load<u32>(outputs, 12), 2);
  const isBiased = load<u32>(outputs, 16) != 0;
  const factor = 1 - alpha;
  const weight = adjusts ? 1 : alpha == 0.5 ? 1 - factor : alpha;
  const sum = factor + weight;
  const plainShare = weight / sum;
  for (let row: u32 = 0; row < rows; row++) {
    const record = records + <usize>load<u32>(keys + (<usize>row << 2)) * RECORD_BYTES;
    const value = load<f64>(values + (<usize>row << 3));
    const seen = load<f64>(record, SEEN);
    const mean = load<f64>(record, MEAN);
    const rest = load<f64>(record, REST);
    const variance = load<f64>(record, VARIANCE);
    const distance = value - mean - rest;
    const isPlain = adjusts || load<f64>(record, OLD_WEIGHT) == 1;
    if (seen < needed || !isPlain || !isFinite(distance * distance + variance)) {
      ewmRow(record, row, value);
      continue;
    }
    const weights = load<f64>(record, WEIGHTS);
    const squares = load<f64>(record, SQUARES);
    const at = target + (<usize>row << 3);
    if (isBefore) {
      store<f64>(at, resultOf(kind, isBiased, mean, variance, weights, squares, distance));
    }
    let nextWeights = weights * factor + weight;
    let nextSquares = squares * factor * factor + weight * weight;
    const share = adjusts ? 1 / nextWeights : plainShare;
    if (!adjusts && sum != 1) {
      nextWeights /= sum;
      nextSquares /= sum * sum;
    }
    const step = rest + share * distance;
    const nextMean = mean + step;
    const nextRest = step - (nextMean - mean);
    const nextVariance = (1 - share) * (variance + share * distance * distance);
    store<f64>(record, nextMean, MEAN);
    store<f64>(record, nextRest, REST);
    store<f64>(record, nextVariance, VARIANCE);
    store<f64>(record, nextWeights, WEIGHTS);
    store<f64>(record, nextSquares, SQUARES);
    if (adjusts) store<f64>(record, nextWeights, OLD_WEIGHT);
    store<f64>(record, seen + 1, SEEN);
    if (!isBefore) {
      const away = value - nextMean - nextRest;
      store<f64>(
        at,
        resultOf(kind, isBiased, nextMean, nextVariance, nextWeights, nextSquares, away),
      );
    }
  }
}

/** A result after two values or more. */
// @ts-ignore: decorator
@inline
function resultOf(
  kind: u32,
  isBiased: bool,
  mean: f64,
  variance: f64,
  weights: f64,
  squares: f64,
  distance: f64,
): f64 {
  let result = mean;
  if (kind == 3) {
    result = scoreOf(isBiased, distance, variance, weights, squares);
  } else if (kind != 0) {
    result = isBiased ? variance : unbiased(variance, weights, squares);
    if (kind == 2) result = sqrt(result);
  }
  return isFinite(result) ? result : NaN;
}

// @ts-ignore: decorator
@inline
function unbiased(variance: f64, weights: f64, squares: f64): f64 {
  const all = weights * weights;
  const free = all - squares;
  return free > 0 ? (all / free) * variance : NaN;
}

/** A distance in standard deviations; of a variance of 0 it is infinite, or NaN, and so null. */
// @ts-ignore: decorator
@inline
function scoreOf(isBiased: bool, distance: f64, variance: f64, weights: f64, squares: f64): f64 {
  if (isBiased) return distance / sqrt(variance);
  const all = weights * weights;
  const free = all - squares;
  return free > 0 ? distance * sqrt(free / (all * variance)) : NaN;
}

/** Whether the square of the distance, and the variance with it, are finite. */
// @ts-ignore: decorator
@inline
function isNear(record: usize, value: f64): bool {
  const distance = distanceOf(record, value);
  return isFinite(distance * distance + load<f64>(record, VARIANCE));
}

function start(record: usize, value: f64): void {
  store<f64>(record, value, MEAN);
  store<f64>(record, 0, REST);
  store<f64>(record, 1, WEIGHTS);
  store<f64>(record, 1, SQUARES);
  store<f64>(record, 1, OLD_WEIGHT);
  store<f64>(record, 1, SEEN);
}

function decay(record: usize, alpha: f64): void {
  const factor = 1 - alpha;
  store<f64>(record, load<f64>(record, WEIGHTS) * factor, WEIGHTS);
  store<f64>(record, load<f64>(record, SQUARES) * factor * factor, SQUARES);
  store<f64>(record, load<f64>(record, OLD_WEIGHT) * factor, OLD_WEIGHT);
}

function update(record: usize, away: f64, weight: f64, clamp: f64): void {
  const variance = load<f64>(record, VARIANCE);
  let distance = away;
  if (clamp > 0 && variance > 0) {
    const most = clamp * sqrt(variance);
    distance = max(-most, min(most, distance));
  }
  const old = load<f64>(record, OLD_WEIGHT);
  const share = weight / (old + weight);
  moveMean(record, share * distance);
  store<f64>(record, (1 - share) * (variance + share * distance * distance), VARIANCE);
  store<f64>(record, load<f64>(record, WEIGHTS) + weight, WEIGHTS);
  store<f64>(record, load<f64>(record, SQUARES) + weight * weight, SQUARES);
  store<f64>(record, old + weight, OLD_WEIGHT);
  store<f64>(record, load<f64>(record, SEEN) + 1, SEEN);
}

function normalise(record: usize): void {
  const old = load<f64>(record, OLD_WEIGHT);
  store<f64>(record, load<f64>(record, WEIGHTS) / old, WEIGHTS);
  store<f64>(record, load<f64>(record, SQUARES) / (old * old), SQUARES);
  store<f64>(record, 1, OLD_WEIGHT);
}

/**
 * A mean that is the plain one of the first n values, after some that are passed over, and from
 * there on moves by alpha of the distance of each. Settings: alpha; n; values passed over.
 */
export function seeded(job: usize): void {
  const records = <usize>load<u32>(job);
  const keys = <usize>load<u32>(job, 4);
  const values = <usize>load<u32>(job, 8);
  const rows = load<u32>(job, 12);
  outputs = load<u32>(job, 16);
  outputsLength = load<u32>(job, 20);
  const alpha = load<f64>(job, 24);
  const length = load<f64>(job, 32);
  const skipped = load<f64>(job, 40);
  for (let row: u32 = 0; row < rows; row++) {
    const record = records + <usize>load<u32>(keys + (<usize>row << 2)) * RECORD_BYTES;
    const value = load<f64>(values + (<usize>row << 3));
    const distance = distanceOf(record, value);
    if (isFinite(value) && isFinite(distance)) {
      const seen = load<f64>(record, SEEN) + 1;
      store<f64>(record, seen, SEEN);
      const number = seen - skipped;
      if (number == 1) store<f64>(record, value, MEAN);
      else if (number > length) moveMean(record, alpha * distance);
      else if (number > 1) moveMean(record, distance / number);
    }
    emit(record, row, value, false);
  }
}
