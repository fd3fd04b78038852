/** Those who run W1, as contenders; what they must all give is a database of DuckDB's results. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { benchFolder } from '../harness/bench-folder.ts';
import type { BenchOptions, Contender, Point } from '../harness/benchmark.ts';
import { type ProcessRun, runProcess } from '../harness/run-process.ts';
import { type SharedTrades, tradeVectors } from './memory-source.ts';
import type { W1 } from './w1.ts';
import { assertSameResult, createScoresTable, type Result } from './w1-compare.ts';
import { anomaliesSql, queryRows, runInMemory, type SqlForm, withDuckDB } from './w1-duckdb.ts';
import { planW1, runEngine, W1_PIPELINE } from './w1-engine.ts';
import { createTradesTable } from './w1-files.ts';
import { runJavaScript, type Scores } from './w1-javascript.ts';

export const BATCH_ROWS = 65_536;
const EXPECTED: Result = { scores: 'scores', anomalies: 'anomalies' };
const CLI = new URL('../../cli/main.js', import.meta.url);
const DUCKDB_PROCESS = new URL('./w1-duckdb-process.js', import.meta.url);
const POLARS_PROCESS = new URL('./w1-polars-process.js', import.meta.url);

/** A database whose tables `scores` and `anomalies` hold what W1 gives. */
export async function withExpected(
  w1: W1,
  use: (connection: DuckDBConnection) => Promise<void>,
): Promise<void> {
  await withDuckDB(2, async (connection) => {
    await createTradesTable(connection, w1);
    await runInMemory(connection, 'idiomatic');
    await use(connection);
  });
}

/** @throws {Error} Where the files hold other rows than DuckDB's tables. */
export async function assertWritten(
  { report }: BenchOptions,
  connection: DuckDBConnection,
  name: string,
  folder: string,
  [scores, anomalies]: readonly [string, string],
): Promise<void> {
  const same = await assertSameResult(connection, name, EXPECTED, {
    scores: `read_parquet('${folder}/${scores}')`,
    anomalies: `read_parquet('${folder}/${anomalies}')`,
  });
  report.note(`${name}: the same ${same.bars} bars and ${same.anomalies} anomalies`);
}

interface EngineOptions {
  /** 0 runs all on one thread. */
  readonly slots: number;
  readonly lanes?: number;
  readonly windowSize?: string;
  readonly point?: Point;
}

/** The engine over trades in memory; the seconds are those from the first poll to the commit. */
export async function engineContender(
  name: string,
  trades: SharedTrades,
  { slots, lanes = 1, windowSize, point }: EngineOptions,
): Promise<Contender<{ seconds: number }>> {
  const plan = await planW1('unused.parquet', benchFolder(), windowSize);
  return {
    name,
    amount: trades.rows,
    ...(point === undefined ? {} : { point }),
    run: () => runEngine(plan, trades, { slots, lanes, writes: false }),
    usage: ({ seconds }) => ({ seconds }),
  };
}

export function duckdbContender(
  connection: DuckDBConnection,
  form: SqlForm,
  threads: number,
): Contender {
  return {
    name: `duckdb ${form}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    prepare: async () => {
      await connection.run(`set threads = ${threads}`);
    },
    run: () => runInMemory(connection, form),
  };
}

export function javascriptContender(
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
    name: 'plain JavaScript, one thread',
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

/**
 * nodejs-polars in a process of its own, timed from a table in memory to a table in memory.
 *
 * @returns None where it does not run here or gives something else; the report says which.
 */
export async function polarsContenders(
  options: BenchOptions,
  expected: DuckDBConnection,
  input: string,
  folder: string,
): Promise<Contender<ProcessRun>[]> {
  const contenders = (options.quick ? [2] : [1, 2]).map(
    (threads): Contender<ProcessRun> => ({
      name: `nodejs-polars, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      run: () =>
        runProcess(POLARS_PROCESS, [input, folder], {
          environment: { POLARS_MAX_THREADS: String(threads) },
        }),
      usage: ({ stdout }) => JSON.parse(stdout) as { seconds: number; cpuSeconds: number },
    }),
  );
  try {
    await contenders.at(-1)!.run();
    await comparePolars(options, expected, folder);
    return contenders;
  } catch (error) {
    options.report.note(`nodejs-polars: left out: ${(error as Error).message}`);
    return [];
  }
}

/**
 * Its rolling deviation of equal values is not always exactly zero, so that it scores rows that
 * have no score: these are counted, and the comparison is about all others.
 */
async function comparePolars(
  { report }: BenchOptions,
  expected: DuckDBConnection,
  folder: string,
): Promise<void> {
  const scored = (column: string): string =>
    `if(e.${column} is null, null, a.${column}) as ${column}`;
  const joined = `from read_parquet('${folder}/scores.parquet') a
    join scores e using (symbol, window_start)`;
  const scores = `(select a.* replace (${scored('z_return')}, ${scored('z_volume')}) ${joined})`;
  const anomalies = `(select a.* from read_parquet('${folder}/anomalies.parquet') a
    join scores e using (symbol, window_start)
    where if(a.type = 'price_spike', e.z_return, e.z_volume) is not null)`;
  const same = await assertSameResult(expected, 'nodejs-polars', EXPECTED, { scores, anomalies });
  const extra = ['z_return', 'z_volume'].map(
    (column) => `count(*) filter (e.${column} is null and a.${column} is not null)`,
  );
  const [row] = await queryRows(expected, `select ${extra.join(' + ')} as extra ${joined}`);
  report.note(
    `nodejs-polars: the same ${same.bars} bars and ${same.anomalies} anomalies, ` +
      `but ${String(row!['extra'])} scores over equal values, which have none`,
  );
}

/** `tidemark run` as a process, from Parquet to Parquet. */
export function cliContender(
  name: string,
  w1: W1,
  input: string,
  folder: string,
  point?: Point,
): Contender<ProcessRun> {
  const output = join(folder, `cli-${w1.rows}-${w1.symbols}`);
  return {
    name,
    amount: w1.rows,
    ...(point === undefined ? {} : { point }),
    prepare: () => rmSync(output, { recursive: true, force: true }),
    run: () =>
      runProcess(CLI, ['run', W1_PIPELINE], {
        environment: { TRADES: input, OUTPUT: output },
        directory: folder,
      }),
    usage: ({ seconds, cpuSeconds, peakBytes }) => ({ seconds, cpuSeconds, peakBytes }),
  };
}

/** DuckDB as a process, from Parquet to Parquet; `alone` counts the SQL only, not the process. */
export function duckdbProcess(
  name: string,
  form: SqlForm,
  { input, folder, alone }: { input: string; folder: string; alone: boolean },
): Contender<ProcessRun> {
  return {
    name,
    run: () => runProcess(DUCKDB_PROCESS, ['2', form, input, folder]),
    usage: ({ seconds, cpuSeconds, peakBytes, stdout }) => ({
      seconds: alone ? Number(stdout) : seconds,
      cpuSeconds,
      peakBytes,
    }),
  };
}
