/**
 * The built-in checks. Each becomes one query that returns the rows one does not want:
 *
 *   not_null: [columns]                    rows with a null (or NaN) in one of them
 *   unique: [columns]                      values that occur more than once; nulls are not compared
 *   accepted_range: {column, min, max}     rows outside; nulls pass
 *   row_count: {min, max}                  one row if the number of rows is outside
 *   freshness: {column, max_age, now}      one row if the newest time is older, or there is none;
 *                                          the column is the event time unless it says otherwise
 *   monotonic: {column, by}                rows smaller than the one before, in the order of the
 *                                          files and within each group; nulls are passed over
 *   sql: text                              what the statement returns
 *
 * `by` is a column or a list of columns, and may be left out; so may one end of a range.
 */

import type { ViewColumn } from './datasets.ts';
import { identifier, identifiers, literal, numeral, QueryError } from './sql.ts';

export interface CheckQuery {
  readonly sql: string;
  /** True where a user wrote the statement, which is then run as it stands. */
  readonly isUserSql: boolean;
  /** What `failures` rows mean; `first` is the first of them by column name. */
  readonly message: (failures: number, first: CheckRow) => string;
}

/** Texts of one row by column name, null where there is no value. */
export type CheckRow = Readonly<Record<string, string | null>>;

export interface CheckContext {
  /** The dataset that the check is on. */
  readonly dataset: string;
  readonly columns: readonly ViewColumn[];
  /** The event-time column, where the dataset has one. */
  readonly time: string | undefined;
  /** Milliseconds since the epoch, for `freshness` without a `now` of its own. */
  readonly nowMs: number;
}

type Builder = (value: unknown, context: CheckContext) => CheckQuery;

const BUILDERS: Readonly<Record<string, Builder>> = {
  not_null: notNull,
  unique,
  accepted_range: acceptedRange,
  row_count: rowCount,
  freshness,
  monotonic,
  sql: userSql,
};

/** Names of the checks, as the keys of a check in YAML. */
export const CHECK_KINDS: readonly string[] = Object.keys(BUILDERS);

/** @throws {QueryError} Where the check is none, or names a column that the dataset lacks. */
export function checkQuery(
  check: Readonly<Record<string, unknown>>,
  context: CheckContext,
): CheckQuery {
  const kinds = Object.keys(check).filter((key) => check[key] !== undefined);
  const builder = kinds.length === 1 ? BUILDERS[kinds[0]!] : undefined;
  if (builder === undefined) {
    const found = kinds.join(' and ') || 'nothing';
    throw new QueryError(`no check: found ${found}, expected one of ${CHECK_KINDS.join(', ')}`);
  }
  return builder(check[kinds[0]!], context);
}

function notNull(value: unknown, context: CheckContext): CheckQuery {
  const names = columnNames('not_null', value, context);
  const conditions = names.map((name) => {
    const type = columnType(name, context);
    const column = identifier(name);
    // NaN is a null everywhere else in the engine.
    return isFloat(type) ? `${column} IS NULL OR isnan(${column})` : `${column} IS NULL`;
  });
  return {
    sql: `SELECT * FROM ${identifier(context.dataset)} WHERE ${conditions.join(' OR ')}`,
    isUserSql: false,
    message: (failures) => `${rows(failures)} with a null in ${either(names)}`,
  };
}

function unique(value: unknown, context: CheckContext): CheckQuery {
  const names = columnNames('unique', value, context);
  const columns = identifiers(names);
  const present = names.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ');
  const order = [`${names.length + 1} DESC`, ...names.map((_, index) => String(index + 1))];
  return {
    sql:
      `SELECT ${columns}, count(*) AS "rows" FROM ${identifier(context.dataset)} ` +
      `WHERE ${present} GROUP BY ${columns} HAVING count(*) > 1 ORDER BY ${order.join(', ')}`,
    isUserSql: false,
    message: (failures) => {
      const verb = failures === 1 ? 'occurs' : 'occur';
      return `${plural(failures, 'value')} of ${names.join(', ')} ${verb} more than once`;
    },
  };
}

