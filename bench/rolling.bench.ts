/**
 * Scores, medians and decaying scores over the last 20 prices of each symbol of W1, on one core
 * over columns in memory: our kernels, a loop in C (rolling-kernel.c), the same loop in plain
 * JavaScript over typed arrays, and objects, with the last values of each symbol in an array. The
 * loops know nothing of nulls, disorder, durations or outliers.
 */

import type { Kernels } from '../wasm/host/kernels.ts';
import { DecayingMoments } from '../wasm/host/rolling-decay.ts';
import { OrderedWindow } from '../wasm/host/rolling-order.ts';
import type { RollingState } from '../wasm/host/rolling-state.ts';
import { AggregateWindow } from '../wasm/host/rolling.ts';
import { type Benchmark, type BenchOptions, type Contender, measure } from './harness/benchmark.ts';
import { CProgram } from './harness/c-program.ts';
import { TradesInMemory } from './workloads/operator-run.ts';
import { javascriptLoops, type RollingLoop } from './workloads/rolling-loops.ts';
import { type RollingRows, rollingRows } from './workloads/rolling-rows.ts';
import { tradeRows } from './workloads/trade-rows.ts';

const BATCH_ROWS = 16_384;
const WINDOW = 20;
const ROW_OBJECTS = 500_000;

interface Question {
  readonly name: string;
  /** Letter of the C program. */
  readonly letter: string;
  readonly loop: RollingLoop;
  readonly rows: RollingRows;
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
    rows: rollingRows.score,
    open: (kernels) => new AggregateWindow(kernels, BEFORE, ['zscore']),
    output: 'zscore',
    arguments: [],
    target: 0.6,
  },
  {
    name: 'median',
    letter: 'm',
    loop: javascriptLoops.median,
    rows: rollingRows.median,
    open: (kernels) => new OrderedWindow(kernels, { ...BEFORE, excludeCurrent: false }),
    output: 'quantile',
    arguments: [0.5],
  },
  {
    name: 'ewm z-score',
    letter: 'e',
    loop: javascriptLoops.ewm,
    rows: rollingRows.ewm,
    open: (kernels) => new DecayingMoments(kernels, 'ewm', [0.1, 0, 0, 0]),
    output: 'zscore',
    arguments: [1, 1, 1],
  },
];

export const benchmark: Benchmark = {
  name: 'rolling',
  question: 'How near do rolling kernels come to loops in C?',
  async run(options) {
    const trades = new TradesInMemory({
      rows: options.quick ? 50_000 : 4_000_000,
      symbols: 1_000,
    });
    const { rows, symbols } = trades.w1;
    using c = CProgram.start(
      'rolling-kernel.c',
      [trades.memory.bytes(trades.prices, rows * 8), trades.memory.bytes(trades.symbols, rows * 4)],
      [rows, symbols, WINDOW],
    );
    for (const question of QUESTIONS) await compare(options, trades, question, c);
  },
};

async function compare(
  { report, repetitions }: BenchOptions,
  trades: TradesInMemory,
  question: Question,
  c: CProgram | undefined,
): Promise<void> {
  const { rows, symbols } = trades.w1;
  const prices = trades.memory.f64(trades.prices, rows).slice();
  const codes = trades.memory.u32(trades.symbols, rows).slice();
  const expected = question.loop(prices, codes, symbols, WINDOW);
  const check = (name: string, found: number): void => {
    const isSame = Math.abs(found - expected) <= 1e-6 * expected;
    if (!isSame) throw new Error(`${name}: ${found}, not ${expected}`);
  };
  report.section(question.name);
  const own = 'kernel';
  const objects = tradeRows(trades, Math.min(rows, ROW_OBJECTS));
  // Contenders have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const contenders: Contender<any>[] = [
    {
      name: own,
      run: () => runKernel(trades, question, false),
      check: () => check(own, runKernel(trades, question, true)),
    },
    {
      name: 'plain JavaScript, typed arrays',
      run: () => question.loop(prices, codes, symbols, WINDOW),
    },
    {
      name: `row objects, ${objects.length.toLocaleString('en-US')} rows`,
      amount: objects.length,
      run: () => question.rows(objects, WINDOW),
      check: (found: number) => {
        const few = [prices, codes].map((values) => values.subarray(0, objects.length));
        const same = question.loop(few[0] as Float64Array, few[1] as Uint32Array, symbols, WINDOW);
        if (Math.abs(found - same) > 1e-6 * same) throw new Error(`${found}, not ${same}`);
      },
    },
  ];
  if (c === undefined) report.note('C: left out, there is no gcc');
  else contenders.push(c.contender('C, gcc -O3', ([sum]) => check('C', sum!), question.letter));
  const measured = await measure(report, contenders, { repetitions, amount: rows, unit: 'rows' });
  const [kernel, plain, rowObjects, loop] = measured;
  const target =
    question.target === undefined
      ? undefined
      : ({ comparison: 'at least', value: question.target } as const);
  if (loop !== undefined) {
    report.against(`${question.name}, kernel to C`, kernel!, loop, target);
  }
  report.against(`${question.name}, kernel to plain JavaScript`, kernel!, plain!);
  report.against(`${question.name}, kernel to row objects`, kernel!, rowObjects!);
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
