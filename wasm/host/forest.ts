/**
 * Host side of the forest kernels (wasm/assembly/forest*.ts): isolation forests in linear memory.
 *
 * A forest takes about 8 bytes a tree and row of its sample: 200 KB for 100 trees of 256 rows. Its
 * depth is known, so that a walk is a loop of as many steps.
 */

import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linear-memory.ts';
import {
  depthLimit,
  type ForestTree,
  meanPathLength,
  pathLengths,
  readTree,
  treeBytes,
  writeTree,
} from './forest-trees.ts';

interface ScoreExports {
  score(
    forest: number,
    trees: number,
    depth: number,
    normalizer: number,
    columns: number,
    features: number,
    moments: number,
    order: number,
    from: number,
    end: number,
    scratch: number,
    scores: number,
  ): void;
  scorePrepared(
    forest: number,
    trees: number,
    depth: number,
    normalizer: number,
    features: number,
    rows: number,
    count: number,
    sums: number,
    scores: number,
  ): void;
  prepare(
    columns: number,
    features: number,
    moments: number,
    rows: number,
    count: number,
    out: number,
  ): void;
  placesAbove(
    scores: number,
    limit: number,
    order: number,
    from: number,
    end: number,
    out: number,
  ): number;
}

interface GrowExports {
  growTrees(job: number, from: number, trees: number): number;
  standardize(
    matrix: number,
    count: number,
    width: number,
    isPlain: 0 | 1,
    moments: number,
    means: number,
    out: number,
  ): void;
}

interface ExplainExports {
  expectedPath(forest: number, trees: number): number;
  meanPath(forest: number, trees: number, depth: number, row: number): number;
  explain(
    forest: number,
    trees: number,
    features: number,
    row: number,
    paths: number,
    out: number,
  ): void;
}

/** How a forest is grown. */
export interface ForestParameters {
  readonly trees: number;
  /** Rows of a tree, or all there are where there are fewer. */
  readonly sampleSize: number;
  /** 64 bits. */
  readonly seed: bigint;
  /** Whether features are compared as (value - mean) / deviation of the sample. */
  readonly isStandardized: boolean;
}

/** Rows of a batch in linear memory, as `groupRows` orders them. */
export interface ForestRows {
  /** u32[features]: f64 columns. */
  readonly columns: number;
  /** u32[rows]. */
  readonly order: number;
}

/** What a forest knows of one row. */
export interface RowExplanation {
  readonly path: number;
  readonly expectedPath: number;
  /** By feature; they add up to `expectedPath - path`: positive is more anomalous. */
  readonly contributions: readonly number[];
}

const BLOCK_ROWS = 512;
const JOB_BYTES = 64;
const HEADER_VALUES = 6;

export class Forest {
  readonly #memory: LinearMemory;
  readonly #scoring: ScoreExports;
  readonly #growing: GrowExports;
  readonly #explaining: ExplainExports;
  readonly #features: number;
  /** f64[features * 2] shift and scale, f64[features] means of the sample. */
  readonly #moments: number;
  #block = 0;
  #used = 0;
  #trees = 0;
  #depth = 0;
  #sampleSize = 0;
  /** A score above it is an anomaly. */
  limit = Number.NaN;
  #expectedPath: number | undefined;

  constructor(kernels: Kernels, features: number) {
    this.#memory = kernels.memory;
    this.#scoring = kernels.module<ScoreExports>('forest');
    this.#growing = kernels.module<GrowExports>('forest-grow');
    this.#explaining = kernels.module<ExplainExports>('forest-shap');
    this.#features = features;
    this.#moments = this.#memory.allocateZeroed(features * 24);
  }

  /** Whether it has trees. */
  get isGrown(): boolean {
    return this.#trees > 0;
  }

  get sampleSize(): number {
    return this.#sampleSize;
  }

  /** Shift and scale of each feature, then the means of the sample. A view. */
  get moments(): Float64Array {
    return this.#memory.f64(this.#moments, this.#features * 3);
  }

