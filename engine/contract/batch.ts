/**
 * The two shapes in which rows travel.
 *
 *   Batch        inside a slot: columns are pointers into the slot's linear memory. JavaScript
 *                sees addresses and counts, never rows.
 *   ColumnBatch  outside: typed arrays, transferable between threads (source to router, slot to
 *                sink).
 */

import type { ColumnType } from './schema.ts';

/** Byte offset into the linear memory of a slot. Never 0 for a buffer that exists. */
export type Pointer = number;

/** Texts behind the u32 codes of a string column. */
export interface Dictionary {
  /** Number of codes in use; codes are 0 to size - 1. */
  readonly size: number;
  text(code: number): string;
  /** Code of the text, or -1 where it has none. */
  codeOf(text: string): number;
}

/** A dictionary that grows. */
export interface StringTable extends Dictionary {
  /** Code of the text, which is added where it is new. */
  intern(text: string): number;
}

/** One column in linear memory: `rowCount` elements of its type, aligned to the element. */
export interface Column {
  readonly type: ColumnType;
  readonly pointer: Pointer;
  /** Set for string columns only. */
  readonly dictionary?: Dictionary;
}

/**
 * Rows between two operators of one task. Everything it points at lives in the batch arena and is
 * valid only until the operator returns; an operator that wants to keep a value copies it into its
 * state. Columns are read only: an operator that changes one makes a new one.
 */
export interface Batch {
  readonly rowCount: number;
  /** In the order of the schema of this output. */
  readonly columns: readonly Column[];
  /**
   * i64[rowCount]: the task's watermark at the moment each row was read; 0 (no buffer) where every
   * row of the batch is at or above the watermark of its moment, so that none can be late. Deciding
   * lateness by it, row by row, makes the output independent of how rows are cut into batches.
   */
  readonly rowWatermarks: Pointer;
  /**
   * Which row of the source batch each row is, for the row accounts:
   *   'none'    not a source row (an aggregate)
   *   0         row i is source row i
   *   pointer   u32[rowCount]
   */
  readonly origin: 'none' | Pointer;
}

export type ColumnVector =
  | { readonly type: 'float64'; readonly values: Float64Array }
  | { readonly type: 'int64' | 'timestamp'; readonly values: BigInt64Array }
  | { readonly type: 'boolean'; readonly values: Uint8Array }
  | {
      readonly type: 'string';
      readonly codes: Uint32Array;
      readonly dictionary: readonly string[];
    };

/**
 * Columns outside a slot. Nulls are in-band as in `schema.ts`. A dictionary may be shared by
 * several batches and may grow at its end between them; its entries never change.
 */
export interface ColumnBatch {
  readonly rowCount: number;
  readonly columns: readonly ColumnVector[];
}

/** A row that could not be decoded or is invalid, on its way to the dead-letter output. */
export interface RejectedRow {
  /** File path, or stream name. */
  readonly origin: string;
  /** 1-based line of a text file, 1-based row of a binary one, or sequence of a message. */
  readonly line: number;
  /** `column: what was found, expected what`. */
  readonly reason: string;
  /** The row as it was found, cut at 4 KiB. */
  readonly raw: string;
}
