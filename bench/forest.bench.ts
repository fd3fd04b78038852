/**
 * Rows scored by an isolation forest of 100 trees and 4 features: by the kernel, by the same loop
 * in C over the same bytes (forest.c), and by plain JavaScript as one would write it, row by row
 * and tree by tree. Then the operator as a whole, with what it costs to grow forests on the way.
 */

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  speedup,
} from './harness/benchmark.ts';
import { TradesInMemory } from './workloads/operator-run.ts';
import { benchFolder } from './workloads/w1-files.ts';

const FEATURES = 4;
const TREES = 100;
const SAMPLE = 256;
const RESERVOIR = 1024;

export const benchmark: Benchmark = {
  name: 'forest',
  question: 'How near does scoring by an isolation forest come to the same loop in C?',
  async run(options) {
    const work = new Work(options.quick ? 20_000 : 200_000);
    const c = startC(work);
    try {
      await compareScoring(options, work, c);
    } finally {
      c?.stop();
    }
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
  c: ScoreProgram | undefined,
): Promise<void> {
  const expected = work.score();
  const check = (name: string) => (found: number) => {
    if (Math.abs(found - expected) <= 1e-9 * expected) return;
    throw new Error(`${name} scores otherwise: ${found}, expected ${expected}`);
  };
  const javascript = plainJavaScript(work);
  // Contenders have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const contenders: Contender<any>[] = [
    { name: 'kernel', run: () => work.score(), check: check('kernel') },
    { name: 'plain JavaScript', run: javascript, check: check('plain JavaScript') },
  ];
  if (c === undefined) report.note('C: left out, there is no gcc');
  else contenders.push({ ...c.contender, check: ({ checksum }) => check('C')(checksum) });
  const measured = await measure(report, contenders, {
    repetitions,
    amount: work.rows,
    unit: 'rows',
  });
  const [kernel, plain, inC] = measured;
  if (inC !== undefined) {
    const target = { comparison: 'at least', value: 0.7 } as const;
    report.ratio('speed of the kernel to that of C', speedup(kernel!, inC), target);
  }
  report.ratio('speed of the kernel to that of plain JavaScript', speedup(kernel!, plain!));
  const each = (1e9 * kernel!.medianSeconds) / work.rows / TREES;
  report.figure('a row and tree', each, 'ns');
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

async function measureGrowth({ report, repetitions }: BenchOptions, work: Work): Promise<void> {
  const forests = 20;
  const run = (): void => {
    for (let i = 0; i < forests; i++) work.grow();
  };
  const name = `grow from ${SAMPLE} of ${RESERVOIR} rows, and score these`;
  const options = { repetitions, amount: forests * TREES, unit: 'trees' };
  await measure(report, [{ name, run }], options);
}

async function measureOperator({ report, repetitions, quick }: BenchOptions): Promise<void> {
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
    const { name, rate } = measured[index]!;
    const target = { comparison: 'at least', value } as const;
    report.figure(name, rate / 1e6, 'M trades/s on one core', target);
  }
}

interface ProgramRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly checksum: number;
}

interface ScoreProgram {
  readonly contender: Contender<ProgramRun>;
  stop(): void;
}

/** Compiles and starts the C program on the forest and its rows; undefined without gcc. */
function startC(work: Work): ScoreProgram | undefined {
  const folder = mkdtempSync(join(benchFolder(), 'forest-'));
  const program = join(folder, 'forest');
  try {
    execFileSync('gcc', ['-O3', '-o', program, sourcePath(), '-lm'], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const file = join(folder, 'rows.bin');
  writeFileSync(file, work.forest.snapshot());
  writeFileSync(file, work.prepared(), { flag: 'a' });
  const child = spawn(program, [file, String(work.rows)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as unknown as ChildProcessWithoutNullStreams;
  const run = async (): Promise<ProgramRun> => {
    child.stdin.write('x');
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (text: Buffer) => resolve(text.toString()));
      child.once('error', reject);
    });
    const [elapsed, cpu, checksum] = line.split(' ').map(Number);
    return { seconds: elapsed! / 1e9, cpuSeconds: cpu! / 1e9, checksum: checksum! };
  };
  const stop = (): void => {
    child.stdin.end();
    rmSync(folder, { recursive: true });
  };
  return { contender: { name: 'C, gcc -O3', run, usage: (result) => result }, stop };
}

/** The source is not compiled by tsc, and so not in dist. */
function sourcePath(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'bench', 'forest.c');
}
