/**
 * What lies before a row: `lag`, `delta` and `pct_change`. Entries are raw 64-bit values and have
 * no aggregates. Included by rolling.ts.
 */

import {
  COUNT,
  entriesUpTo,
  entryOf,
  FRONT,
  hasNoRoom,
  isFull,
  isInOrder,
  isInteger,
  LATEST,
  loadJob,
  lowerBound,
  mask,
  openGap,
  recordOf,
  rows,
  timeAt,
  times,
  values,
  watermarks,
  windowRows,
} from './_rolling-rings';
import {
  finite,
  moveFront,
  popRow,
} from './_rolling-aggregates';

/**
 * Values `distance` before each row: `lag`, and what is made of it. The entries are raw 64-bit
 * values, the mask is 0. `outputs` is a list, `length` long, of {kind, distance, pointer}, all u32:
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

/** As `lagRows`, over windows of time: in the order of time, no further back than the window. */
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