  /**
   * Sum of the path lengths of a row that no tree can tell from the others, added up as the kernels
   * add: where that is every row, the score is 0.5 without rounding, and no row is above it.
   */
  get #normalizer(): number {
    const length = meanPathLength(this.#sampleSize);
    let sum = 0;
    for (let tree = 0; tree < this.#trees; tree++) sum += length;
    return sum;
  }

  /**
   * Replaces the trees by ones grown from a matrix f64[count * features] of finite numbers.
   *
   * Takes some 10 us a tree of 256 rows. Uses the arena.
   * @returns Scores of the rows of the matrix, f64[count] in the arena.
   */
  grow(matrix: number, count: number, parameters: ForestParameters): number {
    const memory = this.#memory;
    const { arena } = memory;
    const features = this.#features;
    const sampleSize = Math.min(parameters.sampleSize, count);
    const rows = arena.allocate(count * features * 4);
    const isPlain = parameters.isStandardized ? 0 : 1;
    const means = this.#moments + features * 16;
    this.#growing.standardize(matrix, count, features, isPlain, this.#moments, means, rows);
    this.#growTrees(rows, count, sampleSize, parameters);
    const sums = arena.allocate(BLOCK_ROWS * 8);
    const scores = arena.allocate(count * 8);
    this.#scoring.scorePrepared(
      this.#block,
      this.#trees,
      this.#depth,
      this.#normalizer,
      features,
      rows,
      count,
      sums,
      scores,
    );
    return scores;
  }

