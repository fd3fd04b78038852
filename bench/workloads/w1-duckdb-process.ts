/**
 * W1 with DuckDB into Parquet, as a process of its own, from Parquet or from csv.gz files of real
 * trades into bars of five minutes:
 *
 *     node w1-duckdb-process.js THREADS FORM INPUT FOLDER
 *
 * Prints the seconds that the SQL alone took.
 */

import type { SqlForm } from './w1-duckdb.ts';
import { runParquet, withDuckDB } from './w1-duckdb.ts';
import { EQUITY_BARS, equitiesRelation } from './equities.ts';

const [threads, form, input, folder] = process.argv.slice(2) as [string, SqlForm, string, string];
const isCsv = input.endsWith('.csv.gz');

await withDuckDB(Number(threads), async (connection) => {
  const start = performance.now();
  const trades = isCsv ? equitiesRelation(input) : `read_parquet('${input}')`;
  await runParquet(connection, form, trades, folder, isCsv ? EQUITY_BARS : {});
  process.stdout.write(`${(performance.now() - start) / 1000}\n`);
});
