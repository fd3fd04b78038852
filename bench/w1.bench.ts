/**
 * Workload W1 in Tidemark, DuckDB and plain JavaScript, all checked against each other first: the
 * same bars, the same z-scores to 1e-9, the same anomalies.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  type Measurement,
  measure,
  speedup,
} from './harness/benchmark.ts';
import { type ProcessRun, runProcess } from './harness/run-process.ts';
import { type SharedTrades, sharedTrades, tradeVectors } from './workloads/memory-source.ts';
import type { W1 } from './workloads/w1.ts';
import { W1_FULL, W1_QUICK } from './workloads/w1.ts';
import { assertSameResult, createScoresTable, type Result } from './workloads/w1-compare.ts';
import {
  anomaliesSql,
  queryRows,
  runInMemory,
  type SqlForm,
  withDuckDB,
} from './workloads/w1-duckdb.ts';
import { planW1, runEngine, W1_PIPELINE } from './workloads/w1-engine.ts';
import { benchFolder, createTradesTable, tradesParquet } from './workloads/w1-files.ts';
import { runJavaScript, type Scores } from './workloads/w1-javascript.ts';

const BATCH_ROWS = 65_536;
const EXPECTED: Result = { scores: 'scores', anomalies: 'anomalies' };
const CLI = new URL('../cli/main.js', import.meta.url);
const DUCKDB_PROCESS = new URL('./workloads/w1-duckdb-process.js', import.meta.url);

export const benchmark: Benchmark = {
  name: 'w1',
  question: 'How fast are trades → one-second bars → z-scores → anomalies, beside DuckDB?',
  async run(options) {
    const w1 = options.quick ? W1_QUICK : W1_FULL;
    await inMemory(options, w1);
    await parquetToParquet(options, w1);
    await moreTrades(options, w1);
    await moreSymbols(options, w1);
    await moreSymbolsSameBars(options, w1);
  },
};

/** Folder for the outputs of one benchmark, removed afterwards. */
async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(benchFolder(), 'w1-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A database whose tables `scores` and `anomalies` hold what W1 gives. */
async function withExpected(
  w1: W1,
  use: (connection: DuckDBConnection) => Promise<void>,
): Promise<void> {
  await withDuckDB(2, async (connection) => {
    await createTradesTable(connection, w1);
    await runInMemory(connection, 'idiomatic');
    await use(connection);
  });
}

async function assertWritten(
  options: BenchOptions,
  connection: DuckDBConnection,
  name: string,
  folder: string,
  [scores, anomalies]: readonly [string, string],
): Promise<void> {
  const same = await assertSameResult(connection, name, EXPECTED, {
    scores: `read_parquet('${folder}/${scores}')`,
    anomalies: `read_parquet('${folder}/${anomalies}')`,
  });
  options.report.note(`${name}: the same ${same.bars} bars and ${same.anomalies} anomalies`);
}

/** The engine over trades in memory; the seconds are those from the first poll to the commit. */
async function engineContender(
  name: string,
  trades: SharedTrades,
  threads: { readonly slots: number; readonly lanes: number },
  windowSize?: string,
): Promise<Contender<{ seconds: number }>> {
  const plan = await planW1('unused.parquet', benchFolder(), windowSize);
  return {
    name,
    amount: trades.rows,
    run: () => runEngine(plan, trades, { ...threads, writes: false }),
    usage: ({ seconds }) => ({ seconds }),
  };
}

async function inMemory(options: BenchOptions, w1: W1): Promise<void> {
  const { report, repetitions } = options;
  report.section(`In memory: ${w1.rows.toLocaleString('en-US')} trades, ${w1.symbols} symbols`);
  const trades = sharedTrades(w1, BATCH_ROWS);
  await withExpected(w1, async (expected) => {
    await withFolder(async (folder) => {
      const plan = await planW1('unused.parquet', folder);
      await runEngine(plan, trades, { slots: 2, lanes: 1, writes: true });
      await assertWritten(options, expected, 'tidemark', folder, [
        'scores/**/*.parquet',
        'anomalies/**/*.parquet',
      ]);
    });
    const measured = await measure(
      report,
      [
        duckdbContender(expected, 'tuned', 1),
        duckdbContender(expected, 'idiomatic', 2),
        duckdbContender(expected, 'tuned', 2),
        javascriptContender(w1, trades, expected),
        await engineContender('tidemark, one thread', trades, { slots: 0, lanes: 1 }),
        await engineContender('tidemark, 1 slot', trades, { slots: 1, lanes: 1 }),
        await engineContender('tidemark, 2 slots', trades, { slots: 2, lanes: 1 }),
      ],
      { repetitions, amount: w1.rows, unit: 'trades' },
    );
    const [tuned1, idiomatic2, tuned2, javascript, one, , two] = measured as Measurement[];
    report.ratio('2 slots to DuckDB tuned, 2 threads', speedup(two!, tuned2!), {
      comparison: 'at least',
      value: 3,
    });
    report.ratio('2 slots to DuckDB idiomatic, 2 threads', speedup(two!, idiomatic2!));
    report.ratio('one thread to DuckDB tuned, 1 thread', speedup(one!, tuned1!));
    report.ratio('one thread to plain JavaScript', speedup(one!, javascript!));
  });
}

function duckdbContender(connection: DuckDBConnection, form: SqlForm, threads: number): Contender {
  return {
    name: `duckdb ${form}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    prepare: async () => {
      await connection.run(`set threads = ${threads}`);
    },
    run: () => runInMemory(connection, form),
  };
}

function javascriptContender(
  w1: W1,
  trades: SharedTrades,
  expected: DuckDBConnection,
): Contender<Scores> {
  const batches = Array.from({ length: Math.ceil(w1.rows / BATCH_ROWS) }, (_, unit) => {
    const from = unit * BATCH_ROWS;
    const to = Math.min(w1.rows, from + BATCH_ROWS);
    return { rowCount: to - from, columns: tradeVectors(trades, from, to) };
  });
  return {
    name: 'plain JavaScript',
    run: () => runJavaScript(batches, w1.symbols, w1.rows),
    check: async (scores) => {
      await createScoresTable(expected, 'javascript', scores);
      await expected.run(
        `create or replace table javascript_anomalies as ${anomaliesSql('javascript')}`,
      );
      await assertSameResult(expected, 'plain JavaScript', EXPECTED, {
        scores: 'javascript',
        anomalies: 'javascript_anomalies',
      });
    },
  };
}

/** `tidemark run` as a process, from Parquet to Parquet. */
function cliContender(name: string, w1: W1, input: string, folder: string): Contender<ProcessRun> {
  const output = join(folder, `cli-${w1.rows}-${w1.symbols}`);
  return {
    name,
    amount: w1.rows,
    prepare: () => rmSync(output, { recursive: true, force: true }),
    run: () =>
      runProcess(CLI, ['run', W1_PIPELINE], {
        environment: { TRADES: input, OUTPUT: output },
        directory: folder,
      }),
    usage: ({ seconds, cpuSeconds, peakBytes }) => ({ seconds, cpuSeconds, peakBytes }),
  };
}

async function parquetToParquet(options: BenchOptions, w1: W1): Promise<void> {
  const { report, repetitions } = options;
  report.section('Parquet to Parquet, each a process of its own');
  const input = await tradesParquet(w1);
  await withFolder(async (folder) => {
    const duckdb = (name: string, form: SqlForm, alone: boolean): Contender<ProcessRun> => ({
      name,
      run: () => runProcess(DUCKDB_PROCESS, ['2', form, input, folder]),
      usage: ({ seconds, cpuSeconds, peakBytes, stdout }) => ({
        seconds: alone ? Number(stdout) : seconds,
        cpuSeconds,
        peakBytes,
      }),
    });
    const cli = cliContender('tidemark run', w1, input, folder);
    const measured = await measure(
      report,
      [
        duckdb('duckdb idiomatic, 2 threads', 'idiomatic', false),
        duckdb('duckdb tuned, 2 threads', 'tuned', false),
        duckdb('duckdb tuned, 2 threads, the SQL alone', 'tuned', true),
        cli,
      ],
      { repetitions, amount: w1.rows, unit: 'trades' },
    );
    await withExpected(w1, async (expected) => {
      await assertWritten(options, expected, 'duckdb', folder, [
        'scores.parquet',
        'anomalies.parquet',
      ]);
      await assertWritten(options, expected, 'tidemark run', folder, [
        `cli-${w1.rows}-${w1.symbols}/scores/**/*.parquet`,
        `cli-${w1.rows}-${w1.symbols}/anomalies/**/*.parquet`,
      ]);
    });
    const [idiomatic, tuned, alone, own] = measured as Measurement[];
    report.ratio('tidemark run to DuckDB tuned', speedup(own!, tuned!), {
      comparison: 'at least',
      value: 2,
    });
    report.ratio('tidemark run to DuckDB idiomatic', speedup(own!, idiomatic!));
    report.ratio('tidemark run to the tuned SQL alone', speedup(own!, alone!));
    report.figure('peak memory of tidemark run', mebibytes(own!), 'MiB', {
      comparison: 'at most',
      value: 500,
    });
  });
}

/** Ten times as many trades: is memory flat, and a trade as cheap? */
async function moreTrades(options: BenchOptions, w1: W1): Promise<void> {
  const { report, repetitions } = options;
  const more: W1 = { ...w1, rows: w1.rows * 10 };
  report.section('Ten times as many trades, Parquet to Parquet');
  report.progress('writing the trades');
  const inputs = [await tradesParquet(w1), await tradesParquet(more)] as const;
  await withFolder(async (folder) => {
    const measured = await measure(
      report,
      [
        cliContender(`${w1.rows.toLocaleString('en-US')} trades`, w1, inputs[0], folder),
        cliContender(`${more.rows.toLocaleString('en-US')} trades`, more, inputs[1], folder),
      ],
      { repetitions: Math.min(3, repetitions), amount: w1.rows, unit: 'trades' },
    );
    const [few, many] = measured as [Measurement, Measurement];
    report.ratio('cost of a trade', speedup(few, many), { comparison: 'at most', value: 1.1 });
    report.figure('peak memory', mebibytes(many) / mebibytes(few), 'times');
    report.figure('peak memory of the larger run', mebibytes(many), 'MiB', {
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
  const { report, repetitions } = options;
  report.section('From 10 to 100,000 symbols, in memory, 2 slots');
  const measured: Measurement[][] = [];
  for (const symbols of [10, 1_000, 100_000]) {
    const variant = { ...w1, symbols };
    const trades = sharedTrades(variant, BATCH_ROWS);
    const name = `${symbols.toLocaleString('en-US')} symbols`;
    await withExpected(variant, async (connection) => {
      const [{ bars }] = (await queryRows(connection, 'select count(*) as bars from scores')) as [
        { bars: string },
      ];
      measured.push(
        await measure(
          report,
          [
            {
              ...duckdbContender(connection, 'tuned', 2),
              name: `${name}, ${Number(bars).toLocaleString('en-US')} bars: duckdb tuned`,
            },
            await engineContender(`${name}: tidemark`, trades, { slots: 2, lanes: 1 }),
          ],
          { repetitions: Math.min(3, repetitions), amount: w1.rows, unit: 'trades' },
        ),
      );
    });
  }
  const [few, , many] = measured as [Measurement[], Measurement[], Measurement[]];
  report.ratio('cost of a trade, tidemark', speedup(few[1]!, many[1]!), {
    comparison: 'at most',
    value: 2,
  });
  report.ratio('cost of a trade, DuckDB', speedup(few[0]!, many[0]!));
}

/** From few symbols to many, with windows so long that there are as many bars of as many trades. */
async function moreSymbolsSameBars(options: BenchOptions, w1: W1): Promise<void> {
  const { report, repetitions } = options;
  report.section('From 10 to 100,000 symbols, as many bars each time, in memory, 2 slots');
  const variants = [
    [10, '10ms'],
    [1_000, '1s'],
    [100_000, '100s'],
  ] as const;
  const contenders = await Promise.all(
    variants.map(([symbols, windowSize]) =>
      engineContender(
        `${symbols.toLocaleString('en-US')} symbols, bars of ${windowSize}`,
        sharedTrades({ ...w1, symbols }, BATCH_ROWS),
        { slots: 2, lanes: 1 },
        windowSize,
      ),
    ),
  );
  const measured = await measure(report, contenders, {
    repetitions: Math.min(3, repetitions),
    amount: w1.rows,
    unit: 'trades',
  });
  report.ratio('cost of a trade', speedup(measured[0]!, measured.at(-1)!), {
    comparison: 'at most',
    value: 2,
  });
}

function mebibytes({ peakBytes = 0 }: Measurement): number {
  return peakBytes / 2 ** 20;
}
