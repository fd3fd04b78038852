/**
 * One-second bars of W1 by `tumbling_window` and by a loop in C, on one core each, over columns in
 * memory. The C program (bar-kernel.c) makes each bar as its symbol's next window begins, into
 * arrays that hold all bars; it knows nothing of nulls, disorder or watermarks.
 */

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Batch } from '../engine/contract/batch.ts';
import { tumblingWindow } from '../operators/tumbling-window/tumbling-window.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  measure,
  speedup,
} from './harness/benchmark.ts';
import { TradesInMemory } from './workloads/operator-run.ts';
import { W1_FULL, W1_QUICK } from './workloads/w1.ts';
import { benchFolder } from './workloads/w1-files.ts';

const BATCH_ROWS = 65_536;
const SMALL_BATCH_ROWS = 16_384;

const AGGREGATES = {
  open: 'first(price)',
  high: 'max(price)',
  low: 'min(price)',
  close: 'last(price)',
  volume: 'sum(size)',
  vwap: 'sum(price * size) / sum(size)',
  trades: 'count()',
  volatility: 'stddev(price)',
};

interface Totals {
  readonly bars: number;
  readonly checksum: number;
}

export const benchmark: Benchmark = {
  name: 'bar-kernel',
  question: 'How near does tumbling_window come to the same bars by a loop in C?',
  async run(options) {
    const w1 = options.quick ? W1_QUICK : W1_FULL;
    const trades = new TradesInMemory(w1);
    const c = startC(trades);
    try {
      await compare(options, trades, c);
    } finally {
      c?.stop();
    }
  },
};

async function compare(
  { report, repetitions }: BenchOptions,
  trades: TradesInMemory,
  c: BarProgram | undefined,
): Promise<void> {
  const expected = c === undefined ? undefined : await c.run();
  const own = (name: string, aggregates: object, batchRows: number): Contender<number> => ({
    name,
    run: () => runBars(trades, aggregates, batchRows),
    check: () => assertSame(name, totalsOf(trades, aggregates, batchRows), expected),
  });
  // Contenders have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const contenders: Contender<any>[] = [
    own('tumbling_window', AGGREGATES, BATCH_ROWS),
    own(`tumbling_window, batches of ${SMALL_BATCH_ROWS}`, AGGREGATES, SMALL_BATCH_ROWS),
    // One aggregate that is not part of a bar, and every column is added by itself.
    own('tumbling_window, column by column', { ...AGGREGATES, most: 'max(size)' }, BATCH_ROWS),
  ];
  if (c === undefined) report.note('C: left out, there is no gcc');
  else contenders.unshift(c.contender);
  const amount = trades.w1.rows;
  const measured = await measure(report, contenders, { repetitions, amount, unit: 'trades' });
  const fused = measured[c === undefined ? 0 : 1]!;
  const loop = measured[0]!;
  if (c !== undefined) {
    const target = { comparison: 'at least', value: 0.7 } as const;
    report.ratio('speed of tumbling_window to that of C', speedup(fused, loop), target);
  }
  report.figure('tumbling_window', fused.rate / 1e6, 'M trades/s on one core', {
    comparison: 'at least',
    value: 100,
  });
}

/** Runs the operator and only counts the bars, as nobody reads them. */
function runBars(trades: TradesInMemory, aggregates: object, batchRows: number): number {
  let bars = 0;
  const emit = ({ rowCount }: Batch): void => {
    bars += rowCount;
  };
  trades.run(tumblingWindow, { size: '1s', aggregates }, batchRows, { emit });
  return bars;
}

/** The sum of bar-kernel.c over all bars. */
function totalsOf(trades: TradesInMemory, aggregates: object, batchRows: number): Totals {
  let bars = 0;
  let checksum = 0;
  const emit = ({ rowCount, columns }: Batch): void => {
    bars += rowCount;
    const values = (column: number): Float64Array =>
      trades.memory.f64(columns[column]!.pointer, rowCount);
    const [open, high, low, close, volume, vwap] = [3, 4, 5, 6, 7, 8].map(values);
    const counts = trades.memory.i64(columns[9]!.pointer, rowCount);
    const volatility = values(10);
    for (let i = 0; i < rowCount; i++) {
      checksum += open![i]! + high![i]! + low![i]! + close![i]! + volume![i]! / 1e3 + vwap![i]!;
      checksum += Number(counts[i]!) + (Number.isNaN(volatility[i]!) ? 0 : volatility[i]!);
    }
  };
  trades.run(tumblingWindow, { size: '1s', aggregates }, batchRows, { emit });
  return { bars, checksum };
}

function assertSame(name: string, found: Totals, expected: Totals | undefined): void {
  if (expected === undefined) return;
  const distance = Math.abs(found.checksum - expected.checksum);
  if (found.bars === expected.bars && distance <= 1e-9 * expected.checksum) return;
  const both = JSON.stringify({ expected, found });
  throw new Error(`${name} does not make the same bars as C: ${both}`);
}

interface ProgramRun extends Totals {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface BarProgram {
  readonly contender: Contender<ProgramRun>;
  run(): Promise<ProgramRun>;
  stop(): void;
}

/** Compiles and starts the C program on a file of the trades; undefined where there is no gcc. */
function startC(trades: TradesInMemory): BarProgram | undefined {
  const folder = mkdtempSync(join(benchFolder(), 'bar-kernel-'));
  const program = join(folder, 'bar-kernel');
  try {
    execFileSync('gcc', ['-O3', '-o', program, sourcePath(), '-lm'], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { rows, symbols } = trades.w1;
  const file = join(folder, 'trades.bin');
  const columns = [
    [trades.times, 8],
    [trades.prices, 8],
    [trades.sizes, 8],
    [trades.symbols, 4],
  ] as const;
  for (const [pointer, bytes] of columns) {
    writeFileSync(file, trades.memory.bytes(pointer, rows * bytes), { flag: 'a' });
  }
  const child = spawn(program, [file, String(rows), String(symbols)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as unknown as ChildProcessWithoutNullStreams;
  const run = async (): Promise<ProgramRun> => {
    child.stdin.write('x');
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (text: Buffer) => resolve(text.toString()));
      child.once('error', reject);
    });
    const [elapsed, cpu, bars, checksum] = line.split(' ').map(Number);
    return { seconds: elapsed! / 1e9, cpuSeconds: cpu! / 1e9, bars: bars!, checksum: checksum! };
  };
  const stop = (): void => {
    child.stdin.end();
    rmSync(folder, { recursive: true });
  };
  return { contender: { name: 'C, gcc -O3', run, usage: (result) => result }, run, stop };
}

/** The source is not compiled by tsc, and so not in dist. */
function sourcePath(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'bench', 'bar-kernel.c');
}
