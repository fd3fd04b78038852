/**
 * Messages of JSON into a column store. Those that are one plain object each, which is what a feed
 * sends, are read by the scanner of JSON lines, as many at once as are here; every other message is
 * read by `ValueDecoder`, and its values are copied into the store. So the rows, and the reasons of
 * rejected ones, are those of `ValueDecoder`, whoever reads a message.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { STRING_NULL } from '../../engine/contract/schema.ts';
import { INTERNER_FULL, type InternerExports } from '../../wasm/host/interner.ts';
import { JSON_COLUMNS_MAX, JsonScanner } from '../../wasm/host/json.ts';
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
import { ValueDecoder } from './value-decoder.ts';

/** A larger message is hardly one row: not worth a copy. */
const PAYLOAD_BYTES_MAX = 1 << 16;
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
  #messages: readonly ScannedMessage[] = [];

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
    this.scanner = {
      load: (messages) => this.#load(messages),
      scan: (from, at) => this.#scan(from, at),
    };
  }

  #load(messages: readonly ScannedMessage[]): void {
    this.#messages = messages;
    const hasTokens = ({ subject }: ScannedMessage): boolean =>
      this.#tokens.every(({ token }) => (tokenOf(subject, token) ?? '') !== '');
    const payloads =
      this.#tokens.length === 0
        ? messages.map(({ payload }) => payload)
        : messages.map((each) => (hasTokens(each) ? each.payload : NO_PAYLOAD));
    this.#scanner.loadMessages(payloads, PAYLOAD_BYTES_MAX);
  }

  #scan(from: number, at: number): number {
    const scanner = this.#scanner;
    scanner.rowCount = at;
    for (let next = from; ; next = scanner.message) {
      if (scanner.scanMessages(next) !== 'interner') break;
      // Where it cannot grow, `convert` meets the same end and says so.
      if (!this.#scannedColumn(scanner.fullColumn).interner!.grow()) break;
    }
    const read = scanner.message - from;
    const filled = Math.min(read, ...this.#tokens.map((each) => this.#fill(each, from, read, at)));
    return from + filled;
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
    return this.#others.open(payload, subject);
  }

  convert(from: number, count: number, at: number, reject: RejectRow): number {
    const kept = this.#others.convert(from, count, 0, reject);
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
