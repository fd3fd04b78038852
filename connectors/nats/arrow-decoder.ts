/**
 * Messages that are Arrow IPC streams of any number of rows. The bytes are decoded by arrow-rs, the
 * columns converted by kernels into one store: no value passes through JavaScript.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { elementBytes } from '../../engine/contract/schema.ts';
import { arrowKernels, FLAG_RANGE } from '../../wasm/host/arrow.ts';
import { INTERNER_FULL, type InternerExports } from '../../wasm/host/interner.ts';
import { type ArrowArray, type ArrowRecords, recordsOf } from '../formats/arrow-array.ts';
import { ArrowCast, canCast } from '../formats/arrow-cast.ts';
import { typeName, valueText } from '../formats/arrow-format.ts';
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

/** Rows that are converted at once: small enough for the caches. */
const SLICE_ROWS = 16_384;

/** Record batches of a message, the arrays of each in the order of the columns. */
interface OpenRecords {
  readonly records: ArrowRecords;
  /** Undefined for a column that comes from the subject. */
  readonly arrays: readonly (ArrowArray | undefined)[];
}

export class ArrowDecoder implements MessageDecoder {
  readonly #columns: readonly MessageColumn[];
  readonly #store: ColumnStore;
  readonly #cast: ArrowCast;
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
