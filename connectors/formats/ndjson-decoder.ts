/**
 * A file of JSON objects, one a line.
 *
 * Each line is parsed and its values are put straight into columns. JSON numbers are doubles to
 * JavaScript, which would round a nanosecond epoch or a sequence number above 2^53; where a line
 * has an integer of 16 digits or more, such integers are made texts first, and read as such.
 *
 * A column is read from the member of its name, or, where there is none and the name has dots, from
 * the member they lead to.
 */

import type { RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { openBytes } from './byte-stream.ts';
import {
  addToMessage,
  asError,
  type DecodedRows,
  type Decoder,
  rawText,
  REJECTED_ROWS_MAX,
} from './decoder.ts';
import type { JsonColumns } from './json-columns.ts';
import type { ByteStream } from './piece-stream.ts';
import { markLength } from './text-start.ts';

export const LINE_BYTES_MAX = 1 << 24;

const NEWLINE = 10;
const LONG_INTEGER = /\d{16}/;
/** A string, which is passed over, or a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const WHOLE = /^-?\d{16,}$/;

function parseLine(line: string): unknown {
  if (!LONG_INTEGER.test(line)) return JSON.parse(line);
  return JSON.parse(line.replace(TOKEN, (token) => (WHOLE.test(token) ? `"${token}"` : token)));
}

type Members = Readonly<Record<string, unknown>>;

function memberAt(row: Members, name: string, path: readonly string[]): unknown {
  if (Object.hasOwn(row, name)) return row[name];
  if (path.length === 1) return undefined;
  let value: unknown = row;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Members)[step];
  }
  return value;
}

/** Opens the file, or the rest of it behind a position that a decoder of it has given. */
export async function openNdjson(
  path: string,
  columns: JsonColumns,
  resumeAt?: SplitPosition,
): Promise<Decoder> {
  const offset = Number(resumeAt?.['byte'] ?? 0);
  const stream = await openBytes(path, offset);
  return new NdjsonDecoder(path, stream, columns, offset, Number(resumeAt?.['line'] ?? 1));
}

class NdjsonDecoder implements Decoder {
  readonly #path: string;
  readonly #stream: ByteStream;
  readonly #columns: JsonColumns;
  readonly #sources: readonly { readonly name: string; readonly path: readonly string[] }[];
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

  constructor(
    path: string,
    stream: ByteStream,
    columns: JsonColumns,
    offset: number,
    line: number,
  ) {
    this.#path = path;
    this.#stream = stream;
    this.#columns = columns;
    this.#offset = offset;
    this.#line = line;
    this.#sources = columns.columns.map(({ from }) => {
      const name = String(from);
      return { name, path: name.split('.') };
    });
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  position(): SplitPosition {
    return { byte: this.#offset + this.#at, line: this.#line };
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
        if (this.#rows === this.#columns.rowsMax) break;
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
    return { rowCount, columns: this.#columns.take(rowCount), rejected };
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
    let row: unknown;
    try {
      row = parseLine(text);
    } catch (error) {
      this.#reject(`no JSON: ${(error as Error).message}`, bytes);
      return;
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      this.#reject('not an object, expected one a line', bytes);
      return;
    }
    for (const [index, { name, path }] of this.#sources.entries()) {
      const reason = this.#columns.put(index, this.#rows, memberAt(row as Members, name, path));
      if (reason !== undefined) {
        this.#reject(reason, bytes);
        return;
      }
    }
    this.#rows++;
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
