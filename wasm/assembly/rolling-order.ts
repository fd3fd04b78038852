/**
 * Rolling windows in order of their values: medians, quantiles and what is made of them.
 *
 * Each key has a ring of entries in the order of the window, as in rolling.ts, and beside it the
 * values that are in the window at this moment, sorted: the entries FRONT … COUNT. Entries have a
 * value and, for durations, a time. A new value costs a binary search and the move of the values
 * between its place and that of the oldest; in a long window two searches and moves within a leaf
 * (_rolling-leaves.ts), so that its length hardly matters.
 *
 * For an out-of-order row the sorted values are made those of its own window, entry by entry, and
 * back again: its cost is in proportion to how far it is out of order.
 *
 * Every result follows from the values in the window alone, in whatever order they came, so it does
 * not depend on batches or restarts.
 */

import {
  BLOCK,
  CAPACITY,
  COUNT,
  entriesUpTo,
  entryOf,
  evict,
  evictAt,
  FRONT,
  HEAD,
  hasNoRoom,
  isExcluding,
  isInOrder,
  isSpare,
  LATEST,
  loadJob,
  LOWER,
  lowerBound,
  openGap,
  RECORD_BYTES,
  recordOf,
  records,
  rows,
  stride,
  timeAt,
  times,
  values,
  watermarks,
  windowRows,
} from './_rolling-rings';
import { emitOrdered } from './_rolling-quantiles';
import {
  adoptSorted,
  adoptValues,
  copySorted,
  insertSorted,
  removeSorted,
  replaceSorted,
  SORTED_COUNT,
  sortedBytes,
  sortedOf,
} from './_rolling-sorted';
import { readEntries } from './_rolling-snapshot';
import { moveRing as moveEntries, setStride } from './_rolling-rings';

export { clearRecords, entryLayout } from './_rolling-rings';
export { snapshotBytes, writeSnapshot } from './_rolling-snapshot';

/** Bytes of a ring of entries of these bytes, with its sorted values. */
export function ringBytes(capacity: u32, entryBytes: u32): u32 {
  return capacity * entryBytes + sortedBytes(capacity);
}

/** Moves the entries of a key, and its sorted values, to another block that has room for them. */
export function moveRing(record: usize, block: usize, capacity: u32, entryBytes: u32): void {
  setStride(entryBytes);
  const count = load<i32>(record, SORTED_COUNT);
  if (count > 0) copySorted(record, block + <usize>capacity * entryBytes);
  moveEntries(record, block, capacity, entryBytes);
  if (capacity > 0) adoptSorted(record, count);
}

/** Restores one key, whose ring has room, from its snapshot. */
export function readSnapshot(job: usize, source: usize): void {
  const record = readEntries(job, source);
  const front = load<i32>(record, FRONT);
  const count = load<i32>(record, COUNT) - front;
  const sorted = sortedOf(record);
  for (let i = 0; i < count; i++) {
    store<f64>(sorted + (<usize>i << 3), load<f64>(entryOf(record, front + i)) + 0.0);
  }
  adoptValues(record, count);
}

/**
 * Evicts what has expired from the rings of the keys `from` … to-1. Returns the first key whose
 * ring is then empty or far too large, so that the host gives it a smaller one, or `to`.
 */
export function sweep(job: usize, from: u32, to: u32): u32 {
  loadJob(job);
  for (let key = from; key < to; key++) {
    const record = records + <usize>key * RECORD_BYTES;
    if (load<i32>(record, CAPACITY) == 0) continue;
    expire(record);
    if (isSpare(record)) return key;
  }
  return to;
}

/** Takes away entries that no row at or above the watermark can see. */
function expire(record: usize): void {
  const count = load<i32>(record, COUNT);
  for (let index = load<i32>(record, FRONT); index < count; index++) {
    const entry = entryOf(record, index);
    if (load<i64>(entry + timeAt) > evictAt) break;
    removeSorted(record, load<f64>(entry));
    store<i32>(record, index + 1, FRONT);
  }
  evict(record);
}

function isFull(record: usize): bool {
  const capacity = load<i32>(record, CAPACITY);
  if (load<i32>(record, COUNT) < capacity) return false;
  if (capacity > 0) expire(record);
  return load<i32>(record, COUNT) == capacity;
}

/**
 * Runs the rows `from` … rows-1 of a job over windows of rows. `outputs` is the list of
 * `emitOrdered`. Returns the row for whose key the ring has no room, or `rows`.
 */
