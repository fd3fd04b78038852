/**
 * Where the buffers of a plain Arrow IPC stream lie, without decoding it: schema, dictionaries of
 * texts, record batches without nulls or compression. Such streams are what `publish` and most
 * producers of ticks make; for all others there is a decoder that knows everything.
 *
 * Every offset is checked against the bytes; what does not fit makes the stream "not plain", and
 * the other decoder then says what is wrong with it.
 */

import { fieldAt } from '../formats/flatbuffer.ts';

export type PlainKind = 'float64' | 'int64' | 'timestamp' | 'text';

export interface PlainField {
  readonly name: string;
  /** Undefined for a type that is not read here. */
  readonly kind: PlainKind | undefined;
  /** Id of its dictionary, where its buffer holds i32 indices. */
  readonly dictionary: bigint | undefined;
  /** Validity, values and, for texts, offsets before the values. */
  readonly bufferCount: 2 | 3;
}

/** Bytes of a buffer in the stream. */
export interface Extent {
  readonly start: number;
  readonly length: number;
}

export interface PlainTexts {
  readonly count: number;
  /** i32[count + 1] */
  readonly offsets: Extent;
  readonly data: Extent;
}

export interface PlainRecords {
  readonly rowCount: number;
  /** For each field its buffers behind the validity. */
  readonly buffers: readonly (readonly Extent[])[];
}

export interface PlainStream {
  readonly fields: readonly PlainField[];
  readonly dictionaries: ReadonlyMap<bigint, PlainTexts>;
  readonly records: readonly PlainRecords[];
}

const MESSAGE = { headerType: 1, header: 2, bodyLength: 3 } as const;
const SCHEMA = { fields: 1 } as const;
const FIELD = { name: 0, typeType: 2, type: 3, dictionary: 4, children: 5 } as const;
const ENCODING = { id: 0, indexType: 1 } as const;
const INT = { bitWidth: 0, isSigned: 1 } as const;
const RECORDS = { length: 0, nodes: 1, buffers: 2, compression: 3 } as const;
const DICTIONARY = { id: 0, data: 1, isDelta: 2 } as const;
const HEADER = { schema: 1, dictionary: 2, records: 3 } as const;
const TYPE = {
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  date: 8,
  time: 9,
  timestamp: 10,
} as const;
const DOUBLE = 2;
const NANOSECOND = 3;
const CONTINUATION = 0xffff_ffff;

class NotPlain extends Error {}

/** The layout of the stream; undefined where it is not plain. */
export class PlainLayouts {
  /** Metadata of the last schema, and what was in it: a publisher repeats it in every message. */
  #schemaBytes: Buffer = Buffer.alloc(0);
  #fields: readonly PlainField[] = [];

