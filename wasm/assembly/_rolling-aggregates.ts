/**
 * Aggregates of a window by two stacks, and their results. Included by rolling.ts, whose header
 * gives the idea.
 */

import {
  BACK_ANCHOR,
  BACK_M2,
  BACK_M3,
  BACK_M4,
  BACK_MAX,
  BACK_MEAN,
  BACK_MIN,
  BACK_SUM,
  BACK_TREND,
  BOUNDARY,
  CAPACITY,
  COUNT,
  entriesUpTo,
  entryOf,
  FRONT,
  FRONT_ANCHOR,
  HEAD,
  HIGHER,
  higherAt,
  isExcluding,
  LATEST,
  LOWER,
  mask,
  MAX,
  maxAt,
  meanAt,
  MIN,
  minAt,
  minRows,
  MOMENTS,
  openGap,
  rows,
  SUM,
  sumAt,
  timeAt,
  TREND,
  trendAt,
  values,
  windowRows,
} from './_rolling-rings';

let outCount: usize = 0;
let outSum: usize = 0;
let outMean: usize = 0;
let outMin: usize = 0;
let outMax: usize = 0;
let outVariance: usize = 0;
let outStddev: usize = 0;
let outZscore: usize = 0;
let outVariancePop: usize = 0;
let outStddevPop: usize = 0;
let outSkew: usize = 0;
let outKurtosis: usize = 0;
let outSlope: usize = 0;

/** Of the window at hand, where they are wanted. */
let m3: f64 = 0;
let m4: f64 = 0;
let trend: f64 = 0;

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
  outSkew = load<u32>(job, 104);
  outKurtosis = load<u32>(job, 108);
  outSlope = load<u32>(job, 112);
}

/** What no result may be: NaN and infinities become null. */
// @ts-ignore: decorator
@inline
export function finite(value: f64): f64 {
  return value - value == 0 ? value : NaN;
}

/**
 * What the third and fourth moments of n values gain by one more, at `step` from their mean, when
 * they are n with it (Pébay: Formulas for Robust, One-Pass Parallel Computation of Covariances and
 * Arbitrary-Order Statistical Moments, 2008). The second moment is that of before.
 */
// @ts-ignore: decorator
@inline
function gainedM3(step: f64, number: f64, m2: f64): f64 {
  const part = step / number;
  return step * part * (number - 1) * part * (number - 2) - 3 * part * m2;
}

// @ts-ignore: decorator
@inline
function gainedM4(step: f64, number: f64, m2: f64, m3: f64): f64 {
  const part = step / number;
  const square = part * part;
  const own = step * part * (number - 1) * square * (number * number - 3 * number + 3);
  return own + 6 * square * m2 - 4 * part * m3;
}

/** Makes everything from FRONT on the front: suffix aggregates, newest to oldest. */
export function flip(record: usize): void {
  const count = load<i32>(record, COUNT);
  store<i32>(record, count, BOUNDARY);
  fillFront(record, count);
}

/** Suffix aggregates of the entries FRONT … end-1, relative to the newest of them. */
export function fillFront(record: usize, end: i32): void {
  const front = load<i32>(record, FRONT);
  if (mask == 0 || front >= end) return;
  const anchor = load<f64>(entryOf(record, end - 1));
  store<f64>(record, anchor, FRONT_ANCHOR);
  let sum: f64 = 0;
  let mean: f64 = 0;
  let m2: f64 = 0;
  let least: f64 = Infinity;
  let most: f64 = -Infinity;
  let higher3: f64 = 0;
  let higher4: f64 = 0;
  let product: f64 = 0;
  let number: f64 = 0;
  for (let index = end - 1; index >= front; index--) {
    const entry = entryOf(record, index);
    const value = load<f64>(entry);
    if (mask & SUM) {
      sum += value;
      store<f64>(entry + sumAt, sum);
    }
    if (mask & MOMENTS) {
      number += 1;
      const deviation = value - anchor;
      const step = deviation - mean;
      if (mask & HIGHER) {
        higher4 += gainedM4(step, number, m2, higher3);
        higher3 += gainedM3(step, number, m2);
        store<f64>(entry + higherAt, higher3);
        store<f64>(entry + higherAt, higher4, 8);
      }
      if (mask & TREND) {
        product -= step * (number - 1) * 0.5;
        store<f64>(entry + trendAt, product);
      }
      mean += step / number;
      m2 += step * (deviation - mean);
      store<f64>(entry + meanAt, mean);
      store<f64>(entry + meanAt, m2, 8);
    }
    if (mask & MIN) {
      least = min(least, value);
      store<f64>(entry + minAt, least);
    }
    if (mask & MAX) {
      most = max(most, value);
      store<f64>(entry + maxAt, most);
    }
  }
}

