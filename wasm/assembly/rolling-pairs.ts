/**
 * Rolling windows of pairs: correlation, covariance and slope of two series. Windows, rings and the
 * two stacks are those of rolling.ts, whose header gives the idea; a pair enters where neither of
 * its values is null.
 *
 * Record of a key: as in _rolling-rings.ts up to 40, then f64:
 *
 *   40 front anchors a, b    56 back anchors a, b     72 back moments
 *
 * Entry: a f64, b f64, time i64 (durations), moments. Moments, five f64 relative to the anchors:
 *
 *   0 mean of a    8 mean of b    16 squares of a    24 squares of b    32 products
 *
 * Outputs of the job: u32 pointers to f64[rows], 0 = not wanted, of correlation, covariance and
 * slope of a by b; then the second values f64[rows].
 */

import {
  BOUNDARY,
  CAPACITY,
  COUNT,
  entriesUpTo,
  entryOf,
  FRONT,
  hasNoRoom,
  HEAD,
  isExcluding,
  isFull,
  isInOrder,
  LATEST,
  loadJob,
  LOWER,
  lowerBound,
  meanAt,
  minRows,
  openGap,
  recordOf,
  rows,
  timeAt,
  times,
  values,
  watermarks,
  windowRows,
} from './_rolling-rings';
import { readEntries } from './_rolling-snapshot';

export { clearRecords, entryLayout, moveRing, sweep } from './_rolling-rings';
export { snapshotBytes, writeSnapshot } from './_rolling-snapshot';

const FRONT_ANCHORS: usize = 40;
const BACK_ANCHORS: usize = 56;
const BACK: usize = 72;

let outCorrelation: usize = 0;
let outCovariance: usize = 0;
let outSlope: usize = 0;
let seconds: usize = 0;

/** The moments at hand. */
let meanA: f64 = 0;
let meanB: f64 = 0;
let squaresA: f64 = 0;
let squaresB: f64 = 0;
let products: f64 = 0;

function loadPairs(job: usize): void {
  loadJob(job);
  outCorrelation = load<u32>(job, 64);
  outCovariance = load<u32>(job, 68);
  outSlope = load<u32>(job, 72);
  seconds = load<u32>(job, 76);
}

function clearMoments(): void {
  meanA = 0;
  meanB = 0;
  squaresA = 0;
  squaresB = 0;
  products = 0;
}

function loadMoments(from: usize): void {
  meanA = load<f64>(from);
  meanB = load<f64>(from, 8);
  squaresA = load<f64>(from, 16);
  squaresB = load<f64>(from, 24);
  products = load<f64>(from, 32);
}

function storeMoments(to: usize): void {
  store<f64>(to, meanA);
  store<f64>(to, meanB, 8);
  store<f64>(to, squaresA, 16);
  store<f64>(to, squaresB, 24);
  store<f64>(to, products, 32);
}

/** Adds a pair, given by its distances from the anchors, to moments that are `number` with it. */
// @ts-ignore: decorator
@inline
function add(a: f64, b: f64, number: f64): void {
  const stepA = a - meanA;
  const stepB = b - meanB;
  meanA += stepA / number;
  meanB += stepB / number;
  squaresA += stepA * (a - meanA);
  squaresB += stepB * (b - meanB);
  products += stepA * (b - meanB);
}

/** Moments of the entries FRONT … end-1, relative to the newest of them. */
function fillFront(record: usize, end: i32): void {
  const front = load<i32>(record, FRONT);
  if (front >= end) return;
  const newest = entryOf(record, end - 1);
  const anchorA = load<f64>(newest);
  const anchorB = load<f64>(newest, 8);
  store<f64>(record, anchorA, FRONT_ANCHORS);
  store<f64>(record, anchorB, FRONT_ANCHORS + 8);
  clearMoments();
  for (let index = end - 1; index >= front; index--) {
    const entry = entryOf(record, index);
    add(load<f64>(entry) - anchorA, load<f64>(entry, 8) - anchorB, <f64>(end - index));
    storeMoments(entry + meanAt);
  }
}

