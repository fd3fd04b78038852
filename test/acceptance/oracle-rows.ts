/** Rows of expected values and of what a pipeline wrote, and what differs between them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { oracle } from './command.ts';

const RELATIVE = 1e-9;
const TIMES = ['window_start', 'event_time'];

export type Row = Readonly<Record<string, number | string | null>>;

/** Rows of a CSV file without quotes; cells that are numbers as numbers, empty ones as nulls. */
export function readOracle(name: string): Row[] {
  const [header, ...lines] = readFileSync(oracle(name), 'utf8').trimEnd().split(/\r?\n/);
  const names = header!.split(',');
  return lines.map((line) => {
    const cells = line.split(',').map((text) => {
      if (text === '') return null;
      return Number.isNaN(Number(text)) ? text : Number(text);
    });
    return Object.fromEntries(names.map((column, index) => [column, cells[index] ?? null]));
  });
}

/** Rows of a folder of Parquet files, read by DuckDB; times as texts, in full seconds. */
export async function readOutput(path: string, columns: readonly string[]): Promise<Row[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  try {
    const selected = columns.map((name) =>
      TIMES.includes(name) ? `strftime(${name}, '%Y-%m-%dT%H:%M:%SZ') as ${name}` : name,
    );
    const reader = await connection.runAndReadAll(
      `select ${selected.join(', ')} from read_parquet('${path}/**/*.parquet')`,
    );
    return reader.getRowObjectsJS().map((row) => {
      const cells = Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'bigint' ? Number(value) : value,
      ]);
      return Object.fromEntries(cells) as Row;
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Both sides by key, each key once; then cell by cell. Returns the cells that differ. */
export function differences(
  found: readonly Row[],
  expected: readonly Row[],
  keys: readonly string[],
): Difference[] {
  const keyOf = (row: Row): string => keys.map((key) => row[key]).join(' ');
  const byKey = new Map(found.map((row) => [keyOf(row), row]));
  assert.equal(byKey.size, found.length, 'a key more than once');
  assert.deepEqual([...byKey.keys()].sort(), expected.map(keyOf).sort());
  return expected.flatMap((row) =>
    Object.entries(row).flatMap(([column, wanted]) => {
      const own = byKey.get(keyOf(row))![column] ?? null;
      return isSame(own, wanted) ? [] : [{ key: keyOf(row), column, found: own, wanted }];
    }),
  );
}

export interface Difference {
  readonly key: string;
  readonly column: string;
  readonly found: Row[string];
  readonly wanted: Row[string];
}

export function isSame(found: Row[string], expected: Row[string], relative = RELATIVE): boolean {
  if (typeof found !== 'number' || typeof expected !== 'number') return found === expected;
  return Math.abs(found - expected) <= relative * Math.max(Math.abs(found), Math.abs(expected));
}
