/**
 * For tests of sinks: rows as plain arrays, as column batches, and as DuckDB reads them back.
 *
 * A cell is a number, bigint (int64, and timestamps in nanoseconds), text, boolean or null.
 */

import { DuckDBInstance } from '@duckdb/node-api';
import type { ColumnBatch, ColumnVector } from '../../engine/contract/batch.ts';
import type { SinkDataset } from '../../engine/contract/connector.ts';
import {
  BOOLEAN_NULL,
  type ColumnType,
  INT64_NULL,
  type Schema,
  STRING_NULL,
} from '../../engine/contract/schema.ts';

export type Cell = number | bigint | string | boolean | null;
export type Row = readonly Cell[];

export function columnBatch(schema: Schema, rows: readonly Row[]): ColumnBatch {
  const columns = schema.columns.map(({ type }, index) =>
    columnVector(
      type,
      rows.map((row) => row[index]!),
    ),
  );
  return { rowCount: rows.length, columns };
}

function columnVector(type: ColumnType, cells: readonly Cell[]): ColumnVector {
  switch (type) {
    case 'float64':
      return { type, values: Float64Array.from(cells, (cell) => (cell as number | null) ?? NaN) };
    case 'int64':
    case 'timestamp': {
      const values = BigInt64Array.from(cells, (cell) => (cell as bigint | null) ?? INT64_NULL);
      return { type, values };
    }
    case 'boolean': {
      const values = Uint8Array.from(cells, (cell) =>
        cell === null ? BOOLEAN_NULL : Number(cell),
      );
      return { type, values };
    }
    case 'string': {
      // An unused entry at the front: codes are no row numbers.
      const dictionary = ['unused', ...new Set(cells.filter((cell) => cell !== null))] as string[];
      const codes = Uint32Array.from(cells, (cell) =>
        cell === null ? STRING_NULL : dictionary.indexOf(cell as string, 1),
      );
      return { type, codes, dictionary };
    }
  }
}

const SQL_TYPES: Readonly<Record<ColumnType | 'date', string>> = {
  float64: 'DOUBLE',
  int64: 'BIGINT',
  timestamp: 'TIMESTAMP_NS',
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  date: 'DATE',
};

/** Runs one query; times come back as TIMESTAMP_NS values unless the query says `epoch_ns`. */
export async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The rows of a dataset in the order of the schema, sorted as texts; `date` columns last. */
export async function readBack(dataset: SinkDataset, schema: Schema): Promise<Row[]> {
  const partitions = dataset.partitions.map(({ name, type }) => `'${name}': ${SQL_TYPES[type]}`);
  const hive =
    partitions.length === 0
      ? 'hive_partitioning = false'
      : `hive_partitioning = true, hive_types = {${partitions.join(', ')}}`;
  const types = dataset.columns.map(({ name, type }) => `'${name}': '${SQL_TYPES[type]}'`);
  const columns = `columns = {${types.join(', ')}}`;
  const readers = {
    parquet: `read_parquet('${dataset.glob}', union_by_name = true, ${hive})`,
    ndjson: `read_json('${dataset.glob}', format = 'newline_delimited', ${columns})`,
    csv:
      `read_csv('${dataset.glob}', auto_detect = false, header = true, delim = ',', quote = '"', ` +
      `escape = '"', allow_quoted_nulls = false, ${columns})`,
  };
  const wanted = schema.columns.map(({ name, type }) =>
    type === 'timestamp' ? `epoch_ns("${name}")` : `"${name}"`,
  );
  const dates = dataset.partitions.filter(({ type }) => type === 'date');
  const selected = [...wanted, ...dates.map(({ name }) => `"${name}"::VARCHAR`)].join(', ');
  const rows = await query(`SELECT ${selected} FROM ${readers[dataset.format]}`);
  return sortRows(rows as Row[]);
}

/** Sorted as texts: sinks and readers need not keep the order of rows. */
export function sortRows(rows: readonly Row[]): Row[] {
  const key = (row: Row): string => row.map((cell) => cellText(cell)).join('\u0001');
  return rows
    .map((row) => ({ row, key: key(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row);
}

function cellText(cell: Cell): string {
  return Object.is(cell, -0) ? '-0' : `${typeof cell} ${String(cell)}`;
}
