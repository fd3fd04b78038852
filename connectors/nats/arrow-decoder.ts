/**
 * Messages that are Arrow IPC streams of any number of rows. The columns of plain streams are
 * copied from where they lie; others are decoded by arrow-rs and converted by kernels. Both give
 * the same rows, and no value passes through JavaScript.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { elementBytes } from '../../engine/contract/schema.ts';
import { arrowKernels, FLAG_RANGE } from '../../wasm/host/arrow.ts';
import { INTERNER_FULL, type InternerExports } from '../../wasm/host/interner.ts';
import { type ArrowArray, type ArrowRecords, recordsOf } from '../formats/arrow-array.ts';
import { ArrowCast, canCast } from '../formats/arrow-cast.ts';
import { typeName, valueText } from '../formats/arrow-format.ts';
import { framingProblem, PlainLayouts, type PlainStream } from './arrow-layout.ts';
import { ColumnStore, growDictionary, type StoreColumn } from '../formats/column-store.ts';
import { badValue, outOfRange, quoted, rawText, type TimeUnitNs } from '../formats/decoder.ts';
import { Table } from '../formats/parquet-module.ts';
import { decoderReason } from '../formats/wasm-traps.ts';
import {
  looksLike,
  type MessageColumn,
  type MessageDecoder,
  type RejectRow,
  tokenOf,
  UndecodableMessage,
} from './message-decoder.ts';
import { copyPlain, plainIndices, type PlainSlice } from './plain-rows.ts';

/** Rows that are converted at once: small enough for the caches. */
const SLICE_ROWS = 16_384;

/** Record batches of a message, the arrays of each in the order of the columns. */
interface OpenRecords {
  readonly records: ArrowRecords;
  /** Undefined for a column that comes from the subject. */
  readonly arrays: readonly (ArrowArray | undefined)[];
}

/** A message that needs no decoding, and where its columns stand. */
interface PlainMessage {
  readonly bytes: Buffer;
  readonly stream: PlainStream;
  /** Field of each column. */
  readonly indices: readonly number[];
}

const FROM_SUBJECT = -1;

export class ArrowDecoder implements MessageDecoder {
  readonly #columns: readonly MessageColumn[];
  readonly #store: ColumnStore;
  readonly #cast: ArrowCast;
  readonly #layouts = new PlainLayouts();
  #plain: PlainMessage | undefined;
  #open: OpenRecords[] = [];
  #subject = '';

  constructor(columns: readonly MessageColumn[], rowsMax: number, timeUnit: TimeUnitNs) {
    this.#columns = columns;
    this.#store = new ColumnStore(columns, rowsMax);
    this.#cast = new ArrowCast(this.#store, timeUnit);
  }

  open(payload: Uint8Array, subject: string): number {
    this.#close();
    this.#subject = subject;
    this.#plain = this.#openPlain(payload);
    if (this.#plain === undefined) return this.#openAny(payload);
    return this.#plain.stream.records.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  #openPlain(payload: Uint8Array): PlainMessage | undefined {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const stream = this.#layouts.read(bytes);
    if (stream === undefined) return undefined;
    const own = this.#columns.filter(({ token }) => token === 0);
    const found = plainIndices(stream, own);
    if (found === undefined) return undefined;
    let next = 0;
    const indices = this.#columns.map(({ token }) => (token === 0 ? found[next++]! : FROM_SUBJECT));
    return { bytes, stream, indices };
  }

  /** The way of all streams that are not plain, or not sound. */
  #openAny(payload: Uint8Array): number {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const problem = framingProblem(bytes);
    if (problem !== undefined) {
      throw new UndecodableMessage(`no Arrow IPC stream: ${problem}; ${looksLike(payload)}`);
    }
    try {
      const table = Table.fromIPCStream(payload);
      try {
        for (const batch of table.recordBatches()) {
          const records = recordsOf(batch);
          this.#open.push({ records, arrays: this.#resolve(records) });
        }
      } finally {
        table.free();
      }
    } catch (error) {
      this.#close();
      if (error instanceof UndecodableMessage) throw error;
      const reason = decoderReason(error);
      throw new UndecodableMessage(`no Arrow IPC stream: ${reason}; ${looksLike(payload)}`);
    }
    return this.#open.reduce((sum, { records }) => sum + records.rowCount, 0);
  }

