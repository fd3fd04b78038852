/**
 * Host side of the scanner for lines of JSON (wasm/assembly/json.ts gives the layouts): owns its
 * input buffer, its table of names and its state in linear memory.
 *
 *   append(bytes) … scan() → 'input'     wants more bytes
 *                          → 'rows'      the columns are full: take them, then `clearRows`
 *                          → 'line'      the line at hand is the caller's: `lineText`, and
 *                                        `skipLine` when it has been dealt with
 *                          → 'interner'  `fullColumn` must grow its dictionary
 *
 * or rows whose places are known, for which json-texts.ts holds the text: `scanRows`.
 */

import type { Interner } from './interner.ts';
import type { JsonTexts } from './json-texts.ts';
import type { Kernels } from './kernels.ts';
import { powersOfTen } from './powers-of-ten.ts';

interface JsonExports {
  usePowers(table: number): void;
  putName(names: number, mask: number, name: number, length: number, column: number): void;
  scan(state: number): number;
  scanRows(state: number, rows: number, from: number, count: number): number;
}

const KINDS = { float64: 0, int64: 1, timestamp: 2, string: 3, boolean: 4 } as const;

/** More than these do not fit the kernel's marks. */
export const JSON_COLUMNS_MAX = 32;

export interface JsonColumn {
  readonly type: keyof typeof KINDS;
  /** Name of the member. */
  readonly from: string;
  /** A row in which it is null is the caller's. */
  readonly isRequired: boolean;
  /** Pointer to room for `rowsMax` elements. */
  readonly values: number;
  /** For strings. */
  readonly interner: Interner | undefined;
}

export interface JsonOptions {
  /** At most JSON_COLUMNS_MAX. */
  readonly columns: readonly JsonColumn[];
  readonly rowsMax: number;
  /** Nanoseconds of an epoch's unit; 0n tells it by magnitude. */
  readonly timeUnit: bigint;
}

export type JsonStop = 'input' | 'rows' | 'line' | 'interner';
const STOPS: Readonly<Record<number, JsonStop>> = {
  16: 'input',
  17: 'rows',
  18: 'line',
  19: 'interner',
};

/** Places in the state, in units of u32. */
const INPUT_END = 0;
const POSITION = 1;
const LINE = 2;
const ROWS = 3;
const ROWS_MAX = 4;
const COLUMNS = 5;
const COLUMN_COUNT = 6;
const NAMES = 7;
const NAME_MASK = 8;
const REQUIRED = 9;
const LINE_END = 10;
const FULL_COLUMN = 11;
const REASON = 12;
const STATE_WORDS = 13;

const COLUMN_BYTES = 32;
const NAME_BYTES = 24;
/** At least twice as many as columns and heads of their paths. */
const NAME_SLOTS = 128;
const INPUT_BYTES_START = 1 << 19;
/** The kernel reads in blocks and may look so far behind the input. */
const SLACK_BYTES = 64;
/** In place of a column, for a name whose value has members that are read. */
const PATH_HEAD = 0xffff_ffff;

export class JsonScanner {
  readonly #kernels: Kernels;
  readonly #exports: JsonExports;
  readonly #state: number;
  readonly #blocks: number[];
  #input: number;
  #inputBytes = INPUT_BYTES_START;
  /** Bytes appended before the first one now in the buffer. */
  #offset = 0;
  /** The row at which `scanRows` stopped. */
  row = 0;