/** Adds a value to the running aggregate of the back, which has `number` values with it. */
// @ts-ignore: decorator
@inline
export function addToBack(record: usize, value: f64, number: i32): void {
  if (number == 1) {
    store<f64>(record, value, BACK_ANCHOR);
    store<f64>(record, 0, BACK_MEAN);
    store<f64>(record, 0, BACK_M2);
    store<f64>(record, value, BACK_SUM);
    store<f64>(record, value, BACK_MIN);
    store<f64>(record, value, BACK_MAX);
    store<f64>(record, 0, BACK_M3);
    store<f64>(record, 0, BACK_M4);
    store<f64>(record, 0, BACK_TREND);
    return;
  }
  if (mask & MOMENTS) {
    const deviation = value - load<f64>(record, BACK_ANCHOR);
    let mean = load<f64>(record, BACK_MEAN);
    const step = deviation - mean;
    const m2 = load<f64>(record, BACK_M2);
    if (mask & HIGHER) {
      const m3 = load<f64>(record, BACK_M3);
      const m4 = load<f64>(record, BACK_M4);
      store<f64>(record, m4 + gainedM4(step, <f64>number, m2, m3), BACK_M4);
      store<f64>(record, m3 + gainedM3(step, <f64>number, m2), BACK_M3);
    }
    if (mask & TREND) {
      const trend = load<f64>(record, BACK_TREND) + step * <f64>(number - 1) * 0.5;
      store<f64>(record, trend, BACK_TREND);
    }
    mean += step / <f64>number;
    store<f64>(record, mean, BACK_MEAN);
    store<f64>(record, m2 + step * (deviation - mean), BACK_M2);
  }
  if (mask & SUM) store<f64>(record, load<f64>(record, BACK_SUM) + value, BACK_SUM);
  if (mask & MIN) store<f64>(record, min(load<f64>(record, BACK_MIN), value), BACK_MIN);
  if (mask & MAX) store<f64>(record, max(load<f64>(record, BACK_MAX), value), BACK_MAX);
}

/** Appends an entry; the ring has room. */
// @ts-ignore: decorator
@inline
export function append(record: usize, value: f64): usize {
  const count = load<i32>(record, COUNT);
  const entry = entryOf(record, count);
  store<f64>(entry, value);
  store<i32>(record, count + 1, COUNT);
  addToBack(record, value, count + 1 - load<i32>(record, BOUNDARY));
  return entry;
}

// @ts-ignore: decorator
@inline
export function popRow(record: usize): void {
  const head = load<u32>(record, HEAD) + 1;
  store<u32>(record, head == load<u32>(record, CAPACITY) ? 0 : head, HEAD);
  store<i32>(record, load<i32>(record, COUNT) - 1, COUNT);
  const boundary = load<i32>(record, BOUNDARY);
  if (boundary > 0) store<i32>(record, boundary - 1, BOUNDARY);
  else flip(record);
}

/** Appends a value to a window of rows; the oldest leaves a full one. */
// @ts-ignore: decorator
@inline
export function pushRow(record: usize, value: f64): void {
  if (load<i32>(record, COUNT) == windowRows) popRow(record);
  append(record, value);
}

/** Moves the start of the window on to the first entry above `lower`. */
// @ts-ignore: decorator
@inline
export function moveFront(record: usize, lower: i64): void {
  store<i64>(record, lower, LOWER);
  const count = load<i32>(record, COUNT);
  let front = load<i32>(record, FRONT);
  while (front < count && load<i64>(entryOf(record, front) + timeAt) <= lower) front++;
  store<i32>(record, front, FRONT);
  if (front > load<i32>(record, BOUNDARY)) flip(record);
}

