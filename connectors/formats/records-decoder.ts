/**
 * Arrow record batches, from Parquet or from Arrow files, to batches of rows.
 *
 * The source gives record batches as large as it likes; their rows are converted into the column
 * store until that is full. Rows with a null or a value out of range where none may be are taken
 * out again and rejected.
 */

import type { RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { elementBytes } from '../../engine/contract/schema.ts';
import { arrowKernels, FLAG_EMPTY, FLAG_RANGE } from '../../wasm/host/arrow.ts';
import type { ArrowArray, ArrowField, ArrowRecords } from './arrow-array.ts';
import { ArrowCast, canCast } from './arrow-cast.ts';
import { typeName, valueText } from './arrow-format.ts';
import type { ColumnStore, StoreColumn } from './column-store.ts';
import {
  ambiguousColumn,
  asError,
  badValue,
  type DecodedRows,
  type Decoder,
  type FileColumn,
  missingColumn,
  outOfRange,
  quoted,
  rawText,
  REJECTED_ROWS_MAX,
  type TimeUnitNs,
} from './decoder.ts';

/** Rows that are converted at once: small enough for the caches. */
const SLICE_ROWS = 16_384;

export interface RecordSource {
  /** The next records; undefined at the end. Throws where the input is damaged. */
  next(): Promise<ArrowRecords | undefined>;
  readonly bytesRead: number;
  /** Rows of the file before those that the source gives. */
  readonly firstRow: number;
  close(): Promise<void>;
}

/** The position of each column among the fields of a file. */
export function resolveFields(
  path: string,
  columns: readonly FileColumn[],
  fields: readonly ArrowField[],
): number[] {
  const names = fields.map(({ name }) => name);
  return columns.map((column) => {
    const index = names.indexOf(String(column.from));
    if (index < 0) throw missingColumn(path, 'columns', column, names);
    const other = names.indexOf(String(column.from), index + 1);
    if (other >= 0) throw ambiguousColumn(path, 'columns', column, index, other);
    const field = fields[index]!;
    if (!canCast(field, column.type)) {
      const all = fields.map((other) => `${other.name}: ${typeName(other)}`).join(', ');
      throw new EngineError(
        'source/format',
        `cannot read ${column.name} from ${path}: column ${field.name} is ${typeName(field)}, ` +
          `which is not read as ${column.type}; the file has ${all}`,
      );
    }
    return index;
  });
}

/** What converting needs, for all files of a reader. */
export interface RecordStore {
  readonly store: ColumnStore;
  readonly cast: ArrowCast;
}

export function makeRecordStore(store: ColumnStore, timeUnit: TimeUnitNs): RecordStore {
  return { store, cast: new ArrowCast(store, timeUnit) };
}

export class RecordsDecoder implements Decoder {
  readonly #path: string;
  readonly #source: RecordSource;
  readonly #store: ColumnStore;
  readonly #cast: ArrowCast;
  #records: ArrowRecords | undefined;
  #arrays: readonly ArrowArray[] = [];
  /** Rows of the records at hand that have been read. */
  #cursor = 0;
  /** Rows of the source that have been read, and how many of them are to be passed over. */
  #rowsRead = 0;
  #rowsToSkip: number;
  #rows = 0;
  #rejected: RejectedRow[] = [];
  #damage: Error | undefined;

  constructor(
    path: string,
    source: RecordSource,
    { store, cast }: RecordStore,
    resumeAt?: SplitPosition,
  ) {
    this.#path = path;
    this.#source = source;
    this.#store = store;
    this.#cast = cast;
    this.#rowsToSkip = Number(resumeAt?.['row'] ?? 0);
  }

  get bytesRead(): number {
    return this.#source.bytesRead;
  }

  position(): SplitPosition {
    return { row: this.#rowsRead };
  }

  async next(): Promise<DecodedRows | undefined> {
    while (this.#damage === undefined) {
      if (this.#rows === this.#store.rowsMax || this.#rejected.length >= REJECTED_ROWS_MAX) break;
      try {
        if (!(await this.#convertMore())) break;
      } catch (damage) {
        this.#damage = asError(damage);
      }
    }
    if (this.#rows > 0 || this.#rejected.length > 0) return this.#take();
    if (this.#damage === undefined) return undefined;
    throw this.#damage;
  }

  #take(): DecodedRows {
    const rowCount = this.#rows;
    const rejected = this.#rejected;
    this.#rows = 0;
    this.#rejected = [];
    return { rowCount, columns: this.#store.take(rowCount), rejected };
  }

  /** False at the end. */
  async #convertMore(): Promise<boolean> {
    if (this.#records === undefined || this.#cursor === this.#records.rowCount) {
      this.#records?.close();
      this.#records = undefined;
      this.#records = await this.#source.next();
      this.#cursor = 0;
      if (this.#records === undefined) return false;
      const { columns } = this.#records;
      const indices = resolveFields(this.#path, this.#store.columns, columns);
      this.#arrays = indices.map((index) => columns[index]!);
    }
    const left = this.#records.rowCount - this.#cursor;
    const skipped = Math.min(left, this.#rowsToSkip);
    const room = this.#store.rowsMax - this.#rows;
    const count = skipped > 0 ? skipped : Math.min(left, room, SLICE_ROWS);
    if (skipped > 0) this.#rowsToSkip -= skipped;
    else this.#convert(count);
    this.#cursor += count;
    this.#rowsRead += count;
    return true;
  }

  /** Converts `count` rows behind those in the store. */
  #convert(count: number): void {
    const { memory } = this.#store.kernels;
    const { arena } = memory;
    const kernels = arrowKernels(this.#store.kernels);
    const columns = this.#store.columns;
    try {
      const flags = arena.allocate(count * columns.length);
      const merged = arena.allocate(count);
      memory.bytes(flags, count * columns.length).fill(0);
      memory.bytes(merged, count).fill(0);
      let flagged = 0;
      for (const [index, column] of columns.entries()) {
        const out = column.values + this.#rows * elementBytes(column.type);
        const target = { column, interner: column.interner, out, flags: flags + index * count };
        if (!this.#cast.cast(this.#arrays[index]!, this.#cursor, count, target)) {
          throw new EngineError(
            'source/corrupt',
            `cannot read on in ${this.#path}: column ${column.from} has an index behind the end ` +
              `of its dictionary, between rows ${this.#row(0)} and ${this.#row(count - 1)}`,
          );
        }
        flagged = kernels.mergeFlags(flags + index * count, count, merged);
      }
      if (flagged > 0) this.#rejectFlagged(count, flags, merged);
      this.#rows += count - flagged;
    } finally {
      arena.reset();
    }
  }

  /** 1-based row in the file of a row behind the cursor. */
  #row(offset: number): number {
    return this.#source.firstRow + this.#rowsRead + offset + 1;
  }

  #rejectFlagged(count: number, flags: number, merged: number): void {
    const { columns, kernels } = this.#store;
    const { memory } = kernels;
    const isFlagged = memory.bytes(merged, count);
    const columnFlags = memory.bytes(flags, count * columns.length);
    for (let row = 0; row < count; row++) {
      if (isFlagged[row] === 0) continue;
      const index = columns.findIndex((_, at) => columnFlags[at * count + row] !== 0);
      this.#rejected.push({
        origin: this.#path,
        line: this.#row(row),
        reason: this.#explain(columns[index]!, columnFlags[index * count + row]!, index, row),
        raw: this.#raw(row),
      });
    }
    for (const { type, values } of columns) {
      const width = elementBytes(type);
      arrowKernels(kernels).compact(values + this.#rows * width, width, count, merged);
    }
  }

  #explain(column: StoreColumn, flag: number, index: number, row: number): string {
    if (flag === FLAG_EMPTY) return badValue(column, 'null');
    const found = valueText(this.#arrays[index]!, this.#cursor + row) ?? 'null';
    return (flag === FLAG_RANGE ? outOfRange : badValue)(column, quoted(found));
  }

  /** The row as JSON, with its columns in the order of the source's. */
  #raw(row: number): string {
    const members = this.#arrays.map((array) => {
      const text = valueText(array, this.#cursor + row);
      return `${JSON.stringify(array.name)}:${text === undefined ? 'null' : JSON.stringify(text)}`;
    });
    return rawText(Buffer.from(`{${members.join(',')}}`));
  }

  async close(): Promise<void> {
    this.#records?.close();
    this.#records = undefined;
    await this.#source.close();
  }
}
