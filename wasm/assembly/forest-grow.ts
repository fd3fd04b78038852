/**
 * Grows isolation trees from a sample of rows. `_forest-nodes.ts` gives the layout of a forest.
 *
 * Each tree gets `sampleSize` rows, drawn without replacement. A node picks one of the features
 * that are not constant among its rows, at random, and a threshold between its smallest and its
 * largest value, uniformly; it ends in a leaf at the depth limit, with one row, or where all
 * features are constant. A tree has a generator of its own, seeded from the seed and its number.
 *
 *   job  u64 seed, then u32 each:
 *        8 rows f32[count * features]   12 count      16 features     20 sampleSize
 *        24 depthMax     28 lengths f64[sampleSize + 1]: c(n)
 *        32 forest       36 capacity of the forest in bytes
 *        40 used bytes of the forest, in and out      44 u32[count + sampleSize + 1]: scratch
 *        48 stack: scratch of 32 bytes for each level of depth, and two
 *        56 u64 state of the generator
 */

import { treeBytes } from './_forest-nodes';
import { below, mix, uniform } from './_random';

let rows: usize = 0;
let features: u32 = 0;
let numbers: usize = 0;
let spare: usize = 0;
let generator: usize = 0;
/** Range of the feature looked at last. */
let least: f32 = 0;
let most: f32 = 0;

/**
 * Grows the trees `from` … trees-1. Returns the tree for which the forest has no room, or `trees`.
 */
export function growTrees(job: usize, from: u32, trees: u32): u32 {
  const seed = load<u64>(job);
  rows = load<u32>(job, 8);
  const count = load<u32>(job, 12);
  features = load<u32>(job, 16);
  const sampleSize = load<u32>(job, 20);
  const depthMax = load<u32>(job, 24);
  const lengths = <usize>load<u32>(job, 28);
  const forest = <usize>load<u32>(job, 32);
  const capacity = load<u32>(job, 36);
  numbers = load<u32>(job, 44);
  spare = numbers + (<usize>count << 2);
  const stack = <usize>load<u32>(job, 48);
  generator = job + 56;
  const nodesMax = 2 * sampleSize - 1;
  for (let tree = from; tree < trees; tree++) {
    const used = load<u32>(job, 40);
    if (used + treeBytes(nodesMax) > capacity) return tree;
    store<u64>(generator, mix(seed + mix(<u64>tree + 1)));
    draw(count, sampleSize);
    const nodes = forest + used;
    const nodeCount = grow(nodes, nodesMax, sampleSize, depthMax, lengths, stack);
    // Grown as if it had all nodes: what lies behind the nodes moves up.
    const values = nodes + (<usize>nodesMax << 3);
    memory.copy(nodes + (<usize>nodeCount << 3), values, <usize>nodeCount << 3);
    const covers = nodes + (<usize>nodesMax << 4);
    memory.copy(nodes + (<usize>nodeCount << 4), covers, <usize>nodeCount << 1);
    const end = nodes + (<usize>nodeCount << 4) + (<usize>nodeCount << 1);
    memory.fill(end, 0, forest + used + treeBytes(nodeCount) - end);
    store<u32>(forest + (<usize>tree << 3), used);
    store<u32>(forest + (<usize>tree << 3), nodeCount, 4);
    store<u32>(job, used + treeBytes(nodeCount), 40);
  }
  return trees;
}

/** Draws the rows of a tree to the front of `numbers`: 0 … count-1 in any order. */
function draw(count: u32, sampleSize: u32): void {
  // From the same start for each tree: a tree must not depend on those before it.
  for (let i: u32 = 0; i < count; i++) store<u32>(numbers + (<usize>i << 2), i);
  for (let i: u32 = 0; i < sampleSize; i++) {
    const other = numbers + (<usize>(i + <u32>below(generator, count - i)) << 2);
    const own = numbers + (<usize>i << 2);
    const number = load<u32>(other);
    store<u32>(other, load<u32>(own));
    store<u32>(own, number);
  }
}

/** @returns The number of nodes. */
function grow(
  nodes: usize, nodesMax: u32, sampleSize: u32, depthMax: u32, lengths: usize, stack: usize,
): u32 {
  const values = nodes + (<usize>nodesMax << 3);
  const covers = nodes + (<usize>nodesMax << 4);
  let nodeCount: u32 = 1;
  let top = stack;
  push(top, 0, 0, sampleSize, 0, u64.MAX_VALUE >> <u64>(64 - features));
  while (top >= stack) {
    const node = <usize>load<u32>(top);
    const start = load<u32>(top, 4);
    const end = load<u32>(top, 8);
    const depth = load<u32>(top, 12);
    let varying = load<u64>(top, 16);
    top -= 32;
    const size = end - start;
    store<u16>(covers + (node << 1), <u16>size);
    let feature: u32 = 0;
    if (depth >= depthMax || size < 2) varying = 0;
    while (varying != 0) {
      feature = bitAt(varying, <u32>below(generator, <u64>popcnt(varying)));
      findRange(feature, start, end);
      if (least < most) break;
      varying &= ~(<u64>1 << <u64>feature);
    }
    const at = nodes + (node << 3);
    if (varying == 0) {
      store<f32>(at, Infinity);
      store<u32>(at, <u32>node << 11, 4);
      store<f64>(values + (node << 3), <f64>depth + load<f64>(lengths + (<usize>size << 3)));
      continue;
    }
    const threshold = drawThreshold();
    store<f32>(at, threshold);
    store<u32>(at, (nodeCount << 11) | (feature << 2), 4);
    store<f64>(values + (node << 3), 0);
    const middle = split(feature, threshold, start, end);
    push(top + 32, nodeCount + 1, middle, end, depth + 1, varying);
    push(top + 64, nodeCount, start, middle, depth + 1, varying);
    top += 64;
    nodeCount += 2;
  }
  return nodeCount;
}

