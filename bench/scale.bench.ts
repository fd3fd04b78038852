/**
 * How the cost of a trade grows with the amount of everything, over W1: trades (is memory flat?),
 * symbols (with more bars of fewer trades, as they make, and with as many bars each time), slots,
 * the rows of a batch, and how often a window of ten seconds slides.
 */

import type { Batch } from '../engine/contract/batch.ts';
import { hoppingWindow } from '../operators/hopping-window/hopping-window.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  type Measurement,
  measure,
  peakOf,
} from './harness/benchmark.ts';
import { withFolder } from './harness/bench-folder.ts';
import type { ProcessRun } from './harness/run-process.ts';
import { sharedTrades } from './workloads/memory-source.ts';
import { TradesInMemory } from './workloads/operator-run.ts';
import type { W1 } from './workloads/w1.ts';
import { W1_FULL, W1_QUICK } from './workloads/w1.ts';
import {
  BATCH_ROWS,
  cliContender,
  duckdbContender,
  engineContender,
  withExpected,
} from './workloads/w1-contenders.ts';
import { queryRows } from './workloads/w1-duckdb.ts';
import { tradesParquet } from './workloads/w1-files.ts';

const REPETITIONS_MAX = 5;
const TWICE = { comparison: 'at most', value: 2 } as const;

export const benchmark: Benchmark = {
  name: 'scale',
  question: 'What happens with more trades, symbols, slots, larger batches, windows that overlap?',
  async run(options) {
    const w1 = options.quick ? { ...W1_QUICK, rows: 100_000 } : W1_FULL;
    await moreTrades(options, w1);
    await moreSymbols(options, w1);
    await moreSymbolsSameBars(options, w1);
    await moreSlots(options, w1);
    await largerBatches(options, w1);
    await smallerSlides(options);
  },
};

function repetitionsOf({ repetitions }: BenchOptions, most = REPETITIONS_MAX): number {
  return Math.min(most, repetitions);
}

const count = (value: number): string => value.toLocaleString('en-US');

/** A hundred times as many trades: is memory flat, and a trade as cheap? */
async function moreTrades(options: BenchOptions, w1: W1): Promise<void> {
  const { report, quick } = options;
  const amounts = (quick ? [0.1, 0.5] : [0.1, 1, 10]).map((share) => share * w1.rows);
  report.section(
    `From ${count(amounts[0]!)} to ${count(amounts.at(-1)!)} trades, Parquet to Parquet`,
  );
  report.progress('writing the trades');
  await withFolder(async (folder) => {
    const contenders: Contender<ProcessRun>[] = [];
    for (const rows of amounts) {
      const more: W1 = { ...w1, rows };
      const point = { series: 'tidemark run', axis: 'trades', x: rows };
      const input = await tradesParquet(more);
      contenders.push(cliContender(`${count(rows)} trades`, more, input, folder, point));
    }
    const measured = await measure(report, contenders, {
      repetitions: repetitionsOf(options, 3),
      amount: w1.rows,
      unit: 'trades',
    });
    const [few, many] = measured.slice(-2) as [Measurement, Measurement];
    const target = { comparison: 'at most', value: 1.1 } as const;
    report.ratio('cost of a trade, ten times as many', few, many, target);
    report.figure('peak memory', peakOf(many) / peakOf(few), 'times', target);
    report.figure('peak memory of the largest run', Math.round(peakOf(many) / 2 ** 20), 'MiB', {
      comparison: 'at most',
      value: 500,
    });
  });
}

/**
 * From few symbols to many: does a trade cost as much? More symbols also make more bars of fewer
 * trades each, and every bar is scored; DuckDB on the same trades shows what that alone costs.
 */
async function moreSymbols(options: BenchOptions, w1: W1): Promise<void> {
  const { report, quick } = options;
  report.section('From 10 to 100,000 symbols, in memory, 2 slots');
  const measured: Measurement[][] = [];
  const amounts = quick ? [10, 10_000] : [10, 100, 1_000, 10_000, 100_000];
  for (const symbols of amounts) {
    const variant = { ...w1, symbols };
    const trades = sharedTrades(variant, BATCH_ROWS);
    const name = `${count(symbols)} symbols`;
    await withExpected(variant, async (connection) => {
      const [row] = await queryRows(connection, 'select count(*) as bars from scores');
      report.note(`${name}: ${count(Number(row!['bars']))} bars`);
      const point = (series: string) => ({ series, axis: 'symbols', x: symbols });
      const own = await engineContender(`${name}: tidemark`, trades, {
        slots: 2,
        point: point('tidemark, 2 slots'),
      });
      const peer = {
        ...duckdbContender(connection, 'tuned', 2),
        name: `${name}: duckdb tuned`,
        point: point('duckdb tuned, 2 threads'),
      };
      measured.push(
        await measure(report, [own, peer], {
          // Millions of bars take seconds.
          repetitions: repetitionsOf(options, symbols < 10_000 ? 3 : 2),
          amount: w1.rows,
          unit: 'trades',
        }),
      );
    });
  }
  const [few, many] = [measured[0]!, measured.at(-1)!];
  report.ratio('cost of a trade, tidemark', few[0]!, many[0]!, TWICE);
  report.ratio('cost of a trade, DuckDB', few[1]!, many[1]!);
  report.against(`${count(amounts.at(-1)!)} symbols, tidemark to DuckDB`, many[0]!, many[1]!);
}

