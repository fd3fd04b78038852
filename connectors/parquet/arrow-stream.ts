/**
 * Rows as an Arrow IPC stream, the form in which parquet-wasm takes them.
 *
 *     schema | dictionary for each column that has one | record batch | end
 *
 * Each is a message: 0xffffffff, the length of its metadata, the metadata as a flatbuffer, and a
 * body of buffers at multiples of 64. Columns are copied once, from the row buffer into the stream.
 * In-band nulls (schema.ts) become validity bitmaps on the way, by one loop over each column; a
 * column without nulls gets none. NaN is a null and so is never written: in Parquet statistics it
 * makes readers skip rows that they should not.
 *
 * @see https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 */

import {
  BOOLEAN_NULL,
  type ColumnSchema,
  type ColumnType,
  STRING_NULL,
} from '../../engine/contract/schema.ts';
import { type FlatNode, flatNumber, flatTable, writeFlatbuffer } from './flatbuffer-writer.ts';
import { type NumberArray, type RowBuffer, words } from './row-buffer.ts';
import { utf8Of, utf8OfCodes, type Utf8Texts } from './utf8-texts.ts';

const VERSION_5 = flatNumber(2, 4);
const HEADER = { schema: 1, dictionary: 2, records: 3 } as const;
const TYPE = { int: 2, float: 3, utf8: 5, bool: 6, timestamp: 10 } as const;
const DOUBLE = flatNumber(2, 2);
const NANOSECOND = flatNumber(2, 3);
const TRUE = flatNumber(1, 1);
const INT32 = flatTable(flatNumber(4, 32), TRUE);
const INT64 = flatTable(flatNumber(4, 64), TRUE);
/** Readers may take buffers where they are, so they begin where vectors of the processor do. */
const ALIGNMENT = 64;
const CONTINUATION = 0xffff_ffff;

/** Turns the row buffers of one file into streams; the columns are the same for all of them. */
export class ArrowStreamWriter {
  readonly #schemaMessage: Uint8Array;
  readonly #hasDictionary: readonly boolean[];
  /** Reused: a stream is as large as the one before. */
  #bytes: Buffer<ArrayBufferLike> = Buffer.alloc(0);

  /** @param hasDictionary For each column whether it is a string with a dictionary. */
  constructor(columns: readonly ColumnSchema[], hasDictionary: readonly boolean[]) {
    this.#hasDictionary = hasDictionary;
    this.#schemaMessage = writeFlatbuffer(schemaMessage(columns, hasDictionary));
  }

