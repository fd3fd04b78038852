/**
 * Whether two results of W1 are the same, row by row, in DuckDB: same bars, same nulls, every
 * number within 1e-9 relative (or 1e-12 absolute, for a z-score that is zero but for rounding), and
 * the same anomalies.
 */

import type { DuckDBConnection } from '@duckdb/node-api';
import { DOUBLE, DuckDBTableFunction, UINTEGER } from '@duckdb/node-api';
import { queryRows } from './w1-duckdb.ts';
import type { Scores } from './w1-javascript.ts';
import { SCORE_COLUMNS } from './w1-javascript.ts';

export interface Result {
  /** Name of a relation with `symbol`, `window_start` and the score columns. */
  readonly scores: string;
  /** Name of a relation with `symbol`, `window_start`, `type`, `value` and `score`. */
  readonly anomalies: string;
}

export interface Totals {
  readonly bars: number;
  readonly anomalies: number;
}

/** @throws {Error} That names the first differences. */
export async function assertSameResult(
  connection: DuckDBConnection,
  name: string,
  expected: Result,
  actual: Result,
): Promise<Totals> {
  const bars = await assertSameRelation(connection, `${name}: scores`, {
    expected: expected.scores,
    actual: actual.scores,
    key: ['symbol', 'window_start'],
    values: SCORE_COLUMNS,
  });
  const anomalies = await assertSameRelation(connection, `${name}: anomalies`, {
    expected: expected.anomalies,
    actual: actual.anomalies,
    key: ['symbol', 'window_start', 'type'],
    values: ['value', 'score'],
  });
  return { bars, anomalies };
}

interface Relations {
  readonly expected: string;
  readonly actual: string;
  readonly key: readonly string[];
  readonly values: readonly string[];
}

async function assertSameRelation(
  connection: DuckDBConnection,
  name: string,
  { expected, actual, key, values }: Relations,
): Promise<number> {
  const differs = (column: string): string =>
    `(e.${column} is null) <> (a.${column} is null) or isnan(a.${column}) or
      abs(e.${column} - a.${column}) >
        greatest(1e-12, 1e-9 * greatest(abs(e.${column}), abs(a.${column})))`;
  const first = key[0]!;
  const keys = key.map((column) => `coalesce(e.${column}, a.${column})::varchar as ${column}`);
  const pairs = values.map(
    (column) => `e.${column} as expected_${column}, a.${column} as found_${column}`,
  );
  const matches = key.map((column) => `e.${column} = a.${column}`);
  const wrong = await queryRows(
    connection,
    `select ${keys.join(', ')}, ${pairs.join(', ')}, count(*) over () as differences,
       e.${first} is not null as is_expected, a.${first} is not null as is_found
     from ${expected} e full join ${actual} a on ${matches.join(' and ')}
     where e.${first} is null or a.${first} is null or ${values.map(differs).join(' or ')}
     limit 3`,
  );
  const counts = await queryRows(
    connection,
    `select (select count(*) from ${expected}) as expected,
       (select count(*) from ${actual}) as found`,
  );
  const { expected: expectedRows, found } = counts[0]!;
  if (wrong.length > 0 || expectedRows !== found || Number(expectedRows) === 0) {
    throw new Error(
      `${name}: expected ${String(expectedRows)} rows, found ${String(found)}; differences: ` +
        JSON.stringify(wrong, undefined, 1),
    );
  }
  return Number(expectedRows);
}

/** Makes table `name` of scores that are typed arrays. */
export async function createScoresTable(
  connection: DuckDBConnection,
  name: string,
  scores: Scores,
): Promise<void> {
  const columns = ['window_start', ...SCORE_COLUMNS] as const;
  const chunkRows = 2048;
  let next = 0;
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name: `${name}_rows`,
      bindFunction: (info) => {
        info.addResultColumn('code', UINTEGER);
        for (const column of columns) info.addResultColumn(column, DOUBLE);
      },
      initFunction: (info) => {
        info.setInitData({});
        info.setMaxThreads(1);
      },
      mainFunction: (_info, output) => {
        const count = Math.min(chunkRows, scores.rowCount - next);
        output.rowCount = count;
        if (count === 0) return;
        const sources = [
          scores.symbol,
          scores.windowStart,
          ...SCORE_COLUMNS.map((column) => scores[column]),
        ];
        for (const [index, source] of sources.entries()) {
          const vector = output.getColumnVector(index);
          for (let row = 0; row < count; row++) vector.setItem(row, source[next + row]!);
          vector.flush();
        }
        next += count;
      },
    }),
  );
  const values = SCORE_COLUMNS.map(
    (column) => `if(isnan(${column}), null, ${column}) as ${column}`,
  );
  await connection.run(
    `create or replace table ${name} as select 'S' || lpad(code::varchar, 5, '0') as symbol,
       make_timestamp_ns(window_start::bigint * 1000000000) as window_start, ${values.join(', ')}
     from ${name}_rows()`,
  );
}
