/** Other ways to write bars as Parquet, each as its own documentation would have it. */

import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  ENUM,
  type DuckDBType,
} from '@duckdb/node-api';
import { parquetWriteFile } from 'hyparquet-writer';
import parquetjs from 'parquetjs-lite';
import type { ColumnBatch, ColumnVector } from '../../engine/contract/batch.ts';
import { BAR_SCHEMA } from './bars.ts';

const ROW_GROUP_ROWS = 122_880;
/** Rows of a DuckDB vector. */
const VECTOR_ROWS = 2048;

/** Typed arrays into an appender, a vector at a time, and from the table to a file with COPY. */
export async function writeWithDuckDB(
  connection: DuckDBConnection,
  batches: readonly ColumnBatch[],
  path: string,
  compression: 'zstd' | 'snappy',
): Promise<void> {
  await appendBars(connection, 'bars', batches);
  await connection.run(
    `COPY (${barsQuery('bars')}) TO '${path}' ` +
      `(FORMAT parquet, COMPRESSION ${compression}, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`,
  );
}

/** Creates the table and fills it; times are BIGINT in it. */
export async function appendBars(
  connection: DuckDBConnection,
  table: string,
  batches: readonly ColumnBatch[],
): Promise<void> {
  const texts = (batches[0]!.columns[0] as { dictionary: readonly string[] }).dictionary;
  const types = BAR_SCHEMA.columns.map(({ type }): DuckDBType => {
    if (type === 'string') return ENUM(texts);
    return type === 'float64' ? DOUBLE : BIGINT;
  });
  const columns = BAR_SCHEMA.columns.map(({ name }, index) => `${name} ${String(types[index])}`);
  await connection.run(`CREATE OR REPLACE TABLE ${table} (${columns.join(', ')})`);
  const appender = await connection.createAppender(table);
  for (const batch of batches) {
    for (let from = 0; from < batch.rowCount; from += VECTOR_ROWS) {
      const rows = Math.min(VECTOR_ROWS, batch.rowCount - from);
      const chunk = DuckDBDataChunk.create(types, rows);
      for (const [index, column] of batch.columns.entries()) {
        fillVector(chunk, index, column, from, rows);
      }
      appender.appendDataChunk(chunk);
    }
  }
  appender.closeSync();
}

function fillVector(
  chunk: DuckDBDataChunk,
  index: number,
  column: ColumnVector,
  from: number,
  rows: number,
): void {
  const vector = chunk.getColumnVector(index);
  // A vector keeps its values in a typed array, which `setItem` would fill one by one.
  const { items } = vector as unknown as { items: Float64Array };
  const values = column.type === 'string' ? column.codes : column.values;
  items.set(values.subarray(from, from + rows) as never);
  if (column.type === 'float64') {
    for (let row = 0; row < rows; row++) {
      if (Number.isNaN(column.values[from + row]!)) vector.setItem(row, null);
    }
  }
  vector.flush();
}

/** The bars of a table that `appendBars` made, with their types. */
export function barsQuery(table: string): string {
  const columns = BAR_SCHEMA.columns.map(({ name, type }) => {
    if (type === 'timestamp') return `make_timestamp_ns(${name}) AS ${name}`;
    return type === 'string' ? `${name}::VARCHAR AS ${name}` : name;
  });
  return `SELECT ${columns.join(', ')} FROM ${table}`;
}

/** All rows at once, as whole columns: its file writer streams bytes, not rows. */
export function writeWithHyparquet(batches: readonly ColumnBatch[], path: string): void {
  parquetWriteFile({
    filename: path,
    rowGroupSize: ROW_GROUP_ROWS,
    schema: [
      { name: 'root', num_children: BAR_SCHEMA.columns.length },
      ...BAR_SCHEMA.columns.map(({ name, type }) => ({
        name,
        repetition_type: 'OPTIONAL' as const,
        ...HYPARQUET_TYPES[type as keyof typeof HYPARQUET_TYPES],
      })),
    ],
    columnData: BAR_SCHEMA.columns.map(({ name }, index) => ({
      name,
      data: valuesOf(batches, index),
    })),
  });
}

const HYPARQUET_TYPES = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  timestamp: {
    type: 'INT64',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'NANOS' },
  },
  float64: { type: 'DOUBLE' },
  int64: { type: 'INT64' },
} as const;

/** One column of all batches as JavaScript values, null for NaN. */
function valuesOf(batches: readonly ColumnBatch[], index: number): unknown[] {
  const values: unknown[] = [];
  for (const { columns } of batches) {
    const column = columns[index]!;
    if (column.type === 'string') {
      for (const code of column.codes) values.push(column.dictionary[code]!);
    } else if (column.type === 'float64') {
      for (const value of column.values) values.push(Number.isNaN(value) ? null : value);
    } else {
      for (const value of column.values) values.push(value);
    }
  }
  return values;
}

/** Row objects, as it wants them. It has no nanoseconds: times are microseconds. */
export async function writeWithParquetjs(
  batches: readonly ColumnBatch[],
  path: string,
): Promise<void> {
  const schema = new parquetjs.ParquetSchema(
    Object.fromEntries(
      BAR_SCHEMA.columns.map(({ name, type }) => [
        name,
        {
          type: PARQUETJS_TYPES[type as keyof typeof PARQUETJS_TYPES],
          compression: 'SNAPPY',
          optional: true,
        },
      ]),
    ),
  );
  const writer = await parquetjs.ParquetWriter.openFile(schema, path);
  writer.setRowGroupSize(ROW_GROUP_ROWS);
  for (const batch of batches) {
    for (let row = 0; row < batch.rowCount; row++) await writer.appendRow(rowObject(batch, row));
  }
  await writer.close();
}

const PARQUETJS_TYPES = {
  string: 'UTF8',
  timestamp: 'TIMESTAMP_MICROS',
  float64: 'DOUBLE',
  int64: 'INT64',
} as const;

function rowObject(batch: ColumnBatch, row: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [index, { name }] of BAR_SCHEMA.columns.entries()) {
    const column = batch.columns[index]!;
    if (column.type === 'string') object[name] = column.dictionary[column.codes[row]!]!;
    else if (column.type === 'timestamp') object[name] = Number(column.values[row]! / 1000n);
    // It throws on NaN.
    else if (column.type === 'float64') object[name] = nullIfNaN(column.values[row]!);
    else object[name] = column.values[row]!;
  }
  return object;
}

function nullIfNaN(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
