/**
 * Many values in order: leaves of up to 512 sorted values, and a directory of them. Included by
 * _rolling-sorted.ts, which takes them for windows where moving values within one array would take
 * too long.
 *
 *   leaves f64[leavesMax][512] │ firsts f64[leavesMax] │ order u32[leavesMax]
 *                              │ sizes u32[leavesMax]  │ tree u32[leavesMax + 1]
 *
 * `order` tells which leaf is the p-th, then which are free; `firsts` and `sizes` are its first
 * value and number of values, `tree` the sums of the sizes as a binary indexed tree (Fenwick: A New
 * Data Structure for Cumulative Frequency Tables, 1994).
 *
 * Two neighbours have more than 384 values together, and no leaf is empty unless it is the only
 * one. So there are at most n / 192 + 2 leaves, and a leaf is split or merged, which takes a walk
 * through the directory, once in 128 values or less often. A value costs two binary searches, a
 * move within a leaf and a path through the tree, whatever the window.
 */

import { CAPACITY } from './_rolling-rings';

/** Of a record: i32, leaves in use. */
export const LEAVES: usize = 44;

const LEAF_VALUES: i32 = 512;
const LEAF_BYTES: usize = 4096;
const PAIR_MIN: i32 = 384;

/** Leaves that a window of this many values may need, one being split among them. */
// @ts-ignore: decorator
@inline
function leavesMax(capacity: u32): u32 {
  return capacity / 192 + 4;
}

export function leavesBytes(capacity: u32): u32 {
  return leavesMax(capacity) * ((<u32>LEAF_BYTES) + 20) + 8;
}

// @ts-ignore: decorator
@inline
function maxOf(record: usize): usize {
  return <usize>leavesMax(load<u32>(record, CAPACITY));
}

let base: usize = 0;
let firsts: usize = 0;
let order: usize = 0;
let sizes: usize = 0;
let tree: usize = 0;
/** Leaves in use, of the record that was located for reading. */
let inUse: i32 = 0;

/** Finds the parts of the leaves at `leaves` of a record. */
export function locate(record: usize, leaves: usize): void {
  inUse = load<i32>(record, LEAVES);
  const most = maxOf(record);
  base = leaves;
  firsts = leaves + most * LEAF_BYTES;
  order = firsts + (most << 3);
  sizes = order + (most << 2);
  tree = sizes + (most << 2);
}

// @ts-ignore: decorator
@inline
function leafAt(place: i32): usize {
  return base + <usize>load<u32>(order + (<usize>place << 2)) * LEAF_BYTES;
}

// @ts-ignore: decorator
@inline
function sizeAt(place: i32): i32 {
  return load<i32>(sizes + (<usize>place << 2));
}

// @ts-ignore: decorator
@inline
function setSize(place: i32, size: i32): void {
  store<i32>(sizes + (<usize>place << 2), size);
}

// @ts-ignore: decorator
@inline
function setFirst(place: i32): void {
  store<f64>(firsts + (<usize>place << 3), load<f64>(leafAt(place)));
}

/** Number of the `count` values at `sorted` that are below `value`. */
function countBelow(sorted: usize, count: i32, value: f64): i32 {
  let low = 0;
  let length = count;
  while (length > 0) {
    const half = length >> 1;
    const isBelow = load<f64>(sorted + (<usize>(low + half) << 3)) < value;
    low = isBelow ? low + half + 1 : low;
    length = isBelow ? length - half - 1 : half;
  }
  return low;
}

/** Makes the tree anew from the sizes. */
function plant(count: i32): void {
  for (let i = 1; i <= count; i++) store<i32>(tree + (<usize>i << 2), sizeAt(i - 1));
  for (let i = 1; i <= count; i++) {
    const parent = i + (i & -i);
    if (parent > count) continue;
    const node = tree + (<usize>parent << 2);
    store<i32>(node, load<i32>(node) + load<i32>(tree + (<usize>i << 2)));
  }
}

function addToTree(place: i32, amount: i32, count: i32): void {
  for (let i = place + 1; i <= count; i += i & -i) {
    const node = tree + (<usize>i << 2);
    store<i32>(node, load<i32>(node) + amount);
  }
}

/** Deals `count` sorted values at the start of `leaves` out to leaves. */
export function dealOut(record: usize, leaves: usize, count: i32): void {
  locate(record, leaves);
  const most = <i32>maxOf(record);
  for (let i = 0; i < most; i++) store<i32>(order + (<usize>i << 2), i);
  const used = max((count + PAIR_MIN - 1) / PAIR_MIN, 1);
  // From the last to the first: a leaf lies behind what goes into it.
  for (let place = used - 1; place >= 0; place--) {
    const size = min(count - place * PAIR_MIN, PAIR_MIN);
    const source = base + (<usize>(place * PAIR_MIN) << 3);
    memory.copy(leafAt(place), source, <usize>size << 3);
    setSize(place, size);
    setFirst(place);
  }
  store<i32>(record, used, LEAVES);
  plant(used);
}

