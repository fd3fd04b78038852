/**
 * Any SQL over the views of the datasets. Rows come in chunks as DuckDB makes them, and a value
 * becomes text only when it is asked for, so that counting the rows of a large result, of which the
 * terminal shows forty, costs no more than making them.
 */

import {
  type DuckDBDataChunk,
  type DuckDBResult,
  ResultReturnType,
  StatementType,
} from '@duckdb/node-api';
import type { Datasets, ViewColumn } from './datasets.ts';
import { QueryError } from './sql.ts';
import { csvText, displayText, jsonText } from './values.ts';

export interface QueryColumn extends ViewColumn {
  /** True for columns whose values are read from the right. */
  readonly isNumeric: boolean;
}

export interface QueryChunk {
  readonly rowCount: number;
  /** One text a column as DuckDB shows it; null for a null. */
  display(row: number): (string | null)[];
  /** One JSON literal a column. */
  json(row: number): string[];
  /** One unquoted CSV field a column; null for a null. */
  csv(row: number): (string | null)[];
}

export interface QueryResult {
  /** Empty for a statement that returns no rows, such as `create table`. Names differ. */
  readonly columns: readonly QueryColumn[];
  /** To be read once, before the next query. */
  readonly chunks: AsyncIterable<QueryChunk>;
}

export interface RunQueryOptions {
  /** Refuses anything but one statement that reads. */
  readonly isSingleSelect?: boolean;
}

/**
 * Runs the SQL; of several statements the last gives the result.
 * @throws {QueryError} With DuckDB's message, here or while the chunks are read.
 */
export async function runQuery(
  datasets: Datasets,
  sql: string,
  options: RunQueryOptions = {},
): Promise<QueryResult> {
  if (isBlank(sql)) throw new QueryError('no statement: the SQL is empty');
  try {
    const statements = await datasets.connection.extractStatements(sql);
    if (options.isSingleSelect === true && statements.count !== 1) {
      throw new QueryError(`found ${statements.count} statements, expected one`);
    }
    for (let index = 0; index < statements.count - 1; index++) {
      await (await statements.prepare(index)).run();
    }
    const last = await statements.prepare(statements.count - 1);
    if (options.isSingleSelect === true && last.statementType !== StatementType.SELECT) {
      throw new QueryError('found a statement that is no query, expected a select');
    }
    const result = await last.stream();
    const isRows = result.returnType === ResultReturnType.QUERY_RESULT;
    return {
      columns: isRows ? resultColumns(result) : [],
      chunks: isRows ? chunksOf(result) : none(),
    };
  } catch (error) {
    throw QueryError.from(error);
  }
}

/** All rows as texts, for small results. */
export async function displayRows(result: QueryResult): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = [];
  for await (const chunk of result.chunks) {
    for (let row = 0; row < chunk.rowCount; row++) rows.push(chunk.display(row));
  }
  return rows;
}

function resultColumns(result: DuckDBResult): QueryColumn[] {
  const names = result.deduplicatedColumnNames();
  return names.map((name, index) => {
    const type = String(result.columnType(index));
    return { name, type, isNumeric: NUMERIC.test(type) };
  });
}

const NUMERIC = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BIGNUM|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

async function* chunksOf(result: DuckDBResult): AsyncIterable<QueryChunk> {
  const types = result.columnTypes();
  for (;;) {
    let chunk: DuckDBDataChunk | null;
    try {
      chunk = await result.fetchChunk();
    } catch (error) {
      throw QueryError.from(error);
    }
    if (chunk === null || chunk.rowCount === 0) return;
    const current = chunk;
    yield {
      rowCount: current.rowCount,
      display: (row) => current.getRowValues(row).map((value, i) => displayText(value, types[i]!)),
      json: (row) => current.getRowValues(row).map((value, i) => jsonText(value, types[i]!)),
      csv: (row) => current.getRowValues(row).map((value, i) => csvText(value, types[i]!)),
    };
  }
}

async function* none(): AsyncIterable<QueryChunk> {}

/** Whether nothing but blanks, comments and semicolons is there. */
function isBlank(sql: string): boolean {
  return sql.replaceAll(/--[^\n]*|\/\*[^]*?\*\//g, '').replaceAll(/[\s;]/g, '') === '';
}