export function orderRows(job: usize, from: u32, outputs: usize, length: u32): u32 {
  loadJob(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const value = load<f64>(values + (<usize>row << 3));
    const isNull = value != value;
    if (!isNull && hasNoRoom(record)) return row;
    if (isExcluding) emitOrdered(record, row, value, outputs, length);
    if (!isNull) pushRow(record, value);
    if (!isExcluding) emitOrdered(record, row, value, outputs, length);
  }
  return rows;
}

// @ts-ignore: decorator
@inline
function pushRow(record: usize, value: f64): void {
  const count = load<i32>(record, COUNT);
  if (count < windowRows) {
    insertSorted(record, value);
    store<f64>(entryOf(record, count), value);
    store<i32>(record, count + 1, COUNT);
    return;
  }
  // The entry of the oldest becomes that of the newest.
  const oldest = entryOf(record, 0);
  replaceSorted(record, load<f64>(oldest), value);
  store<f64>(oldest, value);
  const head = load<u32>(record, HEAD) + 1;
  store<u32>(record, head == load<u32>(record, CAPACITY) ? 0 : head, HEAD);
}

/** The same over windows of time. */
export function orderTimes(job: usize, from: u32, outputs: usize, length: u32): u32 {
  loadJob(job);
  for (let row = from; row < rows; row++) {
    const record = recordOf(row);
    const value = load<f64>(values + (<usize>row << 3));
    const time = load<i64>(times + (<usize>row << 3));
    const watermark = watermarks ? load<i64>(watermarks + (<usize>row << 3)) : i64.MIN_VALUE;
    const lower = lowerBound(time, watermark);
    const isEntering = value == value && time > lower;
    if (isEntering && isFull(record)) return row;
    if (!isInOrder(record, time, lower)) {
      const first = entriesUpTo(record, lower);
      const end = max(first, entriesUpTo(record, time));
      toWindow(record, first, end);
      if (isEntering && !isExcluding) insertSorted(record, value);
      emitOrdered(record, row, value, outputs, length);
      if (isEntering && !isExcluding) removeSorted(record, value);
      fromWindow(record, first, end);
      if (isEntering) insertEntry(record, value, time);
      continue;
    }
    moveFront(record, lower);
    if (isExcluding) emitOrdered(record, row, value, outputs, length);
    if (isEntering) appendEntry(record, value, time);
    if (!isExcluding) emitOrdered(record, row, value, outputs, length);
  }
  return rows;
}

// @ts-ignore: decorator
@inline
function moveFront(record: usize, lower: i64): void {
  store<i64>(record, lower, LOWER);
  const count = load<i32>(record, COUNT);
  let front = load<i32>(record, FRONT);
  for (; front < count; front++) {
    const entry = entryOf(record, front);
    if (load<i64>(entry + timeAt) > lower) break;
    removeSorted(record, load<f64>(entry));
  }
  store<i32>(record, front, FRONT);
}

// @ts-ignore: decorator
@inline
function appendEntry(record: usize, value: f64, time: i64): void {
  const count = load<i32>(record, COUNT);
  const entry = entryOf(record, count);
  store<f64>(entry, value);
  store<i64>(entry + timeAt, time);
  store<i32>(record, count + 1, COUNT);
  store<i64>(record, time, LATEST);
  insertSorted(record, value);
}

/** Puts an out-of-order value at its place in time, after its equals; the ring has room. */
function insertEntry(record: usize, value: f64, time: i64): void {
  const place = openGap(record, time);
  store<f64>(place, value);
  store<i64>(place + timeAt, time);
  if (time > load<i64>(record, LOWER)) insertSorted(record, value);
  else store<i32>(record, load<i32>(record, FRONT) + 1, FRONT);
}

/** Makes the sorted values those of the entries first … end-1, where they were FRONT … COUNT-1. */
function toWindow(record: usize, first: i32, end: i32): void {
  const front = load<i32>(record, FRONT);
  const count = load<i32>(record, COUNT);
  removeEntries(record, front, min(first, count));
  removeEntries(record, max(end, front), count);
  insertEntries(record, first, min(end, front));
}

/** Undoes `toWindow`. */
function fromWindow(record: usize, first: i32, end: i32): void {
  const front = load<i32>(record, FRONT);
  const count = load<i32>(record, COUNT);
  removeEntries(record, first, min(end, front));
  insertEntries(record, max(end, front), count);
  insertEntries(record, front, min(first, count));
}

function removeEntries(record: usize, from: i32, end: i32): void {
  for (let i = from; i < end; i++) removeSorted(record, load<f64>(entryOf(record, i)));
}

function insertEntries(record: usize, from: i32, end: i32): void {
  for (let i = from; i < end; i++) insertSorted(record, load<f64>(entryOf(record, i)));
}