function acceptedRange(value: unknown, context: CheckContext): CheckQuery {
  const { column: name, ...range } = options('accepted_range', value, ['column', 'min', 'max']);
  const [column] = columnNames('accepted_range.column', name, context);
  const min = bound('accepted_range.min', range['min']);
  const max = bound('accepted_range.max', range['max']);
  const conditions = [
    ...(min === undefined ? [] : [`${identifier(column!)} < ${min.sql}`]),
    ...(max === undefined ? [] : [`${identifier(column!)} > ${max.sql}`]),
  ];
  if (conditions.length === 0) throw new QueryError('accepted_range: expected min, max or both');
  return {
    sql: `SELECT * FROM ${identifier(context.dataset)} WHERE ${conditions.join(' OR ')}`,
    isUserSql: false,
    message: (failures) => `${rows(failures)} with ${column} ${outside(min?.text, max?.text)}`,
  };
}

function rowCount(value: unknown, context: CheckContext): CheckQuery {
  const range = options('row_count', value, ['min', 'max']);
  const min = count('row_count.min', range['min']);
  const max = count('row_count.max', range['max']);
  const conditions = [
    ...(min === undefined ? [] : [`count(*) < ${min}`]),
    ...(max === undefined ? [] : [`count(*) > ${max}`]),
  ];
  if (conditions.length === 0) throw new QueryError('row_count: expected min, max or both');
  const wanted =
    min === undefined
      ? `at most ${rows(max!)}`
      : max === undefined
        ? `at least ${rows(min)}`
        : `${group(min)} to ${rows(max)}`;
  return {
    sql:
      `SELECT count(*) AS "rows" FROM ${identifier(context.dataset)} ` +
      `HAVING ${conditions.join(' OR ')}`,
    isUserSql: false,
    message: (failures, first) =>
      failures === 0 ? wanted : `${rows(Number(first['rows']))}, expected ${wanted}`,
  };
}

/** The engine's durations. DuckDB reads them as intervals, once units below its own are rounded. */
const DURATION = /^(?:\d+(?:ns|us|µs|ms|s|m|h|d))+$/;

function freshness(value: unknown, context: CheckContext): CheckQuery {
  const given = options('freshness', value, ['column', 'max_age', 'now']);
  const [column] = columnNames('freshness.column', given['column'] ?? context.time, context);
  const maxAge = given['max_age'];
  if (typeof maxAge !== 'string' || !DURATION.test(maxAge)) {
    throw new QueryError(
      `freshness.max_age: found ${show(maxAge)}, expected a duration such as 1h`,
    );
  }
  const now = moment(given['now'], context.nowMs);
  const newest = `max(${identifier(column!)})::TIMESTAMP`;
  return {
    sql:
      `SELECT ${newest} AS "newest", TIMESTAMP ${literal(now)} AS "now" ` +
      `FROM ${identifier(context.dataset)} HAVING ${newest} IS NULL ` +
      `OR ${newest} < TIMESTAMP ${literal(now)} - INTERVAL ${literal(interval(maxAge))}`,
    isUserSql: false,
    message: (failures, first) => {
      if (failures === 0) return `newest ${column} is at most ${maxAge} old`;
      if ((first['newest'] ?? null) === null)
        return `no ${column}, expected one in the last ${maxAge}`;
      return `newest ${column} is ${first['newest']}, more than ${maxAge} before ${first['now']}`;
    },
  };
}

function interval(duration: string): string {
  return duration
    .replaceAll('µs', 'us')
    .replace(/(\d+)ns/g, (_, count: string) => `${Math.round(Number(count) / 1000)}us`);
}

