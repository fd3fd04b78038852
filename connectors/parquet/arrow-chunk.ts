/**
 * A chunk of rows as an Arrow IPC stream, the form in which parquet-wasm takes it.
 *
 * In-band nulls (schema.ts) become validity bitmaps here, by one loop over each column; a column
 * without nulls gets none. NaN is a null and so is never written: in Parquet statistics it makes
 * readers skip rows that they should not.
 */

import {
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema as ArrowSchema,
  Struct,
  TimestampNanosecond,
  Utf8,
  Vector,
} from 'apache-arrow';
import { BOOLEAN_NULL, type ColumnSchema, STRING_NULL } from '../../engine/contract/schema.ts';
import { type ChunkColumn, type RowBuffer, words } from './row-buffer.ts';

/** How a column stands in a file; decided once for each file. */
export type Storage = 'plain' | 'dictionary' | 'delta';

/** Validity of a column: a bitmap (1 = valid, least significant bit first) where it has nulls. */
interface Validity {
  readonly nullCount: number;
  readonly bitmap: Uint8Array | undefined;
}

/** Turns the buffers of one file into Arrow; columns and storage are the same for all of them. */
export class ArrowEncoder {
  readonly #types: readonly DataType[];
  readonly #schema: ArrowSchema;

  constructor(columns: readonly ColumnSchema[], storage: readonly Storage[]) {
    this.#types = columns.map(({ type }, index) => arrowType(type, storage[index]!));
    const fields = columns.map(({ name }, index) => new Field(name, this.#types[index]!, true));
    this.#schema = new ArrowSchema(fields);
  }

  /** An Arrow IPC stream of one record batch. */
  encode(buffer: RowBuffer): Uint8Array {
    const length = buffer.rowCount;
    const children = buffer.columns.map((column, index) =>
      columnData(this.#types[index]!, column, length),
    );
    const type = new Struct(this.#schema.fields);
    const data = makeData({ type, length, nullCount: 0, children });
    const batch = new RecordBatch(this.#schema, data);
    return RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true);
  }
}

function arrowType(type: ColumnSchema['type'], storage: Storage): DataType {
  switch (type) {
    case 'float64':
      return new Float64();
    case 'int64':
      return new Int64();
    case 'timestamp':
      // Without a zone: with one, DuckDB reads microseconds. It is always UTC.
      return new TimestampNanosecond();
    case 'boolean':
      return new Bool();
    case 'string':
      return storage === 'dictionary' ? new Dictionary(new Utf8(), new Int32()) : new Utf8();
  }
}

function columnData(type: DataType, column: ChunkColumn, length: number): Data {
  const values = column.values.subarray(0, length);
  const { nullCount, bitmap } = validityOf(column.type, values);
  const nulls = { length, nullCount, nullBitmap: bitmap };
  if (type instanceof Bool) return makeData({ type, ...nulls, data: packBits(values) });
  if (type instanceof Utf8) {
    return makeData({ type, ...nulls, ...utf8OfCodes(values as Uint32Array, column.texts) });
  }
  if (type instanceof Dictionary) {
    // A null's code is not looked at, but readers may check that it is in range.
    const codes = new Int32Array(values as Uint32Array);
    if (nullCount > 0) for (let i = 0; i < length; i++) if (codes[i]! < 0) codes[i] = 0;
    return makeData({ type, ...nulls, data: codes, dictionary: textVector(column.texts) });
  }
  return makeData({ type: type as Float64, ...nulls, data: values as Float64Array });
}

function validityOf(type: ColumnSchema['type'], values: ChunkColumn['values']): Validity {
  switch (type) {
    case 'float64':
      return validity(values.length, nanRows(values as Float64Array));
    case 'boolean':
      return validity(values.length, equalRows(values as Uint8Array, BOOLEAN_NULL));
    case 'string':
      return validity(values.length, equalRows(values as Uint32Array, STRING_NULL));
    default:
      return validity(values.length, smallestRows(values as BigInt64Array));
  }
}

/** Rows that are null, in rising order; undefined where none is. */
type NullRows = number[] | undefined;

function nanRows(values: Float64Array): NullRows {
  let rows: NullRows;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value !== value) (rows ??= []).push(i);
  }
  return rows;
}

function equalRows(values: Uint8Array | Uint32Array, missing: number): NullRows {
  let rows: NullRows;
  for (let i = 0; i < values.length; i++) if (values[i] === missing) (rows ??= []).push(i);
  return rows;
}

function smallestRows(values: BigInt64Array): NullRows {
  const halves = words(values);
  let rows: NullRows;
  for (let i = 0; i < values.length; i++) {
    if (halves[2 * i + 1] === -0x8000_0000 && halves[2 * i] === 0) (rows ??= []).push(i);
  }
  return rows;
}

function validity(length: number, nulls: NullRows): Validity {
  if (nulls === undefined) return { nullCount: 0, bitmap: undefined };
  const bitmap = new Uint8Array((length + 7) >> 3).fill(0xff);
  for (const row of nulls) bitmap[row >> 3]! &= ~(1 << (row & 7));
  return { nullCount: nulls.length, bitmap };
}

function packBits(values: ChunkColumn['values']): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) if (values[i] === 1) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

const encoder = new TextEncoder();

interface Utf8Buffers {
  /** i32[rows + 1] */
  readonly valueOffsets: Int32Array;
  readonly data: Uint8Array;
}

function utf8Of(texts: readonly string[]): Utf8Buffers {
  const valueOffsets = new Int32Array(texts.length + 1);
  let unitCount = 0;
  for (const text of texts) unitCount += text.length;
  // A UTF-16 unit takes at most 3 bytes in UTF-8.
  const data = new Uint8Array(unitCount * 3);
  let end = 0;
  for (let i = 0; i < texts.length; i++) {
    end += encoder.encodeInto(texts[i]!, data.subarray(end)).written;
    valueOffsets[i + 1] = end;
  }
  return { valueOffsets, data: data.subarray(0, end) };
}

function utf8OfCodes(codes: Uint32Array, texts: readonly string[]): Utf8Buffers {
  const distinct = utf8Of(texts);
  const valueOffsets = new Int32Array(codes.length + 1);
  let end = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code !== STRING_NULL) {
      end += distinct.valueOffsets[code + 1]! - distinct.valueOffsets[code]!;
    }
    valueOffsets[i + 1] = end;
  }
  const data = new Uint8Array(end);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === STRING_NULL) continue;
    const start = distinct.valueOffsets[code]!;
    data.set(distinct.data.subarray(start, distinct.valueOffsets[code + 1]!), valueOffsets[i]!);
  }
  return { valueOffsets, data };
}

function textVector(texts: readonly string[]): Vector<Utf8> {
  const data = makeData({ type: new Utf8(), length: texts.length, nullCount: 0, ...utf8Of(texts) });
  return new Vector([data]);
}
