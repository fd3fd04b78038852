/**
 * Host side of the scanner for DBN records (wasm/assembly/dbn.ts gives the layouts): owns its input
 * buffer, its tables and its state in linear memory.
 *
 *   append(bytes) … scan() → 'input'    wants more bytes
 *                          → 'rows'     the columns are full: take them, then `clearRows`
 *                          → else       the record at hand needs the caller, who deals with it and
 *                                       may pass over it
 */

import type { Interner, InternerExports } from './interner.ts';
import { INTERNER_FULL } from './interner.ts';
import type { Kernels } from './kernels.ts';

interface DbnExports {
  scan(state: number): number;
  putSymbol(table: number, mask: number, instrument: number, day: number, code: number): void;
}

/** What stands at an offset of a record; the numbers are those of the kernel. */
export const DBN_KINDS = {
  price: 0,
  time: 1,
  u8: 2,
  u16: 3,
  u32: 4,
  i32: 5,
  u64: 6,
  size: 7,
  character: 8,
  symbol: 9,
  instrument: 10,
} as const;
export type DbnKind = keyof typeof DBN_KINDS;

export interface DbnColumn {
  readonly kind: DbnKind;
  /** Offset in the record. */
  readonly offset: number;
  /** A record in which it is undefined is a bad row. */
  readonly isRequired: boolean;
  /** Whether numbers become doubles rather than int64. */
  readonly isFloat: boolean;
  /** Pointer to room for `rowsMax` elements. */
  readonly values: number;
  /** For texts. */
  readonly interner: Interner | undefined;
}

export interface DbnOptions {
  readonly columns: readonly DbnColumn[];
  readonly rowsMax: number;
  /** Bytes that a record of each rtype to be read must have; others are passed over. */
  readonly sizes: ReadonlyMap<number, number>;
  /** The rtype of records that are handed to the caller. */
  readonly control: number;
  /** Offset of the time by which symbols are looked up. */
  readonly indexTime: number;
  /** Offset of the flags; 0 where the records have none. */
  readonly flags: number;
  /** Flags that reject a row. */
  readonly rejectedFlags: number;
}

export type DbnStop =
  | 'input'
  | 'rows'
  | 'control'
  | 'length'
  | 'quality'
  | 'symbol'
  | 'character'
  | 'range'
  | 'empty';
const STOPS: Readonly<Record<number, DbnStop>> = {
  2: 'range',
  4: 'empty',
  16: 'input',
  17: 'rows',
  18: 'control',
  19: 'length',
  20: 'quality',
  21: 'symbol',
  22: 'character',
};

/** Places in the state, in units of u32. */
const INPUT_END = 0;
const POSITION = 1;
const SKIP_TO = 2;
const ROWS = 3;
const ROWS_MAX = 4;
const COLUMNS = 5;
const COLUMN_COUNT = 6;
const SIZES = 7;
const INDEX_TIME = 8;
const FLAGS = 9;
const REJECTED = 10;
const RECORDS = 11;
const PASSED = 12;
const BAD_TIMES = 13;
const MAYBE_BAD = 14;
const COLUMN = 15;
const INSTRUMENT = 16;
const DAY = 17;
const STATE_WORDS = 18;

const COLUMN_BYTES = 32;
const SLOT_BYTES = 16;
const SLOTS_START = 256;
const RTYPES = 256;
const CONTROL = 0xffff;
const INPUT_BYTES_START = 1 << 19;
const CODE_UNKNOWN = 0xffff_fffe;
/** The kernel reads a header at a time. */
const SLACK_BYTES = 64;

interface Table {
  pointer: number;
  slots: number;
  used: number;
}

export interface DbnCounts {
  /** Records walked, and of them those of rtypes that are not read. */
  records: number;
  passed: number;
  /** Rows with the flag BAD_TS_RECV, and with MAYBE_BAD_BOOK. */
  badTimes: number;
  maybeBad: number;
}

export class DbnScanner {
  readonly counts: DbnCounts = { records: 0, passed: 0, badTimes: 0, maybeBad: 0 };
  readonly #kernels: Kernels;
  readonly #exports: DbnExports;
  readonly #columns: readonly DbnColumn[];
  readonly #state: number;
  readonly #descriptors: number;
  readonly #blocks: number[];
  readonly #tables: (Table | undefined)[] = [];
  #input: number;
  #inputBytes = INPUT_BYTES_START;
  /** Bytes appended before the first one now in the buffer. */
  #offset = 0;
  #skipTo = 0;