function monotonic(value: unknown, context: CheckContext): CheckQuery {
  const given = options('monotonic', value, ['column', 'by']);
  const [name] = columnNames('monotonic.column', given['column'], context);
  const groups = given['by'] === undefined ? [] : columnNames('monotonic.by', given['by'], context);
  const column = identifier(name!);
  const partition = groups.length === 0 ? '' : `PARTITION BY ${identifiers(groups)} `;
  // The window without an order numbers the rows as they stand in the files, in order of file name.
  return {
    sql:
      `WITH numbered AS (SELECT *, row_number() OVER () AS "row number" ` +
      `FROM ${identifier(context.dataset)}), ` +
      `compared AS (SELECT *, lag(${column}) OVER (${partition}ORDER BY "row number") ` +
      `AS "value before" FROM numbered WHERE ${column} IS NOT NULL) ` +
      `SELECT ${identifiers([...groups, name!])}, "value before", "row number" ` +
      `FROM compared WHERE ${column} < "value before" ORDER BY "row number"`,
    isUserSql: false,
    message: (failures) => {
      const within = groups.length === 0 ? '' : ` of the same ${groups.join(', ')}`;
      return `${rows(failures)} with ${name} below the one before${within}`;
    },
  };
}

function userSql(value: unknown, { dataset }: CheckContext): CheckQuery {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new QueryError(`sql: found ${show(value)}, expected a statement`);
  }
  return {
    sql: value.replaceAll(/\{\{\s*dataset\s*\}\}/g, () => identifier(dataset)).trim(),
    isUserSql: true,
    message: (failures) => `${rows(failures)} returned`,
  };
}

function options(
  at: string,
  value: unknown,
  allowed: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new QueryError(`${at}: found ${show(value)}, expected ${allowed.join(', ')}`);
  }
  const unknown = Object.keys(value).filter((key) => !allowed.includes(key));
  if (unknown.length > 0) {
    throw new QueryError(`${at}: found ${unknown.join(', ')}, expected ${allowed.join(', ')}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** One column or a list of them, each of which the dataset has. */
function columnNames(at: string, value: unknown, context: CheckContext): readonly string[] {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (names.length === 0) throw new QueryError(`${at}: found no column, expected at least one`);
  return names.map((name) => {
    if (typeof name !== 'string')
      throw new QueryError(`${at}: found ${show(name)}, expected a column`);
    columnType(name, context);
    return name;
  });
}

function columnType(name: string, { dataset, columns }: CheckContext): string {
  const found =
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) {
    const known = columns.map((column) => column.name).join(', ');
    throw new QueryError(`${dataset} has no column ${name}: it has ${known}`);
  }
  return found.type;
}

function isFloat(type: string): boolean {
  return type === 'DOUBLE' || type === 'FLOAT';
}

function bound(at: string, value: unknown): { sql: string; text: string } | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return { sql: numeral(value), text: String(value) };
  if (typeof value === 'bigint') return { sql: String(value), text: String(value) };
  if (typeof value === 'string') return { sql: literal(value), text: value };
  if (value instanceof Date)
    return { sql: literal(value.toISOString()), text: value.toISOString() };
  throw new QueryError(`${at}: found ${show(value)}, expected a number or a time`);
}

function count(at: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new QueryError(`${at}: found ${show(value)}, expected a whole number`);
}

/** A time as DuckDB reads it, UTC and without a zone. */
function moment(value: unknown, nowMs: number): string {
  const milliseconds =
    value === undefined || value === null
      ? nowMs
      : value instanceof Date
        ? value.getTime()
        : typeof value === 'string'
          ? Date.parse(
              /[T ]\d/.test(value) && !/(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? `${value}Z` : value,
            )
          : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    throw new QueryError(
      `freshness.now: found ${show(value)}, expected a time such as 2026-01-31T16:00:00Z`,
    );
  }
  return new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', '');
}

function outside(min: string | undefined, max: string | undefined): string {
  if (min === undefined) return `above ${max}`;
  return max === undefined ? `below ${min}` : `outside ${min} to ${max}`;
}

function either(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

function rows(number: number): string {
  return plural(number, 'row');
}

function plural(number: number, noun: string): string {
  return `${group(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function group(number: number): string {
  return number.toLocaleString('en-US');
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
