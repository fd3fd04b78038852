/**
 * A file of delimited text, decoded by the scanner in wasm/assembly/csv.ts.
 *
 * The header, or the first row, is read here: it says which cell each column is read from and how
 * many cells a row must have. Everything after it goes to the scanner piece by piece; JavaScript
 * sees a row only when it is rejected. A quote that is never closed would swallow the rest of the
 * file: a row longer than ROW_BYTES_MAX, or still open at the end, is rejected up to the end of its
 * first line, and reading goes on behind that.
 */

import type { RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { type CsvReject, CsvScanner } from '../../wasm/host/csv.ts';
import { openBytes } from './byte-stream.ts';
import { type ColumnStore, growDictionary } from './column-store.ts';
import { type CsvRow, readCsvRow } from './csv-row.ts';
import {
  addToMessage,
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
import type { ByteStream } from './piece-stream.ts';
import { markLength, readStart, type TextStart } from './text-start.ts';

export interface CsvFormat {
  /** One ASCII character. */
  readonly delimiter: string;
  readonly hasHeader: boolean;
  readonly timeUnit: TimeUnitNs;
}

export const ROW_BYTES_MAX = 1 << 21;

interface Head {
  readonly row: CsvRow;
  /** Offset of the first row of data, and its 1-based line. */
  readonly bodyStart: number;
  readonly bodyLine: number;
}

/** Finds the first row that is not blank. */
function findHead(path: string, bytes: Buffer, format: CsvFormat): Head | undefined {
  let start = markLength(path, bytes);
  for (let line = 1; ; line++) {
    const row = readCsvRow(bytes, start, format.delimiter.charCodeAt(0));
    if (row === undefined) return undefined;
    if (row.cells.length > 1 || row.cells[0] !== '') {
      if (!format.hasHeader) return { row, bodyStart: start, bodyLine: line };
      return { row, bodyStart: row.end, bodyLine: line + row.lines };
    }
    start = row.end;
  }
}

/** The 0-based cell of each column. */
function resolveCells(path: string, columns: readonly FileColumn[], row: CsvRow): number[] {
  const trimmed = row.cells.map((cell) => cell.trim());
  return columns.map((column) => {
    if (typeof column.from === 'number') {
      if (column.from <= row.cells.length) return column.from - 1;
      throw new EngineError(
        'source/format',
        `cannot read ${path}: no column ${column.from}; its first row has ` +
          `${row.cells.length} cells`,
      );
    }
    const names = row.cells.includes(column.from) ? row.cells : trimmed;
    const cell = names.indexOf(column.from);
    if (cell < 0) throw missingColumn(path, 'header', column, trimmed);
    const other = names.indexOf(column.from, cell + 1);
    if (other >= 0) throw ambiguousColumn(path, 'header', column, cell, other);
    return cell;
  });
}

/** Opens the file, or the rest of it behind a position that a decoder of it has given. */
export async function openCsv(
  path: string,
  store: ColumnStore,
  format: CsvFormat,
  resumeAt?: SplitPosition,
): Promise<Decoder> {
  let stream = await openBytes(path);
  try {
    const start = await readStart(stream, ROW_BYTES_MAX, (bytes) => findHead(path, bytes, format));
    if (start.found === undefined) {
      if (start.damage !== undefined) throw start.damage;
      if (start.hasEnded && format.hasHeader) {
        throw new EngineError(
          'source/format',
          `cannot read ${path}: it is empty, expected a header`,
        );
      }
      if (start.hasEnded) return await nothing(stream);
      throw new EngineError(
        'source/format',
        `cannot read ${path}: its first row is longer than ${ROW_BYTES_MAX} bytes`,
      );
    }
    const cells = resolveCells(path, store.columns, start.found.row);
    const offset = Number(resumeAt?.['byte'] ?? start.found.bodyStart);
    const line = Number(resumeAt?.['line'] ?? start.found.bodyLine);
    const body = { offset, line, start: start as TextStart<unknown> };
    if (offset > start.bytes.length) {
      await stream.close();
      stream = await openBytes(path, offset);
      body.start = { bytes: Buffer.alloc(0), found: undefined, damage: undefined, hasEnded: false };
    }
    const scanner = new CsvScanner(store.kernels, {
      columns: store.columns.map((column, index) => ({
        ...column,
        cell: cells[index]!,
        timeUnit: format.timeUnit,
      })),
      delimiter: format.delimiter.charCodeAt(0),
      cells: start.found.row.cells.length,
      rowsMax: store.rowsMax,
    });
    return new CsvDecoder(path, stream, store, scanner, body);
  } catch (error) {
    await stream.close();
    throw error;
  }
}

/** A file without a row, not even a header. */
async function nothing(stream: ByteStream): Promise<Decoder> {
  const { bytesRead } = stream;
  await stream.close();
  return {
    next: async () => undefined,
    bytesRead,
    position: () => ({ byte: 0, line: 1 }),
    close: async () => undefined,
  };
}

class CsvDecoder implements Decoder {
  readonly #path: string;
  readonly #stream: ByteStream;
  readonly #store: ColumnStore;
  readonly #scanner: CsvScanner;
  #rejected: RejectedRow[] = [];
  /** What broke the stream off. */
  #damage: Error | undefined;
  #hasEnded: boolean;
  /** Within a line that is too long to hold, and whose start has been rejected. */
  #isInLongLine = false;

  constructor(
    path: string,
    stream: ByteStream,
    store: ColumnStore,
    scanner: CsvScanner,
    body: { offset: number; line: number; start: TextStart<unknown> },
  ) {
    this.#path = path;
    this.#stream = stream;
    this.#store = store;
    this.#scanner = scanner;
    this.#damage = body.start.damage;
    this.#hasEnded = body.start.hasEnded;
    scanner.startAt(body.offset, body.line);
    if (body.start.bytes.length > 0) scanner.append(body.start.bytes.subarray(body.offset));
    if (this.#hasEnded && this.#damage === undefined) scanner.finish();
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  position(): SplitPosition {
    return { byte: this.#scanner.consumed, line: this.#scanner.line };
  }

  async next(): Promise<DecodedRows | undefined> {
    for (;;) {
      const stop = this.#scanner.scan();
      for (const reject of this.#scanner.takeRejects()) this.#reject(reject);
      const hasManyRejects = this.#rejected.length >= REJECTED_ROWS_MAX;
      if (stop === 'rows' || (stop === 'input' && hasManyRejects)) return this.#take();
      if (stop === 'rejects' && hasManyRejects) return this.#take();
      if (stop === 'interner') {
        if (!this.#growDictionary()) return this.#end();
      } else if (stop === 'input') {
        if (!this.#hasEnded) await this.#read();
        else if (!this.#rejectOpenRow()) return this.#end();
      }
    }
  }

  /** False where there is no more room; the rows before it are still returned. */
  #growDictionary(): boolean {
    const column = this.#store.columns[this.#scanner.fullColumn]!;
    try {
      growDictionary(column, column.interner!);
      return true;
    } catch (error) {
      this.#damage = asError(error);
      return false;
    }
  }

  /** Gets the next piece; notes the end or the damage instead where there is none. */
  async #read(): Promise<void> {
    if (this.#scanner.unreadBytes > ROW_BYTES_MAX) {
      this.#rejectLongRow();
      if (!this.#isInLongLine) return;
    }
    let piece: Uint8Array | undefined;
    try {
      piece = await this.#stream.next();
    } catch (damage) {
      this.#damage = asError(damage);
      this.#hasEnded = true;
      return;
    }
    if (piece === undefined) {
      this.#hasEnded = true;
      this.#scanner.finish();
      return;
    }
    this.#scanner.append(piece);
    if (!this.#isInLongLine) return;
    if (this.#scanner.skipLine() === undefined) this.#scanner.dropUnread();
    else this.#isInLongLine = false;
  }

  #rejectLongRow(): void {
    const reason = `row longer than ${ROW_BYTES_MAX} bytes; is a quote never closed?`;
    const skipped = this.#scanner.skipLine();
    if (skipped !== undefined) {
      this.#addRejected(skipped.line, reason, skipped.text);
      return;
    }
    this.#addRejected(this.#scanner.line, reason, this.#scanner.unread());
    this.#scanner.dropUnread();
    this.#isInLongLine = true;
  }

  /** At the end of a whole file: what is left began a quote that is never closed. */
  #rejectOpenRow(): boolean {
    if (this.#damage !== undefined || this.#isInLongLine) return false;
    const skipped = this.#scanner.skipLine();
    if (skipped === undefined) return false;
    this.#addRejected(skipped.line, 'a quote is never closed', skipped.text);
    return true;
  }

  #end(): DecodedRows | undefined {
    if (this.#scanner.rowCount > 0 || this.#rejected.length > 0) return this.#take();
    if (this.#damage === undefined) return undefined;
    throw addToMessage(this.#damage, `, in line ${this.#scanner.line}`);
  }

  #take(): DecodedRows {
    const { rowCount } = this.#scanner;
    const columns = this.#store.take(rowCount);
    this.#scanner.clearRows();
    const rejected = this.#rejected;
    this.#rejected = [];
    return { rowCount, columns, rejected };
  }

  #reject({ line, reason, detail, row, cell }: CsvReject): void {
    this.#addRejected(line, this.#explain(reason, detail, cell.toString('utf8')), row);
  }

  #explain(reason: CsvReject['reason'], detail: number, cell: string): string {
    if (reason === 'cells') return `${detail} cells, expected ${this.#scanner.cells}`;
    if (reason === 'quote') return `${quoted(cell)}: text behind a closing quote`;
    const column = this.#store.columns[detail]!;
    if (reason === 'empty') return badValue(column, 'empty');
    return (reason === 'range' ? outOfRange : badValue)(column, quoted(cell));
  }

  #addRejected(line: number, reason: string, row: Buffer): void {
    const end = row.at(-1) === 13 ? row.length - 1 : row.length;
    this.#rejected.push({ origin: this.#path, line, reason, raw: rawText(row.subarray(0, end)) });
  }

  async close(): Promise<void> {
    this.#scanner.close();
    await this.#stream.close();
  }
}
