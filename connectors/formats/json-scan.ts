/**
 * Bytes of JSON lines to rows of a column store: a file's lines, or a message of one object or of
 * several, a line each.
 *
 * Plain lines are read by the scanner in wasm/assembly/json.ts, several times as fast as
 * `JSON.parse`; a line that is not plain, in whatever way, is read by `JsonRows` as all lines were,
 * and its values are copied into the store. So the rows, and the reasons of rejected ones, are
 * those of `JsonRows`, whoever reads a line.
 */

import { STRING_NULL } from '../../engine/contract/schema.ts';
import { INTERNER_FULL, type InternerExports } from '../../wasm/host/interner.ts';
import { JSON_COLUMNS_MAX, JsonScanner } from '../../wasm/host/json.ts';
import { type ColumnStore, growDictionary, type StoreColumn } from './column-store.ts';
import type { FileColumn, TimeUnitNs } from './decoder.ts';
import { JsonColumns } from './json-columns.ts';
import { TAKEN } from './lines-decoder.ts';
import { JsonRows } from './ndjson-decoder.ts';

/** May the columns be read by the scanner? */
export function canScan(columns: readonly FileColumn[]): boolean {
  return columns.length <= JSON_COLUMNS_MAX;
}

export interface ScanReject {
  readonly line: number;
  readonly reason: string;
  readonly text: Buffer;
}

export type ScanStop = 'input' | 'rows' | 'reject';

export class JsonScan {
  readonly scanner: JsonScanner;
  readonly #store: ColumnStore;
  readonly #one: JsonColumns;
  readonly #rows: JsonRows;

  constructor(store: ColumnStore, timeUnit: TimeUnitNs) {
    this.#store = store;
    this.#one = new JsonColumns(store.columns, 1, timeUnit);
    this.#rows = new JsonRows(this.#one);
    this.scanner = new JsonScanner(store.kernels, {
      columns: store.columns.map((column) => ({ ...column, from: String(column.from) })),
      rowsMax: store.rowsMax,
      timeUnit,
    });
  }

  /**
   * Reads lines until there are no more, the store is full, or one has been rejected. Throws where
   * a dictionary is full, with every row before in the store.
   */
  scan(onReject: (reject: ScanReject) => void): ScanStop {
    const { scanner } = this;
    for (;;) {
      const stop = scanner.scan();
      if (stop === 'input' || stop === 'rows') return stop;
      if (stop === 'interner') {
        const column = this.#store.columns[scanner.fullColumn]!;
        growDictionary(column, column.interner!);
        continue;
      }
      const text = scanner.lineText();
      const reason = this.#readLine(text.toString('utf8'));
      if (reason !== undefined) onReject({ line: scanner.line, reason, text: Buffer.from(text) });
      scanner.skipLine();
      if (reason !== undefined) return 'reject';
    }
  }

  /** Reads a line that the scanner has left into the store; the reason where it is rejected. */
  #readLine(line: string): string | undefined {
    if (line.trim() === '') return undefined;
    const verdict = this.#rows.read(line, 0);
    if (verdict !== TAKEN) return verdict;
    const row = this.scanner.rowCount;
    const { memory } = this.#store.kernels;
    for (const [index, vector] of this.#one.take(1).entries()) {
      const column = this.#store.columns[index]!;
      const { values } = column;
      if (vector.type === 'string') {
        const code = vector.codes[0]!;
        const own = code === STRING_NULL ? code : this.#intern(column, vector.dictionary[code]!);
        memory.u32(values + row * 4, 1)[0] = own;
      } else if (vector.type === 'float64') memory.f64(values + row * 8, 1)[0] = vector.values[0]!;
      else if (vector.type === 'boolean') memory.bytes(values + row, 1)[0] = vector.values[0]!;
      else memory.i64(values + row * 8, 1)[0] = vector.values[0]!;
    }
    this.scanner.rowCount = row + 1;
    return undefined;
  }

  #intern(column: StoreColumn, text: string): number {
    const bytes = Buffer.from(text);
    const { kernels } = this.#store;
    const { internText } = kernels.module<InternerExports>('interner');
    for (;;) {
      const pointer = kernels.memory.allocate(bytes.length + 8);
      kernels.memory.bytes(pointer, bytes.length).set(bytes);
      const code = internText(column.interner!.state, pointer, bytes.length) >>> 0;
      kernels.memory.free(pointer);
      if (code !== INTERNER_FULL) return code;
      growDictionary(column, column.interner!);
    }
  }
}
