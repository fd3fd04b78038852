/** Isolation forests by their definition: plain, slow, and independent of the kernels. */

import { meanPathLength, type ForestTree } from './forest-trees.ts';

const MASK = (1n << 64n) - 1n;

function mix(value: bigint): bigint {
  let mixed = value;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return mixed ^ (mixed >> 31n);
}

export class SplitMix {
  #state: bigint;

  constructor(seed: bigint) {
    this.#state = seed & MASK;
  }

  next(): bigint {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & MASK;
    return mix(this.#state);
  }

  uniform(): number {
    return Number(this.next() >> 11n) * 2 ** -53;
  }

  below(limit: number): number {
    return Number(((this.next() >> 32n) * BigInt(limit)) >> 32n);
  }
}

export interface OracleMoments {
  readonly means: readonly number[];
  readonly shifts: readonly number[];
  readonly scales: readonly number[];
}

export function momentsOf(
  rows: readonly (readonly number[])[],
  isStandardized: boolean,
): OracleMoments {
  const features = rows[0]!.map((_, feature) => rows.map((row) => row[feature]!));
  const means = features.map(
    (values) => values[0]! + values.reduce((sum, x) => sum + (x - values[0]!), 0) / values.length,
  );
  const deviations = features.map((values, feature) =>
    Math.sqrt(values.reduce((sum, x) => sum + (x - means[feature]!) ** 2, 0) / values.length),
  );
  return {
    means,
    shifts: means.map((mean) => (isStandardized ? mean : 0)),
    scales: deviations.map((deviation) => (isStandardized && deviation > 0 ? deviation : 1)),
  };
}

/** A row as the forest sees it. */
export function prepared(row: readonly number[], { shifts, scales }: OracleMoments): number[] {
  return row.map((value, feature) => Math.fround((value - shifts[feature]!) / scales[feature]!));
}

/** @param rows As the forest sees them. */
export function growTree(
  rows: readonly (readonly number[])[],
  sampleSize: number,
  seed: bigint,
  number: number,
): ForestTree {
  const random = new SplitMix(mix((seed + mix(BigInt(number + 1))) & MASK));
  const size = Math.min(sampleSize, rows.length);
  const numbers = rows.map((_, i) => i);
  for (let i = 0; i < size; i++) {
    const other = i + random.below(rows.length - i);
    [numbers[i], numbers[other]] = [numbers[other]!, numbers[i]!];
  }
  const depthMax = Math.ceil(Math.log2(Math.max(size, 2)));
  const tree = {
    left: [-1],
    right: [-1],
    feature: [-1],
    threshold: [0],
    n: [size],
  };
  const grow = (node: number, own: readonly (readonly number[])[], depth: number): void => {
    if (depth >= depthMax || own.length < 2) return;
    const range = (feature: number): [number, number] => {
      const values = own.map((row) => row[feature]!);
      return [Math.min(...values), Math.max(...values)];
    };
    // Features are tried in a random order; those found constant are not tried again further down.
    let left = varying[node]!;
    let feature = -1;
    while (left.length > 0) {
      const at = random.below(left.length);
      const [low, high] = range(left[at]!);
      if (low < high) {
        feature = left[at]!;
        break;
      }
      left = left.filter((_, i) => i !== at);
    }
    if (feature < 0) return;
    const [low, high] = range(feature);
    const threshold = largestSingle(low + random.uniform() * (high - low), low, high);
    const first = tree.left.length;
    tree.left[node] = first;
    tree.right[node] = first + 1;
    tree.feature[node] = feature;
    tree.threshold[node] = threshold;
    const parts = [
      own.filter((row) => row[feature]! <= threshold),
      own.filter((row) => row[feature]! > threshold),
    ] as const;
    for (const part of parts) {
      tree.left.push(-1);
      tree.right.push(-1);
      tree.feature.push(-1);
      tree.threshold.push(0);
      tree.n.push(part.length);
      varying.push(left);
    }
    grow(first, parts[0], depth + 1);
    grow(first + 1, parts[1], depth + 1);
  };
  const varying = [rows[0]!.map((_, feature) => feature)];
  grow(
    0,
    numbers.slice(0, size).map((i) => rows[i]!),
    0,
  );
  return tree;
}

/** The largest single that is not above the number, in [low, high). */
function largestSingle(drawn: number, low: number, high: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, drawn);
  if (view.getFloat32(0) > drawn) {
    const bits = view.getInt32(0);
    if (bits === 0) view.setInt32(0, -0x7fffffff);
    else view.setInt32(0, bits > 0 ? bits - 1 : bits + 1);
  }
  const threshold = view.getFloat32(0);
  return threshold < high ? Math.max(threshold, low) : low;
}

/** Length of the path of a row, as the forest sees it. */
export function pathLength(tree: ForestTree, row: readonly number[]): number {
  const walk = (node: number, depth: number): number => {
    if (tree.left[node]! < 0) return depth + meanPathLength(tree.n[node]!);
    const isLeft = row[tree.feature[node]!]! <= tree.threshold[node]!;
    return walk(isLeft ? tree.left[node]! : tree.right[node]!, depth + 1);
  };
  return walk(0, 0);
}

export function scoreOf(
  trees: readonly ForestTree[],
  row: readonly number[],
  sampleSize: number,
): number {
  const mean = trees.reduce((sum, tree) => sum + pathLength(tree, row), 0) / trees.length;
  return sampleSize < 2 ? 0.5 : 2 ** -(mean / meanPathLength(sampleSize));
}

/** Mean path length where only some features are known; at others the sample is followed. */
function expectation(
  tree: ForestTree,
  row: readonly number[],
  isKnown: (feature: number) => boolean,
): number {
  const walk = (node: number, depth: number): number => {
    const left = tree.left[node]!;
    const right = tree.right[node]!;
    if (left < 0) return depth + meanPathLength(tree.n[node]!);
    const feature = tree.feature[node]!;
    if (isKnown(feature)) {
      return walk(row[feature]! <= tree.threshold[node]! ? left : right, depth + 1);
    }
    const total = tree.n[left]! * walk(left, depth + 1) + tree.n[right]! * walk(right, depth + 1);
    return total / tree.n[node]!;
  };
  return walk(0, 0);
}

/** Shapley values of the mean path length by all subsets of features. */
export function shapOf(trees: readonly ForestTree[], row: readonly number[]): number[] {
  const features = row.length;
  const value = (subset: number): number =>
    trees.reduce(
      (sum, tree) => sum + expectation(tree, row, (feature) => ((subset >> feature) & 1) === 1),
      0,
    ) / trees.length;
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const sizeOf = (subset: number): number => subset.toString(2).replaceAll('0', '').length;
  const values = Array.from({ length: 1 << features }, (_, subset) => value(subset));
  return row.map((_, feature) => {
    let sum = 0;
    for (const [subset, without] of values.entries()) {
      if (((subset >> feature) & 1) === 1) continue;
      const size = sizeOf(subset);
      const weight = (factorial(size) * factorial(features - size - 1)) / factorial(features);
      sum += weight * (values[subset | (1 << feature)]! - without);
    }
    return sum;
  });
}
