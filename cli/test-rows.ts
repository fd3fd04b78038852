/** Rows of test cases to typed rows; what is wrong with them is placed in the file. */

import type { TestRows } from '../config/test-file.ts';
import type { Path, Report } from '../engine/contract/problem.ts';
import { didYouMean } from '../engine/contract/problem.ts';
import type { ColumnSchema, Schema } from '../engine/contract/schema.ts';
import { parseIsoTime } from '../engine/contract/time.ts';
import { show } from '../engine/plan/check-fields.ts';
import { EXAMPLE_DAY, parseTable, type Row, type Value } from '../engine/testing/table.ts';

/** Rows that the case states, with the columns that it states. */
export function readRows(
  given: TestRows,
  { name, schema }: { readonly name: string; readonly schema: Schema },
  path: Path,
  report: Report,
): readonly Row[] {
  if (typeof given !== 'string') {
    return given.map((row, index) => readRow(row, name, schema, [...path, index], report));
  }
  try {
    const { columns, rows } = parseTable(given, schema);
    for (const column of columns) hasColumn(schema, column.name, name, path, report);
    return rows;
  } catch (error) {
    // The parser of tables knows rows and cells, and says which.
    const message = `${name}: ${(error as Error).message}`;
    report({ path, code: 'config/invalid-value', message });
    return [];
  }
}

/** Rows for a source: columns that are not stated are null, but every row has a key and a time. */
export function readInputRows(
  given: TestRows,
  source: { readonly name: string; readonly schema: Schema },
  path: Path,
  report: Report,
): readonly Row[] {
  const { columns, time, key } = source.schema;
  const blank: Row = Object.fromEntries(columns.map((column) => [column.name, null]));
  const rows = readRows(given, source, path, report).map((row) => ({ ...blank, ...row }));
  for (const [index, row] of rows.entries()) {
    const missing = [time, key].find((name) => row[name] === null);
    if (missing === undefined) continue;
    const message = `${source.name}: row ${index + 1} has no ${missing}`;
    report({ path, code: 'config/missing-field', message });
    break;
  }
  return rows;
}

function readRow(
  row: Readonly<Record<string, unknown>>,
  name: string,
  schema: Schema,
  path: Path,
  report: Report,
): Row {
  const values: Row = {};
  for (const [column, given] of Object.entries(row)) {
    const at = [...path, column];
    const type = hasColumn(schema, column, name, at, report);
    if (type === undefined) continue;
    const value = toValue(given, type);
    if (value === undefined) {
      const message = `${column}: expected ${EXPECTED[type.type]}, got ${show(given)}`;
      report({ path: at, code: 'config/invalid-value', message });
    } else {
      values[column] = value;
    }
  }
  return values;
}

function hasColumn(
  schema: Schema,
  column: string,
  name: string,
  path: Path,
  report: Report,
): ColumnSchema | undefined {
  const found = schema.columns.find((candidate) => candidate.name === column);
  if (found !== undefined) return found;
  const names = schema.columns.map((candidate) => candidate.name);
  report({
    path,
    target: typeof path[path.length - 1] === 'string' ? 'key' : 'value',
    code: 'config/unknown-column',
    message: `${name} has no column ${show(column)}`,
    help: didYouMean(column, names) ?? `its columns are ${names.join(', ')}`,
  });
  return undefined;
}

const EXPECTED = {
  float64: 'a number',
  int64: 'a whole number',
  timestamp: 'a time such as 09:30:00.5 or 2024-01-02T09:30:00Z',
  string: 'a text',
  boolean: 'true or false',
} as const;

/** The value as its column holds it; undefined where it is of another kind. */
export function toValue(given: unknown, { type }: ColumnSchema): Value | undefined {
  if (given === null) return null;
  switch (type) {
    case 'float64':
      return typeof given === 'number' ? given : undefined;
    case 'int64':
      return typeof given === 'number' && Number.isSafeInteger(given)
        ? BigInt(given)
        : typeof given === 'string' && /^-?\d{1,19}$/.test(given)
          ? BigInt(given)
          : undefined;
    case 'timestamp': {
      if (typeof given !== 'string') return undefined;
      return parseIsoTime(/^\d\d:\d\d/.test(given) ? `${EXAMPLE_DAY}T${given}Z` : given);
    }
    case 'string':
      return typeof given === 'string' || typeof given === 'number' ? String(given) : undefined;
    case 'boolean':
      return typeof given === 'boolean' ? given : undefined;
  }
}
