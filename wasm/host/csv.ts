/**
 * Host side of the scanner for delimited text: owns its input buffer, its lists and its state in
 * linear memory. It knows bytes, cells and columns; files, headers and messages are the caller's.
 *
 *   append(bytes) … scan() → 'input'     wants more bytes, or `finish`
 *                          → 'rows'      the columns are full: take them, then `clearRows`
 *                          → 'rejects' | 'laters' | 'interner'   the scanner has dealt with it, or
 *                            the caller has a list to take; scan again
 */

import type { Interner } from './interner.ts';
import type { Kernels } from './kernels.ts';
import { powersOfTen } from './powers-of-ten.ts';

export interface CsvExports {
  usePowers(table: number): void;
  scan(state: number): number;
}

export const CSV_KINDS = { float64: 0, int64: 1, timestamp: 2, string: 3, boolean: 4 } as const;

/** Databento's ways to write a cell. */
const ENCODED_KINDS = { price: 5, time: 6, size: 7, count: 8 } as const;

export interface CsvColumn {
  readonly type: keyof typeof CSV_KINDS;
  /** 0-based cell of the row that it is read from. */
  readonly cell: number;
  /** A row in which it is empty is rejected. */
  readonly isRequired: boolean;
  /** Pointer to room for `rowsMax` elements. */
  readonly values: number;
  /** Nanoseconds of an epoch's unit; 0n tells it by magnitude. For timestamps. */
  readonly timeUnit: bigint;
  /** For strings. */
  readonly interner: Interner | undefined;
  readonly encoding?: keyof typeof ENCODED_KINDS | undefined;
}

export interface CsvOptions {
  readonly columns: readonly CsvColumn[];
  /** One byte. */
  readonly delimiter: number;
  /** Cells that a row must have. */
  readonly cells: number;
  readonly rowsMax: number;
}

/** Why a row is rejected; the numbers are those of the kernel. */
export type CsvReason = 'value' | 'range' | 'empty' | 'cells' | 'quote';
const REASONS: readonly (CsvReason | undefined)[] = [
  undefined,
  'value',
  'range',
  undefined,
  'empty',
  'cells',
  'quote',
];

export interface CsvReject {
  readonly line: number;
  readonly reason: CsvReason;
  /** Number of the column; for 'cells' the number of cells found. */
  readonly detail: number;
  /** Text of the row and of the cell. */
  readonly row: Buffer;
  readonly cell: Buffer;
}

export type CsvStop = 'input' | 'rows' | 'rejects' | 'laters' | 'interner';
const STOPS: Readonly<Record<number, CsvStop>> = {
  2: 'input',
  3: 'rows',
  4: 'rejects',
  5: 'laters',
  6: 'interner',
};

/** Places in the state, in units of u32; the layout is that of wasm/assembly/csv.ts. */
const INPUT_END = 0;
const POSITION = 1;
const LINE = 2;
const ROWS = 3;
const ROWS_MAX = 4;
const CELLS = 5;
const CELL_MAP = 6;
const COLUMNS = 7;
const REJECTS = 8;
const REJECT_COUNT = 9;
const REJECT_MAX = 10;
const LATERS = 11;
const LATER_COUNT = 12;
const LATER_MAX = 13;
const SCRATCH = 14;
const DELIMITER = 15;
const FULL_COLUMN = 16;
const STATE_WORDS = 17;

const COLUMN_BYTES = 32;
const REJECT_BYTES = 32;
const LATER_BYTES = 16;
const REJECTS_AT_ONCE = 256;
const LATERS_AT_ONCE = 1024;
const INPUT_BYTES_START = 1 << 19;
/** The kernel reads in blocks and may look so far behind the input. */
const SLACK_BYTES = 128;
const NEWLINE = 10;

export class CsvScanner {
  readonly #kernels: Kernels;
  readonly #exports: CsvExports;
  readonly #columns: readonly CsvColumn[];
  readonly #state: number;
  readonly #blocks: number[];
  #input: number;
  #inputBytes: number;
  #scratch: number;
  /** Bytes appended before the first one now in the buffer. */
  #offset = 0;

