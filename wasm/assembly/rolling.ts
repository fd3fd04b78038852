/**
 * Rolling windows: the last N values of each key, or those of the last d nanoseconds.
 *
 * Each key has a ring of entries in the order of the window (arrival for rows, time for durations)
 * and a record. Aggregates are kept by two stacks, so that nothing is ever subtracted and an
 * outlier or an infinity leaves no trace once it has left:
 *
 *   entries    evictable │ front: suffix aggregates │ back: one running aggregate
 *              0         │FRONT            BOUNDARY │                       COUNT
 *
 * The window is FRONT … COUNT. Entry i of the front holds the aggregate of entries i … BOUNDARY-1,
 * so taking the oldest away is FRONT++; a new entry is added to the running aggregate of the back.
 * When the window's start passes BOUNDARY, all that is left becomes the front (`flip`), newest to
 * oldest: O(1) amortised a row. Means and squared deviations are relative to an anchor, a value that
 * is part of every aggregate that uses it (the newest of the front, the oldest of the back), so
 * prices of 1e9 + 1e-3 keep their digits and equal values have exactly zero variance. Front and
 * back are merged by Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing
 * Sample Variances, 1979.
 *
 * Where a boundary lies follows from the rows of the key alone, and `evict` takes away only what no
 * later row may see; so results do not depend, in any bit, on batches or on when memory is freed.
 *
 * Record of a key, 96 bytes, all zero for a new key but LOWER and LATEST (INT64_MIN):
 *
 *   0 block u32       ring of `capacity` entries; 0 where there is none
 *   4 capacity u32
 *   8 head u32        position in the ring of entry 0
 *  12 front i32       16 count i32        20 boundary i32 (negative when evicted beyond)
 *  24 lower i64       largest lower bound (exclusive) of a window so far; durations only
 *  32 latest i64      largest event time in the ring; durations only
 *  40 front anchor f64, 48 back anchor, 56 back mean, 64 back m2, 72 back sum, 80 min, 88 max
 *
 * Entry, `stride` bytes: value f64 (or raw i64), time i64 (durations), then the lanes of the mask:
 * sum f64; mean f64, m2 f64; min f64; max f64.
 *
 * Job, 96 bytes, written by the host before a call:
 *
 *   0 records u32     4 keys u32[rows]   8 values f64[rows], for lags also i64
 *  12 times i64[rows]                   16 row watermarks i64[rows] or 0
 *  20 rows u32      24 mask u32         28 values are i64 u32 (for lags)
 *  32 window rows u32, 0 = duration     36 min rows u32
 *  40 exclude current u32               44 unused
 *  48 duration i64  56 evict at or below i64
 *  64 outputs u32[8], 0 = not wanted: count (i64), sum, mean, min, max, variance, stddev, zscore
 */

const BLOCK: usize = 0;
const CAPACITY: usize = 4;
const HEAD: usize = 8;
const FRONT: usize = 12;
const COUNT: usize = 16;
const BOUNDARY: usize = 20;
const LOWER: usize = 24;
const LATEST: usize = 32;
const FRONT_ANCHOR: usize = 40;
const BACK_ANCHOR: usize = 48;
const BACK_MEAN: usize = 56;
const BACK_M2: usize = 64;
const BACK_SUM: usize = 72;
const BACK_MIN: usize = 80;
const BACK_MAX: usize = 88;
const RECORD_BYTES: usize = 96;

const SUM: u32 = 1;
const MOMENTS: u32 = 2;
const MIN: u32 = 4;
const MAX: u32 = 8;

let mask: u32 = 0;
let stride: usize = 0;
/** Offset of each lane in an entry. */
let timeAt: usize = 0;
let sumAt: usize = 0;
let meanAt: usize = 0;
let minAt: usize = 0;
let maxAt: usize = 0;

let records: usize = 0;
let keys: usize = 0;
let values: usize = 0;
let times: usize = 0;
let watermarks: usize = 0;
let rows: u32 = 0;
let isInteger: bool = false;
let windowRows: i32 = 0;
let minRows: i32 = 0;
let isExcluding: bool = false;
let duration: i64 = 0;
let evictAt: i64 = 0;
let outCount: usize = 0;
let outSum: usize = 0;
let outMean: usize = 0;
let outMin: usize = 0;
let outMax: usize = 0;
let outVariance: usize = 0;
let outStddev: usize = 0;
let outZscore: usize = 0;

