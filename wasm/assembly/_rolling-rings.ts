/**
 * Rings of rolling windows: their layout, and what keeps their entries in order. Included by
 * rolling.ts, whose header gives the idea.
 *
 * Record of a key, 128 bytes, all zero for a new key but LOWER and LATEST (INT64_MIN):
 *
 *   0 block u32       ring of `capacity` entries; 0 where there is none
 *   4 capacity u32
 *   8 head u32        position in the ring of entry 0
 *  12 front i32       16 count i32        20 boundary i32 (negative when evicted beyond)
 *  24 lower i64       largest lower bound (exclusive) of a window so far; durations only
 *  32 latest i64      largest event time in the ring; durations only
 *  40 front anchor f64, 48 back anchor, 56 back mean, 64 back m2, 72 back sum, 80 min, 88 max
 *  96 back m3 f64, 104 back m4, 112 back trend
 *
 * Entry, `stride` bytes: value f64 (or raw i64; of pairs two), time i64 (durations), then the lanes
 * of the mask: sum f64; mean f64, m2 f64; min f64; max f64; m3 f64, m4 f64; trend f64.
 *
 * Job, 128 bytes, written by the host before a call:
 *
 *   0 records u32     4 keys u32[rows]   8 values f64[rows], for lags also i64
 *  12 times i64[rows]                   16 row watermarks i64[rows] or 0
 *  20 rows u32      24 mask u32         28 values are i64 u32 (for lags)
 *  32 window rows u32, 0 = duration     36 min rows u32
 *  40 exclude current u32               44 bytes of an entry's values u32: 8, of pairs 16
 *  48 duration i64  56 evict at or below i64
 *  64 outputs u32[13], 0 = not wanted: count (i64), sum, mean, min, max, variance, stddev, zscore,
 *     variance_pop, stddev_pop, skew, kurtosis, slope
 */

export const BLOCK: usize = 0;
export const CAPACITY: usize = 4;
export const HEAD: usize = 8;
export const FRONT: usize = 12;
export const COUNT: usize = 16;
export const BOUNDARY: usize = 20;
export const LOWER: usize = 24;
export const LATEST: usize = 32;
export const FRONT_ANCHOR: usize = 40;
export const BACK_ANCHOR: usize = 48;
export const BACK_MEAN: usize = 56;
export const BACK_M2: usize = 64;
export const BACK_SUM: usize = 72;
export const BACK_MIN: usize = 80;
export const BACK_MAX: usize = 88;
export const BACK_M3: usize = 96;
export const BACK_M4: usize = 104;
export const BACK_TREND: usize = 112;
export const RECORD_BYTES: usize = 128;

export const SUM: u32 = 1;
export const MOMENTS: u32 = 2;
export const MIN: u32 = 4;
export const MAX: u32 = 8;
/** Third and fourth moments. */
export const HIGHER: u32 = 16;
/** Sum of the products of the distances of value and row number from their means. */
export const TREND: u32 = 32;

export let mask: u32 = 0;
export let stride: usize = 0;
export let valueBytes: usize = 8;
/** Offset of each lane in an entry. */
export let timeAt: usize = 0;
export let sumAt: usize = 0;
export let meanAt: usize = 0;
export let minAt: usize = 0;
export let maxAt: usize = 0;
export let higherAt: usize = 0;
export let trendAt: usize = 0;

export let records: usize = 0;
export let keys: usize = 0;
export let values: usize = 0;
export let times: usize = 0;
export let watermarks: usize = 0;
export let rows: u32 = 0;
export let isInteger: bool = false;
export let windowRows: i32 = 0;
export let minRows: i32 = 0;
export let isExcluding: bool = false;
export let duration: i64 = 0;
export let evictAt: i64 = 0;

/** Layout of an entry from the mask, its values and whether it has a time. Returns its bytes. */
export function entryLayout(wantedMask: u32, ownBytes: u32, hasTime: u32): u32 {
  mask = wantedMask;
  valueBytes = ownBytes;
  let next: usize = ownBytes;
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
  higherAt = next;
  if (mask & HIGHER) next += 16;
  trendAt = next;
  if (mask & TREND) next += 8;
  stride = next;
  return <u32>next;
}

export function loadJob(job: usize): void {
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
  entryLayout(load<u32>(job, 24), load<u32>(job, 44), windowRows == 0 ? 1 : 0);
}

// @ts-ignore: decorator
@inline
export function recordOf(row: u32): usize {
  return records + <usize>load<u32>(keys + (<usize>row << 2)) * RECORD_BYTES;
}

/** Entry number `index` of a ring. */
// @ts-ignore: decorator
@inline
export function entryOf(record: usize, index: i32): usize {
  const capacity = load<u32>(record, CAPACITY);
  let position = load<u32>(record, HEAD) + <u32>index;
  if (position >= capacity) position -= capacity;
  return <usize>load<u32>(record, BLOCK) + <usize>position * stride;
}

// @ts-ignore: decorator
@inline
export function lowerBound(time: i64, watermark: i64): i64 {
  const now = max(time, watermark);
  return now < i64.MIN_VALUE + duration ? i64.MIN_VALUE : now - duration;
}

// @ts-ignore: decorator
@inline
export function isInOrder(record: usize, time: i64, lower: i64): bool {
  return time >= load<i64>(record, LATEST) && lower >= load<i64>(record, LOWER);
}

// @ts-ignore: decorator
@inline
export function hasNoRoom(record: usize): bool {
  const capacity = load<i32>(record, CAPACITY);
  return load<i32>(record, COUNT) == capacity && capacity < windowRows;
}

/** Whether the ring has no room even after what has expired is taken away. */
// @ts-ignore: decorator
@inline
export function isFull(record: usize): bool {
  const capacity = load<i32>(record, CAPACITY);
  if (load<i32>(record, COUNT) < capacity) return false;
  if (capacity > 0) evict(record);
  return load<i32>(record, COUNT) == capacity;
}

/** Takes away entries that no row at or above the watermark can see. */
export function evict(record: usize): void {
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

/** Number of entries with a time at or below `time`. */
export function entriesUpTo(record: usize, time: i64): i32 {
  let low = 0;
  let high = load<i32>(record, COUNT);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<i64>(entryOf(record, middle) + timeAt) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes room for one more entry after those up to `time`, and returns it. */
export function openGap(record: usize, time: i64): usize {
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
    if (isSpare(record)) return key;
  }
  return to;
}

/** Whether the ring of a key is empty or far too large. */
export function isSpare(record: usize): bool {
  const capacity = load<i32>(record, CAPACITY);
  const count = load<i32>(record, COUNT);
  return count == 0 || (capacity >= 64 && count <= capacity >> 3);
}

/** For what works on rings without a job. */
export function setStride(entryBytes: u32): void {
  stride = entryBytes;
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