  constructor(kernels: Kernels, options: CsvOptions) {
    this.#kernels = kernels;
    this.#exports = kernels.module<CsvExports>('csv');
    this.#columns = options.columns;
    const { memory } = kernels;
    const powers = powersOfTen(kernels);
    this.#exports.usePowers(powers);
    this.#state = memory.allocateZeroed(STATE_WORDS * 4);
    this.#inputBytes = INPUT_BYTES_START;
    this.#input = memory.allocate(this.#inputBytes);
    this.#scratch = memory.allocate(this.#inputBytes);
    const cellMap = memory.allocateZeroed(options.cells * 2 + 2);
    const columns = memory.allocateZeroed(options.columns.length * COLUMN_BYTES + 1);
    const rejects = memory.allocate(REJECTS_AT_ONCE * REJECT_BYTES);
    const laters = memory.allocate(LATERS_AT_ONCE * LATER_BYTES);
    this.#blocks = [this.#state, cellMap, columns, rejects, laters];
    this.#describeColumns(columns, cellMap, options);
    const state = memory.u32(this.#state, STATE_WORDS);
    state[INPUT_END] = this.#input;
    state[POSITION] = this.#input;
    state[LINE] = 1;
    state[ROWS_MAX] = options.rowsMax;
    state[CELLS] = options.cells;
    state[CELL_MAP] = cellMap;
    state[COLUMNS] = columns;
    state[REJECTS] = rejects;
    state[REJECT_MAX] = REJECTS_AT_ONCE;
    state[LATERS] = laters;
    state[LATER_MAX] = LATERS_AT_ONCE;
    state[SCRATCH] = this.#scratch;
    state[DELIMITER] = options.delimiter;
  }

  #describeColumns(pointer: number, cellMap: number, { columns, cells }: CsvOptions): void {
    const { memory } = this.#kernels;
    const map = new Uint16Array(memory.memory.buffer, cellMap, cells);
    // From the last to the first, so that each cell's list begins with the first of its columns.
    for (const [index, column] of [...columns.entries()].reverse()) {
      const words = memory.u32(pointer + index * COLUMN_BYTES, COLUMN_BYTES / 4);
      const { encoding, type } = column;
      words[0] = encoding === undefined ? CSV_KINDS[type] : ENCODED_KINDS[encoding];
      words[1] = column.values;
      words[2] = column.isRequired ? 1 : 0;
      words[3] = map[column.cell]!;
      words[4] = column.interner?.state ?? 0;
      words[5] = type === 'float64' ? 1 : 0;
      memory.i64(pointer + index * COLUMN_BYTES + 24, 1)[0] = column.timeUnit;
      map[column.cell] = index + 1;
    }
  }

