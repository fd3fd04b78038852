/** Where the rows of a dataset come from, as SQL: its files, or nothing with the right columns. */

import { identifier, identifiers, literal, QueryError } from './sql.ts';

export type DatasetFormat = 'parquet' | 'ndjson' | 'csv';

/** The engine's column types, and `date`, which only a folder name can have. */
export type DatasetColumnType = 'float64' | 'int64' | 'timestamp' | 'string' | 'boolean' | 'date';

export interface DatasetColumn {
  readonly name: string;
  readonly type: DatasetColumnType;
}

export interface DatasetSpec {
  /** Name of the view. */
  readonly name: string;
  readonly format: DatasetFormat;
  /** Path or glob of its files, relative to the working directory. */
  readonly glob: string;
  /** The files that hold each row once, where the glob may for a moment show others. */
  readonly files?: () => readonly string[];
  /** Columns of its rows. Without them the files must exist, and say themselves what they hold. */
  readonly columns?: readonly DatasetColumn[];
  /** Columns whose values stand in folder names (`date=2013-10-07`) and not in the files. */
  readonly partitions?: readonly DatasetColumn[];
  /** Name of the column that carries event time, where there is one. */
  readonly time?: string;
}

const SQL_TYPES: Readonly<Record<DatasetColumnType, string>> = {
  float64: 'DOUBLE',
  int64: 'BIGINT',
  timestamp: 'TIMESTAMP_NS',
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  date: 'DATE',
};

/** The rows of the files. */
export function fileRelation(spec: DatasetSpec, files: readonly string[]): string {
  const foreign = foreignKeys(spec, files);
  const rows = foreign.length === 0 ? '*' : `* EXCLUDE (${identifiers(foreign)})`;
  return `SELECT ${rows} FROM ${reader(spec, files)}`;
}

function reader(spec: DatasetSpec, files: readonly string[]): string {
  const glob = spec.files === undefined ? literal(spec.glob) : list(files);
  switch (spec.format) {
    case 'parquet':
      return `read_parquet(${[glob, 'union_by_name = true', hive(spec, files)].join(', ')})`;
    case 'ndjson': {
      const columns = spec.columns === undefined ? [] : [`columns = ${columnTypes(spec.columns)}`];
      const format = `format = 'newline_delimited'`;
      return `read_json(${[glob, format, ...columns, hive(spec, files)].join(', ')})`;
    }
    case 'csv': {
      // Sniffing fails on an empty file, and guesses types from what happens to be in the rows.
      const columns =
        spec.columns === undefined
          ? []
          : ['auto_detect = false', `columns = ${columnTypes(spec.columns)}`];
      const dialect =
        `header = true, delim = ',', quote = '"', escape = '"', ` + 'allow_quoted_nulls = false';
      return `read_csv(${[glob, dialect, ...columns, hive(spec, files)].join(', ')})`;
    }
  }
}

function list(files: readonly string[]): string {
  return `[${files.map((file) => literal(file)).join(', ')}]`;
}

/**
 * Folder names such as `symbol=600519` are columns. Their types come from the schema, because
 * DuckDB would make a number of that one.
 */
function hive(spec: DatasetSpec, files: readonly string[]): string {
  const keys = folderKeys(filePart(spec, files));
  if (keys.length === 0) return 'hive_partitioning = false';
  const known = [...(spec.partitions ?? []), ...(spec.columns ?? [])];
  const typed = keys.flatMap((key) => known.find((column) => column.name === key) ?? []);
  if (typed.length === 0) return 'hive_partitioning = true';
  const types = typed.map(({ name, type }) => `${literal(name)}: ${SQL_TYPES[type]}`);
  return `hive_partitioning = true, hive_types = {${types.join(', ')}}`;
}

/** Keys of folders above the dataset's own, which DuckDB takes for columns of it as well. */
function foreignKeys(spec: DatasetSpec, files: readonly string[]): string[] {
  const own = folderKeys(filePart(spec, files));
  if (own.length === 0) return [];
  const expected = expectedColumns(spec).map((column) => column.name);
  const above = folderKeys(staticPrefix(spec.glob));
  return [...new Set(above)].filter((key) => !own.includes(key) && !expected.includes(key));
}

function filePart(spec: DatasetSpec, files: readonly string[]): string {
  return (files[0] ?? '').slice(staticPrefix(spec.glob).length);
}

function folderKeys(path: string): string[] {
  const folders = path.split('/').slice(0, -1);
  return folders.filter((folder) => folder.includes('=')).map((folder) => folder.split('=', 1)[0]!);
}

/** The folders of a glob before the first that is a pattern; `[*]` is the character alone. */
function staticPrefix(glob: string): string {
  const folders: string[] = [];
  for (const folder of glob.split('/').slice(0, -1)) {
    const plain = folder.replace(/\[([*?[\]])\]/g, '');
    if (/[*?[]/.test(plain)) break;
    folders.push(`${folder.replace(/\[([*?[\]])\]/g, '$1')}/`);
  }
  return folders.join('');
}

function columnTypes(columns: readonly DatasetColumn[]): string {
  const entries = columns.map(({ name, type }) => `${literal(name)}: ${literal(SQL_TYPES[type])}`);
  return `{${entries.join(', ')}}`;
}

function expectedColumns(spec: DatasetSpec): readonly DatasetColumn[] {
  const columns = spec.columns ?? [];
  const names = new Set(columns.map((column) => column.name));
  return [...columns, ...(spec.partitions ?? []).filter((column) => !names.has(column.name))];
}

/** Columns that the dataset should have and those found lack. */
export function missingColumns(spec: DatasetSpec, found: readonly string[]): DatasetColumn[] {
  // DuckDB's names differ by more than case.
  const names = new Set(found.map((name) => name.toLowerCase()));
  return expectedColumns(spec).filter((column) => !names.has(column.name.toLowerCase()));
}

/** No rows, with the columns that there will be. */
export function emptyRelation(spec: DatasetSpec): string {
  const columns = expectedColumns(spec);
  if (columns.length === 0) throw new QueryError(`no file matches ${spec.glob}`);
  return `SELECT ${columns.map(nullOf).join(', ')} WHERE false`;
}

/** The relation and further columns, of nulls. */
export function withColumns(relation: string, columns: readonly DatasetColumn[]): string {
  return `SELECT *, ${columns.map(nullOf).join(', ')} FROM (${relation})`;
}

function nullOf({ name, type }: DatasetColumn): string {
  return `CAST(NULL AS ${SQL_TYPES[type]}) AS ${identifier(name)}`;
}