// @ts-ignore: decorator
@inline
function push(at: usize, node: u32, start: u32, end: u32, depth: u32, varying: u64): void {
  store<u32>(at, node);
  store<u32>(at, start, 4);
  store<u32>(at, end, 8);
  store<u32>(at, depth, 12);
  store<u64>(at, varying, 16);
}

/** Position of the n-th set bit. */
// @ts-ignore: decorator
@inline
function bitAt(bits: u64, n: u32): u32 {
  let left = bits;
  for (let i: u32 = 0; i < n; i++) left &= left - 1;
  return <u32>ctz(left);
}

// @ts-ignore: decorator
@inline
function findRange(feature: u32, start: u32, end: u32): void {
  const column = rows + (<usize>feature << 2);
  const stride = features << 2;
  let at = numbers + (<usize>start << 2);
  const last = numbers + (<usize>end << 2);
  let low = load<f32>(column + <usize>(load<u32>(at) * stride));
  let high = low;
  for (at += 4; at < last; at += 4) {
    const value = load<f32>(column + <usize>(load<u32>(at) * stride));
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  least = low;
  most = high;
}

/** In [least, most): both sides of it get rows. The largest single not above what was drawn. */
// @ts-ignore: decorator
@inline
function drawThreshold(): f32 {
  const drawn = <f64>least + uniform(generator) * (<f64>most - <f64>least);
  let threshold = <f32>drawn;
  if (<f64>threshold > drawn) threshold = below32(threshold);
  return threshold < most ? max(threshold, least) : least;
}

/** The next smaller single, of a finite one. */
function below32(value: f32): f32 {
  if (value == 0) return reinterpret<f32>(0x80000001);
  const bits = reinterpret<u32>(value);
  return reinterpret<f32>(value > 0 ? bits - 1 : bits + 1);
}

/**
 * Puts the rows at most the threshold before the others. Each row is written to both sides and one
 * of them counts: which it is, no processor can guess, so a branch would cost more.
 * @returns Where the others start.
 */
function split(feature: u32, threshold: f32, start: u32, end: u32): u32 {
  let left = numbers + (<usize>start << 2);
  let right = spare;
  const last = numbers + (<usize>end << 2);
  const column = rows + (<usize>feature << 2);
  const stride = features << 2;
  for (let at = left; at < last; at += 4) {
    const number = load<u32>(at);
    const isRight = <usize>(load<f32>(column + <usize>(number * stride)) > threshold) << 2;
    store<u32>(left, number);
    store<u32>(right, number);
    left += 4 - isRight;
    right += isRight;
  }
  const middle = <u32>((left - numbers) >> 2);
  for (let at = spare; at < right; at += 4) {
    store<u32>(left, load<u32>(at));
    left += 4;
  }
  return middle;
}

/**
 * Mean and deviation of each column of a matrix f64[count * features], in two passes: writes shift
 * and scale f64[features * 2], and the rows as the forest sees them f32[count * features].
 *
 * @param isPlain 1 to leave the rows as they are: shift 0 and scale 1. The means are still written.
 * @param means Out: f64[features].
 */
export function standardize(
  matrix: usize, count: u32, width: u32, isPlain: u32, moments: usize, means: usize, out: usize,
): void {
  for (let feature: u32 = 0; feature < width; feature++) {
    const column = matrix + (<usize>feature << 3);
    const stride = <usize>width << 3;
    const anchor = load<f64>(column);
    let sum: f64 = 0;
    for (let i: usize = 0; i < <usize>count; i++) sum += load<f64>(column + i * stride) - anchor;
    const mean = anchor + sum / <f64>count;
    store<f64>(means + (<usize>feature << 3), mean);
    let squares: f64 = 0;
    for (let i: usize = 0; i < <usize>count; i++) {
      const deviation = load<f64>(column + i * stride) - mean;
      squares += deviation * deviation;
    }
    const deviation = Math.sqrt(squares / <f64>count);
    const shift = isPlain ? 0 : mean;
    const scale = isPlain || deviation == 0 ? 1 : deviation;
    store<f64>(moments + (<usize>feature << 4), shift);
    store<f64>(moments + (<usize>feature << 4), scale, 8);
    for (let i: usize = 0; i < <usize>count; i++) {
      const value = <f32>((load<f64>(column + i * stride) - shift) / scale);
      store<f32>(out + ((i * width + feature) << 2), value);
    }
  }
}