/** Layout of an entry from the mask and whether it has a time. Returns its bytes. */
export function entryLayout(wantedMask: u32, hasTime: u32): u32 {
  mask = wantedMask;
  let next: usize = 8;
  timeAt = next;
  if (hasTime) next += 8;
  sumAt = next;
  if (mask & SUM) next += 8;
  meanAt = next;
  if (mask & MOMENTS) next += 16;
  minAt = next;
  if (mask & MIN) next += 8;
  maxAt = next;
  if (mask & MAX) next += 8;
  stride = next;
  return <u32>next;
}

function loadJob(job: usize): void {
  records = load<u32>(job);
  keys = load<u32>(job, 4);
  values = load<u32>(job, 8);
  times = load<u32>(job, 12);
  watermarks = load<u32>(job, 16);
  rows = load<u32>(job, 20);
  isInteger = load<u32>(job, 28) != 0;
  windowRows = load<i32>(job, 32);
  minRows = load<i32>(job, 36);
  isExcluding = load<u32>(job, 40) != 0;
  duration = load<i64>(job, 48);
  evictAt = load<i64>(job, 56);
  entryLayout(load<u32>(job, 24), windowRows == 0 ? 1 : 0);
}

function loadOutputs(job: usize): void {
  outCount = load<u32>(job, 64);
  outSum = load<u32>(job, 68);
  outMean = load<u32>(job, 72);
  outMin = load<u32>(job, 76);
  outMax = load<u32>(job, 80);
  outVariance = load<u32>(job, 84);
  outStddev = load<u32>(job, 88);
  outZscore = load<u32>(job, 92);
}

// @ts-ignore: decorator
@inline
function recordOf(row: u32): usize {
  return records + <usize>load<u32>(keys + (<usize>row << 2)) * RECORD_BYTES;
}

/** Entry number `index` of a ring. */
// @ts-ignore: decorator
@inline
function entryOf(record: usize, index: i32): usize {
  const capacity = load<u32>(record, CAPACITY);
  let position = load<u32>(record, HEAD) + <u32>index;
  if (position >= capacity) position -= capacity;
  return <usize>load<u32>(record, BLOCK) + <usize>position * stride;
}

// @ts-ignore: decorator
@inline
function valueOf(row: u32): f64 {
  return load<f64>(values + (<usize>row << 3));
}

/** What no result may be: NaN and infinities become null. */
// @ts-ignore: decorator
@inline
function finite(value: f64): f64 {
  return value - value == 0 ? value : NaN;
}

// @ts-ignore: decorator
@inline
function lowerBound(time: i64, watermark: i64): i64 {
  const now = max(time, watermark);
  return now < i64.MIN_VALUE + duration ? i64.MIN_VALUE : now - duration;
}

/** Makes everything from FRONT on the front: suffix aggregates, newest to oldest. */
function flip(record: usize): void {
  const count = load<i32>(record, COUNT);
  store<i32>(record, count, BOUNDARY);
  fillFront(record, count);
}

