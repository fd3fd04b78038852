/**
 * Isolation forests at work: which rows have numbers to score, what a forest makes of them, and
 * what is kept of them for the next forest. `_forest-nodes.ts` gives the layout of a forest.
 *
 *   columns   u32[features]        f64 columns of the batch
 *   moments   f64[features * 2]    shift and scale of each feature: a value enters the forest as
 *                                  f32((value - shift) / scale)
 *   order     u32[rows]            rows of the batch
 *
 * Rows are scored in blocks: every tree is walked by a whole block, so that both stay in the first
 * cache, four rows at a time, so that their loads overlap. The path lengths of a row are added in
 * the order of the trees, so its score does not depend on the block it came in.
 *
 * Liu, Ting, Zhou: Isolation Forest, ICDM 2008. As scikit-learn has it, features are compared in
 * single precision.
 */

import { nodeCountOf, step, treeOf } from './_forest-nodes';
import { below } from './_random';

/** Rows of a block: 512 rows of four features and their sums take 12 KiB. */
const BLOCK_ROWS: u32 = 512;

/**
 * Deals the rows out by key, leaving out those with a feature that is not finite in single
 * precision. Rows of a key keep their order.
 *
 * @param keys u32[rows], or 0 where all rows belong to key 0.
 * @param counts u32[number of keys], zero before and after.
 * @param groups Out: u32[groups * 2], key and end of its rows in `order`.
 * @returns The number of groups.
 */
export function groupRows(
  columns: usize, features: u32, keys: usize, rows: u32,
  order: usize, counts: usize, groups: usize,
): u32 {
  let groupCount: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    if (!isFinite(columns, features, row)) continue;
    const key = keyOf(keys, row);
    const count = counts + (<usize>key << 2);
    const before = load<u32>(count);
    if (before == 0) {
      store<u32>(groups + (<usize>groupCount << 3), key);
      groupCount++;
    }
    store<u32>(count, before + 1);
  }
  let start: u32 = 0;
  for (let group: u32 = 0; group < groupCount; group++) {
    const at = groups + (<usize>group << 3);
    const count = counts + (<usize>load<u32>(at) << 2);
    const size = load<u32>(count);
    store<u32>(count, start);
    start += size;
    store<u32>(at, start, 4);
  }
  for (let row: u32 = 0; row < rows; row++) {
    if (!isFinite(columns, features, row)) continue;
    const count = counts + (<usize>keyOf(keys, row) << 2);
    const place = load<u32>(count);
    store<u32>(order + (<usize>place << 2), row);
    store<u32>(count, place + 1);
  }
  for (let group: u32 = 0; group < groupCount; group++) {
    const key = <usize>load<u32>(groups + (<usize>group << 3));
    store<u32>(counts + (key << 2), 0);
  }
  return groupCount;
}

// @ts-ignore: decorator
@inline
function keyOf(keys: usize, row: u32): u32 {
  return keys == 0 ? 0 : load<u32>(keys + (<usize>row << 2));
}

// @ts-ignore: decorator
@inline
function isFinite(columns: usize, features: u32, row: u32): bool {
  let sum: f32 = 0;
  for (let i: u32 = 0; i < features; i++) {
    const column = <usize>load<u32>(columns + (<usize>i << 2));
    sum += <f32>load<f64>(column + (<usize>row << 3)) * 0;
  }
  return sum == 0;
}

/**
 * Scores the rows `order[from … end-1]`: `scores[row] = 2^(-path / normalizer)`, where `path` is
 * the sum of the path lengths of all trees.
 *
 * @param depth Steps to the deepest leaf.
 * @param scratch f32[512 * features] and, aligned to 8 bytes, f64[512].
 */
export function score(
  forest: usize, trees: u32, depth: u32, normalizer: f64, columns: usize, features: u32,
  moments: usize, order: usize, from: u32, end: u32, scratch: usize, scores: usize,
): void {
  const sums = scratch + ((<usize>BLOCK_ROWS * features) << 2);
  for (let start = from; start < end; start += BLOCK_ROWS) {
    const count = min(BLOCK_ROWS, end - start);
    const rows = order + (<usize>start << 2);
    prepare(columns, features, moments, rows, count, scratch);
    addPaths(forest, trees, depth, features, scratch, count, sums);
    for (let i: usize = 0; i < <usize>count; i++) {
      const row = <usize>load<u32>(rows + (i << 2));
      store<f64>(scores + (row << 3), scoreOf(load<f64>(sums + (i << 3)), normalizer));
    }
  }
}

/**
 * Scores rows that are prepared already: `scores[i]` of row i of `rows` f32[count * features].
 * @param sums f64[512], scratch.
 */
