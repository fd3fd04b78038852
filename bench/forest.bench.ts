/**
 * Rows scored by an isolation forest of 100 trees and 4 features: by the kernel, by the same loop
 * in C over the same bytes (forest.c), and by plain JavaScript as one would write it, row by row
 * and tree by tree, over typed arrays and over objects. Then the operator as a whole, with what it
 * costs to grow forests on the way.
 */

import type { Batch } from '../engine/contract/batch.ts';
import { isolationForest } from '../operators/isolation-forest/isolation-forest.ts';
import { Forest } from '../wasm/host/forest.ts';
import { RowGroups } from '../wasm/host/forest-rows.ts';
import { type ForestTree, meanPathLength } from '../wasm/host/forest-trees.ts';
import { Kernels } from '../wasm/host/kernels.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  measure,
  median,
  rateOf,
} from './harness/benchmark.ts';
import { CProgram } from './harness/c-program.ts';
import { TradesInMemory } from './workloads/operator-run.ts';

const FEATURES = 4;
const TREES = 100;
const SAMPLE = 256;
const RESERVOIR = 1024;

export const benchmark: Benchmark = {
  name: 'forest',
  question: 'How near does scoring by an isolation forest come to the same loop in C?',
  async run(options) {
    const work = new Work(options.quick ? 20_000 : 200_000);
    const input = [work.forest.snapshot(), new Uint8Array(work.prepared().buffer)];
    using c = CProgram.start('forest.c', input, [work.rows]);
    await compareScoring(options, work, c);
    await measureGrowth(options, work);
    await measureOperator(options);
  },
};

/** Rows of features that are sums of a few uniform numbers, from a fixed seed. */
class Work {
  readonly rows: number;
  readonly forest: Forest;
  readonly #kernels = new Kernels();
  readonly #columns: readonly number[];
  readonly #scores: number;