  #word(index: number): number {
    return this.#kernels.memory.u32(this.#state, STATE_WORDS)[index]!;
  }

  /** Rows in the columns. */
  get rowCount(): number {
    return this.#word(ROWS);
  }

  /** Cells that a row must have. */
  get cells(): number {
    return this.#word(CELLS);
  }

  /** 1-based line of the next row. */
  get line(): number {
    return this.#word(LINE);
  }

  /** Bytes appended that belong to rows read. */
  get consumed(): number {
    return this.#offset + this.#word(POSITION) - this.#input;
  }

  /** Bytes of rows not read yet. */
  get unreadBytes(): number {
    return this.#word(INPUT_END) - this.#word(POSITION);
  }

  /** Where the input starts: its line, and how many bytes lie before it. Before any `append`. */
  startAt(offset: number, line: number): void {
    this.#offset = offset;
    this.#kernels.memory.u32(this.#state, STATE_WORDS)[LINE] = line;
  }

  clearRows(): void {
    this.#kernels.memory.u32(this.#state, STATE_WORDS)[ROWS] = 0;
  }

  /** More input; the bytes are copied. */
  append(bytes: Uint8Array): void {
    const unread = this.unreadBytes;
    this.#makeRoom(unread + bytes.length);
    const { memory } = this.#kernels;
    memory.bytes(this.#input + unread, bytes.length).set(bytes);
    memory.u32(this.#state, STATE_WORDS)[INPUT_END] = this.#input + unread + bytes.length;
  }

  /** There is no more input: its last row needs no line end. */
  finish(): void {
    const unread = this.unreadBytes;
    if (unread === 0) return;
    const { memory } = this.#kernels;
    if (memory.bytes(this.#word(INPUT_END) - 1, 1)[0] !== NEWLINE) {
      this.append(Uint8Array.of(NEWLINE));
    }
  }

  /** Moves the unread bytes to the start of the buffer, which then has room for `bytes`. */
  #makeRoom(bytes: number): void {
    const { memory } = this.#kernels;
    const state = memory.u32(this.#state, STATE_WORDS);
    const position = state[POSITION]!;
    const unread = state[INPUT_END]! - position;
    new Uint8Array(memory.memory.buffer).copyWithin(this.#input, position, position + unread);
    this.#offset += position - this.#input;
    if (bytes + SLACK_BYTES > this.#inputBytes) {
      while (bytes + SLACK_BYTES > this.#inputBytes) this.#inputBytes *= 2;
      this.#input = memory.reallocate(this.#input, unread, this.#inputBytes);
      memory.free(this.#scratch);
      this.#scratch = memory.allocate(this.#inputBytes);
    }
    const current = memory.u32(this.#state, STATE_WORDS);
    current[POSITION] = this.#input;
    current[INPUT_END] = this.#input + unread;
    current[SCRATCH] = this.#scratch;
  }

  /**
   * Reads rows. Numbers that the kernel left are parsed here; lists of rejected rows are the
   * caller's to take after every call, before anything else.
   */
  scan(): CsvStop {
    const stop = STOPS[this.#exports.scan(this.#state)]!;
    this.#parseLaters();
    return stop;
  }

  /** Number of the column whose interner must grow before the next scan. */
  get fullColumn(): number {
    return this.#word(FULL_COLUMN);
  }

  #parseLaters(): void {
    const count = this.#word(LATER_COUNT);
    if (count === 0) return;
    const { memory } = this.#kernels;
    const entries = memory.u32(this.#word(LATERS), (count * LATER_BYTES) / 4);
    for (let i = 0; i < count * 4; i += 4) {
      const text = this.#text(entries[i + 2]!, entries[i + 3]!).toString('latin1');
      const { values } = this.#columns[entries[i]!]!;
      memory.f64(values + entries[i + 1]! * 8, 1)[0] = Number(text);
    }
    memory.u32(this.#state, STATE_WORDS)[LATER_COUNT] = 0;
  }

  /** Rows rejected by the last scan. */
  takeRejects(): CsvReject[] {
    const count = this.#word(REJECT_COUNT);
    const { memory } = this.#kernels;
    const rejects: CsvReject[] = [];
    for (let i = 0; i < count; i++) {
      const entry = memory.u32(this.#word(REJECTS) + i * REJECT_BYTES, REJECT_BYTES / 4);
      rejects.push({
        line: entry[0]!,
        reason: REASONS[entry[1]!]!,
        detail: entry[2]!,
        row: this.#text(entry[3]!, entry[4]!),
        cell: this.#text(entry[5]!, entry[6]!),
      });
    }
    memory.u32(this.#state, STATE_WORDS)[REJECT_COUNT] = 0;
    return rejects;
  }

  /**
   * Passes over the next line, whatever its quotes say; undefined where its end is not in the
   * buffer yet. The text is a view.
   */
  skipLine(): { readonly line: number; readonly text: Buffer } | undefined {
    const start = this.#word(POSITION);
    const unread = this.#text(start, this.#word(INPUT_END));
    const length = unread.indexOf(NEWLINE);
    if (length < 0) return undefined;
    const state = this.#kernels.memory.u32(this.#state, STATE_WORDS);
    state[POSITION] = start + length + 1;
    state[LINE]!++;
    return { line: state[LINE]! - 1, text: unread.subarray(0, length) };
  }

  /** The unread bytes that there are. A view. */
  unread(): Buffer {
    return this.#text(this.#word(POSITION), this.#word(INPUT_END));
  }

  /** Forgets the unread bytes, which are the start of a line that goes on. */
  dropUnread(): void {
    const state = this.#kernels.memory.u32(this.#state, STATE_WORDS);
    state[POSITION] = state[INPUT_END]!;
  }

  #text(start: number, end: number): Buffer {
    return Buffer.from(this.#kernels.memory.memory.buffer, start, Math.max(0, end - start));
  }

  /** Gives the memory back. The columns and interners are the caller's. */
  close(): void {
    for (const block of [...this.#blocks.splice(0), this.#input, this.#scratch]) {
      if (block !== 0) this.#kernels.memory.free(block);
    }
    this.#input = 0;
    this.#scratch = 0;
  }
}
