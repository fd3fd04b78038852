/**
 * One-second bars of W1 by `tumbling_window` and by loops that one would write by hand, on one core
 * each, over trades in memory: in C (bar-kernel.c) and in plain JavaScript over typed arrays, which
 * make each bar into arrays that have room for all, and in JavaScript with an object a trade, over
 * fewer of them. The loops know nothing of nulls, disorder or watermarks.
 */

import type { Batch } from '../engine/contract/batch.ts';
import { tumblingWindow } from '../operators/tumbling-window/tumbling-window.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  measure,
  rateOf,
} from './harness/benchmark.ts';
import { CProgram } from './harness/c-program.ts';
import {
  type BarTotals,
  barColumns,
  barsOfColumns,
  barsOfRows,
  totalsOfColumns,
  totalsOfRows,
} from './workloads/bar-loops.ts';
import { TradesInMemory } from './workloads/operator-run.ts';
import { tradeRows } from './workloads/trade-rows.ts';
import { W1_FULL, W1_QUICK } from './workloads/w1.ts';

const BATCH_ROWS = 65_536;
const SMALL_BATCH_ROWS = 16_384;
/** So many objects fit into memory beside the columns. */
const ROW_OBJECTS = 1_000_000;

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

export const benchmark: Benchmark = {
  name: 'bar-kernel',
  question: 'How near does tumbling_window come to the same bars by a loop in C?',
  async run(options) {
    const trades = new TradesInMemory(options.quick ? W1_QUICK : W1_FULL);
    using c = CProgram.start('bar-kernel.c', inputOf(trades), [trades.w1.rows, trades.w1.symbols]);
    await compare(options, trades, c);
  },
};

function inputOf({ memory, w1, times, prices, sizes, symbols }: TradesInMemory): Uint8Array[] {
  const columns = [[times, 8] as const, [prices, 8] as const, [sizes, 8] as const];
  return [...columns, [symbols, 4] as const].map(([pointer, bytes]) =>
    memory.bytes(pointer, w1.rows * bytes),
  );
}

async function compare(
  { report, repetitions }: BenchOptions,
  trades: TradesInMemory,
  c: CProgram | undefined,
): Promise<void> {
  const { rows, symbols } = trades.w1;
  const expected = totalsOf(trades, AGGREGATES, BATCH_ROWS);
  const own = (name: string, aggregates: object, batchRows: number): Contender<number> => ({
    name,
    run: () => runBars(trades, aggregates, batchRows),
    check: () => assertSame(name, totalsOf(trades, aggregates, batchRows), expected),
  });
  const plain = arraysContender(trades, rows, expected);
  // Contenders have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const contenders: Contender<any>[] = [
    own('tumbling_window', AGGREGATES, BATCH_ROWS),
    own(`tumbling_window, batches of ${SMALL_BATCH_ROWS}`, AGGREGATES, SMALL_BATCH_ROWS),
    // One aggregate that is not part of a bar, and every column is added by itself.
    own('tumbling_window, column by column', { ...AGGREGATES, most: 'max(size)' }, BATCH_ROWS),
    plain,
    rowsContender(trades, Math.min(rows, ROW_OBJECTS)),
  ];
  if (c === undefined) report.note('C: left out, there is no gcc');
  else {
    const check = ([bars, checksum]: readonly number[]): void =>
      assertSame('C', { bars: bars!, checksum: checksum! }, expected);
    contenders.push(c.contender('C, gcc -O3', check));
  }
  const measured = await measure(report, contenders, { repetitions, amount: rows, unit: 'trades' });
  const [fused, , , arrays, objects, loop] = measured;
  if (loop !== undefined) {
    const target = { comparison: 'at least', value: 0.7 } as const;
    report.against('tumbling_window to C', fused!, loop, target);
  }
  report.against('tumbling_window to plain JavaScript', fused!, arrays!);
  report.against('tumbling_window to row objects', fused!, objects!);
  report.figure('tumbling_window', rateOf(fused!) / 1e6, 'M trades/s on one core', {
    comparison: 'at least',
    value: 100,
  });
  report.note(`${symbols} symbols, columns in linear memory already`);
}

function arraysContender(
  { memory, w1, ...trades }: TradesInMemory,
  rows: number,
  expected: BarTotals,
): Contender<void> {
  const columns = {
    times: memory.i64(trades.times, rows).slice(),
    symbols: memory.u32(trades.symbols, rows).slice(),
    prices: memory.f64(trades.prices, rows).slice(),
    sizes: memory.f64(trades.sizes, rows).slice(),
  };
  const out = barColumns(expected.bars);
  return {
    name: 'plain JavaScript, typed arrays',
    run: () => barsOfColumns(columns, w1.symbols, out),
    check: () => assertSame('plain JavaScript', totalsOfColumns(out), expected),
  };
}

function rowsContender(
  trades: TradesInMemory,
  count: number,
): Contender<ReturnType<typeof barsOfRows>> {
  const rows = tradeRows(trades, count);
  const out = barColumns(count);
  const { memory, w1 } = trades;
  const columns = {
    times: memory.i64(trades.times, count),
    symbols: memory.u32(trades.symbols, count),
    prices: memory.f64(trades.prices, count),
    sizes: memory.f64(trades.sizes, count),
  };
  barsOfColumns(columns, w1.symbols, out);
  const expected = totalsOfColumns(out);
  return {
    name: `row objects, ${count.toLocaleString('en-US')} trades`,
    amount: count,
    run: () => barsOfRows(rows),
    check: (bars) => assertSame('row objects', totalsOfRows(bars), expected),
  };
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
function totalsOf(trades: TradesInMemory, aggregates: object, batchRows: number): BarTotals {
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

function assertSame(name: string, found: BarTotals, expected: BarTotals): void {
  const distance = Math.abs(found.checksum - expected.checksum);
  if (found.bars === expected.bars && distance <= 1e-9 * expected.checksum) return;
  throw new Error(`${name} makes other bars: ${JSON.stringify({ expected, found })}`);
}