  constructor(kernels: Kernels, options: DbnOptions) {
    this.#kernels = kernels;
    this.#exports = kernels.module<DbnExports>('dbn');
    this.#columns = options.columns;
    const { memory } = kernels;
    this.#state = memory.allocateZeroed(STATE_WORDS * 4);
    this.#input = memory.allocate(this.#inputBytes);
    this.#descriptors = memory.allocateZeroed(options.columns.length * COLUMN_BYTES + 1);
    const sizes = memory.allocateZeroed(RTYPES * 2);
    this.#blocks = [this.#state, this.#descriptors, sizes];
    const sizeOf = new Uint16Array(memory.memory.buffer, sizes, RTYPES);
    for (const [rtype, size] of options.sizes) sizeOf[rtype] = size;
    sizeOf[options.control] = CONTROL;
    for (const [index, column] of options.columns.entries()) this.#describe(index, column);
    const state = memory.u32(this.#state, STATE_WORDS);
    state[INPUT_END] = this.#input;
    state[POSITION] = this.#input;
    state[ROWS_MAX] = options.rowsMax;
    state[COLUMNS] = this.#descriptors;
    state[COLUMN_COUNT] = options.columns.length;
    state[SIZES] = sizes;
    state[INDEX_TIME] = options.indexTime;
    state[FLAGS] = options.flags;
    state[REJECTED] = options.rejectedFlags;
  }

  #describe(index: number, column: DbnColumn): void {
    const { memory } = this.#kernels;
    const { kind, offset, values, isRequired, isFloat } = column;
    const table = this.#makeTable(kind);
    const isDaily = kind === 'symbol';
    memory
      .u32(this.#descriptors + index * COLUMN_BYTES, 7)
      .set([
        DBN_KINDS[kind],
        offset,
        values,
        isRequired ? 1 : 0,
        table?.pointer ?? 0,
        table === undefined ? 0 : table.slots - 1,
        isFloat || isDaily ? 1 : 0,
      ]);
    this.#tables[index] = table;
  }

  #makeTable(kind: DbnKind): Table | undefined {
    const { memory } = this.#kernels;
    if (kind === 'character') {
      const pointer = memory.allocate(RTYPES * 4);
      memory.u32(pointer, RTYPES).fill(CODE_UNKNOWN);
      return { pointer, slots: 0, used: 0 };
    }
    if (kind !== 'symbol' && kind !== 'instrument') return undefined;
    const pointer = memory.allocateZeroed(SLOTS_START * SLOT_BYTES);
    return { pointer, slots: SLOTS_START, used: 0 };
  }

