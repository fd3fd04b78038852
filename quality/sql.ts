/** Names and texts in SQL, spelled so that none can end the place it stands in. */

/** A failure of DuckDB or of the SQL it was given. The message is DuckDB's own. */
export class QueryError extends Error {
  override readonly name: string = 'QueryError';
  readonly code = 'quality/query-failed';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }

  static from(error: unknown): QueryError {
    if (error instanceof QueryError) return error;
    const text = error instanceof Error ? error.message : String(error);
    const message = text
      .replace(/^Failed to extract statements: /, '')
      // DuckDB knows tables that the user has never heard of, such as pg_tables.
      .replace(/^(Catalog Error: Table with name .*)\nDid you mean .*/, '$1')
      .trimEnd();
    return new QueryError(message, { cause: error });
  }
}

/** `"name"`, whatever the name holds. */
export function identifier(name: string): string {
  if (name.includes('\0'))
    throw new QueryError(`no column or view can be named ${printable(name)}`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** Words that are no names in all places of a query; a test asks DuckDB for its own list. */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  [
    'all analyse analyze and anti any array as asc asof asymmetric at authorization between',
    'bigint binary bit boolean both by case cast char character check coalesce collate',
    'collation column columns concurrently constraint create cross dec decimal default',
    'deferrable desc describe distinct do else end except exists extract false fetch float for',
    'foreign freeze from full generated glob group grouping grouping_id having ilike in',
    'initially inner inout int integer intersect interval into is isnull join lambda lateral',
    'leading left like limit map national natural nchar none not notnull null nullif numeric',
    'offset on only or order out outer overlaps overlay pivot pivot_longer pivot_wider placing',
    'position positional precision primary qualify real references returning right row select',
    'semi setof show similar smallint some struct substring summarize symmetric table',
    'tablesample then time timestamp to trailing treat trim true try_cast union unique unpack',
    'unpivot using values varchar variadic verbose when where window with xmlattributes',
    'xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize',
    'xmltable',
  ]
    .join(' ')
    .split(' '),
);

/** The name as one writes it: bare, unless it is reserved or unusual. */
export function sqlName(name: string): string {
  const isBare = /^[a-z_][a-z0-9_]*$/i.test(name) && !RESERVED_WORDS.has(name.toLowerCase());
  return isBare ? name : identifier(name);
}

/** `"a", "b"` */
export function identifiers(names: readonly string[]): string {
  return names.map(identifier).join(', ');
}

/** `'text'`, whatever the text holds. */
export function literal(text: string): string {
  if (text.includes('\0')) throw new QueryError(`no SQL text can hold ${printable(text)}`);
  return `'${text.replaceAll("'", "''")}'`;
}

/** A number as SQL reads it back exactly. */
export function numeral(value: number): string {
  if (Number.isNaN(value)) return `'nan'::DOUBLE`;
  if (!Number.isFinite(value)) return value > 0 ? `'inf'::DOUBLE` : `'-inf'::DOUBLE`;
  return Number.isSafeInteger(value) ? String(value) : `'${value}'::DOUBLE`;
}

function printable(text: string): string {
  return JSON.stringify(text);
}
