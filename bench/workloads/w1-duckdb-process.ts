/**
 * W1 from Parquet to Parquet with DuckDB, as a process of its own:
 *
 *     node w1-duckdb-process.js THREADS FORM INPUT FOLDER
 *
 * Prints the seconds that the SQL alone took.
 */

import type { SqlForm } from './w1-duckdb.ts';
import { runParquet, withDuckDB } from './w1-duckdb.ts';

const [threads, form, input, folder] = process.argv.slice(2);

await withDuckDB(Number(threads), async (connection) => {
  const start = performance.now();
  await runParquet(connection, form as SqlForm, input!, folder!);
  process.stdout.write(`${(performance.now() - start) / 1000}\n`);
});