  #word(index: number): number {
    return this.#kernels.memory.u32(this.#state, STATE_WORDS)[index]!;
  }

  /** Rows in the columns. */
  get rowCount(): number {
    return this.#word(ROWS);
  }

  clearRows(): void {
    this.#kernels.memory.u32(this.#state, STATE_WORDS)[ROWS] = 0;
  }

  /** Bytes appended that belong to records walked. */
  get consumed(): number {
    return this.#offset + this.#word(POSITION) - this.#input;
  }

  get unreadBytes(): number {
    return this.#word(INPUT_END) - this.#word(POSITION);
  }

  /** Number of the column that stopped the scan. */
  get column(): number {
    return this.#word(COLUMN);
  }

  /** The instrument and the days since 1970 whose symbol is asked for. */
  get asked(): { readonly instrument: number; readonly day: number } {
    return { instrument: this.#word(INSTRUMENT), day: this.#word(DAY) };
  }

  /** Where the input starts; records before `skipTo` are passed over. Before any `append`. */
  startAt(offset: number, skipTo: number): void {
    this.#offset = offset;
    this.#skipTo = skipTo;
  }

  /** More input; the bytes are copied. */
  append(bytes: Uint8Array): void {
    const { memory } = this.#kernels;
    const position = this.#word(POSITION);
    const unread = this.unreadBytes;
    new Uint8Array(memory.memory.buffer).copyWithin(this.#input, position, position + unread);
    this.#offset += position - this.#input;
    const needed = unread + bytes.length + SLACK_BYTES;
    if (needed > this.#inputBytes) {
      while (needed > this.#inputBytes) this.#inputBytes *= 2;
      this.#input = memory.reallocate(this.#input, unread, this.#inputBytes);
    }
    memory.bytes(this.#input + unread, bytes.length).set(bytes);
    const state = memory.u32(this.#state, STATE_WORDS);
    state[POSITION] = this.#input;
    state[INPUT_END] = this.#input + unread + bytes.length;
  }

  /** Reads records. */
  scan(): DbnStop {
    const { memory } = this.#kernels;
    const skip = this.#skipTo - this.#offset;
    memory.u32(this.#state, STATE_WORDS)[SKIP_TO] = skip > 0 ? this.#input + skip : 0;
    const stop = STOPS[this.#exports.scan(this.#state)]!;
    const state = memory.u32(this.#state, STATE_WORDS);
    this.counts.records += state[RECORDS]!;
    this.counts.passed += state[PASSED]!;
    this.counts.badTimes += state[BAD_TIMES]!;
    this.counts.maybeBad += state[MAYBE_BAD]!;
    state.fill(0, RECORDS, MAYBE_BAD + 1);
    return stop;
  }

  /** The record at hand. A view. */
  record(): Buffer {
    const start = this.#word(POSITION);
    const { buffer } = this.#kernels.memory.memory;
    const length = Math.min(new Uint8Array(buffer)[start]! * 4, this.unreadBytes);
    return Buffer.from(buffer, start, length);
  }

  /** Passes over the record at hand. */
  skipRecord(): void {
    const { length } = this.record();
    this.#kernels.memory.u32(this.#state, STATE_WORDS)[POSITION]! += length;
    this.counts.records++;
  }

  /** Notes the code of a character of the column that stopped the scan. */
  putCharacter(character: number, code: number): void {
    const { pointer } = this.#tables[this.column]!;
    this.#kernels.memory.u32(pointer, RTYPES)[character] = code;
  }

  /** Notes the code of the symbol that was asked for. */
  putSymbol(code: number): void {
    const table = this.#tables[this.column]!;
    const { instrument, day } = this.asked;
    if (table.used * 2 >= table.slots) this.#growTable(table);
    this.#exports.putSymbol(table.pointer, table.slots - 1, instrument, day, code);
    table.used++;
  }

  #growTable(table: Table): void {
    const { memory } = this.#kernels;
    const old = memory.u32(table.pointer, table.slots * 4).slice();
    memory.free(table.pointer);
    table.slots *= 2;
    table.pointer = memory.allocateZeroed(table.slots * SLOT_BYTES);
    for (let at = 0; at < old.length; at += 4) {
      if (old[at + 3] === 0) continue;
      const [instrument, day, code] = old.subarray(at, at + 3);
      this.#exports.putSymbol(table.pointer, table.slots - 1, instrument!, day! | 0, code!);
    }
    const place = this.#descriptors + this.column * COLUMN_BYTES;
    const descriptor = memory.u32(place, 8);
    descriptor[4] = table.pointer;
    descriptor[5] = table.slots - 1;
  }

  /** Forgets the symbols that are known, because their meaning has changed. */
  forgetSymbols(): void {
    for (const [index, { kind }] of this.#columns.entries()) {
      if (kind !== 'symbol') continue;
      const table = this.#tables[index]!;
      this.#kernels.memory.bytes(table.pointer, table.slots * SLOT_BYTES).fill(0);
      table.used = 0;
    }
  }

  /**
   * Code of a text in the dictionary of the column that stopped the scan; undefined where the
   * dictionary must grow first.
   */
  intern(text: string): number | undefined {
    const { interner } = this.#columns[this.column]!;
    const bytes = Buffer.from(text);
    const { memory } = this.#kernels;
    const pointer = memory.allocate(bytes.length + 8);
    memory.bytes(pointer, bytes.length).set(bytes);
    const { internText } = this.#kernels.module<InternerExports>('interner');
    const code = internText(interner!.state, pointer, bytes.length) >>> 0;
    memory.free(pointer);
    return code === INTERNER_FULL ? undefined : code;
  }

  /** Gives the memory back. The columns and interners are the caller's. */
  close(): void {
    const { memory } = this.#kernels;
    for (const block of this.#blocks.splice(0)) memory.free(block);
    for (const table of this.#tables.splice(0)) if (table !== undefined) memory.free(table.pointer);
    if (this.#input !== 0) memory.free(this.#input);
    this.#input = 0;
  }
}
