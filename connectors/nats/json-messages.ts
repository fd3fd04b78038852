/**
 * Messages of JSON into a column store, through the scanner of JSON lines: those that are one plain
 * object each as many at once as are here, those of several rows one after another. A row that is
 * not plain, and a message that is not cut into rows as expected, is read by `ValueDecoder`, and
 * its values are copied into the store. So the rows, and the reasons of rejected ones, are those of
 * `ValueDecoder`, whoever reads them.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { STRING_NULL } from '../../engine/contract/schema.ts';
import { INTERNER_FULL, type InternerExports } from '../../wasm/host/interner.ts';
import { JSON_COLUMNS_MAX, JsonScanner } from '../../wasm/host/json.ts';
import { JsonTexts } from '../../wasm/host/json-texts.ts';
import { ColumnStore, growDictionary, type StoreColumn } from '../formats/column-store.ts';
import type { TimeUnitNs } from '../formats/decoder.ts';
import { JsonColumns } from '../formats/json-columns.ts';
import {
  type MessageColumn,
  type MessageDecoder,
  type MessageScanner,
  type RejectRow,
  type ScannedMessage,
  tokenOf,
} from './message-decoder.ts';
import { lineValue, ValueDecoder } from './value-decoder.ts';

/** A larger message is hardly one row: not worth a copy. */
const PAYLOAD_BYTES_MAX = 1 << 16;
/** A larger message is left to `ValueDecoder`, as linear memory is never given back. */
const ROWS_BYTES_MAX = 1 << 24;
/** From so many on, rows that are not plain are read all at once where they are not few. */
const ODD_ROWS_MAX = 8;
const NEWLINE = 10;
const OPEN = 123;
const NO_PAYLOAD = new Uint8Array(0);

/** A column that is read from a token of the subject. */
interface TokenColumn {
  readonly column: StoreColumn;
  readonly token: number;
  /** Code of each text met. */
  readonly codes: Map<string, number>;
}

export function canScanMessages(columns: readonly MessageColumn[]): boolean {
  return columns.length <= JSON_COLUMNS_MAX;
}

export class JsonMessages implements MessageDecoder {
  readonly scanner: MessageScanner;
  readonly #store: ColumnStore;
  readonly #scanner: JsonScanner;
  readonly #tokens: readonly TokenColumn[];
  readonly #values: JsonColumns;
  readonly #others: ValueDecoder;
  /** For each string column, the store's code of each code of `#values`. */
  readonly #codes: readonly number[][];
  readonly #loaded: JsonTexts;
  #messages: readonly ScannedMessage[] = [];
  /** Rows of the message at hand. */
  readonly #texts: JsonTexts;
  #payload: Uint8Array = NO_PAYLOAD;
  #subject = '';
  /** Whether the message at hand is read from `#texts`, or by `#others` as a whole. */
  #isSplit = false;
  /** Rows of it that were not plain. */
  #oddRows = 0;

