/**
 * The values of a window in order, beside the ring that holds them by age. Included by
 * rolling-order.ts.
 *
 *   ring block    entries, capacity * stride │ sorted f64[capacity], `sorted count` of them used
 *
 * A value is found by binary search, and those behind it moved. For a full window the newest takes
 * the place of the oldest, so only the values between the two move. In rings of more than 2,048
 * entries leaves (_rolling-leaves.ts) stand in place of the sorted array.
 */

import { BLOCK, CAPACITY, stride } from './_rolling-rings';
import {
  dealOut,
  gather,
  insertIntoLeaf,
  leafValue,
  leavesBytes,
  locate,
  removeFromLeaf,
} from './_rolling-leaves';

/** Of a record, in place of what aggregates keep: i32, values in the window. */
export const SORTED_COUNT: usize = 40;

/** Moves up to this many bytes are loops: the call of a bulk copy costs more. */
const LOOP_BYTES: usize = 256;

/** Rings of more entries have leaves: there a move takes longer than to find the leaf. */
const FLAT_MAX: u32 = 2048;
const SORTED_BYTES: u32 = 8;

/** Bytes of the sorted values of a ring. */
export function sortedBytes(capacity: u32): u32 {
  return capacity > FLAT_MAX ? leavesBytes(capacity) : capacity * SORTED_BYTES;
}

// @ts-ignore: decorator
@inline
function hasLeaves(record: usize): bool {
  return load<u32>(record, CAPACITY) > FLAT_MAX;
}

/** Address of the sorted values of a record. */
// @ts-ignore: decorator
@inline
export function sortedOf(record: usize): usize {
  return <usize>load<u32>(record, BLOCK) + <usize>load<u32>(record, CAPACITY) * stride;
}

/**
 * What `at` reads the values of a record from, until those of any record change: their address,
 * with the lowest bit set where they are in leaves.
 */
// @ts-ignore: decorator
@inline
export function openSorted(record: usize): usize {
  const sorted = sortedOf(record);
  if (!hasLeaves(record)) return sorted;
  locate(record, sorted);
  return sorted | 1;
}

/** Value number `index` in order. */
// @ts-ignore: decorator
@inline
export function at(sorted: usize, index: i32): f64 {
  return sorted & 1 ? leafValue(index) : flatAt(sorted, index);
}

// @ts-ignore: decorator
@inline
function flatAt(sorted: usize, index: i32): f64 {
  return load<f64>(sorted + (<usize>index << 3));
}

/** Copies the sorted values of a record to `target`. */
export function copySorted(record: usize, target: usize): void {
  if (hasLeaves(record)) gather(record, sortedOf(record), target);
  else memory.copy(target, sortedOf(record), <usize>load<u32>(record, SORTED_COUNT) << 3);
}

/** Takes on the sorted values that lie where those of the record belong. */
export function adoptSorted(record: usize, count: i32): void {
  store<i32>(record, count, SORTED_COUNT);
  if (hasLeaves(record)) dealOut(record, sortedOf(record), count);
}

/** Takes on values in any order, which lie where those of the record belong. */
export function adoptValues(record: usize, count: i32): void {
  sortValues(sortedOf(record), count);
  adoptSorted(record, count);
}

/** Number of values below `value`. */
// @ts-ignore: decorator
@inline
function countBelow(sorted: usize, count: i32, value: f64): i32 {
  let low = 0;
  let length = count;
  while (length > 0) {
    const half = length >> 1;
    const isBelow = flatAt(sorted, low + half) < value;
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
  store<i32>(record, count + 1, SORTED_COUNT);
  // Adding 0 makes -0 a 0, so that equal values have equal bits.
  if (hasLeaves(record)) return insertIntoLeaf(record, sorted, value + 0.0);
  const place = sorted + (<usize>countBelow(sorted, count, value) << 3);
  moveUp(place, sorted + (<usize>count << 3));
  store<f64>(place, value + 0.0);
}

/** Takes away a value that is there. */
export function removeSorted(record: usize, value: f64): void {
  const sorted = sortedOf(record);
  const count = load<i32>(record, SORTED_COUNT);
  store<i32>(record, count - 1, SORTED_COUNT);
  if (hasLeaves(record)) return removeFromLeaf(record, sorted, value);
  const place = sorted + (<usize>countBelow(sorted, count, value) << 3);
  moveDown(place + 8, sorted + (<usize>count << 3));
}

/** Puts a value in the place of one that is there. */
export function replaceSorted(record: usize, old: f64, value: f64): void {
  const sorted = sortedOf(record);
  if (hasLeaves(record)) {
    if (value == old) return;
    removeFromLeaf(record, sorted, old);
    insertIntoLeaf(record, sorted, value + 0.0);
    return;
  }
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
function sortValues(values: usize, count: i32): void {
  for (let root = (count >> 1) - 1; root >= 0; root--) siftDown(values, root, count);
  for (let end = count - 1; end > 0; end--) {
    const most = flatAt(values, 0);
    store<f64>(values, flatAt(values, end));
    store<f64>(values + (<usize>end << 3), most);
    siftDown(values, 0, end);
  }
}

function siftDown(values: usize, start: i32, count: i32): void {
  let root = start;
  const value = flatAt(values, root);
  for (;;) {
    let child = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count && flatAt(values, child + 1) > flatAt(values, child)) child++;
    if (flatAt(values, child) <= value) break;
    store<f64>(values + (<usize>root << 3), flatAt(values, child));
    root = child;
  }
  store<f64>(values + (<usize>root << 3), value);
}
