/**
 * Aggregates of the last N values of each key, for windows that are not long: counts, sums, means,
 * variances, scores, minima and maxima. Two stacks, as in rolling.ts, in the form that is cheapest
 * where every window has the same number of values:
 *
 *   oldest │ front: what follows an entry, up to the anchor │ anchor │ back: running sums │ newest
 *            BOUNDARY entries, the anchor the last of them             N - BOUNDARY entries
 *
 * Deviations are from the anchor, the newest value of the front, which is the last of the front to
 * leave: so it is a value of every window that is told by it, and the sums of front and back only
 * have to be added. When the anchor leaves, the newest value becomes the anchor and everything the
 * front, newest to oldest (`renew`). Nothing is ever subtracted, so what leaves leaves no trace.
 *
 *   variance = (sum of squares - sum² / n) / (n - 1)
 *
 * cancels at most by the factor n + 1, because the anchor is one of the n values: three digits of
 * sixteen for the longest windows, the host takes rolling.ts for longer ones.
 *
 * Until a window is full, all of it is the back, and its anchor is the first value.
 *
 * Records, entries and jobs are those of _rolling-rings.ts, with the capacity N. An entry's lanes
 * are of the entries from it up to the anchor: sum; sum of deviations, of their squares; minimum,
 * minimum of -x. A record's, from 40 on, are the anchor and those of the back.
 */

import {
  BLOCK,
  BOUNDARY,
  COUNT,
  HEAD,
  hasNoRoom,
  isExcluding,
  keys,
  loadJob,
  mask,
  MOMENTS,
  RECORD_BYTES,
  records,
  rows,
  stride,
  SUM,
  values,
  windowRows,
} from './_rolling-rings';
import {
  emit,
  emitFull,
  emitScore,
  hasMoments,
  loadOutputs,
  outCount,
  outZscore,
} from './_rolling-rows-results';
import {
  addToBack,
  entryAt,
  EXTREME,
  fillFront,
  MOMENTS_STRIDE,
  renew,
  startBack,
} from './_rolling-rows-sums';
import { readEntries } from './_rolling-snapshot';

export { clearRecords, entryLayout, moveRing, sweep } from './_rolling-rings';
export { snapshotBytes, writeSnapshot } from './_rolling-snapshot';

/** Restores one key, whose ring has room, from its snapshot, and makes its sums again. */
export function readSnapshot(job: usize, source: usize): void {
  const record = readEntries(job, source);
  const count = load<i32>(record, COUNT);
  const boundary = load<i32>(record, BOUNDARY);
  if (boundary > 0) fillFront(record, boundary);
  for (let index = max(boundary, 0); index < count; index++) {
    const value = load<f64>(entryAt(record, index));
    if (index == 0) startBack(record, value);
    addToBack(record, value, mask);
  }
  if (boundary <= 0 && count == windowRows) renew(record);
}

/** Runs the rows `from` … rows-1 of a job. Returns the row whose ring has no room, or `rows`. */
export function aggregateRows(job: usize, from: u32): u32 {
  loadJob(job);
  loadOutputs(job);
  // Each with constant lanes is a loop of its own, without what it does not need.
  if (mask == MOMENTS) {
    return outCount | hasMoments ? pass(MOMENTS, false, from) : pass(MOMENTS, true, from);
  }
  if (mask == SUM) return pass(SUM, false, from);
  if (mask == EXTREME) return pass(EXTREME, false, from);
  return pass(mask, false, from);
}

// @ts-ignore: decorator
@inline
function pass(lanes: u32, isScore: bool, from: u32): u32 {
  const length = windowRows;
  const isBefore = isExcluding;
  const isAfter = !isBefore;
  const number = <f64>length;
  const inverse: f64 = 1 / number;
  const freedom: f64 = 1 / (number - 1);
  const end = rows;
  const rowKeys = keys;
  const rowValues = values;
  const table = records;
  const score = outZscore;
  const entryBytes = lanes == MOMENTS ? MOMENTS_STRIDE : stride;
  for (let row = from; row < end; row++) {
    const record = table + <usize>load<u32>(rowKeys + (<usize>row << 2)) * RECORD_BYTES;
    const value = load<f64>(rowValues + (<usize>row << 3));
    if (value == value && load<i32>(record, COUNT) == length) {
      if (isScore) {
        if (isBefore) emitScore(record, value, score + (<usize>row << 3), inverse, freedom);
        replaceOldest(record, value, lanes, length, entryBytes);
        if (isAfter) emitScore(record, value, score + (<usize>row << 3), inverse, freedom);
        continue;
      }
      if (isBefore) emitFull(record, row, value, lanes, entryBytes, number, inverse, freedom);
      replaceOldest(record, value, lanes, length, entryBytes);
      if (isAfter) emitFull(record, row, value, lanes, entryBytes, number, inverse, freedom);
    } else if (!passOther(record, row, value)) {
      return row;
    }
  }
  return end;
}

// @ts-ignore: decorator
@inline
function replaceOldest(
  record: usize,
  value: f64,
  lanes: u32,
  length: i32,
  entryBytes: usize,
): void {
  const head = load<i32>(record, HEAD);
  store<f64>(<usize>load<u32>(record, BLOCK) + <usize>head * entryBytes, value);
  store<i32>(record, head + 1 == length ? 0 : head + 1, HEAD);
  const boundary = load<i32>(record, BOUNDARY) - 1;
  store<i32>(record, boundary, BOUNDARY);
  if (boundary == 0) renew(record);
  else addToBack(record, value, lanes);
}

/** Takes in a row without a value, or a value while the window is filling; false without room. */
function passOther(record: usize, row: u32, value: f64): bool {
  if (value != value) {
    emit(record, row, value);
    return true;
  }
  if (hasNoRoom(record)) return false;
  if (isExcluding) emit(record, row, value);
  const count = load<i32>(record, COUNT);
  store<f64>(entryAt(record, count), value);
  store<i32>(record, count + 1, COUNT);
  if (count == 0) startBack(record, value);
  if (count + 1 == windowRows) renew(record);
  else addToBack(record, value, mask);
  if (!isExcluding) emit(record, row, value);
  return true;
}
