/**
 * Arrow arrays of parquet-wasm (arrow-rs), read in place through the Arrow C data interface.
 *
 * A record batch is exported as two C structs in the module's memory; pointers there are 4 bytes.
 * Nothing is copied: `bytes` are views, valid until the module is called again.
 *
 *   ArrowSchema  char* format, char* name, char* metadata, (4 bytes), i64 flags, i64 n_children,
 *                ArrowSchema** children, ArrowSchema* dictionary, …
 *   ArrowArray   i64 length, i64 null_count, i64 offset, i64 n_buffers, i64 n_children,
 *                void** buffers, ArrowArray** children, ArrowArray* dictionary, …
 */

import { type RecordBatch, type Schema, wasmMemory } from './parquet-module.ts';

const SCHEMA = { format: 0, name: 4, childCount: 24, children: 32, dictionary: 36 } as const;
const ARRAY = {
  length: 0,
  nullCount: 8,
  offset: 16,
  bufferCount: 24,
  buffers: 40,
  children: 44,
  dictionary: 48,
} as const;

export interface ArrowField {
  readonly name: string;
  /** Format of the C data interface: `l` for int64, `tsn:` for nanoseconds, … */
  readonly format: string;
  /** Of the dictionary's values, where the array holds indices of one. */
  readonly dictionary: ArrowField | undefined;
}

export interface ArrowArray extends ArrowField {
  /** Elements before the first. */
  readonly offset: number;
  readonly length: number;
  /** -1 where it is not known. */
  readonly nullCount: number;
  /** Addresses, 0 where there is no buffer. The first is the validity bitmap. */
  readonly buffers: readonly number[];
  readonly dictionary: ArrowArray | undefined;
}

/** A record batch; `close` gives its memory back. */
export interface ArrowRecords {
  readonly rowCount: number;
  readonly columns: readonly ArrowArray[];
  close(): void;
}

/** A view of the module's memory. */
export function moduleBytes(address: number, length: number): Uint8Array {
  return new Uint8Array((wasmMemory() as { buffer: ArrayBuffer }).buffer, address, length);
}

function moduleView(): DataView {
  return new DataView((wasmMemory() as { buffer: ArrayBuffer }).buffer);
}

function textAt(view: DataView, address: number): string {
  if (address === 0) return '';
  const bytes = new Uint8Array(view.buffer, address);
  return Buffer.from(view.buffer, address, bytes.indexOf(0)).toString('utf8');
}

function pointerAt(view: DataView, address: number): number {
  return view.getUint32(address, true);
}

function longAt(view: DataView, address: number): number {
  return Number(view.getBigInt64(address, true));
}

function pointersAt(view: DataView, address: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => pointerAt(view, address + index * 4));
}

function readField(view: DataView, schema: number): ArrowField {
  const dictionary = pointerAt(view, schema + SCHEMA.dictionary);
  return {
    name: textAt(view, pointerAt(view, schema + SCHEMA.name)),
    format: textAt(view, pointerAt(view, schema + SCHEMA.format)),
    dictionary: dictionary === 0 ? undefined : readField(view, dictionary),
  };
}

function readArray(view: DataView, field: ArrowField, array: number): ArrowArray {
  const dictionary = pointerAt(view, array + ARRAY.dictionary);
  const bufferCount = longAt(view, array + ARRAY.bufferCount);
  return {
    ...field,
    length: longAt(view, array + ARRAY.length),
    nullCount: longAt(view, array + ARRAY.nullCount),
    offset: longAt(view, array + ARRAY.offset),
    buffers: pointersAt(view, pointerAt(view, array + ARRAY.buffers), bufferCount),
    dictionary:
      field.dictionary === undefined ? undefined : readArray(view, field.dictionary, dictionary),
  };
}

function readFields(view: DataView, schema: number): ArrowField[] {
  const count = longAt(view, schema + SCHEMA.childCount);
  const children = pointersAt(view, pointerAt(view, schema + SCHEMA.children), count);
  return children.map((child) => readField(view, child));
}

/** The columns of a schema, which is consumed. */
export function fieldsOf(schema: Schema): ArrowField[] {
  const exported = schema.intoFFI();
  try {
    return readFields(moduleView(), exported.addr());
  } finally {
    exported.free();
  }
}

/** The columns of a record batch, which is consumed. */
export function recordsOf(batch: RecordBatch): ArrowRecords {
  const exported = batch.intoFFI();
  const view = moduleView();
  const array = exported.arrayAddr();
  const fields = readFields(view, exported.schemaAddr());
  const children = pointersAt(view, pointerAt(view, array + ARRAY.children), fields.length);
  return {
    rowCount: longAt(view, array + ARRAY.length),
    columns: fields.map((field, index) => readArray(view, field, children[index]!)),
    close: () => {
      exported.free();
    },
  };
}