  constructor(columns: readonly MessageColumn[], rowsMax: number, timeUnit: TimeUnitNs) {
    this.#store = new ColumnStore(columns, rowsMax);
    this.#values = new JsonColumns(columns, rowsMax, timeUnit);
    this.#others = new ValueDecoder('json', columns, this.#values);
    this.#codes = columns.map(() => []);
    const own = this.#store.columns.filter((_, index) => columns[index]!.token === 0);
    this.#tokens = this.#store.columns.flatMap((column, index) => {
      const { token } = columns[index]!;
      return token === 0 ? [] : [{ column, token, codes: new Map() }];
    });
    this.#scanner = new JsonScanner(this.#store.kernels, {
      columns: own.map((column) => ({ ...column, from: String(column.from) })),
      rowsMax,
      timeUnit,
    });
    this.#loaded = new JsonTexts(this.#store.kernels);
    this.#texts = new JsonTexts(this.#store.kernels);
    this.scanner = {
      load: (messages) => this.#load(messages),
      scan: (from, at) => this.#scan(from, at),
    };
  }

  #load(messages: readonly ScannedMessage[]): void {
    this.#messages = messages;
    const payloads =
      this.#tokens.length === 0
        ? messages.map(({ payload }) => payload)
        : messages.map((each) => (this.#hasTokens(each.subject) ? each.payload : NO_PAYLOAD));
    this.#loaded.loadMessages(payloads, PAYLOAD_BYTES_MAX);
  }

  /** Whether the subject gives a text to every column that is read from it. */
  #hasTokens(subject: string): boolean {
    return this.#tokens.every(({ token }) => (tokenOf(subject, token) ?? '') !== '');
  }

  #scan(from: number, at: number): number {
    const read = this.#scanRows(this.#loaded, from, this.#loaded.count, at) - from;
    const filled = Math.min(read, ...this.#tokens.map((each) => this.#fill(each, from, read, at)));
    return from + filled;
  }

  /** The first row that is not read: one that is the host's, or `to`, or there is no room. */
  #scanRows(texts: JsonTexts, from: number, to: number, at: number): number {
    const scanner = this.#scanner;
    scanner.rowCount = at;
    for (let next = from; ; next = scanner.row) {
      if (scanner.scanRows(texts, next, to) !== 'interner') return scanner.row;
      // Where it cannot grow, `ValueDecoder` meets the same end and says so.
      if (!this.#scannedColumn(scanner.fullColumn).interner!.grow()) return scanner.row;
    }
  }

  #scannedColumn(index: number): StoreColumn {
    const tokens = new Set(this.#tokens.map(({ column }) => column));
    return this.#store.columns.filter((column) => !tokens.has(column))[index]!;
  }

  /** Puts the tokens of `count` messages into their column; how many of them had room there. */
  #fill({ column, token, codes }: TokenColumn, from: number, count: number, at: number): number {
    const row = new Uint32Array(count);
    let filled = 0;
    for (; filled < count; filled++) {
      const text = tokenOf(this.#messages[from + filled]!.subject, token)!;
      let code = codes.get(text);
      if (code === undefined) {
        code = this.#intern(column, text);
        if (code === INTERNER_FULL) break;
        codes.set(text, code);
      }
      row[filled] = code;
    }
    const { memory } = this.#store.kernels;
    memory.u32(column.values + at * 4, filled).set(row.subarray(0, filled));
    return filled;
  }

  open(payload: Uint8Array, subject: string): number {
    this.#isSplit = this.#mayHaveRows(payload, subject) && this.#texts.loadRows(payload);
    if (!this.#isSplit) return this.#others.open(payload, subject);
    this.#payload = payload;
    this.#subject = subject;
    this.#oddRows = 0;
    return this.#texts.count;
  }

  #mayHaveRows(payload: Uint8Array, subject: string): boolean {
    if (payload.length > ROWS_BYTES_MAX || !this.#hasTokens(subject)) return false;
    // One object on one line, which the scanner has left.
    const isLine = payload[0] === OPEN && payload.indexOf(NEWLINE) === -1;
    return !isLine || payload.length > PAYLOAD_BYTES_MAX;
  }

  convert(from: number, count: number, at: number, reject: RejectRow): number {
    const end = from + count;
    let next = from;
    let kept = 0;
    while (this.#isSplit && next < end) {
      const stop = this.#scanRows(this.#texts, next, end, at + kept);
      this.#fillAll(at + kept, stop - next);
      kept += stop - next;
      next = stop;
      if (next === end) break;
      if (++this.#oddRows > ODD_ROWS_MAX && this.#oddRows * 4 > next) {
        this.#isSplit = false;
        this.#others.open(this.#payload, this.#subject);
        break;
      }
      const row = lineValue(this.#texts.row(next).toString('utf8'));
      this.#others.openValues([row], this.#subject);
      kept += this.#convertOther(0, 1, at + kept, reject);
      next++;
    }
    return kept + this.#convertOther(next, end - next, at + kept, reject);
  }

  /** Puts the tokens of the subject of the message at hand beside `count` rows of it. */
  #fillAll(at: number, count: number): void {
    if (count === 0) return;
    const { memory } = this.#store.kernels;
    for (const { column, token, codes } of this.#tokens) {
      const text = tokenOf(this.#subject, token)!;
      let code = codes.get(text);
      if (code === undefined) {
        code = this.#internOrFail(column, text);
        codes.set(text, code);
      }
      memory.u32(column.values + at * 4, count).fill(code);
    }
  }

  /** Rows of what `#others` has opened. */
  #convertOther(from: number, count: number, at: number, reject: RejectRow): number {
    const kept = count === 0 ? 0 : this.#others.convert(from, count, 0, reject);
    if (kept === 0) return 0;
    const { memory } = this.#store.kernels;
    for (const [index, vector] of this.#values.vectors.entries()) {
      const column = this.#store.columns[index]!;
      const { values } = column;
      if (vector.type === 'string') {
        const codes = this.#ownCodes(index, vector.codes.subarray(0, kept), vector.dictionary);
        memory.u32(values + at * 4, kept).set(codes);
      } else if (vector.type === 'float64') {
        memory.f64(values + at * 8, kept).set(vector.values.subarray(0, kept));
      } else if (vector.type === 'boolean') {
        memory.bytes(values + at, kept).set(vector.values.subarray(0, kept));
      } else memory.i64(values + at * 8, kept).set(vector.values.subarray(0, kept));
    }
    return kept;
  }

  #ownCodes(index: number, codes: Uint32Array, dictionary: readonly string[]): Uint32Array {
    const known = this.#codes[index]!;
    const column = this.#store.columns[index]!;
    return codes.map((code) => {
      if (code === STRING_NULL) return code;
      known[code] ??= this.#internOrFail(column, dictionary[code]!);
      return known[code];
    });
  }

  #internOrFail(column: StoreColumn, text: string): number {
    const code = this.#intern(column, text);
    // Throws: it has been tried before.
    if (code === INTERNER_FULL) growDictionary(column, column.interner!);
    return code;
  }

  /** The code of a text; INTERNER_FULL where the dictionary is full and cannot grow. */
  #intern(column: StoreColumn, text: string): number {
    const bytes = Buffer.from(text);
    const { kernels } = this.#store;
    const { internText } = kernels.module<InternerExports>('interner');
    for (;;) {
      const pointer = kernels.memory.allocate(bytes.length + 8);
      kernels.memory.bytes(pointer, bytes.length).set(bytes);
      const code = internText(column.interner!.state, pointer, bytes.length) >>> 0;
      kernels.memory.free(pointer);
      if (code !== INTERNER_FULL || !column.interner!.grow()) return code;
    }
  }

  take(rowCount: number): ColumnVector[] {
    return this.#store.take(rowCount);
  }
}
