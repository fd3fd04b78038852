/**
 * Windows of growing length over the same slide and the same trades of W1: 10,000 trades a second
 * of 1,000 symbols. A window of 10 s has a hundred panes, one of 1 s has ten; about as many windows
 * come out, because most symbols trade within a second.
 */

import type { Batch } from '../engine/contract/batch.ts';
import { hoppingWindow } from '../operators/hopping-window/hopping-window.ts';
import { type Benchmark, type Contender, measure, speedup } from './harness/benchmark.ts';
import { TradesInMemory } from './workloads/operator-run.ts';

const BATCH_ROWS = 65_536;
const SLIDE = '100ms';

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
  readonly windows: number;
  /** Rows of all windows. */
  readonly trades: number;
}

export const benchmark: Benchmark = {
  name: 'hopping',
  question: 'Does hopping_window cost more where windows are longer and overlap more?',
  async run({ quick, repetitions, report }) {
    const trades = new TradesInMemory({ rows: quick ? 300_000 : 2_000_000, symbols: 1_000 });
    const amount = trades.w1.rows;
    const measured = await measure(
      report,
      ['1s', '10s', '60s'].map((size) => contender(trades, size)),
      { repetitions, amount, unit: 'trades' },
    );
    for (const { name, medianSeconds } of measured) {
      const windows = runWindows(trades, name.split(' ')[0]!).windows;
      report.note(`${name}: ${windows} windows, ${nanoseconds(medianSeconds / windows)} each`);
    }
    const [second, ten, sixty] = measured;
    const target = { comparison: 'at most', value: 1.5 } as const;
    report.ratio(`time of 10s to that of 1s, every ${SLIDE}`, speedup(second!, ten!), target);
    report.ratio(`time of 60s to that of 1s, every ${SLIDE}`, speedup(second!, sixty!));
  },
};

function nanoseconds(seconds: number): string {
  return `${(seconds * 1e9).toFixed(1)} ns`;
}

function contender(trades: TradesInMemory, size: string): Contender<Totals> {
  const panes = Number.parseInt(size, 10) * 10;
  return {
    name: `${size} every ${SLIDE}`,
    run: () => runWindows(trades, size),
    check: () => {
      // Every trade is in one window for each pane.
      const counted = runWindows(trades, size, true).trades;
      const expected = trades.w1.rows * panes;
      if (counted !== expected) throw new Error(`${size}: ${counted} of ${expected} trades`);
    },
  };
}

function runWindows(trades: TradesInMemory, size: string, isCounted = false): Totals {
  let windows = 0;
  let counted = 0n;
  const emit = ({ rowCount, columns }: Batch): void => {
    windows += rowCount;
    if (!isCounted) return;
    for (const count of trades.memory.i64(columns[9]!.pointer, rowCount)) counted += count;
  };
  const config = { size, slide: SLIDE, aggregates: AGGREGATES };
  trades.run(hoppingWindow, config, BATCH_ROWS, { emit });
  return { windows, trades: Number(counted) };
}