  /**
   * Streams of one record batch of at most `rows` rows each, which together hold all rows of the
   * buffer, one where there are none. Each is valid until the next one is asked for.
   */
  *write(buffer: RowBuffer, rows: number): Generator<{ rowCount: number; bytes: Uint8Array }> {
    const messages: Message[] = [{ metadata: this.#schemaMessage, body: new Body() }];
    const texts = buffer.columns.map(({ texts }) => utf8Of(texts));
    for (const [index, hasDictionary] of this.#hasDictionary.entries()) {
      if (hasDictionary) messages.push(dictionaryMessage(index, texts[index]!));
    }
    let from = 0;
    do {
      const to = Math.min(from + rows, buffer.rowCount);
      const records = new Body();
      for (const [index, { type, values }] of buffer.columns.entries()) {
        const slice = values.subarray(from, to);
        addColumn(records, type, slice, this.#hasDictionary[index]! ? undefined : texts[index]);
      }
      const header = recordsHeader(records, to - from);
      const metadata = metadataOf(HEADER.records, header, records);
      const bytes = this.#join([...messages, { metadata, body: records }]);
      yield { rowCount: to - from, bytes };
      from = to;
    } while (from < buffer.rowCount);
  }

  #join(messages: readonly Message[]): Uint8Array {
    const sizes = messages.map(({ metadata, body }) => 8 + metadata.length + body.length);
    const total = sizes.reduce((sum, size) => sum + size, 8);
    if (this.#bytes.length < total) this.#bytes = Buffer.alloc(total);
    const bytes = this.#bytes;
    let at = 0;
    for (const [index, { metadata, body }] of messages.entries()) {
      bytes.writeUInt32LE(CONTINUATION, at);
      bytes.writeInt32LE(metadata.length, at + 4);
      bytes.set(metadata, at + 8);
      body.copyTo(bytes, at + 8 + metadata.length);
      at += sizes[index]!;
    }
    bytes.writeUInt32LE(CONTINUATION, at);
    bytes.writeInt32LE(0, at + 4);
    return bytes.subarray(0, total);
  }
}

interface Message {
  readonly metadata: Uint8Array;
  readonly body: Body;
}

/** The buffers of a message, and what its metadata says of them. */
class Body {
  /** Rows and nulls of each column. */
  readonly nodes: number[] = [];
  /** Offset and length of each buffer. */
  readonly buffers: number[] = [];
  readonly #parts: (Uint8Array | undefined)[] = [];
  length = 0;

  node(rowCount: number, nullCount: number): void {
    this.nodes.push(rowCount, nullCount);
  }

  /** @param values Read at `copyTo`. */
  buffer(values: NumberArray | Int32Array | undefined): void {
    const { buffer, byteOffset, byteLength } = values ?? NOTHING;
    this.#parts.push(byteLength === 0 ? undefined : new Uint8Array(buffer, byteOffset, byteLength));
    this.buffers.push(this.length, byteLength);
    this.length += byteLength + (-byteLength & (ALIGNMENT - 1));
  }

  copyTo(target: Uint8Array, start: number): void {
    for (const [index, part] of this.#parts.entries()) {
      if (part !== undefined) target.set(part, start + this.buffers[2 * index]!);
    }
  }
}

const NOTHING = new Uint8Array(0);

function metadataOf(header: number, table: FlatNode, body: Body): Uint8Array {
  return writeFlatbuffer(
    flatTable(VERSION_5, flatNumber(1, header), table, flatNumber(8, body.length)),
  );
}

function recordsHeader(body: Body, rowCount: number): FlatNode {
  return flatTable(
    flatNumber(8, rowCount),
    { kind: 'structs', width: 2, longs: body.nodes },
    { kind: 'structs', width: 2, longs: body.buffers },
  );
}

function dictionaryMessage(id: number, { offsets, bytes }: Utf8Texts): Message {
  const body = new Body();
  const textCount = offsets.length - 1;
  body.node(textCount, 0);
  body.buffer(undefined);
  body.buffer(offsets);
  body.buffer(bytes);
  const header = flatTable(flatNumber(8, id), recordsHeader(body, textCount));
  return { metadata: metadataOf(HEADER.dictionary, header, body), body };
}

function schemaMessage(
  columns: readonly ColumnSchema[],
  hasDictionary: readonly boolean[],
): FlatNode {
  const fields = columns.map(({ name, type }, index): FlatNode => {
    const [code, details] = arrowType(type);
    const dictionary = hasDictionary[index]! ? flatTable(flatNumber(8, index), INT32) : undefined;
    return flatTable({ kind: 'text', text: name }, TRUE, flatNumber(1, code), details, dictionary, {
      kind: 'vector',
      items: [],
    });
  });
  const schema = flatTable(undefined, { kind: 'vector', items: fields });
  return flatTable(VERSION_5, flatNumber(1, HEADER.schema), schema, flatNumber(8, 0));
}

function arrowType(type: ColumnType): [code: number, details: FlatNode] {
  switch (type) {
    case 'float64':
      return [TYPE.float, flatTable(DOUBLE)];
    case 'int64':
      return [TYPE.int, INT64];
    case 'timestamp':
      // Without a zone: with one, DuckDB reads microseconds. It is always UTC.
      return [TYPE.timestamp, flatTable(NANOSECOND)];
    case 'boolean':
      return [TYPE.bool, flatTable()];
    case 'string':
      return [TYPE.utf8, flatTable()];
  }
}

/** @param texts Of a string column that is written without a dictionary. */
function addColumn(
  body: Body,
  type: ColumnType,
  values: NumberArray,
  texts: Utf8Texts | undefined,
): void {
  const nulls = nullRows(type, values);
  body.node(values.length, nulls?.length ?? 0);
  body.buffer(nulls === undefined ? undefined : validity(values.length, nulls));
  switch (type) {
    case 'boolean':
      body.buffer(packBits(values));
      break;
    case 'string':
      if (texts === undefined) body.buffer(indices(values as Uint32Array, nulls));
      else {
        const { offsets, bytes } = utf8OfCodes(values as Uint32Array, texts);
        body.buffer(offsets);
        body.buffer(bytes);
      }
      break;
    default:
      body.buffer(values);
  }
}

/** Rows that are null, in rising order; undefined where none is. */
type NullRows = number[] | undefined;

function nullRows(type: ColumnType, values: NumberArray): NullRows {
  switch (type) {
    case 'float64':
      return nanRows(values as Float64Array);
    case 'boolean':
      return equalRows(values as Uint8Array, BOOLEAN_NULL);
    case 'string':
      return equalRows(values as Uint32Array, STRING_NULL);
    default:
      return smallestRows(values as BigInt64Array);
  }
}

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

function validity(rowCount: number, nulls: readonly number[]): Uint8Array {
  const bitmap = new Uint8Array((rowCount + 7) >> 3).fill(0xff);
  for (const row of nulls) bitmap[row >> 3]! &= ~(1 << (row & 7));
  return bitmap;
}

function packBits(values: NumberArray): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) if (values[i] === 1) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

/** A null's code is not looked at, but readers may check that it is in range. */
function indices(codes: Uint32Array, nulls: NullRows): Uint32Array {
  if (nulls === undefined) return codes;
  const checked = codes.slice();
  for (const row of nulls) checked[row] = 0;
  return checked;
}