function flip(record: usize): void {
  const count = load<i32>(record, COUNT);
  store<i32>(record, count, BOUNDARY);
  fillFront(record, count);
}

/** Adds a pair to the moments of the back, which has `number` pairs with it. */
function addToBack(record: usize, a: f64, b: f64, number: i32): void {
  if (number == 1) {
    store<f64>(record, a, BACK_ANCHORS);
    store<f64>(record, b, BACK_ANCHORS + 8);
    clearMoments();
  } else {
    loadMoments(record + BACK);
    const fromA = a - load<f64>(record, BACK_ANCHORS);
    add(fromA, b - load<f64>(record, BACK_ANCHORS + 8), <f64>number);
  }
  storeMoments(record + BACK);
}

/** Appends an entry; the ring has room. */
function append(record: usize, a: f64, b: f64): usize {
  const count = load<i32>(record, COUNT);
  const entry = entryOf(record, count);
  store<f64>(entry, a);
  store<f64>(entry, b, 8);
  store<i32>(record, count + 1, COUNT);
  addToBack(record, a, b, count + 1 - load<i32>(record, BOUNDARY));
  return entry;
}

function pushRow(record: usize, a: f64, b: f64): void {
  if (load<i32>(record, COUNT) == windowRows) {
    const head = load<u32>(record, HEAD) + 1;
    store<u32>(record, head == load<u32>(record, CAPACITY) ? 0 : head, HEAD);
    store<i32>(record, windowRows - 1, COUNT);
    const boundary = load<i32>(record, BOUNDARY);
    if (boundary > 0) store<i32>(record, boundary - 1, BOUNDARY);
    else flip(record);
  }
  append(record, a, b);
}

function moveFront(record: usize, lower: i64): void {
  store<i64>(record, lower, LOWER);
  const count = load<i32>(record, COUNT);
  let front = load<i32>(record, FRONT);
  while (front < count && load<i64>(entryOf(record, front) + timeAt) <= lower) front++;
  store<i32>(record, front, FRONT);
  if (front > load<i32>(record, BOUNDARY)) flip(record);
}

/** Puts an out-of-order pair at its place in time, after its equals; the ring has room. */
function insert(record: usize, a: f64, b: f64, time: i64): void {
  const place = openGap(record, time);
  store<f64>(place, a);
  store<f64>(place, b, 8);
  store<i64>(place + timeAt, time);
  if (time > load<i64>(record, LOWER)) {
    flip(record);
  } else {
    store<i32>(record, load<i32>(record, FRONT) + 1, FRONT);
    store<i32>(record, load<i32>(record, BOUNDARY) + 1, BOUNDARY);
  }
}

/** Results of the window of a record. */
function emitWindow(record: usize, row: u32): void {
  const front = load<i32>(record, FRONT);
  const boundary = load<i32>(record, BOUNDARY);
  const inFront = boundary - front;
  const inBack = load<i32>(record, COUNT) - boundary;
  if (inFront == 0) {
    loadMoments(record + BACK);
  } else {
    loadMoments(entryOf(record, front) + meanAt);
    if (inBack > 0) merge(record, <f64>inFront, <f64>inBack);
  }
  emit(row, inFront + inBack);
}

/** Adds the moments of the back, of `b` pairs, to those at hand, of `a` in front. */
function merge(record: usize, a: f64, b: f64): void {
  const back = record + BACK;
  const anchorsA = load<f64>(record, BACK_ANCHORS) - load<f64>(record, FRONT_ANCHORS);
  const anchorsB = load<f64>(record, BACK_ANCHORS + 8) - load<f64>(record, FRONT_ANCHORS + 8);
  const apartA = anchorsA + (load<f64>(back) - meanA);
  const apartB = anchorsB + (load<f64>(back, 8) - meanB);
  const weight = (a * b) / (a + b);
  squaresA += load<f64>(back, 16) + apartA * apartA * weight;
  squaresB += load<f64>(back, 24) + apartB * apartB * weight;
  products += load<f64>(back, 32) + apartA * apartB * weight;
}