  #growTrees(
    rows: number,
    count: number,
    sampleSize: number,
    { trees, seed }: ForestParameters,
  ): void {
    const memory = this.#memory;
    const { arena } = memory;
    const depth = depthLimit(sampleSize);
    const lengths = arena.allocate((sampleSize + 1) * 8);
    const numbers = arena.allocate((count + sampleSize + 1) * 4);
    const stack = arena.allocate((depth + 3) * 32);
    const job = arena.allocate(JOB_BYTES);
    const enough = trees * 8 + trees * sampleSize * 8 + treeBytes(2 * sampleSize);
    if (this.#block === 0 || memory.capacity(this.#block) < enough) {
      memory.free(this.#block);
      this.#block = memory.allocate(enough);
    }
    this.#used = trees * 8;
    memory.f64(lengths, sampleSize + 1).set(pathLengths(sampleSize));
    memory.u32(job + 8, 6).set([rows, count, this.#features, sampleSize, depth, lengths]);
    memory.u32(job + 44, 2).set([numbers, stack]);
    memory.i64(job, 1)[0] = BigInt.asIntN(64, seed);
    for (let tree = 0; ; ) {
      const capacity = memory.capacity(this.#block);
      memory.u32(job + 32, 3).set([this.#block, capacity, this.#used]);
      tree = this.#growing.growTrees(job, tree, trees);
      this.#used = memory.u32(job + 40, 1)[0]!;
      if (tree === trees) break;
      this.#block = memory.reallocate(this.#block, this.#used, capacity * 2);
    }
    this.#trees = trees;
    this.#depth = depth;
    this.#sampleSize = sampleSize;
    this.#expectedPath = undefined;
  }

  /**
   * Replaces the trees by given ones.
   * @param moments Shift and scale of each feature, then the means of the sample.
   */
  load(trees: readonly ForestTree[], sampleSize: number, moments: readonly number[]): void {
    const memory = this.#memory;
    const sizes = trees.map(({ left }) => treeBytes(left.length));
    this.#used = trees.length * 8 + sizes.reduce((sum, size) => sum + size, 0);
    memory.free(this.#block);
    this.#block = memory.allocateZeroed(this.#used);
    const view = new DataView(memory.memory.buffer, this.#block, this.#used);
    let offset = trees.length * 8;
    let depth = 0;
    for (const [number, tree] of trees.entries()) {
      view.setUint32(number * 8, offset, true);
      view.setUint32(number * 8 + 4, tree.left.length, true);
      depth = Math.max(depth, writeTree(view, offset, tree));
      offset += sizes[number]!;
    }
    this.moments.set(moments);
    this.#trees = trees.length;
    this.#depth = depth;
    this.#sampleSize = sampleSize;
    this.#expectedPath = undefined;
  }

  /** The trees as arrays. */
  trees(): ForestTree[] {
    const view = new DataView(this.#memory.memory.buffer, this.#block, this.#used);
    return Array.from({ length: this.#trees }, (_, number) =>
      readTree(view, view.getUint32(number * 8, true), view.getUint32(number * 8 + 4, true)),
    );
  }

  /** Scores the rows `order[from … end-1]` into `scores` f64[rows of the batch]. */
  score({ columns, order }: ForestRows, from: number, end: number, scores: number): void {
    const { arena } = this.#memory;
    const mark = arena.mark();
    const scratch = arena.allocate(BLOCK_ROWS * (this.#features * 4 + 8));
    this.#scoring.score(
      this.#block,
      this.#trees,
      this.#depth,
      this.#normalizer,
      columns,
      this.#features,
      this.#moments,
      order,
      from,
      end,
      scratch,
      scores,
    );
    arena.release(mark);
  }

  /**
   * Lists the places `from` … end-1 of `order` whose row has a score above the limit.
   * @param out u32[end - from + 1].
   */
  placesAbove(
    { order }: ForestRows,
    from: number,
    end: number,
    scores: number,
    out: number,
  ): number {
    return this.#scoring.placesAbove(scores, this.limit, order, from, end, out);
  }

  /** Why the row `order[at]` has the score that it has. Uses the arena. */
  explain({ columns, order }: ForestRows, at: number): RowExplanation {
    const { arena } = this.#memory;
    const mark = arena.mark();
    const features = this.#features;
    const row = arena.allocate(features * 4);
    const shap = arena.allocate(features * 8);
    const paths = arena.allocate((this.#depth + 2) * (features + 2) * 32);
    this.#scoring.prepare(columns, features, this.#moments, order + at * 4, 1, row);
    const explaining = this.#explaining;
    const path = explaining.meanPath(this.#block, this.#trees, this.#depth, row);
    this.#expectedPath ??= explaining.expectedPath(this.#block, this.#trees);
    const expectedPath = this.#expectedPath;
    let contributions = [expectedPath - path];
    if (features > 1) {
      explaining.explain(this.#block, this.#trees, features, row, paths, shap);
      contributions = Array.from(this.#memory.f64(shap, features), (value) => -value);
    }
    arena.release(mark);
    return { path, expectedPath, contributions };
  }

  /** A copy of everything; it says nothing of addresses. */
  snapshot(): Uint8Array {
    const numbers = this.#features * 3;
    const bytes = new Uint8Array((HEADER_VALUES + numbers) * 8 + this.#used);
    const header = [this.#trees, this.#depth, this.#sampleSize, this.#used, this.limit, numbers];
    const head = new Float64Array(bytes.buffer, 0, HEADER_VALUES + numbers);
    head.set(header);
    head.set(this.moments, HEADER_VALUES);
    bytes.set(this.#memory.bytes(this.#block, this.#used), head.byteLength);
    return bytes;
  }

  /** Takes on the state of a snapshot, at any offset; call it once, before any row. */
  restore(snapshot: Uint8Array): void {
    const numbers = this.#features * 3;
    const headBytes = (HEADER_VALUES + numbers) * 8;
    const head = new Float64Array(snapshot.slice(0, headBytes).buffer);
    const [trees = 0, depth = 0, sampleSize = 0, used = 0, limit = Number.NaN] = head;
    this.#block = this.#memory.allocate(Math.max(used, 1));
    this.#memory.bytes(this.#block, used).set(snapshot.subarray(headBytes, headBytes + used));
    this.moments.set(head.subarray(HEADER_VALUES));
    this.#trees = trees;
    this.#depth = depth;
    this.#sampleSize = sampleSize;
    this.#used = used;
    this.limit = limit;
  }

  /** Gives all memory back; call it once. */
  dispose(): void {
    this.#memory.free(this.#block);
    this.#memory.free(this.#moments);
  }
}
