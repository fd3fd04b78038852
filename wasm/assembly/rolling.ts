/**
 * Rolling windows: the last N values of each key, or those of the last d nanoseconds. Where N is
 * not large and no more than moments are wanted, rolling-rows.ts does the same for less.
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
 * oldest: O(1) amortised a row. Means and squared deviations are relative to an anchor, a value
 * that is part of every aggregate that uses it (the newest of the front, the oldest of the back),
 * so prices of 1e9 + 1e-3 keep their digits and equal values have exactly zero variance. Front and
 * back are merged by Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing
 * Sample Variances, 1979. An out-of-order row costs time in proportion to its window.
 *
 * Where a boundary lies follows from the rows of the key alone, and `evict` takes away only what no
 * later row may see; so results do not depend, in any bit, on batches or on when memory is freed.
 */

import {
  BOUNDARY,
  COUNT,
  entryOf,
  hasNoRoom,
  isExcluding,
  isFull,
  isInOrder,
  loadJob,
  lowerBound,
  mask,
  recordOf,
  rows,
  times,
  values,
  watermarks,
} from './_rolling-rings';
import {
  addToBack,
  appendAt,
  emitScan,
  emitWindow,
  fillFront,
  insert,
  loadOutputs,
  moveFront,
  pushRow,
} from './_rolling-aggregates';
import { readEntries } from './_rolling-snapshot';

export { clearRecords, entryLayout, moveRing, sweep } from './_rolling-rings';
export { lagRows, lagTimes } from './_rolling-lags';
export { snapshotBytes, writeSnapshot } from './_rolling-snapshot';

/** Restores one key, whose ring has room, from its snapshot, and makes its aggregates again. */
export function readSnapshot(job: usize, source: usize): void {
  const record = readEntries(job, source);
  const count = load<i32>(record, COUNT);
  const boundary = load<i32>(record, BOUNDARY);
  // A boundary before all entries awaits its flip: nothing of the back will be used.
  if (mask == 0 || boundary < 0) return;
  fillFront(record, boundary);
  for (let index = boundary; index < count; index++) {
    addToBack(record, load<f64>(entryOf(record, index)), index + 1 - boundary);
  }
}

// @ts-ignore: decorator
@inline
function valueOf(row: u32): f64 {
  return load<f64>(values + (<usize>row << 3));
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
