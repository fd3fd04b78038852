/**
 * A file of lines, each of which is a row, no row, or a bad one. What is in a line is told by a
 * format's `LineRows`; here are bytes, lines and rejected rows.
 */

import type { ColumnVector, RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import {
  addToMessage,
  asError,
  type DecodedRows,
  type Decoder,
  rawText,
  REJECTED_ROWS_MAX,
} from './decoder.ts';
import type { ByteStream } from './piece-stream.ts';
import { markLength } from './text-start.ts';

export const LINE_BYTES_MAX = 1 << 24;

const NEWLINE = 10;

/** What became of a line that is no bad row. */
export const TAKEN = Symbol('taken');
export const PASSED = Symbol('passed over');

/** Makes rows of lines. */
export interface LineRows {
  readonly rowsMax: number;
  /**
   * Reads a line that is not blank, without its line end, into the row of this number; a text says
   * why it is a bad row.
   */
  read(line: string, row: number): typeof TAKEN | typeof PASSED | string;
  /** The first rows, as arrays of their own. */
  take(rowCount: number): ColumnVector[];
  /** What must be known beyond the place to go on there. */
  position?(): SplitPosition;
  metrics?(): Readonly<Record<string, number>>;
}

export class LinesDecoder implements Decoder {
  readonly #path: string;
  readonly #stream: ByteStream;
  readonly #lines: LineRows;
  /** Bytes read and not yet consumed: from `#at` on. */
  #bytes = Buffer.alloc(0);
  #at = 0;
  /** Offset in the decompressed file of the first of `#bytes`, and line of the next row. */
  #offset: number;
  #line: number;
  #rows = 0;
  #rejected: RejectedRow[] = [];
  #damage: Error | undefined;
  #hasEnded = false;
  #isInLongLine = false;

  constructor(path: string, stream: ByteStream, lines: LineRows, offset: number, line: number) {
    this.#path = path;
    this.#stream = stream;
    this.#lines = lines;
    this.#offset = offset;
    this.#line = line;
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  position(): SplitPosition {
    const place = { byte: this.#offset + this.#at, line: this.#line };
    return { ...this.#lines.position?.(), ...place };
  }

  metrics(): Readonly<Record<string, number>> {
    return this.#lines.metrics?.() ?? {};
  }

  async next(): Promise<DecodedRows | undefined> {
    while (this.#damage === undefined) {
      const end = this.#bytes.indexOf(NEWLINE, this.#at);
      if (end >= 0) {
        try {
          this.#readLine(this.#bytes.subarray(this.#at, end));
        } catch (error) {
          this.#damage = asError(error);
          break;
        }
        this.#at = end + 1;
        this.#line++;
        if (this.#rows === this.#lines.rowsMax) break;
        if (this.#rejected.length === REJECTED_ROWS_MAX) break;
      } else if (this.#hasEnded) break;
      else await this.#read();
    }
    if (this.#rows > 0 || this.#rejected.length > 0) return this.#take();
    if (this.#damage === undefined) return undefined;
    throw addToMessage(this.#damage, `, in line ${this.#line}`);
  }

  #take(): DecodedRows {
    const rowCount = this.#rows;
    const rejected = this.#rejected;
    this.#rows = 0;
    this.#rejected = [];
    return { rowCount, columns: this.#lines.take(rowCount), rejected };
  }

  /** Gets the next piece; notes the end or the damage instead where there is none. */
  async #read(): Promise<void> {
    const isStart = this.#offset + this.#at === 0;
    let piece: Uint8Array | undefined;
    try {
      piece = await this.#stream.next();
    } catch (damage) {
      this.#damage = asError(damage);
      return;
    }
    const rest = this.#bytes.subarray(this.#at);
    this.#offset += this.#at;
    this.#at = 0;
    if (piece === undefined) {
      this.#hasEnded = true;
      if (rest.length > 0) this.#bytes = Buffer.concat([rest, Buffer.of(NEWLINE)]);
      else this.#bytes = rest;
      return;
    }
    this.#bytes = Buffer.concat([rest, piece]);
    if (isStart) this.#at = markLength(this.#path, this.#bytes);
    this.#passLongLine();
  }

  /** A line that is too long to hold is rejected at once, and the rest of it passed over. */
  #passLongLine(): void {
    const unread = this.#bytes.length - this.#at;
    if (!this.#isInLongLine && unread <= LINE_BYTES_MAX) return;
    const end = this.#bytes.indexOf(NEWLINE, this.#at);
    if (!this.#isInLongLine) {
      if (end >= 0) return;
      this.#reject(`line longer than ${LINE_BYTES_MAX} bytes`, this.#bytes.subarray(this.#at));
    }
    this.#isInLongLine = end < 0;
    this.#at = end < 0 ? this.#bytes.length : end + 1;
    if (end >= 0) this.#line++;
  }

  #readLine(bytes: Buffer): void {
    const text = bytes.toString('utf8');
    if (text.trim() === '') return;
    const verdict = this.#lines.read(text, this.#rows);
    if (verdict === TAKEN) this.#rows++;
    else if (verdict !== PASSED) this.#reject(verdict, bytes);
  }

  #reject(reason: string, bytes: Buffer): void {
    const end = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
    const raw = rawText(bytes.subarray(0, end));
    this.#rejected.push({ origin: this.#path, line: this.#line, reason, raw });
  }

  async close(): Promise<void> {
    await this.#stream.close();
  }
}
