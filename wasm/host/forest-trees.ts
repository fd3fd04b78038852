/**
 * Trees as arrays, as scikit-learn exports them, to and from the layout of the kernels
 * (wasm/assembly/_forest-nodes.ts).
 */

/** A tree; nodes in any order, the root first. */
export interface ForestTree {
  /** Left child of each node, -1 for a leaf. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** Feature that each node compares; of a leaf anything. */
  readonly feature: readonly number[];
  /** A row goes left where its feature, in single precision, is at most this. */
  readonly threshold: readonly number[];
  /** Rows of the sample that reached the node. */
  readonly n: readonly number[];
}

/** Rows of a sample at most: the covers of nodes are 16 bits wide. */
export const SAMPLE_ROWS_MAX = 65_535;
/** Features at most: their offsets in a row of singles fill a byte. */
export const FEATURES_MAX = 64;

/** Mean length of an unsuccessful search in a binary tree of `rows` rows. */
export function meanPathLength(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER_GAMMA) - (2 * (rows - 1)) / rows;
}

const EULER_GAMMA = 0.5772156649015329;
const lengthTables = new Map<number, Float64Array>();

/** `meanPathLength` of 0 to `rows` rows. */
export function pathLengths(rows: number): Float64Array {
  let table = lengthTables.get(rows);
  if (table === undefined) {
    table = Float64Array.from({ length: rows + 1 }, (_, size) => meanPathLength(size));
    lengthTables.set(rows, table);
  }
  return table;
}

/** Depth at which growing stops. */
export function depthLimit(sampleSize: number): number {
  return Math.ceil(Math.log2(Math.max(sampleSize, 2)));
}

const single = new Float32Array(1);
const bits = new Int32Array(single.buffer);

/** The largest single that is not above the number: a single is at most both or neither. */
function floorToSingle(value: number): number {
  single[0] = value;
  if (single[0]! <= value) return single[0]!;
  if (single[0] === 0) return -1.401298464324817e-45;
  bits[0]! += single[0]! > 0 ? -1 : 1;
  return single[0]!;
}

/** Bytes of a tree of so many nodes. */
export function treeBytes(nodes: number): number {
  return nodes * 16 + ((nodes * 2 + 7) & ~7);
}

/** Writes a tree at `offset` of the view. @returns The depth of its deepest leaf. */
export function writeTree(view: DataView, offset: number, tree: ForestTree): number {
  const nodes = tree.left.length;
  const values = offset + nodes * 8;
  const covers = offset + nodes * 16;
  let depthMax = 0;
  let count = 1;
  const queue: [node: number, from: number, depth: number][] = [[0, 0, 0]];
  for (let next = 0; next < queue.length; next++) {
    const [node, from, depth] = queue[next]!;
    const samples = tree.n[from]!;
    const at = offset + node * 8;
    view.setUint16(covers + node * 2, samples, true);
    if (tree.left[from]! < 0) {
      view.setFloat32(at, Number.POSITIVE_INFINITY, true);
      view.setUint32(at + 4, node << 11, true);
      view.setFloat64(values + node * 8, depth + meanPathLength(samples), true);
      depthMax = Math.max(depthMax, depth);
      continue;
    }
    view.setFloat32(at, floorToSingle(tree.threshold[from]!), true);
    view.setUint32(at + 4, ((count << 11) | (tree.feature[from]! << 2)) >>> 0, true);
    view.setFloat64(values + node * 8, 0, true);
    queue.push([count, tree.left[from]!, depth + 1], [count + 1, tree.right[from]!, depth + 1]);
    count += 2;
  }
  return depthMax;
}

/** Reads a tree of so many nodes at `offset` of the view. */
export function readTree(view: DataView, offset: number, nodes: number): ForestTree {
  const covers = offset + nodes * 16;
  const left: number[] = [];
  const right: number[] = [];
  const feature: number[] = [];
  const threshold: number[] = [];
  const n: number[] = [];
  for (let node = 0; node < nodes; node++) {
    const at = offset + node * 8;
    const link = view.getUint32(at + 4, true);
    const child = link >>> 11;
    const isLeaf = child === node;
    left.push(isLeaf ? -1 : child);
    right.push(isLeaf ? -1 : child + 1);
    feature.push(isLeaf ? -1 : (link & 0xff) >> 2);
    threshold.push(isLeaf ? 0 : view.getFloat32(at, true));
    n.push(view.getUint16(covers + node * 2, true));
  }
  return { left, right, feature, threshold, n };
}