// @ts-ignore: decorator
@inline
export function appendAt(record: usize, value: f64, time: i64): void {
  const entry = append(record, value);
  store<i64>(entry + timeAt, time);
  store<i64>(record, time, LATEST);
}

/** Puts an out-of-order value at its place in time, after its equals; the ring has room. */
export function insert(record: usize, value: f64, time: i64): void {
  const place = openGap(record, time);
  store<f64>(place, value);
  store<i64>(place + timeAt, time);
  if (time > load<i64>(record, LOWER)) {
    flip(record);
  } else {
    store<i32>(record, load<i32>(record, FRONT) + 1, FRONT);
    store<i32>(record, load<i32>(record, BOUNDARY) + 1, BOUNDARY);
  }
}

/** Results of the window of a record at a row with the value `value`. */
// @ts-ignore: decorator
@inline
export function emitWindow(record: usize, row: u32, value: f64): void {
  const front = load<i32>(record, FRONT);
  const boundary = load<i32>(record, BOUNDARY);
  const count = load<i32>(record, COUNT);
  const inFront = boundary - front;
  const inBack = count - boundary;
  const oldest = inFront > 0 ? entryOf(record, front) : 0;
  let anchor: f64 = 0;
  let mean: f64 = 0;
  let m2: f64 = 0;
  if (mask & MOMENTS) {
    if (mask & (HIGHER | TREND)) mergeShape(record, oldest, <f64>inFront, <f64>inBack);
    if (inFront == 0) {
      anchor = load<f64>(record, BACK_ANCHOR);
      mean = load<f64>(record, BACK_MEAN);
      m2 = load<f64>(record, BACK_M2);
    } else {
      anchor = load<f64>(record, FRONT_ANCHOR);
      mean = load<f64>(oldest + meanAt);
      m2 = load<f64>(oldest + meanAt, 8);
      if (inBack > 0) {
        const a = <f64>inFront;
        const b = <f64>inBack;
        const share = b / (a + b);
        const anchors = load<f64>(record, BACK_ANCHOR) - anchor;
        const apart = anchors + (load<f64>(record, BACK_MEAN) - mean);
        mean += apart * share;
        m2 += load<f64>(record, BACK_M2) + apart * apart * (a * share);
      }
    }
  }
  let sum: f64 = 0;
  let least: f64 = Infinity;
  let most: f64 = -Infinity;
  if (inFront > 0) {
    if (mask & SUM) sum = load<f64>(oldest + sumAt);
    if (mask & MIN) least = load<f64>(oldest + minAt);
    if (mask & MAX) most = load<f64>(oldest + maxAt);
  }
  if (inBack > 0) {
    sum += load<f64>(record, BACK_SUM);
    least = min(least, load<f64>(record, BACK_MIN));
    most = max(most, load<f64>(record, BACK_MAX));
  }
  emit(row, value, inFront + inBack, anchor, mean, m2, sum, least, most);
}

/** Third and fourth moment and trend of a window of `a` values in front and `b` at the back. */
function mergeShape(record: usize, oldest: usize, a: f64, b: f64): void {
  m3 = a == 0 ? load<f64>(record, BACK_M3) : mask & HIGHER ? load<f64>(oldest + higherAt) : 0;
  m4 = a == 0 ? load<f64>(record, BACK_M4) : mask & HIGHER ? load<f64>(oldest + higherAt, 8) : 0;
  trend = a == 0 ? load<f64>(record, BACK_TREND) : mask & TREND ? load<f64>(oldest + trendAt) : 0;
  if (a == 0 || b == 0) return;
  const anchors = load<f64>(record, BACK_ANCHOR) - load<f64>(record, FRONT_ANCHOR);
  const apart = anchors + (load<f64>(record, BACK_MEAN) - load<f64>(oldest + meanAt));
  const part = apart / (a + b);
  const square = part * part;
  const front2 = load<f64>(oldest + meanAt, 8);
  const back2 = load<f64>(record, BACK_M2);
  const back3 = load<f64>(record, BACK_M3);
  m4 +=
    load<f64>(record, BACK_M4) +
    apart * square * part * (a * b * (a * a - a * b + b * b)) +
    6 * square * (a * a * back2 + b * b * front2) +
    4 * part * (a * back3 - b * m3);
  m3 += back3 + apart * square * (a * b * (a - b)) + 3 * part * (a * back2 - b * front2);
  trend += load<f64>(record, BACK_TREND) + apart * a * b * 0.5;
}