/** Suffix aggregates of the entries FRONT … end-1, relative to the newest of them. */
function fillFront(record: usize, end: i32): void {
  const front = load<i32>(record, FRONT);
  if (mask == 0 || front >= end) return;
  const anchor = load<f64>(entryOf(record, end - 1));
  store<f64>(record, anchor, FRONT_ANCHOR);
  let sum: f64 = 0;
  let mean: f64 = 0;
  let m2: f64 = 0;
  let least: f64 = Infinity;
  let most: f64 = -Infinity;
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
function addToBack(record: usize, value: f64, number: i32): void {
  if (number == 1) {
    store<f64>(record, value, BACK_ANCHOR);
    store<f64>(record, 0, BACK_MEAN);
    store<f64>(record, 0, BACK_M2);
    store<f64>(record, value, BACK_SUM);
    store<f64>(record, value, BACK_MIN);
    store<f64>(record, value, BACK_MAX);
    return;
  }
  if (mask & MOMENTS) {
    const deviation = value - load<f64>(record, BACK_ANCHOR);
    let mean = load<f64>(record, BACK_MEAN);
    const step = deviation - mean;
    mean += step / <f64>number;
    store<f64>(record, mean, BACK_MEAN);
    store<f64>(record, load<f64>(record, BACK_M2) + step * (deviation - mean), BACK_M2);
  }
  if (mask & SUM) store<f64>(record, load<f64>(record, BACK_SUM) + value, BACK_SUM);
  if (mask & MIN) store<f64>(record, min(load<f64>(record, BACK_MIN), value), BACK_MIN);
  if (mask & MAX) store<f64>(record, max(load<f64>(record, BACK_MAX), value), BACK_MAX);
}

/** Appends an entry; the ring has room. */
// @ts-ignore: decorator
@inline
function append(record: usize, value: f64): usize {
  const count = load<i32>(record, COUNT);
  const entry = entryOf(record, count);
  store<f64>(entry, value);
  store<i32>(record, count + 1, COUNT);
  addToBack(record, value, count + 1 - load<i32>(record, BOUNDARY));
  return entry;
}

/** Results of the window of a record at a row with the value `value`. */
// @ts-ignore: decorator
@inline
function emitWindow(record: usize, row: u32, value: f64): void {
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
        const apart = load<f64>(record, BACK_ANCHOR) - anchor + (load<f64>(record, BACK_MEAN) - mean);
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

/** Stores the wanted results of an aggregate; the mean is relative to the anchor. */
// @ts-ignore: decorator
@inline
function emit(
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

/**
 * Runs the rows `from` … rows-1 of a job over windows of rows.
 * Returns the row for whose key the ring has no room, or `rows`.
 */
export function aggregateRows(job: usize, from: u32): u32 {
  loadJob(job);
  loadOutputs(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const value = valueOf(row);
    const isNull = value != value;
    if (!isNull && hasNoRoom(record)) return row;
    if (isExcluding) emitWindow(record, row, value);
    if (!isNull) pushRow(record, value);
    if (!isExcluding) emitWindow(record, row, value);
  }
  return rows;
}

// @ts-ignore: decorator
@inline
function hasNoRoom(record: usize): bool {
  const capacity = load<i32>(record, CAPACITY);
  return load<i32>(record, COUNT) == capacity && capacity < windowRows;
}

/** Appends a value to a window of rows; the oldest leaves a full one. */
// @ts-ignore: decorator
@inline
function pushRow(record: usize, value: f64): void {
  if (load<i32>(record, COUNT) == windowRows) popRow(record);
  append(record, value);
}

// @ts-ignore: decorator
@inline
function popRow(record: usize): void {
  const head = load<u32>(record, HEAD) + 1;
  store<u32>(record, head == load<u32>(record, CAPACITY) ? 0 : head, HEAD);
  store<i32>(record, load<i32>(record, COUNT) - 1, COUNT);
  const boundary = load<i32>(record, BOUNDARY);
  if (boundary > 0) store<i32>(record, boundary - 1, BOUNDARY);
  else flip(record);
}

/**
 * Runs the rows `from` … rows-1 of a job over windows of time. An out-of-order row is scanned for
 * and put in its place. Returns the row for whose key the ring has no room, or `rows`.
 */
export function aggregateTimes(job: usize, from: u32): u32 {
  loadJob(job);
  loadOutputs(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const value = valueOf(row);
    const time = load<i64>(times + (<usize>row << 3));
    const watermark = watermarks ? load<i64>(watermarks + (<usize>row << 3)) : i64.MIN_VALUE;
    const lower = lowerBound(time, watermark);
    const isEntering = value == value && time > lower;
    if (isEntering && isFull(record)) return row;
    if (!isInOrder(record, time, lower)) {
      emitScan(record, row, value, time, lower, isEntering);
      if (isEntering) insert(record, value, time);
      continue;
    }
    moveFront(record, lower);
    if (isExcluding) emitWindow(record, row, value);
    if (isEntering) appendAt(record, value, time);
    if (!isExcluding) emitWindow(record, row, value);
  }
  return rows;
}

// @ts-ignore: decorator
@inline
function isInOrder(record: usize, time: i64, lower: i64): bool {
  return time >= load<i64>(record, LATEST) && lower >= load<i64>(record, LOWER);
}

/** Whether the ring has no room even after what has expired is taken away. */
// @ts-ignore: decorator
@inline
function isFull(record: usize): bool {
  const capacity = load<i32>(record, CAPACITY);
  if (load<i32>(record, COUNT) < capacity) return false;
  if (capacity > 0) evict(record);
  return load<i32>(record, COUNT) == capacity;
}

/** Takes away entries that no row at or above the watermark can see. */
function evict(record: usize): void {
  const count = load<i32>(record, COUNT);
  let gone = 0;
  while (gone < count && load<i64>(entryOf(record, gone) + timeAt) <= evictAt) gone++;
  if (gone == 0) return;
  const capacity = load<u32>(record, CAPACITY);
  let head = load<u32>(record, HEAD) + <u32>gone;
  if (head >= capacity) head -= capacity;
  store<u32>(record, head, HEAD);
  store<i32>(record, count - gone, COUNT);
  store<i32>(record, max(load<i32>(record, FRONT) - gone, 0), FRONT);
  store<i32>(record, load<i32>(record, BOUNDARY) - gone, BOUNDARY);
}

/** Moves the start of the window on to the first entry above `lower`. */
// @ts-ignore: decorator
@inline
function moveFront(record: usize, lower: i64): void {
  store<i64>(record, lower, LOWER);
  const count = load<i32>(record, COUNT);
  let front = load<i32>(record, FRONT);
  while (front < count && load<i64>(entryOf(record, front) + timeAt) <= lower) front++;
  store<i32>(record, front, FRONT);
  if (front > load<i32>(record, BOUNDARY)) flip(record);
}

// @ts-ignore: decorator
@inline
function appendAt(record: usize, value: f64, time: i64): void {
  const entry = append(record, value);
  store<i64>(entry + timeAt, time);
  store<i64>(record, time, LATEST);
}

/** Number of entries with a time at or below `time`. */
function entriesUpTo(record: usize, time: i64): i32 {
  let low = 0;
  let high = load<i32>(record, COUNT);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<i64>(entryOf(record, middle) + timeAt) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Results for an out-of-order row, from the entries themselves. */
function emitScan(
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
  let next = value;
  let isNext = isEntering && !isExcluding;
  while (isNext || index >= first) {
    if (!isNext) next = load<f64>(entryOf(record, index--));
    isNext = false;
    if (++number == 1) anchor = next;
    const deviation = next - anchor;
    const step = deviation - mean;
    mean += step / <f64>number;
    m2 += step * (deviation - mean);
    sum += next;
    least = min(least, next);
    most = max(most, next);
  }
  emit(row, value, number, anchor, mean, m2, sum, least, most);
}

/** Puts an out-of-order value at its place in time, after its equals; the ring has room. */
function insert(record: usize, value: f64, time: i64): void {
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

/** Makes room for one more entry after those up to `time`, and returns it. */
function openGap(record: usize, time: i64): usize {
  const place = entriesUpTo(record, time);
  const count = load<i32>(record, COUNT);
  for (let index = count; index > place; index--) {
    memory.copy(entryOf(record, index), entryOf(record, index - 1), stride);
  }
  store<i32>(record, count + 1, COUNT);
  if (time > load<i64>(record, LATEST)) store<i64>(record, time, LATEST);
  return entryOf(record, place);
}

/**
 * Values `distance` before each row: `lag`, and what is made of it. The entries are raw 64-bit
 * values, the mask is 0. `outputs` is a list of {kind u32, distance u32, pointer u32}, `length` long:
 *
 *   0 lag, raw          1 delta of f64           2 delta of i64, null where it overflows
 *   3 seconds between timestamps, f64            4 pct_change of f64       5 pct_change of i64
 */
export function lagRows(job: usize, from: u32, outputs: usize, length: u32): u32 {
  loadJob(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const raw = load<i64>(values + (<usize>row << 3));
    const isEntering = !isRawNull(raw);
    if (isEntering && hasNoRoom(record)) return row;
    emitLags(record, row, raw, 0, load<i32>(record, COUNT), outputs, length);
    if (!isEntering) continue;
    if (load<i32>(record, COUNT) == windowRows) popRow(record);
    const count = load<i32>(record, COUNT);
    store<i64>(entryOf(record, count), raw);
    store<i32>(record, count + 1, COUNT);
  }
  return rows;
}

/** As `lagRows`, over windows of time: in the order of time, and no further back than the window. */
export function lagTimes(job: usize, from: u32, outputs: usize, length: u32): u32 {
  loadJob(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const raw = load<i64>(values + (<usize>row << 3));
    const time = load<i64>(times + (<usize>row << 3));
    const watermark = watermarks ? load<i64>(watermarks + (<usize>row << 3)) : i64.MIN_VALUE;
    const lower = lowerBound(time, watermark);
    const isEntering = !isRawNull(raw) && time > lower;
    if (isEntering && isFull(record)) return row;
    if (isInOrder(record, time, lower)) {
      moveFront(record, lower);
      const front = load<i32>(record, FRONT);
      const count = load<i32>(record, COUNT);
      emitLags(record, row, raw, front, count, outputs, length);
      if (!isEntering) continue;
      const entry = entryOf(record, count);
      store<i64>(entry, raw);
      store<i64>(entry + timeAt, time);
      store<i64>(record, time, LATEST);
      store<i32>(record, count + 1, COUNT);
    } else {
      const first = entriesUpTo(record, lower);
      emitLags(record, row, raw, first, entriesUpTo(record, time), outputs, length);
      if (!isEntering) continue;
      const entry = openGap(record, time);
      store<i64>(entry, raw);
      store<i64>(entry + timeAt, time);
      // Before the window, it puts FRONT one entry too early: moveFront comes past it again.
    }
  }
  return rows;
}

// @ts-ignore: decorator
@inline
function isRawNull(raw: i64): bool {
  if (isInteger) return raw == i64.MIN_VALUE;
  const value = reinterpret<f64>(raw);
  return value != value;
}

/** The window of the row is the entries first … end-1. */
// @ts-ignore: decorator
@inline
function emitLags(
  record: usize,
  row: u32,
  raw: i64,
  first: i32,
  end: i32,
  outputs: usize,
  length: u32,
): void {
  const nothing = isInteger ? i64.MIN_VALUE : reinterpret<i64>(<f64>NaN);
  for (let i: u32 = 0; i < length; i++) {
    const output = outputs + <usize>i * 12;
    const kind = load<u32>(output);
    const index = end - load<i32>(output, 4);
    const target = <usize>load<u32>(output, 8) + (<usize>row << 3);
    const before = index >= first ? load<i64>(entryOf(record, index)) : nothing;
    if (kind == 0) store<i64>(target, before);
    else if (kind == 2) store<i64>(target, integerDelta(before, raw));
    else store<f64>(target, finite(change(kind, before, raw)));
  }
}

function integerDelta(before: i64, raw: i64): i64 {
  if (before == i64.MIN_VALUE || raw == i64.MIN_VALUE) return i64.MIN_VALUE;
  const delta = raw - before;
  // Overflow flips the sign against both.
  return ((raw ^ before) & (raw ^ delta)) < 0 ? i64.MIN_VALUE : delta;
}

function change(kind: u32, before: i64, raw: i64): f64 {
  if (kind == 1) return reinterpret<f64>(raw) - reinterpret<f64>(before);
  if (kind == 4) {
    const from = reinterpret<f64>(before);
    return (reinterpret<f64>(raw) - from) / from;
  }
  const delta = integerDelta(before, raw);
  if (before == i64.MIN_VALUE || raw == i64.MIN_VALUE) return NaN;
  if (kind == 3) return delta == i64.MIN_VALUE ? NaN : <f64>delta / 1e9;
  return (<f64>raw - <f64>before) / <f64>before;
}

/**
 * Evicts what has expired from the rings of the keys `from` … to-1. Returns the first key whose
 * ring is then empty or far too large, so that the host gives it a smaller one, or `to`.
 */
export function sweep(job: usize, from: u32, to: u32): u32 {
  loadJob(job);
  for (let key = from; key < to; key++) {
    const record = records + <usize>key * RECORD_BYTES;
    const capacity = load<i32>(record, CAPACITY);
    if (capacity == 0) continue;
    evict(record);
    const count = load<i32>(record, COUNT);
    if (count == 0 || (capacity >= 64 && count <= capacity >> 3)) return key;
  }
  return to;
}

/** Moves the entries of a key to another ring, which has room for them. */
export function moveRing(record: usize, block: usize, capacity: u32, entryBytes: u32): void {
  stride = entryBytes;
  const count = load<u32>(record, COUNT);
  const head = load<u32>(record, HEAD);
  const old = load<u32>(record, CAPACITY);
  const source = <usize>load<u32>(record, BLOCK);
  const untilEnd = min(count, old - head);
  memory.copy(block, source + <usize>head * stride, <usize>untilEnd * stride);
  memory.copy(block + <usize>untilEnd * stride, source, <usize>(count - untilEnd) * stride);
  store<u32>(record, <u32>block, BLOCK);
  store<u32>(record, capacity, CAPACITY);
  store<u32>(record, 0, HEAD);
}

/** Makes the records of the keys `from` … to-1 those of new keys. */
export function clearRecords(table: usize, from: u32, to: u32): void {
  memory.fill(table + <usize>from * RECORD_BYTES, 0, <usize>(to - from) * RECORD_BYTES);
  for (let key = from; key < to; key++) {
    const record = table + <usize>key * RECORD_BYTES;
    store<i64>(record, i64.MIN_VALUE, LOWER);
    store<i64>(record, i64.MIN_VALUE, LATEST);
  }
}

/*
 * Snapshot of a key that has seen a row, 8-byte aligned, without addresses and without aggregates,
 * which follow from the values:
 *
 *   0 key u32   4 count u32   8 front i32   12 boundary i32   16 lower i64   24 latest i64
 *   32 values 8 * count, then times i64 * count (durations)
 */
const SNAPSHOT_HEADER: usize = 32;

// @ts-ignore: decorator
@inline
function isUntouched(record: usize): bool {
  return load<i32>(record, COUNT) == 0 && load<i64>(record, LOWER) == i64.MIN_VALUE;
}

/** Bytes of the snapshot of all keys. */
export function snapshotBytes(table: usize, keyCount: u32, hasTime: u32): f64 {
  const valueBytes: u64 = hasTime ? 16 : 8;
  let bytes: u64 = 0;
  for (let key: u32 = 0; key < keyCount; key++) {
    const record = table + <usize>key * RECORD_BYTES;
    if (isUntouched(record)) continue;
    bytes += <u64>SNAPSHOT_HEADER + <u64>load<u32>(record, COUNT) * valueBytes;
  }
  return <f64>bytes;
}

/**
 * Writes snapshots of the keys `from` … keyCount-1 into `bytes` bytes. Returns the key it got to;
 * the number of bytes written is at `written`.
 */
export function writeSnapshot(
  job: usize,
  from: u32,
  keyCount: u32,
  target: usize,
  bytes: u32,
  written: usize,
): u32 {
  loadJob(job);
  const valueBytes: usize = windowRows == 0 ? 16 : 8;
  let at = target;
  let key = from;
  for (; key < keyCount; key++) {
    const record = records + <usize>key * RECORD_BYTES;
    if (isUntouched(record)) continue;
    const count = load<i32>(record, COUNT);
    if (at + SNAPSHOT_HEADER + <usize>count * valueBytes > target + <usize>bytes) break;
    store<u32>(at, key);
    store<i32>(at, count, 4);
    store<i32>(at, load<i32>(record, FRONT), 8);
    store<i32>(at, load<i32>(record, BOUNDARY), 12);
    store<i64>(at, load<i64>(record, LOWER), 16);
    store<i64>(at, load<i64>(record, LATEST), 24);
    at += SNAPSHOT_HEADER;
    for (let index: i32 = 0; index < count; index++, at += 8) {
      store<i64>(at, load<i64>(entryOf(record, index)));
    }
    if (windowRows == 0) {
      for (let index: i32 = 0; index < count; index++, at += 8) {
        store<i64>(at, load<i64>(entryOf(record, index) + timeAt));
      }
    }
  }
  store<u32>(written, <u32>(at - target));
  return key;
}

/** Restores one key, whose ring has room, from its snapshot, and makes its aggregates again. */
export function readSnapshot(job: usize, source: usize): void {
  loadJob(job);
  const record = records + <usize>load<u32>(source) * RECORD_BYTES;
  const count = load<i32>(source, 4);
  const boundary = load<i32>(source, 12);
  store<i32>(record, count, COUNT);
  store<i32>(record, load<i32>(source, 8), FRONT);
  store<i32>(record, boundary, BOUNDARY);
  store<i64>(record, load<i64>(source, 16), LOWER);
  store<i64>(record, load<i64>(source, 24), LATEST);
  const entries = source + SNAPSHOT_HEADER;
  for (let index: i32 = 0; index < count; index++) {
    const entry = entryOf(record, index);
    const at = entries + (<usize>index << 3);
    store<i64>(entry, load<i64>(at));
    if (windowRows == 0) store<i64>(entry + timeAt, load<i64>(at + (<usize>count << 3)));
  }
  // A boundary before all entries awaits its flip: nothing of the back will be used.
  if (mask == 0 || boundary < 0) return;
  fillFront(record, boundary);
  for (let index = boundary; index < count; index++) {
    addToBack(record, load<f64>(entryOf(record, index)), index + 1 - boundary);
  }
}
