/** A file of JSON objects, one a line, into a column store: see json-scan.ts. */

import type { RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { openBytes } from './byte-stream.ts';
import type { ColumnStore } from './column-store.ts';
import {
  addToMessage,
  asError,
  type DecodedRows,
  type Decoder,
  rawText,
  REJECTED_ROWS_MAX,
  type TimeUnitNs,
} from './decoder.ts';
import { JsonScan } from './json-scan.ts';
import { LINE_BYTES_MAX } from './lines-decoder.ts';
import type { ByteStream } from './piece-stream.ts';
import { markLength } from './text-start.ts';

const NEWLINE = 10;
const MARK_BYTES = 3;

/** Opens the file, or the rest of it behind a position that a decoder of it has given. */
export async function openJsonLines(
  path: string,
  store: ColumnStore,
  timeUnit: TimeUnitNs,
  resumeAt?: SplitPosition,
): Promise<Decoder> {
  const offset = Number(resumeAt?.['byte'] ?? 0);
  const stream = await openBytes(path, offset);
  const scan = new JsonScan(store, timeUnit);
  scan.scanner.startAt(offset, Number(resumeAt?.['line'] ?? 1));
  return new JsonLinesDecoder(path, stream, store, scan, offset === 0);
}

class JsonLinesDecoder implements Decoder {
  readonly #path: string;
  readonly #stream: ByteStream;
  readonly #store: ColumnStore;
  readonly #scan: JsonScan;
  #rejected: RejectedRow[] = [];
  #damage: Error | undefined;
  #hasEnded = false;
  #isInLongLine = false;
  /** The first bytes, until there are enough to see a byte order mark. */
  #start: Buffer | undefined;

  constructor(
    path: string,
    stream: ByteStream,
    store: ColumnStore,
    scan: JsonScan,
    isStart: boolean,
  ) {
    this.#path = path;
    this.#stream = stream;
    this.#store = store;
    this.#scan = scan;
    this.#start = isStart ? Buffer.alloc(0) : undefined;
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  position(): SplitPosition {
    const { consumed, line } = this.#scan.scanner;
    return { byte: consumed, line };
  }

  async next(): Promise<DecodedRows | undefined> {
    while (this.#damage === undefined) {
      const stop = this.#scanLines();
      if (stop === 'rows' || this.#rejected.length === REJECTED_ROWS_MAX) break;
      if (stop !== 'input') continue;
      if (this.#hasEnded) break;
      await this.#read();
    }
    const { scanner } = this.#scan;
    if (scanner.rowCount > 0 || this.#rejected.length > 0) return this.#take();
    if (this.#damage === undefined) return undefined;
    throw addToMessage(this.#damage, `, in line ${scanner.line}`);
  }

  #scanLines(): 'input' | 'rows' | 'reject' {
    try {
      return this.#scan.scan(({ line, reason, text }) => this.#reject(line, reason, text));
    } catch (error) {
      this.#damage = asError(error);
      return 'rows';
    }
  }

  #take(): DecodedRows {
    const { scanner } = this.#scan;
    const { rowCount } = scanner;
    const columns = this.#store.take(rowCount);
    scanner.rowCount = 0;
    const rejected = this.#rejected;
    this.#rejected = [];
    return { rowCount, columns, rejected };
  }

  /** Gets the next piece; notes the end or the damage instead where there is none. */
  async #read(): Promise<void> {
    let piece: Uint8Array | undefined;
    try {
      piece = await this.#stream.next();
      if (this.#start !== undefined) piece = this.#behindMark(piece);
    } catch (damage) {
      this.#damage = asError(damage);
      return;
    }
    const { scanner } = this.#scan;
    if (piece === undefined) {
      this.#hasEnded = true;
      if (scanner.unreadBytes > 0) scanner.append(Uint8Array.of(NEWLINE));
      return;
    }
    scanner.append(piece);
    this.#passLongLine();
  }

  /** The bytes behind a byte order mark; none yet where there are too few to see it. */
  #behindMark(piece: Uint8Array | undefined): Uint8Array | undefined {
    const bytes = Buffer.concat([this.#start!, piece ?? Buffer.alloc(0)]);
    if (piece !== undefined && bytes.length < MARK_BYTES) {
      this.#start = bytes;
      return Buffer.alloc(0);
    }
    this.#start = undefined;
    const length = markLength(this.#path, bytes);
    this.#scan.scanner.startAt(length, 1);
    // At the end of a file of a few bytes: they come first, and the end after them.
    return bytes.length > length ? bytes.subarray(length) : piece && Buffer.alloc(0);
  }

  /** A line that is too long to hold is rejected at once, and the rest of it passed over. */
  #passLongLine(): void {
    const { scanner } = this.#scan;
    if (!this.#isInLongLine) {
      if (scanner.unreadBytes <= LINE_BYTES_MAX || scanner.unread().includes(NEWLINE)) return;
      const reason = `line longer than ${LINE_BYTES_MAX} bytes`;
      this.#reject(scanner.line, reason, scanner.unread());
    }
    this.#isInLongLine = !scanner.dropLine();
  }

  #reject(line: number, reason: string, bytes: Buffer): void {
    const end = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
    const raw = rawText(bytes.subarray(0, end));
    this.#rejected.push({ origin: this.#path, line, reason, raw });
  }

  async close(): Promise<void> {
    this.#scan.scanner.close();
    await this.#stream.close();
  }
}