/** Results for an out-of-order row, from the entries themselves. */
function emitScan(
  record: usize,
  row: u32,
  a: f64,
  b: f64,
  time: i64,
  lower: i64,
  isEntering: bool,
): void {
  const first = entriesUpTo(record, lower);
  let index = entriesUpTo(record, time) - 1;
  let nextA = a;
  let nextB = b;
  let anchorA: f64 = 0;
  let anchorB: f64 = 0;
  let number = 0;
  clearMoments();
  let isNext = isEntering && !isExcluding;
  while (isNext || index >= first) {
    if (!isNext) {
      const entry = entryOf(record, index--);
      nextA = load<f64>(entry);
      nextB = load<f64>(entry, 8);
    }
    isNext = false;
    if (++number == 1) {
      anchorA = nextA;
      anchorB = nextB;
    }
    add(nextA - anchorA, nextB - anchorB, <f64>number);
  }
  emit(row, number);
}

// @ts-ignore: decorator
@inline
function put(pointer: usize, row: u32, value: f64): void {
  if (pointer) store<f64>(pointer + (<usize>row << 3), value - value == 0 ? value : NaN);
}

function emit(row: u32, number: i32): void {
  const isEnough = number > 1 && number >= minRows;
  const hasSpread = isEnough && squaresA > 0 && squaresB > 0;
  const correlation = products / (sqrt(squaresA) * sqrt(squaresB));
  put(outCorrelation, row, hasSpread ? max(<f64>-1, min(<f64>1, correlation)) : NaN);
  put(outCovariance, row, isEnough ? products / <f64>(number - 1) : NaN);
  put(outSlope, row, isEnough && squaresB > 0 ? products / squaresB : NaN);
}

/** Runs the rows `from` … rows-1 of a job. Returns the row for whose key there is no room. */
export function pairRows(job: usize, from: u32): u32 {
  loadPairs(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const a = load<f64>(values + (<usize>row << 3));
    const b = load<f64>(seconds + (<usize>row << 3));
    const isPair = a == a && b == b;
    if (isPair && hasNoRoom(record)) return row;
    if (isExcluding) emitWindow(record, row);
    if (isPair) pushRow(record, a, b);
    if (!isExcluding) emitWindow(record, row);
  }
  return rows;
}

/** The same over windows of time. */
export function pairTimes(job: usize, from: u32): u32 {
  loadPairs(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const a = load<f64>(values + (<usize>row << 3));
    const b = load<f64>(seconds + (<usize>row << 3));
    const time = load<i64>(times + (<usize>row << 3));
    const watermark = watermarks ? load<i64>(watermarks + (<usize>row << 3)) : i64.MIN_VALUE;
    const lower = lowerBound(time, watermark);
    const isEntering = a == a && b == b && time > lower;
    if (isEntering && isFull(record)) return row;
    if (!isInOrder(record, time, lower)) {
      emitScan(record, row, a, b, time, lower, isEntering);
      if (isEntering) insert(record, a, b, time);
      continue;
    }
    moveFront(record, lower);
    if (isExcluding) emitWindow(record, row);
    if (isEntering) {
      const entry = append(record, a, b);
      store<i64>(entry + timeAt, time);
      store<i64>(record, time, LATEST);
    }
    if (!isExcluding) emitWindow(record, row);
  }
  return rows;
}

/** Restores one key, whose ring has room, from its snapshot, and makes its moments again. */
export function readSnapshot(job: usize, source: usize): void {
  const record = readEntries(job, source);
  const count = load<i32>(record, COUNT);
  const boundary = load<i32>(record, BOUNDARY);
  // A boundary before all entries awaits its flip: nothing of the back will be used.
  if (boundary < 0) return;
  fillFront(record, boundary);
  for (let index = boundary; index < count; index++) {
    const entry = entryOf(record, index);
    addToBack(record, load<f64>(entry), load<f64>(entry, 8), index + 1 - boundary);
  }
}
