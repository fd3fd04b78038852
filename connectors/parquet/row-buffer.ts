/**
 * Rows on their way into a Parquet file: typed arrays that fill up to `capacityMax` rows, mostly a
 * row group, or up to `TEXT_BYTES_MAX` of texts, and are then encoded. Until then they can be
 * carried in a checkpoint as they are.
 *
 * A batch's string codes mean something in that batch only, so they are translated to codes of the
 * buffer, whose dictionary is forgotten with it: memory does not grow with the number of distinct
 * texts of a long run. The cost of a row is one copy a column, and a table look-up a string.
 */

import type { ColumnBatch, ColumnVector } from '../../engine/contract/batch.ts';
import {
  type ColumnSchema,
  type ColumnType,
  elementBytes,
  STRING_NULL,
} from '../../engine/contract/schema.ts';

const CAPACITY_START = 256;
/** What a text costs beside its characters, about. */
const TEXT_BYTES = 64;
/** Long texts that differ, such as explanations, would take more than all numbers together. */
const TEXT_BYTES_MAX = 8 * 2 ** 20;

export type NumberArray = Float64Array | BigInt64Array | Uint8Array | Uint32Array;

/** One column of a buffer; the first `rowCount` elements of the buffer's arrays count. */
export interface ChunkColumn {
  readonly type: ColumnType;
  values: NumberArray;
  /** Texts of the codes of a string column, in order of appearance. */
  readonly texts: string[];
}

/** A column of rows that leave the buffer as they are. */
export interface BufferedColumn {
  readonly type: ColumnType;
  readonly bytes: Uint8Array;
  readonly texts: readonly string[];
}

export class RowBuffer {
  readonly columns: readonly ChunkColumn[];
  readonly capacityMax: number;
  readonly #codes: readonly Map<string, number>[];
  readonly #rowBytes: number;
  #capacity = 0;
  #rows = 0;
  #textBytes = 0;

  constructor(columns: readonly ColumnSchema[], capacityMax: number) {
    this.columns = columns.map(({ type }) => ({ type, values: newValues(type, 0), texts: [] }));
    this.capacityMax = capacityMax;
    this.#rowBytes = columns.reduce((sum, { type }) => sum + elementBytes(type), 0);
    this.#codes = columns.map(() => new Map());
  }

  get rowCount(): number {
    return this.#rows;
  }

  /** Bytes of the arrays, whether or not they hold rows, and of the texts. */
  get bytes(): number {
    return this.#capacity * this.#rowBytes + this.#textBytes;
  }

  /** Bytes that the rows take, as they would be carried. */
  get rowBytes(): number {
    return this.#rows * this.#rowBytes + this.#textBytes;
  }

  /** Rows that can still be appended before the buffer must be encoded. */
  get room(): number {
    return this.#textBytes >= TEXT_BYTES_MAX ? 0 : this.capacityMax - this.#rows;
  }