/** Copies all values, sorted, to `target`. */
export function gather(record: usize, leaves: usize, target: usize): void {
  locate(record, leaves);
  const used = load<i32>(record, LEAVES);
  let to = target;
  for (let place = 0; place < used; place++) {
    const bytes = <usize>sizeAt(place) << 3;
    memory.copy(to, leafAt(place), bytes);
    to += bytes;
  }
}

/** Value number `index` of all in the record located last. */
export function leafValue(index: i32): f64 {
  const used = inUse;
  let place = 0;
  let left = index;
  for (let step = 1 << (31 - clz(used)); step > 0; step >>= 1) {
    const next = place + step;
    if (next > used) continue;
    const size = load<i32>(tree + (<usize>next << 2));
    if (size > left) continue;
    place = next;
    left -= size;
  }
  return load<f64>(leafAt(place) + (<usize>left << 3));
}

/** Where a value is, or belongs: the last leaf that begins below it. */
// @ts-ignore: decorator
@inline
function placeOf(record: usize, value: f64): i32 {
  return max(countBelow(firsts, load<i32>(record, LEAVES), value) - 1, 0);
}

export function insertIntoLeaf(record: usize, leaves: usize, value: f64): void {
  locate(record, leaves);
  if (sizeAt(placeOf(record, value)) == LEAF_VALUES) split(record, placeOf(record, value));
  const place = placeOf(record, value);
  const leaf = leafAt(place);
  const size = sizeAt(place);
  const index = countBelow(leaf, size, value);
  const to = leaf + (<usize>index << 3);
  memory.copy(to + 8, to, <usize>(size - index) << 3);
  store<f64>(to, value);
  setSize(place, size + 1);
  if (index == 0) setFirst(place);
  addToTree(place, 1, load<i32>(record, LEAVES));
}

/** Takes away a value that is there. */
export function removeFromLeaf(record: usize, leaves: usize, value: f64): void {
  locate(record, leaves);
  let place = placeOf(record, value);
  let index = countBelow(leafAt(place), sizeAt(place), value);
  if (index == sizeAt(place)) {
    place++;
    index = 0;
  }
  const from = leafAt(place) + (<usize>index << 3);
  const size = sizeAt(place) - 1;
  memory.copy(from, from + 8, <usize>(size - index) << 3);
  setSize(place, size);
  const used = load<i32>(record, LEAVES);
  if (size == 0 && used > 1) {
    drop(record, place);
    plant(used - 1);
    return;
  }
  if (index == 0) setFirst(place);
  addToTree(place, -1, used);
  if (join(record, place) || join(record, place - 1)) plant(load<i32>(record, LEAVES));
}

/** Makes two leaves of a full one. */
function split(record: usize, place: i32): void {
  const used = load<i32>(record, LEAVES);
  const free = load<u32>(order + (<usize>used << 2));
  const next = <usize>(place + 1);
  const behind = <usize>(used - place - 1);
  memory.copy(order + ((next + 1) << 2), order + (next << 2), behind << 2);
  memory.copy(sizes + ((next + 1) << 2), sizes + (next << 2), behind << 2);
  memory.copy(firsts + ((next + 1) << 3), firsts + (next << 3), behind << 3);
  store<u32>(order + (next << 2), free);
  const half = LEAF_VALUES >> 1;
  memory.copy(leafAt(place + 1), leafAt(place) + (<usize>half << 3), <usize>half << 3);
  setSize(place, half);
  setSize(place + 1, LEAF_VALUES - half);
  setFirst(place + 1);
  store<i32>(record, used + 1, LEAVES);
  join(record, place + 1);
  join(record, place - 1);
  plant(load<i32>(record, LEAVES));
}

/** Makes a leaf and the next one leaf, where they are small; whether they were. */
function join(record: usize, place: i32): bool {
  if (place < 0 || place + 1 >= load<i32>(record, LEAVES)) return false;
  const size = sizeAt(place);
  const more = sizeAt(place + 1);
  if (size + more > PAIR_MIN) return false;
  memory.copy(leafAt(place) + (<usize>size << 3), leafAt(place + 1), <usize>more << 3);
  setSize(place, size + more);
  if (size == 0) setFirst(place);
  drop(record, place + 1);
  return true;
}

/** Takes a leaf, which is empty or has been copied, out of the directory. */
function drop(record: usize, place: i32): void {
  const used = load<i32>(record, LEAVES);
  const id = load<u32>(order + (<usize>place << 2));
  const at = <usize>place;
  const behind = <usize>(used - place - 1);
  memory.copy(order + (at << 2), order + ((at + 1) << 2), behind << 2);
  memory.copy(sizes + (at << 2), sizes + ((at + 1) << 2), behind << 2);
  memory.copy(firsts + (at << 3), firsts + ((at + 1) << 3), behind << 3);
  store<u32>(order + (<usize>(used - 1) << 2), id);
  store<i32>(record, used - 1, LEAVES);
}