  #close(): void {
    for (const { records } of this.#open.splice(0)) records.close();
  }

  #resolve({ columns: fields }: ArrowRecords): (ArrowArray | undefined)[] {
    return this.#columns.map(({ name, from, type, token }) => {
      if (token > 0) return undefined;
      const field = fields.find((each) => each.name === from);
      if (field === undefined) {
        const names = fields.map((each) => each.name).join(', ');
        throw new UndecodableMessage(`no column ${JSON.stringify(from)}; it has ${names}`);
      }
      if (canCast(field, type)) return field;
      throw new UndecodableMessage(
        `${name}: column ${from} is ${typeName(field)}, which is not read as ${type}`,
      );
    });
  }

  convert(from: number, count: number, at: number, reject: RejectRow): number {
    if (this.#plain !== undefined) {
      const { bytes } = this.#plain;
      if (this.#convertPlain(this.#plain, from, count, at)) return count;
      // Some row is not as it should be: the other decoder tells which, and why.
      this.#plain = undefined;
      this.#openAny(bytes);
    }
    let kept = 0;
    let first = 0;
    for (const { records, arrays } of this.#open) {
      const end = Math.min(from + count, first + records.rowCount);
      let row = Math.max(from, first);
      while (row < end) {
        const rows = Math.min(SLICE_ROWS, end - row);
        kept += this.#convertSlice(arrays, row - first, rows, at + kept, reject);
        row += rows;
      }
      first += records.rowCount;
    }
    return kept;
  }

  /** False where a row is not sound; nothing counts then. */
  #convertPlain(
    { bytes, stream, indices }: PlainMessage,
    from: number,
    count: number,
    at: number,
  ): boolean {
    const { memory } = this.#store.kernels;
    let first = 0;
    let done = 0;
    for (const [records, { rowCount }] of stream.records.entries()) {
      const start = Math.max(from, first);
      const rows = Math.min(from + count, first + rowCount) - start;
      if (rows > 0) {
        const slice = { stream, bytes, records, from: start - first, count: rows, at: at + done };
        try {
          for (const [index, column] of this.#store.columns.entries()) {
            const isSound =
              indices[index] === FROM_SUBJECT
                ? this.#fillPlain(index, column, slice)
                : copyPlain(this.#store, column, indices[index]!, slice);
            if (!isSound) return false;
          }
        } finally {
          memory.arena.reset();
        }
        done += rows;
      }
      first += rowCount;
    }
    return true;
  }

  #fillPlain(index: number, column: StoreColumn, { count, at }: PlainSlice): boolean {
    const text = tokenOf(this.#subject, this.#columns[index]!.token);
    if (text === undefined) return false;
    const code = this.#codeOf(column, text);
    this.#store.kernels.memory.u32(column.values + at * 4, count).fill(code);
    return true;
  }

  #convertSlice(
    arrays: readonly (ArrowArray | undefined)[],
    from: number,
    count: number,
    at: number,
    reject: RejectRow,
  ): number {
    const { memory } = this.#store.kernels;
    const { columns } = this.#store;
    const kernels = arrowKernels(this.#store.kernels);
    try {
      const flags = memory.arena.allocate(count * columns.length);
      const merged = memory.arena.allocate(count);
      memory.bytes(flags, count * columns.length).fill(0);
      memory.bytes(merged, count).fill(0);
      let flagged = 0;
      for (const [index, column] of columns.entries()) {
        const out = column.values + at * elementBytes(column.type);
        const place = flags + index * count;
        const array = arrays[index];
        if (array === undefined) this.#fillFromSubject(index, column, out, count, place);
        else {
          const target = { column, interner: column.interner, out, flags: place };
          if (!this.#cast.cast(array, from, count, target)) {
            // An index that leads out of its dictionary: none of these rows can be trusted.
            memory.bytes(place, count).fill(BAD_INDEX);
          }
        }
        flagged = kernels.mergeFlags(place, count, merged);
      }
      if (flagged > 0) this.#rejectFlagged(arrays, { from, count, at, flags, merged, reject });
      return count - flagged;
    } finally {
      memory.arena.reset();
    }
  }

  #fillFromSubject(
    index: number,
    column: StoreColumn,
    out: number,
    count: number,
    flags: number,
  ): void {
    const { memory } = this.#store.kernels;
    const text = tokenOf(this.#subject, this.#columns[index]!.token);
    if (text === undefined) memory.bytes(flags, count).fill(NO_TOKEN);
    else memory.u32(out, count).fill(this.#codeOf(column, text));
  }

  #codeOf(column: StoreColumn, text: string): number {
    const { kernels } = this.#store;
    const { memory } = kernels;
    const bytes = Buffer.from(text);
    const exports = kernels.module<InternerExports>('interner');
    for (;;) {
      // Kernels read texts in steps of eight bytes.
      const pointer = memory.arena.allocate(bytes.length + 8);
      memory.bytes(pointer, bytes.length).set(bytes);
      const code = exports.internText(column.interner!.state, pointer, bytes.length) >>> 0;
      if (code !== INTERNER_FULL) return code;
      growDictionary(column, column.interner!);
    }
  }

  #rejectFlagged(arrays: readonly (ArrowArray | undefined)[], slice: FlaggedSlice): void {
    const { columns, kernels } = this.#store;
    const { memory } = kernels;
    const { from, count, at, flags, merged, reject } = slice;
    const isFlagged = memory.bytes(merged, count);
    const columnFlags = memory.bytes(flags, count * columns.length);
    for (let row = 0; row < count; row++) {
      if (isFlagged[row] === 0) continue;
      const index = columns.findIndex((_, place) => columnFlags[place * count + row] !== 0);
      const flag = columnFlags[index * count + row]!;
      reject(
        this.#explain(columns[index]!, arrays[index], flag, from + row),
        flag === BAD_INDEX ? '' : rowText(arrays, from + row),
      );
    }
    for (const { type, values } of columns) {
      const width = elementBytes(type);
      arrowKernels(kernels).compact(values + at * width, width, count, merged);
    }
  }

  #explain(column: StoreColumn, array: ArrowArray | undefined, flag: number, row: number): string {
    if (flag === NO_TOKEN) return badValue(column, 'no such token in the subject');
    if (flag === BAD_INDEX) return `${column.name}: an index behind the end of the dictionary`;
    const text = array === undefined ? undefined : valueText(array, row);
    const found = text === undefined ? 'null' : quoted(text);
    return (flag === FLAG_RANGE ? outOfRange : badValue)(column, found);
  }

  take(rowCount: number): ColumnVector[] {
    return this.#store.take(rowCount);
  }
}

const BAD_INDEX = 64;
const NO_TOKEN = 32;

interface FlaggedSlice {
  readonly from: number;
  readonly count: number;
  readonly at: number;
  readonly flags: number;
  readonly merged: number;
  readonly reject: RejectRow;
}

function rowText(arrays: readonly (ArrowArray | undefined)[], row: number): string {
  const members = arrays.flatMap((array) => {
    if (array === undefined) return [];
    const text = valueText(array, row);
    return `${JSON.stringify(array.name)}:${text === undefined ? 'null' : JSON.stringify(text)}`;
  });
  return rawText(Buffer.from(`{${members.join(',')}}`));
}