  constructor(kernels: Kernels, { columns, rowsMax, timeUnit }: JsonOptions) {
    this.#kernels = kernels;
    this.#exports = kernels.module<JsonExports>('json');
    const { memory } = kernels;
    const powers = powersOfTen(kernels);
    this.#exports.usePowers(powers);
    this.#state = memory.allocateZeroed(STATE_WORDS * 4);
    this.#input = memory.allocate(this.#inputBytes);
    const descriptors = memory.allocateZeroed(columns.length * COLUMN_BYTES + 1);
    const names = memory.allocateZeroed(NAME_SLOTS * NAME_BYTES);
    this.#blocks = [this.#state, descriptors, names];
    let required = 0;
    const first = new Map<string, number>();
    // From the last to the first, so that each name leads to the first of its columns.
    for (const [index, column] of [...columns.entries()].reverse()) {
      const place = descriptors + index * COLUMN_BYTES;
      const { type, values, isRequired, interner, from } = column;
      const next = first.get(from) ?? 0;
      memory
        .u32(place, 5)
        .set([KINDS[type], values, isRequired ? 1 : 0, next, interner?.state ?? 0]);
      memory.i64(place + 24, 1)[0] = timeUnit;
      first.set(from, index + 1);
      if (isRequired) required |= 1 << index;
    }
    for (const { from } of columns) {
      const head = from.split('.')[0]!;
      if (!first.has(head)) first.set(head, PATH_HEAD);
    }
    for (const [name, column] of first) this.#putName(names, name, column);
    const state = memory.u32(this.#state, STATE_WORDS);
    state[INPUT_END] = this.#input;
    state[POSITION] = this.#input;
    state[LINE] = 1;
    state[ROWS_MAX] = rowsMax;
    state[COLUMNS] = descriptors;
    state[COLUMN_COUNT] = columns.length;
    state[NAMES] = names;
    state[NAME_MASK] = NAME_SLOTS - 1;
    state[REQUIRED] = required;
  }

  #putName(names: number, name: string, column: number): void {
    const { memory } = this.#kernels;
    const bytes = Buffer.from(name);
    const pointer = memory.allocateZeroed(bytes.length + 8);
    memory.bytes(pointer, bytes.length).set(bytes);
    this.#blocks.push(pointer);
    this.#exports.putName(names, NAME_SLOTS - 1, pointer, bytes.length, column);
  }

  #word(index: number): number {
    return this.#kernels.memory.u32(this.#state, STATE_WORDS)[index]!;
  }

  #setWord(index: number, value: number): void {
    this.#kernels.memory.u32(this.#state, STATE_WORDS)[index] = value;
  }

  /** Rows in the columns. */
  get rowCount(): number {
    return this.#word(ROWS);
  }

  set rowCount(rows: number) {
    this.#setWord(ROWS, rows);
  }

  /** 1-based number of the next line. */
  get line(): number {
    return this.#word(LINE);
  }

  /** Bytes appended that belong to lines read. */
  get consumed(): number {
    return this.#offset + this.#word(POSITION) - this.#input;
  }

  get unreadBytes(): number {
    return this.#word(INPUT_END) - this.#word(POSITION);
  }

  /** Number of the column whose interner must grow before the next scan. */
  get fullColumn(): number {
    return this.#word(FULL_COLUMN);
  }

  /** Where the input starts. Before any `append`. */
  startAt(offset: number, line: number): void {
    this.#offset = offset;
    this.#setWord(LINE, line);
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
    this.#setWord(POSITION, this.#input);
    this.#setWord(INPUT_END, this.#input + unread + bytes.length);
  }

  scan(): JsonStop {
    return STOPS[this.#exports.scan(this.#state)]!;
  }

  /**
   * Reads rows from number `from` on, up to `count`, and sets `row` to the first that is not read:
   * 'input' when there are no more, 'line' where it is the caller's.
   */
  scanRows({ extents }: JsonTexts, from: number, count: number): JsonStop {
    this.row = this.#exports.scanRows(this.#state, extents, from, count);
    return this.row === count ? 'input' : STOPS[this.#word(REASON)]!;
  }

  /** The line at hand, without its line end. A view. */
  lineText(): Buffer {
    const start = this.#word(POSITION);
    return Buffer.from(this.#kernels.memory.memory.buffer, start, this.#word(LINE_END) - start);
  }

  /** Passes over the line at hand. */
  skipLine(): void {
    this.#setWord(POSITION, this.#word(LINE_END) + 1);
    this.#setWord(LINE, this.line + 1);
  }

  /** The bytes of a line whose end is not there yet. A view. */
  unread(): Buffer {
    return Buffer.from(this.#kernels.memory.memory.buffer, this.#word(POSITION), this.unreadBytes);
  }

  /** Forgets the unread bytes, as far as and with the first line end; false where there is none. */
  dropLine(): boolean {
    const end = this.unread().indexOf(10);
    this.#setWord(POSITION, end < 0 ? this.#word(INPUT_END) : this.#word(POSITION) + end + 1);
    if (end >= 0) this.#setWord(LINE, this.line + 1);
    return end >= 0;
  }

  /** Gives the memory back. The columns and interners are the caller's. */
  close(): void {
    for (const block of this.#blocks.splice(0)) this.#kernels.memory.free(block);
    if (this.#input !== 0) this.#kernels.memory.free(this.#input);
    this.#input = 0;
  }
}
