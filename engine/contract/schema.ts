/**
 * Schemas: the names and types of the columns that flow between steps.
 *
 * Nulls are in-band inside the engine (see docs/decisions/0003-in-band-nulls.md):
 *
 *   type       element          null
 *   float64    f64              NaN
 *   int64      i64              INT64_MIN
 *   timestamp  i64, ns UTC      INT64_MIN
 *   string     u32 code         0xffffffff
 *   boolean    u8, 0 or 1       2
 *
 * Arrow validity bitmaps are read at the source and made again at the sink.
 */

export type ColumnType = 'float64' | 'int64' | 'timestamp' | 'string' | 'boolean';

export interface ColumnSchema {
  readonly name: string;
  readonly type: ColumnType;
}

export interface Schema {
  readonly columns: readonly ColumnSchema[];
  /** Name of the column that carries event time; always of type timestamp. */
  readonly time: string;
  /** Name of the key column (the symbol); always of type string. */
  readonly key: string;
  /**
   * True if a row may be stated again with a higher `revision` (a window that emits early).
   * Statistics over such rows would count a window twice.
   */
  readonly revises?: boolean;
}

export const INT64_NULL = -(2n ** 63n);
export const STRING_NULL = 0xffff_ffff;
export const BOOLEAN_NULL = 2;

/** Bytes of one element of a column of this type. */
export function elementBytes(type: ColumnType): 1 | 4 | 8 {
  if (type === 'boolean') return 1;
  return type === 'string' ? 4 : 8;
}

/** Position of the column, or -1. */
export function columnIndex(schema: Schema, name: string): number {
  return schema.columns.findIndex((column) => column.name === name);
}