/** From few symbols to many, with windows so long that there are as many bars of as many trades. */
async function moreSymbolsSameBars(options: BenchOptions, w1: W1): Promise<void> {
  const { report } = options;
  report.section('From 10 to 100,000 symbols, as many bars each time, in memory, 2 slots');
  const variants = [
    [10, '10ms'],
    [1_000, '1s'],
    [100_000, '100s'],
  ] as const;
  const contenders = await Promise.all(
    variants.map(([symbols, windowSize]) =>
      engineContender(
        `${count(symbols)} symbols, bars of ${windowSize}`,
        sharedTrades({ ...w1, symbols }, BATCH_ROWS),
        {
          slots: 2,
          windowSize,
          point: { series: 'tidemark, 2 slots, as many bars', axis: 'symbols', x: symbols },
        },
      ),
    ),
  );
  const measured = await measure(report, contenders, {
    repetitions: repetitionsOf(options),
    amount: w1.rows,
    unit: 'trades',
  });
  report.ratio('cost of a trade', measured[0]!, measured.at(-1)!, TWICE);
}

async function moreSlots(options: BenchOptions, w1: W1): Promise<void> {
  const { report } = options;
  report.section('From 1 to 4 slots, in memory');
  const trades = sharedTrades(w1, BATCH_ROWS);
  const contenders = await Promise.all(
    [1, 2, 3, 4].map((slots) => {
      const point = { series: 'tidemark', axis: 'slots', x: slots };
      return engineContender(`${slots} ${slots === 1 ? 'slot' : 'slots'}`, trades, {
        slots,
        point,
      });
    }),
  );
  const measured = await measure(report, contenders, {
    repetitions: repetitionsOf(options),
    amount: w1.rows,
    unit: 'trades',
  });
  report.ratio('speed of 2 slots to that of 1', measured[1]!, measured[0]!);
  report.ratio('speed of 4 slots to that of 2', measured[3]!, measured[1]!);
}

async function largerBatches(options: BenchOptions, w1: W1): Promise<void> {
  const { report } = options;
  report.section('From 256 to 262,144 rows a batch of the source, in memory, 2 slots');
  const sizes = options.quick ? [1024, 65_536] : [256, 1024, 4096, 16_384, 65_536, 262_144];
  const rows = Math.min(w1.rows, 4_000_000);
  const trades = sharedTrades({ ...w1, rows }, BATCH_ROWS);
  const contenders = await Promise.all(
    sizes.map((batchRows) => {
      const point = { series: 'tidemark, 2 slots', axis: 'rows a batch', x: batchRows };
      return engineContender(
        `${count(batchRows)} rows`,
        { ...trades, batchRows },
        { slots: 2, point },
      );
    }),
  );
  await measure(report, contenders, {
    repetitions: repetitionsOf(options),
    amount: rows,
    unit: 'trades',
  });
}

/** The operator by itself: what comes out grows with the number of slides. */
async function smallerSlides(options: BenchOptions): Promise<void> {
  const { report, quick } = options;
  report.section('A window of 10 s that slides by itself down to a hundredth, one core');
  const trades = new TradesInMemory({ rows: quick ? 200_000 : 2_000_000, symbols: 1_000 });
  const aggregates = { open: 'first(price)', close: 'last(price)', volume: 'sum(size)' };
  const contenders = [1, 2, 5, 10, 20, 50, 100].map((slides): Contender<number> => {
    const slide = `${10_000 / slides}ms`;
    return {
      name: `every ${slide}`,
      point: { series: 'hopping_window', axis: 'slides of a window', x: slides },
      run: () => {
        let windows = 0;
        const emit = ({ rowCount }: Batch): void => {
          windows += rowCount;
        };
        trades.run(hoppingWindow, { size: '10s', slide, aggregates }, BATCH_ROWS, { emit });
        return windows;
      },
      check: (windows) => report.note(`every ${slide}: ${count(windows)} windows`),
    };
  });
  const measured = await measure(report, contenders, {
    repetitions: repetitionsOf(options),
    amount: trades.w1.rows,
    unit: 'trades',
  });
  report.ratio('cost of a trade, 100 slides to 1', measured[0]!, measured.at(-1)!);
}
