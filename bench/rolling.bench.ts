/**
 * Scores, medians and decaying scores over the last 20 prices of each symbol of W1, on one core
 * over columns in memory: our kernels, a loop in C (rolling-kernel.c) and the same loop in plain
 * JavaScript over typed arrays. The loops know nothing of nulls, disorder, durations or outliers.
 * Then what every function costs a row when a rolling step has it alone.
 */

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROLLING_FUNCTIONS } from '../operators/rolling/rolling-functions.ts';
import { rolling } from '../operators/rolling/rolling.ts';
import type { Kernels } from '../wasm/host/kernels.ts';
import { DecayingMoments } from '../wasm/host/rolling-decay.ts';
import { OrderedWindow } from '../wasm/host/rolling-order.ts';
import type { RollingState } from '../wasm/host/rolling-state.ts';
import { AggregateWindow } from '../wasm/host/rolling.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  measure,
  median,
  speedup,
} from './harness/benchmark.ts';
import { javascriptLoops, type RollingLoop } from './workloads/rolling-loops.ts';
import { TradesInMemory } from './workloads/operator-run.ts';
import { benchFolder } from './workloads/w1-files.ts';

const BATCH_ROWS = 16_384;
const WINDOW = 20;

interface Question {
  readonly name: string;
  /** Letter of the C program. */
  readonly letter: string;
  readonly loop: RollingLoop;
  readonly open: (kernels: Kernels) => RollingState;
  readonly output: string;
  readonly arguments: readonly number[];
  readonly target?: number;
}

const BEFORE = { rows: WINDOW, minRows: WINDOW, excludeCurrent: true };

const QUESTIONS: readonly Question[] = [
  {
    name: 'z-score',
    letter: 'z',
    loop: javascriptLoops.score,
    open: (kernels) => new AggregateWindow(kernels, BEFORE, ['zscore']),
    output: 'zscore',
    arguments: [],
    target: 0.6,
  },
  {
    name: 'median',
    letter: 'm',
    loop: javascriptLoops.median,
    open: (kernels) => new OrderedWindow(kernels, { ...BEFORE, excludeCurrent: false }),
    output: 'quantile',
    arguments: [0.5],
  },
  {
    name: 'ewm z-score',
    letter: 'e',
    loop: javascriptLoops.ewm,
    open: (kernels) => new DecayingMoments(kernels, 'ewm', [0.1, 0, 0, 0]),
    output: 'zscore',
    arguments: [1, 1, 1],
  },
];

export const benchmark: Benchmark = {
  name: 'rolling',
  question: 'How near do rolling kernels come to loops in C, and what does each function cost?',
  async run(options) {
    const trades = new TradesInMemory({
      rows: options.quick ? 300_000 : 4_000_000,
      symbols: 1_000,
    });
    const c = startC(trades);
    try {
      for (const question of QUESTIONS) await compare(options, trades, question, c);
    } finally {
      c?.stop();
    }
    costs(options, trades);
  },
};

async function compare(
  { report, repetitions }: BenchOptions,
  trades: TradesInMemory,
  question: Question,
  c: Program | undefined,
): Promise<void> {
  const { rows, symbols } = trades.w1;
  const prices = trades.memory.f64(trades.prices, rows).slice();
  const codes = trades.memory.u32(trades.symbols, rows).slice();
  const expected = question.loop(prices, codes, symbols, WINDOW);
  const check = (name: string, found: number): void => {
    const isSame = Math.abs(found - expected) <= 1e-6 * expected;
    if (!isSame) throw new Error(`${name}: ${found}, not ${expected}`);
  };
  const own = `${question.name}, kernel`;
  const plain = `${question.name}, plain JavaScript`;
  // Contenders have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const contenders: Contender<any>[] = [
    {
      name: own,
      run: () => runKernel(trades, question, false),
      check: () => check(own, runKernel(trades, question, true)),
    },
    { name: plain, run: () => question.loop(prices, codes, symbols, WINDOW) },
  ];
  if (c === undefined) report.note('C: left out, there is no gcc');
  else contenders.push(c.contender(question, check));
  const measured = await measure(report, contenders, { repetitions, amount: rows, unit: 'rows' });
  for (const { name, medianSeconds } of measured) {
    report.note(`${name}: ${((medianSeconds / rows) * 1e9).toFixed(1)} ns a row`);
  }
  const [kernel, , loop] = measured;
  if (loop === undefined) return;
  const target =
    question.target === undefined
      ? undefined
      : ({ comparison: 'at least', value: question.target } as const);
  report.ratio(`speed of the ${question.name} to that of C`, speedup(kernel!, loop), target);
}