export function scorePrepared(
  forest: usize, trees: u32, depth: u32, normalizer: f64, features: u32,
  rows: usize, count: u32, sums: usize, scores: usize,
): void {
  for (let start: u32 = 0; start < count; start += BLOCK_ROWS) {
    const blockRows = min(BLOCK_ROWS, count - start);
    const block = rows + ((<usize>start * features) << 2);
    addPaths(forest, trees, depth, features, block, blockRows, sums);
    for (let i: usize = 0; i < <usize>blockRows; i++) {
      const own = scoreOf(load<f64>(sums + (i << 3)), normalizer);
      store<f64>(scores + ((<usize>start + i) << 3), own);
    }
  }
}

/** Where nothing can be told apart (a sample of one row) every row is as usual as any other. */
// @ts-ignore: decorator
@inline
function scoreOf(path: f64, normalizer: f64): f64 {
  return normalizer == 0 ? 0.5 : Math.pow(2, -(path / normalizer));
}

/** Writes f32[count * features]: the rows as the forest sees them. */
export function prepare(
  columns: usize, features: u32, moments: usize, rows: usize, count: u32, out: usize,
): void {
  const stride = <usize>features << 2;
  for (let i: u32 = 0; i < features; i++) {
    const column = <usize>load<u32>(columns + (<usize>i << 2));
    const shift = load<f64>(moments + (<usize>i << 4));
    const scale = load<f64>(moments + (<usize>i << 4), 8);
    let target = out + (<usize>i << 2);
    for (let j: usize = 0; j < <usize>count; j++) {
      const row = <usize>load<u32>(rows + (j << 2));
      store<f32>(target, <f32>((load<f64>(column + (row << 3)) - shift) / scale));
      target += stride;
    }
  }
}

/** `sums[i]`: path lengths of row i over all trees. */
function addPaths(
  forest: usize, trees: u32, depth: u32, features: u32, rows: usize, count: u32, sums: usize,
): void {
  memory.fill(sums, 0, <usize>count << 3);
  const stride = <usize>features << 2;
  const fours = count & ~3;
  for (let tree: u32 = 0; tree < trees; tree++) {
    const nodes = treeOf(forest, tree);
    const values = nodes + (<usize>nodeCountOf(forest, tree) << 3);
    let row = rows;
    let sum = sums;
    for (let i: u32 = 0; i < fours; i += 4) {
      const row1 = row + stride;
      const row2 = row1 + stride;
      const row3 = row2 + stride;
      let at0: usize = 0;
      let at1: usize = 0;
      let at2: usize = 0;
      let at3: usize = 0;
      for (let level = depth; level != 0; level--) {
        at0 = step(nodes + at0, row);
        at1 = step(nodes + at1, row1);
        at2 = step(nodes + at2, row2);
        at3 = step(nodes + at3, row3);
      }
      store<f64>(sum, load<f64>(sum) + load<f64>(values + at0));
      store<f64>(sum, load<f64>(sum, 8) + load<f64>(values + at1), 8);
      store<f64>(sum, load<f64>(sum, 16) + load<f64>(values + at2), 16);
      store<f64>(sum, load<f64>(sum, 24) + load<f64>(values + at3), 24);
      row = row3 + stride;
      sum += 32;
    }
    for (let i = fours; i < count; i++) {
      let at: usize = 0;
      for (let level = depth; level != 0; level--) at = step(nodes + at, row);
      store<f64>(sum, load<f64>(sum) + load<f64>(values + at));
      row += stride;
      sum += 8;
    }
  }
}

/**
 * Lists the places `from` … end-1 of `order` whose row has a score above the limit.
 * @param out u32[end - from + 1].
 * @returns How many there are.
 */
export function placesAbove(
  scores: usize, limit: f64, order: usize, from: u32, end: u32, out: usize,
): u32 {
  let count: u32 = 0;
  for (let i = from; i < end; i++) {
    const row = <usize>load<u32>(order + (<usize>i << 2));
    store<u32>(out + (<usize>count << 2), i);
    count += u32(load<f64>(scores + (row << 3)) > limit);
  }
  return count;
}

/**
 * Keeps the rows `order[from … end-1]` in a reservoir f64[capacity * features].
 *
 * @param seen Rows that it was given before.
 * @param generator State of a generator for a uniform sample of all rows (Vitter's algorithm R), or
 *   0 to keep the latest.
 */
export function absorb(
  reservoir: usize, capacity: u32, seen: f64, generator: usize,
  columns: usize, features: u32, order: usize, from: u32, end: u32,
): void {
  let before = <u64>seen;
  for (let i = from; i < end; i++) {
    let slot = before;
    if (before >= <u64>capacity) {
      slot = generator == 0 ? before % capacity : below(generator, before + 1);
    }
    before++;
    if (slot >= <u64>capacity) continue;
    const row = <usize>load<u32>(order + (<usize>i << 2)) << 3;
    let target = reservoir + ((<usize>slot * features) << 3);
    for (let feature: u32 = 0; feature < features; feature++) {
      const column = <usize>load<u32>(columns + (<usize>feature << 2));
      store<f64>(target, load<f64>(column + row));
      target += 8;
    }
  }
}