  /**
   * Appends `length` rows of the batch, at most `room`.
   * @param columns Positions in the batch of the columns to take.
   * @param rows Row numbers to take, from `from` on; without it, rows `from` and following.
   */
  append(
    batch: ColumnBatch,
    columns: readonly number[],
    rows: Uint32Array | undefined,
    from: number,
    length: number,
  ): void {
    this.#reserve(this.#rows + length);
    for (const [index, target] of this.columns.entries()) {
      const source = batch.columns[columns[index]!]!;
      if (source.type === 'string') this.#appendCodes(index, source, rows, from, length);
      else appendValues(target.values, this.#rows, source.values, rows, from, length);
    }
    this.#rows += length;
  }

  /** Rows as they are, to be carried; views of the buffer. */
  takeRows(): BufferedColumn[] {
    return this.columns.map(({ type, values, texts }) => {
      const { buffer, byteOffset } = values;
      const length = this.#rows * elementBytes(type);
      return { type, bytes: new Uint8Array(buffer, byteOffset, length), texts };
    });
  }

  /** Appends rows that `takeRows` has given, to a buffer that is empty. */
  putRows(rows: number, columns: readonly BufferedColumn[]): void {
    this.#reserve(rows);
    for (const [index, { bytes, texts }] of columns.entries()) {
      const { values, texts: own } = this.columns[index]!;
      new Uint8Array(values.buffer).set(bytes);
      for (const text of texts) this.#intern(this.#codes[index]!, own, text);
    }
    this.#rows = rows;
  }

  /** Forgets the rows, and the texts; the arrays stay for the next rows. */
  clear(): void {
    this.#rows = 0;
    this.#textBytes = 0;
    for (const [index, column] of this.columns.entries()) {
      column.texts.length = 0;
      this.#codes[index]!.clear();
    }
  }

  /** Forgets the rows and gives the arrays up. */
  release(): void {
    this.clear();
    this.#capacity = 0;
    for (const column of this.columns) column.values = newValues(column.type, 0);
  }

  #appendCodes(
    index: number,
    source: ColumnVector & { type: 'string' },
    rows: Uint32Array | undefined,
    from: number,
    length: number,
  ): void {
    const { codes, dictionary } = source;
    const { values, texts } = this.columns[index]!;
    const known = this.#codes[index]!;
    // Pays where codes repeat; few rows of a large dictionary are looked up by their text instead.
    const translated = dictionary.length <= 4 * length ? new Int32Array(dictionary.length) : null;
    for (let i = 0; i < length; i++) {
      const code = codes[rows === undefined ? from + i : rows[from + i]!]!;
      if (code === STRING_NULL) {
        values[this.#rows + i] = STRING_NULL;
        continue;
      }
      // Translated codes are kept plus one, so that 0 means unknown.
      let own = translated === null ? 0 : translated[code]!;
      if (own === 0) {
        own = this.#intern(known, texts, dictionary[code]!) + 1;
        if (translated !== null) translated[code] = own;
      }
      values[this.#rows + i] = own - 1;
    }
  }

  #intern(known: Map<string, number>, texts: string[], text: string): number {
    let code = known.get(text);
    if (code === undefined) {
      code = texts.length;
      texts.push(text);
      known.set(text, code);
      this.#textBytes += TEXT_BYTES + 2 * text.length;
    }
    return code;
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    const doubled = Math.max(CAPACITY_START, this.#capacity * 2, rows);
    this.#capacity = Math.max(rows, Math.min(doubled, this.capacityMax));
    for (const column of this.columns) {
      const grown = newValues(column.type, this.#capacity);
      (grown as Uint8Array).set(column.values.subarray(0, this.#rows) as Uint8Array);
      column.values = grown;
    }
  }
}

function appendValues(
  target: NumberArray,
  at: number,
  source: NumberArray,
  rows: Uint32Array | undefined,
  from: number,
  length: number,
): void {
  if (rows === undefined) {
    (target as Uint8Array).set(source.subarray(from, from + length) as Uint8Array, at);
  } else if (source instanceof BigInt64Array) {
    gatherWords(words(target as BigInt64Array), at, words(source), rows, from, length);
  } else {
    for (let i = 0; i < length; i++) {
      (target as Float64Array)[at + i] = (source as Float64Array)[rows[from + i]!]!;
    }
  }
}

/** 64-bit integers in halves: a BigInt a value would cost ten times as much. */
function gatherWords(
  target: Int32Array,
  at: number,
  source: Int32Array,
  rows: Uint32Array,
  from: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const row = rows[from + i]!;
    target[2 * (at + i)] = source[2 * row]!;
    target[2 * (at + i) + 1] = source[2 * row + 1]!;
  }
}

/** The 32-bit halves of 64-bit integers, the low one first. */
export function words(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

function newValues(type: ColumnType, length: number): NumberArray {
  if (type === 'float64') return new Float64Array(length);
  if (type === 'boolean') return new Uint8Array(length);
  return type === 'string' ? new Uint32Array(length) : new BigInt64Array(length);
}
