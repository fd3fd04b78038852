/**
 * Windows of growing length over the same slide and the same trades of W1: 10,000 trades a second
 * of 1,000 symbols. A window of 10 s has a hundred panes, one of 1 s has ten; about as many windows
 * come out, because most symbols trade within a second. Beside it loops that merge all panes of
 * each window, as one writes them by hand: in C (hopping.c), in plain JavaScript over typed arrays,
 * and with objects, over fewer trades.
 */

import type { Batch } from '../engine/contract/batch.ts';
import { hoppingWindow } from '../operators/hopping-window/hopping-window.ts';
import { type Benchmark, type Contender, measure, median } from './harness/benchmark.ts';
import { CProgram } from './harness/c-program.ts';
import {
  totalsOfWindowRows,
  type WindowTotals,
  windowsOfColumns,
  windowsOfRows,
} from './workloads/hopping-loops.ts';
import { TradesInMemory } from './workloads/operator-run.ts';
import { tradeRows } from './workloads/trade-rows.ts';

const BATCH_ROWS = 65_536;
const SLIDE = '100ms';
const SLIDE_NS = 100_000_000n;

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

/** Windows of so many panes. The letter is that of the C program. */
const SIZES = [
  { size: '1s', panes: 10, letter: 'a', objects: 100_000 },
  // A second for so few already.
  { size: '10s', panes: 100, letter: 'b', objects: 30_000 },
] as const;

export const benchmark: Benchmark = {
  name: 'hopping',
  question: 'Does hopping_window cost more where windows are longer and overlap more?',
  async run({ quick, repetitions, report }) {
    const trades = new TradesInMemory({ rows: quick ? 50_000 : 2_000_000, symbols: 1_000 });
    const rows = trades.w1.rows;
    const sizes = ['1s', '10s', '60s'] as const;
    report.section(`Growing windows, every ${SLIDE}`);
    const measured = await measure(
      report,
      sizes.map((size): Contender<number> => {
        const panes = Number.parseInt(size, 10) * 10;
        const point = { series: 'hopping_window', axis: 'panes of a window', x: panes };
        return { name: size, point, run: () => runWindows(trades, size) };
      }),
      { repetitions, amount: rows, unit: 'trades' },
    );
    for (const [index, size] of sizes.entries()) {
      const { windows } = totalsOf(trades, size);
      const each = (median(measured[index]!.seconds) / windows) * 1e9;
      report.note(`${size}: ${windows} windows, ${each.toFixed(1)} ns each`);
    }
    const [second, ten, sixty] = measured;
    const target = { comparison: 'at most', value: 1.5 } as const;
    report.ratio('time of 10s to that of 1s', second!, ten!, target);
    report.ratio('time of 60s to that of 1s', second!, sixty!);
    const columns = [[trades.times, 8] as const, [trades.prices, 8] as const];
    const input = [...columns, [trades.sizes, 8] as const, [trades.symbols, 4] as const];
    using c = CProgram.start(
      'hopping.c',
      input.map(([pointer, bytes]) => trades.memory.bytes(pointer, rows * bytes)),
      [rows, trades.w1.symbols, Number(SLIDE_NS), ...SIZES.map(({ panes }) => panes)],
    );
    for (const size of SIZES) {
      report.section(`${size.size} every ${SLIDE}, ${size.panes} panes`);
      if (c === undefined) report.note('C: left out, there is no gcc');
      const contenders = contendersOf(trades, size, c);
      const options = { repetitions, amount: rows, unit: 'trades' };
      const [own, plain, objects, loop] = await measure(report, contenders, options);
      if (loop !== undefined) report.against(`${size.size}: hopping_window to C`, own!, loop);
      report.against(`${size.size}: hopping_window to plain JavaScript`, own!, plain!);
      report.against(`${size.size}: hopping_window to row objects`, own!, objects!);
    }
  },
};

function contendersOf(
  trades: TradesInMemory,
  { size, panes, letter, objects: most }: (typeof SIZES)[number],
  c: CProgram | undefined,
  // Contenders have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
): Contender<any>[] {
  const { memory, w1 } = trades;
  const expected = totalsOf(trades, size);
  const columns = (count: number) => ({
    times: memory.i64(trades.times, count).slice(),
    symbols: memory.u32(trades.symbols, count).slice(),
    prices: memory.f64(trades.prices, count).slice(),
    sizes: memory.f64(trades.sizes, count).slice(),
  });
  const all = columns(w1.rows);
  const count = Math.min(w1.rows / 5, most);
  const few = columns(count);
  const objects = tradeRows(trades, count);
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const contenders: Contender<any>[] = [
    { name: 'hopping_window', run: () => runWindows(trades, size) },
    {
      name: 'plain JavaScript, typed arrays',
      run: () => windowsOfColumns(all, w1.symbols, SLIDE_NS, panes),
      check: (rings: ReturnType<typeof windowsOfColumns>) => assertSame(rings.totals(), expected),
    },
    {
      name: `row objects, ${count.toLocaleString('en-US')} trades`,
      amount: count,
      run: () => windowsOfRows(objects, Number(SLIDE_NS) / 1e6, panes),
      check: (windows: ReturnType<typeof windowsOfRows>) => {
        const same = windowsOfColumns(few, w1.symbols, SLIDE_NS, panes).totals();
        assertSame(totalsOfWindowRows(windows), same);
      },
    },
  ];
  if (c !== undefined) {
    const check = ([windows, checksum]: readonly number[]): void =>
      assertSame({ windows: windows!, checksum: checksum! }, expected);
    contenders.push(c.contender('C, gcc -O3', check, letter));
  }
  return contenders;
}

function assertSame(found: WindowTotals, expected: WindowTotals): void {
  const distance = Math.abs(found.checksum - expected.checksum);
  if (found.windows === expected.windows && distance <= 1e-9 * expected.checksum) return;
  throw new Error(`other windows: ${JSON.stringify({ expected, found })}`);
}

/** Runs the operator and only counts the windows, as nobody reads them. */
function runWindows(trades: TradesInMemory, size: string): number {
  let windows = 0;
  const emit = ({ rowCount }: Batch): void => {
    windows += rowCount;
  };
  const config = { size, slide: SLIDE, aggregates: AGGREGATES };
  trades.run(hoppingWindow, config, BATCH_ROWS, { emit });
  return windows;
}

/** The sum of hopping.c over all windows. */
function totalsOf(trades: TradesInMemory, size: string): WindowTotals {
  let [windows, checksum] = [0, 0];
  const emit = ({ rowCount, columns }: Batch): void => {
    windows += rowCount;
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
  const config = { size, slide: SLIDE, aggregates: AGGREGATES };
  trades.run(hoppingWindow, config, BATCH_ROWS, { emit });
  return { windows, checksum };
}