  read(bytes: Buffer): PlainStream | undefined {
    try {
      return this.#read(bytes);
    } catch (error) {
      // Offsets that lead out of the bytes are a RangeError of Buffer.
      if (error instanceof NotPlain || error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #read(bytes: Buffer): PlainStream {
    const dictionaries = new Map<bigint, PlainTexts>();
    const records: PlainRecords[] = [];
    let hasSchema = false;
    for (let at = 0; at < bytes.length; ) {
      if (bytes.readUInt32LE(at) !== CONTINUATION) throw new NotPlain();
      const metadataLength = bytes.readInt32LE(at + 4);
      if (metadataLength === 0) break;
      const start = at + 8;
      const body = start + metadataLength;
      if (metadataLength < 0 || body > bytes.length) throw new NotPlain();
      const metadata = bytes.subarray(start, body);
      const table = metadata.readUInt32LE(0);
      const type = byteAt(metadata, table, MESSAGE.headerType);
      const bodyLength = longAt(metadata, table, MESSAGE.bodyLength);
      const header = tableAt(metadata, table, MESSAGE.header);
      const place: Body = { start: body, length: bodyLength, end: bytes.length };
      if (type === HEADER.schema && !hasSchema) {
        this.#schema(metadata, header);
        hasSchema = true;
      } else if (type === HEADER.dictionary && hasSchema) {
        if (byteAt(metadata, header, DICTIONARY.isDelta) !== 0) throw new NotPlain();
        const id = bigAt(metadata, header, DICTIONARY.id);
        // A dictionary that is stated anew would hold for the records behind it only.
        if (records.length > 0 || dictionaries.has(id)) throw new NotPlain();
        const data = tableAt(metadata, header, DICTIONARY.data);
        const found = recordsOf(metadata, data, place, [{ bufferCount: 3 }]);
        const [offsets, texts] = found.buffers[0]!;
        dictionaries.set(id, { count: found.rowCount, offsets: offsets!, data: texts! });
      } else if (type === HEADER.records && hasSchema) {
        records.push(recordsOf(metadata, header, place, this.#fields));
      } else throw new NotPlain();
      at = body + bodyLength;
    }
    if (!hasSchema) throw new NotPlain();
    return { fields: this.#fields, dictionaries, records };
  }

  #schema(metadata: Buffer, header: number): void {
    if (metadata.equals(this.#schemaBytes)) return;
    this.#schemaBytes = Buffer.alloc(0);
    const vector = vectorAt(metadata, header, SCHEMA.fields);
    this.#fields = Array.from({ length: vector.count }, (_, index) => {
      const place = vector.start + index * 4;
      return fieldOf(metadata, place + metadata.readUInt32LE(place));
    });
    this.#schemaBytes = Buffer.from(metadata);
  }
}

/**
 * What is wrong with the lengths that the messages of a stream state; undefined where they fit. A
 * decoder that believes them would ask for gigabytes.
 */
export function framingProblem(bytes: Buffer): string | undefined {
  try {
    for (let at = 0; at < bytes.length; ) {
      const isContinued = bytes.readUInt32LE(at) === CONTINUATION;
      const start = at + (isContinued ? 8 : 4);
      const metadataLength = bytes.readInt32LE(start - 4);
      if (metadataLength === 0) return at === 0 ? 'it has no schema' : undefined;
      const body = start + metadataLength;
      if (metadataLength < 0 || body > bytes.length) return at === 0 ? 'it is none' : CUT_OFF;
      const metadata = bytes.subarray(start, body);
      at = body + longAt(metadata, metadata.readUInt32LE(0), MESSAGE.bodyLength);
      if (at > bytes.length) return CUT_OFF;
    }
    return bytes.length === 0 ? 'it is none' : undefined;
  } catch (error) {
    if (error instanceof NotPlain || error instanceof RangeError) return 'it is damaged';
    throw error;
  }
}

const CUT_OFF = 'it ends too early';

interface Body {
  readonly start: number;
  readonly length: number;
  /** Of the stream. */
  readonly end: number;
}

function fieldOf(bytes: Buffer, table: number): PlainField {
  const type = byteAt(bytes, table, FIELD.typeType);
  const name = textAt(bytes, table, FIELD.name);
  const encodingPlace = fieldAt(bytes, table, FIELD.dictionary);
  const children = fieldAt(bytes, table, FIELD.children);
  if (children !== 0 && vectorAt(bytes, table, FIELD.children).count > 0) throw new NotPlain();
  const detail = tableAt(bytes, table, FIELD.type);
  if (encodingPlace !== 0) {
    const encoding = encodingPlace + bytes.readUInt32LE(encodingPlace);
    const isText = type === TYPE.utf8 && isInt(bytes, encoding, ENCODING.indexType, 32);
    const dictionary = bigAt(bytes, encoding, ENCODING.id);
    // The buffers of another dictionary could not be told apart from one of texts.
    if (!isText) throw new NotPlain();
    return { name, kind: 'text', dictionary, bufferCount: 2 };
  }
  const bufferCount = type === TYPE.utf8 || type === TYPE.binary ? 3 : 2;
  return { name, kind: kindOf(bytes, type, detail), dictionary: undefined, bufferCount };
}

function kindOf(bytes: Buffer, type: number, detail: number): PlainKind | undefined {
  switch (type) {
    case TYPE.float:
      return shortAt(bytes, detail, 0) === DOUBLE ? 'float64' : undefined;
    case TYPE.int:
      return isIntTable(bytes, detail, 64) ? 'int64' : undefined;
    case TYPE.timestamp:
      return shortAt(bytes, detail, 0) === NANOSECOND ? 'timestamp' : undefined;
    case TYPE.utf8:
      return 'text';
    case TYPE.binary:
    case TYPE.bool:
    case TYPE.date:
    case TYPE.time:
      return undefined;
    default:
      // Who knows how many buffers it has.
      throw new NotPlain();
  }
}

function isInt(bytes: Buffer, table: number, field: number, width: number): boolean {
  // Without a type of its own an index is a signed integer of 32 bits.
  if (fieldAt(bytes, table, field) === 0) return width === 32;
  return isIntTable(bytes, tableAt(bytes, table, field), width);
}

function isIntTable(bytes: Buffer, table: number, width: number): boolean {
  const place = fieldAt(bytes, table, INT.bitWidth);
  const isSigned = byteAt(bytes, table, INT.isSigned) !== 0;
  return isSigned && place !== 0 && bytes.readInt32LE(place) === width;
}

function recordsOf(
  bytes: Buffer,
  table: number,
  body: Body,
  fields: readonly Pick<PlainField, 'bufferCount'>[],
): PlainRecords {
  if (fieldAt(bytes, table, RECORDS.compression) !== 0) throw new NotPlain();
  const rowCount = longAt(bytes, table, RECORDS.length);
  const nodes = vectorAt(bytes, table, RECORDS.nodes);
  const buffers = vectorAt(bytes, table, RECORDS.buffers);
  const wanted = fields.reduce((sum, { bufferCount }) => sum + bufferCount, 0);
  if (nodes.count !== fields.length || buffers.count !== wanted) throw new NotPlain();
  let next = buffers.start;
  const found = fields.map(({ bufferCount }, index) => {
    const node = nodes.start + index * 16;
    const length = Number(bytes.readBigInt64LE(node));
    const nulls = Number(bytes.readBigInt64LE(node + 8));
    if (length !== rowCount || nulls !== 0) throw new NotPlain();
    const own = Array.from({ length: bufferCount }, (_, which) =>
      extentAt(bytes, next + which * 16, body),
    );
    next += bufferCount * 16;
    return own.slice(1);
  });
  return { rowCount, buffers: found };
}

function extentAt(bytes: Buffer, place: number, body: Body): Extent {
  const offset = Number(bytes.readBigInt64LE(place));
  const length = Number(bytes.readBigInt64LE(place + 8));
  const start = body.start + offset;
  const isWithin = offset >= 0 && length >= 0 && offset + length <= body.length;
  if (!isWithin || start + length > body.end) throw new NotPlain();
  return { start, length };
}

function byteAt(bytes: Buffer, table: number, field: number): number {
  const place = fieldAt(bytes, table, field);
  return place === 0 ? 0 : bytes.readUInt8(place);
}

function shortAt(bytes: Buffer, table: number, field: number): number {
  const place = fieldAt(bytes, table, field);
  return place === 0 ? 0 : bytes.readInt16LE(place);
}

function bigAt(bytes: Buffer, table: number, field: number): bigint {
  const place = fieldAt(bytes, table, field);
  return place === 0 ? 0n : bytes.readBigInt64LE(place);
}

function longAt(bytes: Buffer, table: number, field: number): number {
  const value = Number(bigAt(bytes, table, field));
  if (value < 0 || !Number.isSafeInteger(value)) throw new NotPlain();
  return value;
}

function tableAt(bytes: Buffer, table: number, field: number): number {
  const place = fieldAt(bytes, table, field);
  if (place === 0) throw new NotPlain();
  return place + bytes.readUInt32LE(place);
}

function vectorAt(
  bytes: Buffer,
  table: number,
  field: number,
): { readonly start: number; readonly count: number } {
  const vector = tableAt(bytes, table, field);
  const count = bytes.readUInt32LE(vector);
  if (count > bytes.length) throw new NotPlain();
  return { start: vector + 4, count };
}

function textAt(bytes: Buffer, table: number, field: number): string {
  const { start, count } = vectorAt(bytes, table, field);
  return bytes.toString('utf8', start, start + count);
}