/** Runs a kernel over all trades; the sum of the absolute results, where it is wanted. */
function runKernel(trades: TradesInMemory, question: Question, isSummed: boolean): number {
  const { memory } = trades;
  const { rows, symbols } = trades.w1;
  const state = question.open(trades.kernels);
  state.resize(symbols);
  let sum = 0;
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    const rowCount = Math.min(BATCH_ROWS, rows - from);
    const pointer = memory.arena.allocate(rowCount * 8);
    state.run(
      {
        rowCount,
        keys: trades.symbols + from * 4,
        values: [trades.prices + from * 8],
        times: trades.times + from * 8,
        rowWatermarks: 0,
      },
      [{ name: question.output, arguments: question.arguments, pointer }],
    );
    if (isSummed) {
      for (const value of memory.f64(pointer, rowCount)) {
        if (!Number.isNaN(value)) sum += Math.abs(value);
      }
    }
    memory.arena.reset();
  }
  state.dispose();
  return sum;
}

/** Constants that a call needs. */
const REQUIRED: Readonly<Record<string, string>> = {
  quantile: ', 0.25',
  ewm_mean: ', 0.1',
  ewm_variance: ', 0.1',
  ewm_stddev: ', 0.1',
  ewm_zscore: ', 0.1',
  seeded_mean: ', 0.1, 20',
};
/** Columns of W1 for inputs of other names. */
const COLUMN: Readonly<Record<string, string>> = { y: 'size', size: 'size', anchor: 'symbol' };

function costs({ report, repetitions }: BenchOptions, trades: TradesInMemory): void {
  const { rows } = trades.w1;
  for (const [name, { inputs }] of Object.entries(ROLLING_FUNCTIONS)) {
    const given = inputs.map((input) => COLUMN[input] ?? 'price').join(', ');
    const columns = { cost: `${name}(${given}${REQUIRED[name] ?? ''})` };
    const config = { over: `${WINDOW} rows`, exclude_current: false, columns };
    const seconds = Array.from({ length: Math.min(repetitions, 3) }, () => {
      const start = process.hrtime.bigint();
      trades.run(rolling, config, BATCH_ROWS, { emit: () => {} });
      return Number(process.hrtime.bigint() - start) / 1e9;
    });
    const nanoseconds = (median(seconds) / rows) * 1e9;
    report.note(`${columns.cost}: ${nanoseconds.toFixed(1)} ns a row`);
  }
}

interface ProgramRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly sum: number;
}

interface Program {
  contender(question: Question, check: (name: string, sum: number) => void): Contender<ProgramRun>;
  stop(): void;
}

/** Compiles and starts the C program on a file of the trades; undefined where there is no gcc. */
function startC(trades: TradesInMemory): Program | undefined {
  const folder = mkdtempSync(join(benchFolder(), 'rolling-kernel-'));
  const program = join(folder, 'rolling-kernel');
  try {
    execFileSync('gcc', ['-O3', '-o', program, sourcePath(), '-lm'], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { rows, symbols } = trades.w1;
  const file = join(folder, 'prices.bin');
  writeFileSync(file, trades.memory.bytes(trades.prices, rows * 8));
  writeFileSync(file, trades.memory.bytes(trades.symbols, rows * 4), { flag: 'a' });
  const child = spawn(program, [file, String(rows), String(symbols), String(WINDOW)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as unknown as ChildProcessWithoutNullStreams;
  const run = async (letter: string): Promise<ProgramRun> => {
    child.stdin.write(letter);
    const line = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.stdout.once('data', (text: Buffer) => {
        child.off('error', reject);
        resolve(text.toString());
      });
    });
    const [elapsed, cpu, sum] = line.split(' ').map(Number);
    return { seconds: elapsed! / 1e9, cpuSeconds: cpu! / 1e9, sum: sum! };
  };
  return {
    contender: ({ name, letter }, check) => ({
      name: `${name}, C with gcc -O3`,
      run: () => run(letter),
      usage: (result) => result,
      check: ({ sum }) => check('C', sum),
    }),
    stop: () => {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The source is not compiled by tsc, and so not in dist. */
function sourcePath(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'bench', 'rolling-kernel.c');
}
