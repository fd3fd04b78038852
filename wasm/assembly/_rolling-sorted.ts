/**
 * The values of a window in order, beside the ring that holds them by age. Included by
 * rolling-order.ts.
 *
 *   ring block    entries, capacity * stride │ sorted f64[capacity], `sorted count` of them used
 *
 * A value is found by binary search, and those behind it moved. For a full window the newest takes
 * the place of the oldest, so only the values between the two move.
 */

import { BLOCK, CAPACITY, stride } from './_rolling-rings';

/** Of a record, in place of what aggregates keep: i32, values in the window. */
export const SORTED_COUNT: usize = 40;

/** Moves up to this many bytes are loops: the call of a bulk copy costs more. */
const LOOP_BYTES: usize = 256;

/** Address of the sorted values of a record. */
// @ts-ignore: decorator
@inline
export function sortedOf(record: usize): usize {
  return <usize>load<u32>(record, BLOCK) + <usize>load<u32>(record, CAPACITY) * stride;
}

// @ts-ignore: decorator
@inline
export function at(sorted: usize, index: i32): f64 {
  return load<f64>(sorted + (<usize>index << 3));
}

/** Number of values below `value`. */
// @ts-ignore: decorator
@inline
function countBelow(sorted: usize, count: i32, value: f64): i32 {
  let low = 0;
  let length = count;
  while (length > 0) {
    const half = length >> 1;
    const isBelow = at(sorted, low + half) < value;
    low = isBelow ? low + half + 1 : low;
    length = isBelow ? length - half - 1 : half;
  }
  return low;
}

function moveUp(from: usize, end: usize): void {
  if (end - from > LOOP_BYTES) memory.copy(from + 8, from, end - from);
  else for (let to = end; to > from; to -= 8) store<f64>(to, load<f64>(to - 8));
}

function moveDown(from: usize, end: usize): void {
  if (end - from > LOOP_BYTES) memory.copy(from - 8, from, end - from);
  else for (let to = from; to < end; to += 8) store<f64>(to - 8, load<f64>(to));
}

/** Adds a value; there is room. */
export function insertSorted(record: usize, value: f64): void {
  const sorted = sortedOf(record);
  const count = load<i32>(record, SORTED_COUNT);
  const place = sorted + (<usize>countBelow(sorted, count, value) << 3);
  moveUp(place, sorted + (<usize>count << 3));
  // Adding 0 makes -0 a 0, so that equal values have equal bits.
  store<f64>(place, value + 0.0);
  store<i32>(record, count + 1, SORTED_COUNT);
}

/** Takes away a value that is there. */
export function removeSorted(record: usize, value: f64): void {
  const sorted = sortedOf(record);
  const count = load<i32>(record, SORTED_COUNT);
  const place = sorted + (<usize>countBelow(sorted, count, value) << 3);
  moveDown(place + 8, sorted + (<usize>count << 3));
  store<i32>(record, count - 1, SORTED_COUNT);
}

/** Puts a value in the place of one that is there. */
export function replaceSorted(record: usize, old: f64, value: f64): void {
  const sorted = sortedOf(record);
  const count = load<i32>(record, SORTED_COUNT);
  let place = sorted + (<usize>countBelow(sorted, count, old) << 3);
  if (value > old) {
    const next = sorted + (<usize>countBelow(sorted, count, value) << 3);
    moveDown(place + 8, next);
    place = next - 8;
  } else if (value < old) {
    const next = sorted + (<usize>countBelow(sorted, count, value) << 3);
    moveUp(next, place);
    place = next;
  }
  store<f64>(place, value + 0.0);
}

/** Sorts values by heapsort: in place, n log n whatever their order. */
export function sortValues(values: usize, count: i32): void {
  for (let root = (count >> 1) - 1; root >= 0; root--) siftDown(values, root, count);
  for (let end = count - 1; end > 0; end--) {
    const most = at(values, 0);
    store<f64>(values, at(values, end));
    store<f64>(values + (<usize>end << 3), most);
    siftDown(values, 0, end);
  }
}

function siftDown(values: usize, start: i32, count: i32): void {
  let root = start;
  const value = at(values, root);
  for (;;) {
    let child = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count && at(values, child + 1) > at(values, child)) child++;
    if (at(values, child) <= value) break;
    store<f64>(values + (<usize>root << 3), at(values, child));
    root = child;
  }
  store<f64>(values + (<usize>root << 3), value);
}
