/**
 * Workload W1 in Tidemark, DuckDB, nodejs-polars and plain JavaScript, all checked against each
 * other first: the same bars, the same z-scores to 1e-9, the same anomalies.
 */

import { type Benchmark, type BenchOptions, measure, peakOf } from './harness/benchmark.ts';
import { withFolder } from './harness/bench-folder.ts';
import { sharedTrades } from './workloads/memory-source.ts';
import type { W1 } from './workloads/w1.ts';
import { W1_FULL, W1_QUICK } from './workloads/w1.ts';
import {
  assertWritten,
  BATCH_ROWS,
  cliContender,
  duckdbContender,
  duckdbProcess,
  engineContender,
  javascriptContender,
  polarsContenders,
  withExpected,
} from './workloads/w1-contenders.ts';
import { planW1, runEngine } from './workloads/w1-engine.ts';
import { tradesParquet } from './workloads/w1-files.ts';

export const benchmark: Benchmark = {
  name: 'w1',
  question: 'How fast are trades → one-second bars → z-scores → anomalies, beside DuckDB?',
  async run(options) {
    const w1 = options.quick ? W1_QUICK : W1_FULL;
    await inMemory(options, w1);
    await parquetToParquet(options, w1);
  },
};

async function inMemory(options: BenchOptions, w1: W1): Promise<void> {
  const { report, repetitions } = options;
  report.section(`In memory: ${w1.rows.toLocaleString('en-US')} trades, ${w1.symbols} symbols`);
  const trades = sharedTrades(w1, BATCH_ROWS);
  await withExpected(w1, (expected) =>
    withFolder(async (folder) => {
      const plan = await planW1('unused.parquet', folder);
      await runEngine(plan, trades, { slots: 2, lanes: 1, writes: true });
      const files = ['scores/**/*.parquet', 'anomalies/**/*.parquet'] as const;
      await assertWritten(options, expected, 'tidemark', folder, files);
      const polars = await polarsContenders(options, expected, await tradesParquet(w1), folder);
      const measured = await measure(
        report,
        [
          await engineContender('tidemark, one thread', trades, { slots: 0 }),
          await engineContender('tidemark, 1 slot', trades, { slots: 1 }),
          await engineContender('tidemark, 2 slots', trades, { slots: 2 }),
          duckdbContender(expected, 'idiomatic', 1),
          duckdbContender(expected, 'tuned', 1),
          duckdbContender(expected, 'idiomatic', 2),
          duckdbContender(expected, 'tuned', 2),
          javascriptContender(w1, trades, expected),
          ...polars,
        ],
        { repetitions, amount: w1.rows, unit: 'trades' },
      );
      const [one, , two, , tuned1, idiomatic2, tuned2, javascript] = measured;
      const polars2 = polars.length === 0 ? undefined : measured.at(-1);
      const target = { comparison: 'at least', value: 3 } as const;
      report.against('2 slots to DuckDB tuned, 2 threads', two!, tuned2!, target);
      report.against('2 slots to DuckDB idiomatic, 2 threads', two!, idiomatic2!);
      report.against('one thread to DuckDB tuned, 1 thread', one!, tuned1!);
      report.against('one thread to plain JavaScript', one!, javascript!);
      if (polars2 !== undefined) {
        report.against('2 slots to nodejs-polars, 2 threads', two!, polars2);
      }
    }),
  );
}

async function parquetToParquet(options: BenchOptions, w1: W1): Promise<void> {
  const { report, repetitions } = options;
  report.section('Parquet to Parquet, each a process of its own');
  const input = await tradesParquet(w1);
  await withFolder(async (folder) => {
    const files = { input, folder, alone: false };
    const measured = await measure(
      report,
      [
        cliContender('tidemark run', w1, input, folder),
        duckdbProcess('duckdb idiomatic, 2 threads', 'idiomatic', files),
        duckdbProcess('duckdb tuned, 2 threads', 'tuned', files),
        duckdbProcess('duckdb tuned, the SQL alone', 'tuned', { ...files, alone: true }),
      ],
      { repetitions, amount: w1.rows, unit: 'trades' },
    );
    await withExpected(w1, async (expected) => {
      const single = ['scores.parquet', 'anomalies.parquet'] as const;
      await assertWritten(options, expected, 'duckdb', folder, single);
      const output = `cli-${w1.rows}-${w1.symbols}`;
      await assertWritten(options, expected, 'tidemark run', folder, [
        `${output}/scores/**/*.parquet`,
        `${output}/anomalies/**/*.parquet`,
      ]);
    });
    const [own, idiomatic, tuned, alone] = measured;
    const target = { comparison: 'at least', value: 2 } as const;
    report.against('tidemark run to DuckDB tuned', own!, tuned!, target);
    report.against('tidemark run to DuckDB idiomatic', own!, idiomatic!);
    report.against('tidemark run to the tuned SQL alone', own!, alone!);
    report.figure('peak memory of tidemark run', Math.round(peakOf(own!) / 2 ** 20), 'MiB', {
      comparison: 'at most',
      value: 500,
    });
  });
}
