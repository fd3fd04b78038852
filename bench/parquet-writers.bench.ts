/**
 * Bars as typed arrays to a Parquet file: rows a second, bytes a row, and what comes back.
 *
 * Why parquet-wasm and not parquetjs-lite: every file is read by DuckDB and compared with what went
 * in, and the report says how many values of INT64 are not the ones written.
 */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { parquet } from '../connectors/parquet/parquet-sink.ts';
import type { ColumnBatch } from '../engine/contract/batch.ts';
import type { SinkContext } from '../engine/contract/connector.ts';
import { z } from '../engine/contract/fields.ts';
import { withFolder } from './harness/bench-folder.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  type Measurement,
  measure,
} from './harness/benchmark.ts';
import { BAR_SCHEMA, barBatches } from './workloads/bars.ts';
import {
  appendBars,
  barsQuery,
  writeWithDuckDB,
  writeWithHyparquet,
  writeWithParquetjs,
} from './workloads/parquet-peers.ts';

const CONTEXT: SinkContext = { sink: 'bars', pipeline: 'bench', schema: BAR_SCHEMA };

/** A contender, and how the check finds its file. */
interface Writer extends Contender<string> {
  readonly batches: readonly ColumnBatch[];
}

export const benchmark: Benchmark = {
  name: 'parquet-writers',
  question: 'How fast do writers turn bars into Parquet, and does every value come back?',
  async run(options) {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    try {
      await withFolder((folder) => compare(options, folder, connection));
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  },
};

async function compare(
  options: BenchOptions,
  folder: string,
  connection: DuckDBConnection,
): Promise<void> {
  const { report, repetitions } = options;
  const rows = options.quick ? 20_000 : 1_000_000;
  // It takes a second for 40,000 rows.
  const slowRows = options.quick ? 2_000 : 50_000;
  report.section(`${rows.toLocaleString('en-US')} bars of ${BAR_SCHEMA.columns.length} columns`);
  const batches = barBatches(rows);
  const writers: Writer[] = [
    sinkWriter(folder, batches, 'zstd'),
    sinkWriter(folder, batches, 'snappy'),
    duckdbWriter(folder, batches, connection, 'zstd'),
    duckdbWriter(folder, batches, connection, 'snappy'),
    {
      name: 'hyparquet-writer, snappy',
      batches,
      run: () => {
        const path = join(folder, 'hyparquet.parquet');
        writeWithHyparquet(batches, path);
        return path;
      },
    },
    parquetjsWriter(folder, barBatches(slowRows), slowRows),
  ];
  const measured = await measure(report, writers, { repetitions, amount: rows, unit: 'rows' });
  const [, snappy, , duckdb, hyparquet, parquetjs] = measured as Measurement[];
  report.against('tidemark to DuckDB, snappy', snappy!, duckdb!);
  report.against('tidemark to hyparquet-writer, snappy', snappy!, hyparquet!);
  report.against('tidemark to parquetjs-lite, snappy', snappy!, parquetjs!);
  for (const writer of writers) await reportFile(options, connection, writer);
}

/** The sink as the engine runs it, up to the commit. */
function sinkWriter(
  folder: string,
  batches: readonly ColumnBatch[],
  compression: 'zstd' | 'snappy',
): Writer {
  const path = join(folder, `tidemark-${compression}`);
  const config = z.strictObject(parquet.fields).parse({ path, compression });
  return {
    name: `tidemark (parquet-wasm), ${compression}`,
    batches,
    run: async () => {
      const writer = await parquet.open(config, CONTEXT);
      for (const batch of batches) await writer.write(batch);
      const { committables } = await writer.prepareCommit(0, true);
      await parquet.commit(config, committables, CONTEXT);
      await writer.close();
      return String(committables[0]!['target']);
    },
  };
}

function duckdbWriter(
  folder: string,
  batches: readonly ColumnBatch[],
  connection: DuckDBConnection,
  compression: 'zstd' | 'snappy',
): Writer {
  return {
    name: `duckdb appender and COPY, ${compression}`,
    batches,
    run: async () => {
      const path = join(folder, `duckdb-${compression}.parquet`);
      await writeWithDuckDB(connection, batches, path, compression);
      return path;
    },
  };
}

function parquetjsWriter(folder: string, batches: readonly ColumnBatch[], rows: number): Writer {
  return {
    name: 'parquetjs-lite, snappy',
    batches,
    amount: rows,
    run: async () => {
      const path = join(folder, 'parquetjs.parquet');
      await writeWithParquetjs(batches, path);
      return path;
    },
  };
}

/** Size of the file, and how many of its values differ from what was written. */
async function reportFile(
  { report }: BenchOptions,
  connection: DuckDBConnection,
  { name, batches, run }: Writer,
): Promise<void> {
  const path = await run();
  await appendBars(connection, 'written', batches);
  const differences = BAR_SCHEMA.columns.map(
    (column) =>
      `count(*) FILTER (w.${column.name} IS DISTINCT FROM r.${column.name}) AS ${column.name}`,
  );
  const reader = await connection.runAndReadAll(
    `SELECT count(*) AS rows, ${differences.join(', ')}
     FROM (SELECT *, row_number() OVER () AS n FROM (${barsQuery('written')})) w
     FULL JOIN (SELECT *, row_number() OVER () AS n FROM '${path}') r USING (n)`,
  );
  const { rows, ...wrong } = reader.getRowObjects()[0] as Record<string, bigint>;
  const columns = Object.entries(wrong).filter(([, count]) => count > 0n);
  const verdict =
    columns.length === 0
      ? 'every value came back'
      : columns
          .map(([column, count]) => `${count} of ${rows} values of ${column} WRONG`)
          .join(', ');
  const bytes = statSync(path).size / Number(rows);
  report.note(`${name}: ${bytes.toFixed(1)} bytes a row, ${verdict}`);
}
