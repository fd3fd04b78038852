/**
 * Rows as plain values, for tests: the tables of `OperatorExample`, and a comparison of rows that
 * says readably what differs.
 *
 *     event_time | symbol | price | venue:string
 *     09:30:00   | AAPL   | 100   | XNAS
 *     09:30:00.5 | AAPL   |       | "XNYS"
 */

import type { ColumnSchema, ColumnType, Schema } from '../contract/schema.ts';
import { formatTime, parseIsoTime } from '../contract/time.ts';

export type Value = number | bigint | string | boolean | null;
/** Timestamps and int64 are bigint (an input may use number); null stands for every null. */
export type Row = Record<string, Value>;

/** The day of a time without a date in a table. */
export const EXAMPLE_DAY = '2024-01-02';

const TYPES: readonly ColumnType[] = ['float64', 'int64', 'timestamp', 'string', 'boolean'];
const BARE_TIME = /^\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/;

export interface Table {
  readonly columns: readonly ColumnSchema[];
  readonly rows: readonly Row[];
}

/**
 * Parses a table. The type of a column is the one in its header, else the one that `schema` gives
 * the name, else timestamp for `event_time`, string for `symbol` and float64 for all others.
 */
export function parseTable(text: string, schema?: Schema): Table {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [header, ...body] = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  if (header === undefined) return { columns: [], rows: [] };
  const columns = header.map((cell) => parseHeader(cell, schema));
  const rows = body.map((cells, index) => {
    if (cells.length !== columns.length) {
      const found = `${counted(cells.length, 'cell')}, expected ${columns.length}`;
      throw new TypeError(`row ${index + 1} has ${found}: ${cells.join(' | ')}`);
    }
    return Object.fromEntries(
      columns.map((column, i) => [column.name, parseCell(cells[i]!, column)]),
    );
  });
  return { columns, rows };
}

/** The schema of an example's input: time is `event_time` or the first timestamp, key `symbol`. */
export function schemaOfTable(table: Table): Schema {
  const times = table.columns.filter((column) => column.type === 'timestamp');
  const time = times.find((column) => column.name === 'event_time') ?? times[0];
  const key = table.columns.find((column) => column.name === 'symbol');
  if (time === undefined) throw new TypeError('the table has no timestamp column');
  if (key === undefined) throw new TypeError('the table has no column symbol');
  return { columns: table.columns, time: time.name, key: key.name };
}

function parseHeader(cell: string, schema: Schema | undefined): ColumnSchema {
  const [name, type] = cell.split(':').map((part) => part.trim()) as [string, string | undefined];
  if (type !== undefined) {
    if (!TYPES.includes(type as ColumnType)) throw new TypeError(`no column type: ${type}`);
    return { name, type: type as ColumnType };
  }
  const known = schema?.columns.find((column) => column.name === name);
  if (known !== undefined) return known;
  if (name === 'event_time') return { name, type: 'timestamp' };
  return { name, type: name === 'symbol' ? 'string' : 'float64' };
}

function parseCell(cell: string, { name, type }: ColumnSchema): Value {
  if (cell === '') return null;
  switch (type) {
    case 'float64': {
      const value = Number(cell);
      if (Number.isNaN(value)) throw new TypeError(`${name}: not a number: ${cell}`);
      return value;
    }
    case 'int64':
      return BigInt(cell);
    case 'timestamp': {
      const time = parseIsoTime(BARE_TIME.test(cell) ? `${EXAMPLE_DAY}T${cell}Z` : cell);
      if (time === undefined) throw new TypeError(`${name}: not a time: ${cell}`);
      return time;
    }
    case 'boolean':
      if (cell !== 'true' && cell !== 'false')
        throw new TypeError(`${name}: not a boolean: ${cell}`);
      return cell === 'true';
    case 'string':
      return /^".*"$/.test(cell) ? cell.slice(1, -1) : cell;
  }
}

/** The table of some rows, aligned; the columns are those of the schema or of the first row. */
export function formatTable(rows: readonly Row[], schema?: Schema): string {
  const names = schema?.columns.map((column) => column.name) ?? Object.keys(rows[0] ?? {});
  const times = new Set(
    (schema?.columns ?? []).filter((column) => column.type === 'timestamp').map((c) => c.name),
  );
  const cells = [
    names,
    ...rows.map((row) => names.map((name) => format(row[name], times.has(name)))),
  ];
  const widths = names.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  return cells
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n');
}

function format(value: Value | undefined, isTime: boolean): string {
  if (value === null || value === undefined) return '';
  const looksLikeTime = typeof value === 'bigint' && value > 10n ** 17n && value < 10n ** 19n;
  if ((isTime || looksLikeTime) && typeof value === 'bigint') {
    const time = formatTime(value);
    return time.startsWith(EXAMPLE_DAY) ? time.slice(EXAMPLE_DAY.length + 1, -1) : time;
  }
  if (value === '') return '""';
  return Object.is(value, -0) ? '-0' : String(value);
}

export interface Comparison {
  /** Bit for bit, instead of nearly. */
  readonly isExact?: boolean;
  /**
   * What numbers may differ by, relative to the larger; 1e-9 by default. The rounding of the
   * largest number of the row is always allowed: a mean near zero of prices that are not is made of
   * nothing else.
   */
  readonly tolerance?: number;
  /** Rows must also be in this order. */
  readonly isOrdered?: boolean;
}