/** Results for an out-of-order row, from the entries themselves. */
export function emitScan(
  record: usize,
  row: u32,
  value: f64,
  time: i64,
  lower: i64,
  isEntering: bool,
): void {
  const first = entriesUpTo(record, lower);
  let index = entriesUpTo(record, time) - 1;
  let number: i32 = 0;
  let anchor: f64 = 0;
  let sum: f64 = 0;
  let mean: f64 = 0;
  let m2: f64 = 0;
  let least: f64 = Infinity;
  let most: f64 = -Infinity;
  m3 = 0;
  m4 = 0;
  trend = 0;
  let next = value;
  let isNext = isEntering && !isExcluding;
  while (isNext || index >= first) {
    if (!isNext) next = load<f64>(entryOf(record, index--));
    isNext = false;
    if (++number == 1) anchor = next;
    const deviation = next - anchor;
    const step = deviation - mean;
    m4 += gainedM4(step, <f64>number, m2, m3);
    m3 += gainedM3(step, <f64>number, m2);
    trend -= step * <f64>(number - 1) * 0.5;
    mean += step / <f64>number;
    m2 += step * (deviation - mean);
    sum += next;
    least = min(least, next);
    most = max(most, next);
  }
  emit(row, value, number, anchor, mean, m2, sum, least, most);
}

/** Stores the wanted results of an aggregate; the mean is relative to the anchor. */
// @ts-ignore: decorator
@inline
export function emit(
  row: u32,
  value: f64,
  number: i32,
  anchor: f64,
  mean: f64,
  m2: f64,
  sum: f64,
  least: f64,
  most: f64,
): void {
  const at = <usize>row << 3;
  if (outCount) store<i64>(outCount + at, <i64>number);
  const isEnough = number >= minRows && number > 0;
  if (outSum) store<f64>(outSum + at, isEnough ? finite(sum) : NaN);
  if (outMean) store<f64>(outMean + at, isEnough ? finite(anchor + mean) : NaN);
  if (outMin) store<f64>(outMin + at, isEnough ? least : NaN);
  if (outMax) store<f64>(outMax + at, isEnough ? most : NaN);
  if (mask & (HIGHER | TREND)) emitShape(at, isEnough ? <f64>number : 0, m2);
  if (outVariancePop | outStddevPop) {
    const variance = isEnough ? finite(m2 / <f64>number) : NaN;
    if (outVariancePop) store<f64>(outVariancePop + at, variance);
    if (outStddevPop) store<f64>(outStddevPop + at, sqrt(variance));
  }
  if (!(outVariance | outStddev | outZscore)) return;
  const variance = isEnough && number > 1 ? finite(m2 / <f64>(number - 1)) : NaN;
  if (outVariance) store<f64>(outVariance + at, variance);
  if (!(outStddev | outZscore)) return;
  const deviation = sqrt(variance);
  if (outStddev) store<f64>(outStddev + at, deviation);
  if (outZscore) {
    const score = deviation > 0 ? (value - anchor - mean) / deviation : NaN;
    store<f64>(outZscore + at, finite(score));
  }
}

/** Skew and excess kurtosis of a sample, without bias, and the slope of the values by row. */
function emitShape(at: usize, n: f64, m2: f64): void {
  if (outSkew) {
    const skew = (n * sqrt(n - 1) * m3) / ((n - 2) * m2 * sqrt(m2));
    store<f64>(outSkew + at, n > 2 && m2 > 0 ? finite(skew) : NaN);
  }
  if (outKurtosis) {
    const scale = (n - 1) / ((n - 2) * (n - 3));
    const kurtosis = scale * (n * (n + 1) * (m4 / (m2 * m2)) - 3 * (n - 1));
    store<f64>(outKurtosis + at, n > 3 && m2 > 0 ? finite(kurtosis) : NaN);
  }
  if (outSlope) store<f64>(outSlope + at, n > 1 ? finite((12 * trend) / (n * (n * n - 1))) : NaN);
}
