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