/**
 * What differs between two sets of rows, in the columns of the expected rows (all columns where
 * exact), or undefined where nothing does.
 */
export function diffRows(
  actual: readonly Row[],
  expected: readonly Row[],
  comparison: Comparison = {},
): string | undefined {
  const isExact = comparison.isExact ?? false;
  const tolerance = comparison.tolerance ?? 1e-9;
  const names = columnNames(isExact ? [...expected, ...actual] : expected);
  const left = comparison.isOrdered ? [...actual] : sorted(actual, names);
  const right = comparison.isOrdered ? [...expected] : sorted(expected, names);
  const matches = (a: Row, b: Row): boolean => {
    const rounding = isExact ? 0 : roundingOf(b);
    return names.every((name) => {
      const [own, other] = [a[name] ?? null, b[name] ?? null];
      return isExact ? sameExactly(own, other) : sameNearly(own, other, tolerance, rounding);
    });
  };
  const isPaired =
    left.length === right.length && left.every((row, index) => matches(row, right[index]!));
  if (isPaired) return undefined;
  const missing: Row[] = [];
  // Rounding may sort near rows differently, so what is left over is matched one by one.
  const surplus = new Set(left);
  const byExactKey = groupBy(left, (row) => exactKey(row, names));
  for (const row of right) {
    const candidates = byExactKey.get(exactKey(row, names)) ?? [];
    const match = candidates.find((candidate) => surplus.has(candidate) && matches(candidate, row));
    if (match === undefined) missing.push(row);
    else surplus.delete(match);
  }
  if (missing.length === 0 && surplus.size === 0 && !comparison.isOrdered) return undefined;
  if (missing.length === 0 && surplus.size === 0) return 'the same rows in another order';
  return describe(missing, [...surplus], names, right.length, left.length);
}

/** @throws {RowsDifferError} With the difference, if there is one. */
export function assertSameRows(
  actual: readonly Row[],
  expected: readonly Row[],
  comparison: Comparison & { readonly message?: string } = {},
): void {
  const difference = diffRows(actual, expected, comparison);
  if (difference === undefined) return;
  throw new RowsDifferError(`${comparison.message ?? 'rows differ'}\n${difference}`);
}

export class RowsDifferError extends Error {
  override readonly name: string = 'RowsDifferError';
}

function columnNames(rows: readonly Row[]): readonly string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

function sameExactly(a: Value, b: Value): boolean {
  return Object.is(a, b);
}

/** A few units in the last place of the largest number of the row. */
function roundingOf(row: Row): number {
  let largest = 0;
  for (const value of Object.values(row)) {
    if (typeof value === 'number' && Number.isFinite(value)) {
      largest = Math.max(largest, Math.abs(value));
    }
  }
  return largest * 8 * Number.EPSILON;
}

/** Relative, also between number and bigint; nothing is near a null. */
function sameNearly(a: Value, b: Value, tolerance: number, rounding: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a === 'number' && typeof b === 'number') {
    return Math.abs(a - b) <= rounding + tolerance * Math.max(Math.abs(a), Math.abs(b));
  }
  if (typeof a === 'bigint' && typeof b === 'number') return a === safeBigInt(b);
  if (typeof a === 'number' && typeof b === 'bigint') return b === safeBigInt(a);
  return false;
}

function safeBigInt(value: number): bigint | undefined {
  return Number.isInteger(value) ? BigInt(value) : undefined;
}

/** Everything of a row but its floating point values. */
function exactKey(row: Row, names: readonly string[]): string {
  return names
    .map((name) => row[name] ?? null)
    .filter((value) => typeof value !== 'number' && value !== null && typeof value !== 'bigint')
    .map(String)
    .join('\u0000');
}

function sorted(rows: readonly Row[], names: readonly string[]): Row[] {
  return [...rows].sort((a, b) => {
    for (const isFloat of [false, true]) {
      for (const name of names) {
        const x = a[name] ?? null;
        const y = b[name] ?? null;
        if ((typeof x === 'number' || typeof y === 'number') !== isFloat) continue;
        const order = compareValues(x, y);
        if (order !== 0) return order;
      }
    }
    return 0;
  });
}

function compareValues(a: Value, b: Value): number {
  if (Object.is(a, b)) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : Object.is(a, -0) ? -1 : 1;
  return Number(a) - Number(b);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

const SHOWN_MAX = 10;

function describe(
  missing: readonly Row[],
  surplus: readonly Row[],
  names: readonly string[],
  expectedCount: number,
  actualCount: number,
): string {
  const pick = (row: Row): Row =>
    Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
  const shown = (rows: readonly Row[]): string =>
    rows.length === 0
      ? '  none'
      : formatTable(rows.slice(0, SHOWN_MAX).map(pick)).replace(/^/gm, '  ');
  return [
    expectedCount === actualCount
      ? `expected ${counted(expectedCount, 'row')}, got as many, but not the same`
      : `expected ${counted(expectedCount, 'row')}, got ${actualCount}`,
    `missing (${missing.length}):`,
    shown(missing),
    `not expected (${surplus.length}):`,
    shown(surplus),
  ].join('\n');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