  constructor(rows: number) {
    this.rows = rows;
    const { memory } = this.#kernels;
    let state = 1;
    const uniform = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    this.#columns = Array.from({ length: FEATURES }, () => {
      const column = memory.allocate(rows * 8);
      const values = memory.f64(column, rows);
      for (let row = 0; row < rows; row++) values[row] = uniform() + uniform() + uniform();
      return column;
    });
    this.#scores = memory.allocate(rows * 8);
    this.forest = new Forest(this.#kernels, FEATURES);
    this.grow();
  }

  grow(): void {
    const { memory } = this.#kernels;
    const mark = memory.arena.mark();
    const matrix = memory.arena.allocate(RESERVOIR * FEATURES * 8);
    const columns = this.#columns.map((column) => memory.f64(column, RESERVOIR));
    const numbers = memory.f64(matrix, RESERVOIR * FEATURES);
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = columns[i % FEATURES]![Math.floor(i / FEATURES)]!;
    }
    const parameters = { trees: TREES, sampleSize: SAMPLE, seed: 7n, isStandardized: true };
    this.forest.grow(matrix, RESERVOIR, parameters);
    memory.arena.release(mark);
  }

  score(): number {
    const { memory } = this.#kernels;
    const mark = memory.arena.mark();
    const groups = new RowGroups(this.#kernels);
    const rows = groups.group(0, 1, this.#columns, this.rows);
    this.forest.score(rows, 0, this.rows, this.#scores);
    groups.dispose();
    memory.arena.release(mark);
    return memory.f64(this.#scores, this.rows).reduce((sum, score) => sum + score, 0);
  }

  /** f32[rows * features], as the forest sees them. */
  prepared(): Float32Array {
    const { memory } = this.#kernels;
    const columns = this.#columns.map((column) => memory.f64(column, this.rows));
    const { moments } = this.forest;
    return Float32Array.from({ length: this.rows * FEATURES }, (_, i) => {
      const feature = i % FEATURES;
      const value = columns[feature]![Math.floor(i / FEATURES)]!;
      return (value - moments[2 * feature]!) / moments[2 * feature + 1]!;
    });
  }
}

async function compareScoring(
  { report, repetitions }: BenchOptions,
  work: Work,
  c: CProgram | undefined,
): Promise<void> {
  const expected = work.score();
  const check = (name: string) => (found: number) => {
    if (Math.abs(found - expected) <= 1e-9 * expected) return;
    throw new Error(`${name} scores otherwise: ${found}, expected ${expected}`);
  };
  // Contenders have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const contenders: Contender<any>[] = [
    { name: 'kernel', run: () => work.score(), check: check('kernel') },
    {
      name: 'plain JavaScript, typed arrays',
      run: plainJavaScript(work),
      check: check('plain JavaScript'),
    },
    { name: 'row objects', run: rowObjects(work), check: check('row objects') },
  ];
  if (c === undefined) report.note('C: left out, there is no gcc');
  else contenders.push(c.contender('C, gcc -O3', ([sum]) => check('C')(sum!)));
  const measured = await measure(report, contenders, {
    repetitions,
    amount: work.rows,
    unit: 'rows',
  });
  const [kernel, plain, objects, inC] = measured;
  if (inC !== undefined) {
    const target = { comparison: 'at least', value: 0.7 } as const;
    report.against('kernel to C', kernel!, inC, target);
  }
  report.against('kernel to plain JavaScript', kernel!, plain!);
  report.against('kernel to row objects', kernel!, objects!);
  report.figure('a row and tree', (1e9 * median(kernel!.seconds)) / work.rows / TREES, 'ns');
}

/** A loop a row, a tree and a step, over the trees as arrays. */
function plainJavaScript(work: Work): () => number {
  const rows = work.prepared();
  const forest = work.forest.trees().map(flat);
  const normalizer = TREES * meanPathLength(SAMPLE);
  return () => {
    let checksum = 0;
    for (let row = 0; row < rows.length; row += FEATURES) {
      let path = 0;
      for (const { left, right, feature, threshold, length } of forest) {
        let node = 0;
        while (left[node]! >= 0) {
          const isLeft = rows[row + feature[node]!]! <= threshold[node]!;
          node = isLeft ? left[node]! : right[node]!;
        }
        path += length[node]!;
      }
      checksum += 2 ** -(path / normalizer);
    }
    return checksum;
  };
}

function flat({ left, right, feature, threshold, n }: ForestTree) {
  const length = new Float64Array(n.length);
  const fill = (node: number, depth: number): void => {
    length[node] = depth + meanPathLength(n[node]!);
    if (left[node]! < 0) return;
    fill(left[node]!, depth + 1);
    fill(right[node]!, depth + 1);
  };
  fill(0, 0);
  return {
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    feature: Int32Array.from(feature),
    threshold: Float32Array.from(threshold),
    length,
  };
}

interface TreeNode {
  readonly feature: string;
  readonly threshold: number;
  readonly length: number;
  readonly left?: TreeNode;
  readonly right?: TreeNode;
}

/** An object a row and an object a node, as one writes a tree. */
function rowObjects(work: Work): () => number {
  const prepared = work.prepared();
  const names = Array.from({ length: FEATURES }, (_, feature) => `feature_${feature}`);
  const rows = Array.from({ length: work.rows }, (_, row) =>
    Object.fromEntries(names.map((name, feature) => [name, prepared[row * FEATURES + feature]!])),
  );
  const forest = work.forest.trees().map((tree) => {
    const { left, right, feature, threshold, length } = flat(tree);
    const nodeAt = (node: number): TreeNode => ({
      feature: names[Math.max(0, feature[node]!)]!,
      threshold: threshold[node]!,
      length: length[node]!,
      ...(left[node]! < 0 ? {} : { left: nodeAt(left[node]!), right: nodeAt(right[node]!) }),
    });
    return nodeAt(0);
  });
  const normalizer = TREES * meanPathLength(SAMPLE);
  return () =>
    rows.reduce((checksum, row) => {
      let path = 0;
      for (const root of forest) {
        let node = root;
        while (node.left !== undefined) {
          node = row[node.feature]! <= node.threshold ? node.left : node.right!;
        }
        path += node.length;
      }
      return checksum + 2 ** -(path / normalizer);
    }, 0);
}

async function measureGrowth({ report, repetitions }: BenchOptions, work: Work): Promise<void> {
  const forests = 20;
  const run = (): void => {
    for (let i = 0; i < forests; i++) work.grow();
  };
  const name = `grow from ${SAMPLE} of ${RESERVOIR} rows, and score these`;
  const options = { repetitions, amount: forests * TREES, unit: 'trees' };
  report.section('Growing forests');
  await measure(report, [{ name, run }], options);
}

async function measureOperator({ report, repetitions, quick }: BenchOptions): Promise<void> {
  report.section('The operator, with its forests grown anew every 1,000 rows');
  const trades = new TradesInMemory({ rows: quick ? 50_000 : 500_000, symbols: 50 });
  const refits = { contamination: 0.001, refit_every: 1000, min_rows: 1000 };
  const run = (rows: TradesInMemory, config: object) => (): number => {
    let scored = 0;
    const emit = ({ rowCount }: Batch): void => {
      scored += rowCount;
    };
    rows.run(isolationForest, { ...refits, ...config }, 16_384, { emit });
    return scored;
  };
  const few = new TradesInMemory({ rows: quick ? 10_000 : 50_000, symbols: 50 });
  const measured = await measure(
    report,
    [
      {
        name: '100 trees a symbol, 3 features',
        run: run(trades, {
          features: { price: 'price', size: 'log(size)', worth: 'log(price * size)' },
        }),
      },
      {
        name: '1,000 trees for all, prices only',
        amount: few.w1.rows,
        run: run(few, {
          features: { price: 'price' },
          scope: 'partition',
          trees: 1000,
          contamination: 0.01,
          keep: 'uniform',
        }),
      },
    ],
    { repetitions: Math.min(repetitions, 3), amount: trades.w1.rows, unit: 'trades' },
  );
  for (const [index, value] of [0.1, 0.02].entries()) {
    const target = { comparison: 'at least', value } as const;
    report.figure(
      measured[index]!.name,
      rateOf(measured[index]!) / 1e6,
      'M trades/s on one core',
      target,
    );
  }
}
