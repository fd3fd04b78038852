/**
 * A DBN file (Databento's binary encoding), decoded by the scanner in wasm/assembly/dbn.ts.
 *
 * The metadata is read here; the records behind it go to the scanner piece by piece. JavaScript
 * sees a record only when it is rejected, states a symbol, or is the first of its instrument and
 * day. A resumed file is walked from its beginning, because records state symbols for those behind
 * them; walking costs next to nothing.
 */

import type { RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { STRING_NULL } from '../../engine/contract/schema.ts';
import { DbnScanner, type DbnStop } from '../../wasm/host/dbn.ts';
import { openBytes } from './byte-stream.ts';
import { type ColumnStore, growDictionary } from './column-store.ts';
import {
  DATABENTO_LAYOUTS,
  type DatabentoColumn,
  type DatabentoLayout,
  type DatabentoSchema,
} from './databento-columns.ts';
import {
  asError,
  badValue,
  type DecodedRows,
  type Decoder,
  outOfRange,
  REJECTED_ROWS_MAX,
} from './decoder.ts';
import { dayText, DbnSymbols, headBytes, readMetadata, schemaName } from './dbn-metadata.ts';
import type { ByteStream } from './piece-stream.ts';

export interface DbnFormat {
  readonly schema: DatabentoSchema;
  /** Whether rows whose flags doubt their book or time of receipt are rejected. */
  readonly rejectsBadQuality: boolean;
}

const SYMBOL_MAPPING_RTYPE = 0x16;
const FLAG_BAD_TS_RECV = 0x08;
const FLAG_MAYBE_BAD_BOOK = 0x04;
const QUALITY_FLAGS = FLAG_BAD_TS_RECV | FLAG_MAYBE_BAD_BOOK;
const TS_EVENT = 8;
const METADATA_BYTES_MAX = 1 << 28;

/** The prelude and the metadata, and the bytes behind them that came along. */
async function readHead(path: string, stream: ByteStream): Promise<{ head: Buffer; rest: Buffer }> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  let wanted: number | undefined;
  for (;;) {
    if (wanted === undefined) wanted = headBytes(path, Buffer.concat(pieces));
    if (wanted !== undefined && wanted > METADATA_BYTES_MAX) {
      throw new EngineError(
        'source/corrupt',
        `cannot read ${path}: its metadata is said to take ${wanted} bytes`,
      );
    }
    if (wanted !== undefined && length >= wanted) break;
    const piece = await stream.next();
    if (piece === undefined) {
      const what = length === 0 ? 'it is empty, expected DBN' : `it ends in its metadata`;
      throw new EngineError('source/truncated', `cannot read ${path}: ${what}`);
    }
    pieces.push(piece);
    length += piece.length;
  }
  const bytes = Buffer.concat(pieces);
  return { head: bytes.subarray(0, wanted), rest: bytes.subarray(wanted) };
}

/** Opens the file, or the rest of it behind a position that a decoder of it has given. */
export async function openDbn(
  path: string,
  store: ColumnStore,
  format: DbnFormat,
  resumeAt?: SplitPosition,
): Promise<Decoder> {
  const stream = await openBytes(path);
  try {
    const { head, rest } = await readHead(path, stream);
    const metadata = readMetadata(path, head);
    const layout = DATABENTO_LAYOUTS[format.schema];
    if (metadata.schema !== undefined && metadata.schema !== layout.number) {
      const found = schemaName(metadata.schema);
      throw new EngineError(
        'source/format',
        `cannot read ${path}: its records are ${found}, expected ${format.schema}; set ` +
          `schema: ${found}`,
      );
    }
    const readsSymbols = store.columns.some(({ from }) => from === 'symbol');
    if (readsSymbols && metadata.unmapped !== undefined) {
      throw new EngineError(
        'source/format',
        `cannot read ${path}: ${metadata.unmapped}; read the instrument_id as a string instead`,
      );
    }
    const scanner = new DbnScanner(store.kernels, {
      columns: store.columns.map((column) => {
        const { kind, offset } = layout.columns[String(column.from)]!;
        const isText = kind === 'u32' && column.type === 'string';
        return {
          ...column,
          kind: isText ? 'instrument' : kind,
          offset,
          isFloat: column.type === 'float64',
        };
      }),
      rowsMax: store.rowsMax,
      sizes: new Map(layout.rtypes.map((rtype) => [rtype, layout.bytes])),
      control: SYMBOL_MAPPING_RTYPE,
      indexTime: (layout.columns['ts_recv'] ?? { offset: TS_EVENT }).offset,
      flags: layout.columns['flags']?.offset ?? 0,
      rejectedFlags: format.rejectsBadQuality ? QUALITY_FLAGS : 0,
    });
    scanner.startAt(head.length, Number(resumeAt?.['byte'] ?? 0));
    if (rest.length > 0) scanner.append(rest);
    return new DbnDecoder(path, stream, store, layout, scanner, new DbnSymbols(metadata));
  } catch (error) {
    await stream.close();
    throw error;
  }
}

class DbnDecoder implements Decoder {
  readonly #path: string;
  readonly #stream: ByteStream;
  readonly #store: ColumnStore;
  readonly #layout: DatabentoLayout;
  readonly #scanner: DbnScanner;
  readonly #symbols: DbnSymbols;
  #rejected: RejectedRow[] = [];
  #damage: Error | undefined;
  #hasEnded = false;

  constructor(
    path: string,
    stream: ByteStream,
    store: ColumnStore,
    layout: DatabentoLayout,
    scanner: DbnScanner,
    symbols: DbnSymbols,
  ) {
    this.#path = path;
    this.#stream = stream;
    this.#store = store;
    this.#layout = layout;
    this.#scanner = scanner;
    this.#symbols = symbols;
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  metrics(): Record<string, number> {
    const { passed, badTimes, maybeBad } = this.#scanner.counts;
    const all = {
      records_passed_over: passed,
      bad_ts_recv_rows: badTimes,
      maybe_bad_book_rows: maybeBad,
    };
    return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
  }

  position(): SplitPosition {
    return { byte: this.#scanner.consumed };
  }

  async next(): Promise<DecodedRows | undefined> {
    while (this.#damage === undefined) {
      const stop = this.#scanner.scan();
      if (stop === 'rows') return this.#take();
      if (stop !== 'input') this.#settle(stop);
      else if (this.#hasEnded) break;
      else await this.#read();
      if (this.#rejected.length >= REJECTED_ROWS_MAX) return this.#take();
    }
    if (this.#scanner.rowCount > 0 || this.#rejected.length > 0) return this.#take();
    if (this.#damage === undefined) return undefined;
    throw this.#damage;
  }

  #take(): DecodedRows {
    const { rowCount } = this.#scanner;
    const columns = this.#store.take(rowCount);
    this.#scanner.clearRows();
    const rejected = this.#rejected;
    this.#rejected = [];
    return { rowCount, columns, rejected };
  }

  /** Gets the next piece; notes the end or the damage instead where there is none. */
  async #read(): Promise<void> {
    try {
      const piece = await this.#stream.next();
      if (piece !== undefined) {
        this.#scanner.append(piece);
        return;
      }
      this.#hasEnded = true;
      if (this.#scanner.unreadBytes > 0) {
        this.#damage = new EngineError(
          'source/truncated',
          `cannot read on in ${this.#path}: it ends within the record at ${this.#place()}`,
        );
      }
    } catch (damage) {
      this.#damage = asError(damage);
    }
  }

  /** The record at hand, for messages: `byte 1234 (record 17)`. */
  #place(): string {
    return `byte ${this.#scanner.consumed} (record ${this.#scanner.counts.records + 1})`;
  }

  /** Deals with the record that stopped the scan. */
  #settle(stop: DbnStop): void {
    const scanner = this.#scanner;
    if (stop === 'control') {
      this.#symbols.state(scanner.record());
      scanner.forgetSymbols();
      scanner.skipRecord();
    } else if (stop === 'symbol') {
      const code = this.#symbolCode();
      if (code !== undefined) scanner.putSymbol(code);
    } else if (stop === 'character') {
      const { offset } = this.#field(scanner.column);
      const character = scanner.record()[offset]!;
      const text = String.fromCharCode(character);
      const code = character === 0 ? STRING_NULL : this.#intern(text);
      if (code !== undefined) scanner.putCharacter(character, code);
    } else if (stop === 'length') {
      const length = scanner.record().length;
      this.#damage = new EngineError(
        'source/corrupt',
        `cannot read on in ${this.#path}: the record at ${this.#place()} is said to be ${length} ` +
          'bytes long, which is too short',
      );
    } else this.#reject(stop);
  }

  #field(column: number): DatabentoColumn {
    return this.#layout.columns[String(this.#store.columns[column]!.from)]!;
  }

  #symbolCode(): number | undefined {
    const { instrument, day } = this.#scanner.asked;
    const isId = this.#field(this.#scanner.column).kind !== 'symbol';
    const symbol = isId ? String(instrument) : this.#symbols.symbolOf(instrument, day);
    return symbol === undefined ? STRING_NULL : this.#intern(symbol);
  }

  /** Undefined where there is no room for it, and where there never will be. */
  #intern(text: string): number | undefined {
    const code = this.#scanner.intern(text);
    if (code !== undefined) return code;
    const column = this.#store.columns[this.#scanner.column]!;
    try {
      growDictionary(column, column.interner!);
    } catch (error) {
      this.#damage = asError(error);
    }
    return undefined;
  }

  #reject(stop: DbnStop): void {
    const record = this.#scanner.record();
    const line = this.#scanner.counts.records + 1;
    const raw = this.#rawText(record);
    const reason = this.#explain(stop, record);
    this.#rejected.push({ origin: this.#path, line, reason, raw });
    this.#scanner.skipRecord();
  }

  #explain(stop: DbnStop, record: Buffer): string {
    if (stop === 'quality') {
      const flags = record[this.#layout.columns['flags']!.offset]!;
      const names = [
        ...((flags & FLAG_BAD_TS_RECV) === 0 ? [] : ['BAD_TS_RECV']),
        ...((flags & FLAG_MAYBE_BAD_BOOK) === 0 ? [] : ['MAYBE_BAD_BOOK']),
      ];
      return `flags: ${names.join(' and ')}, expected neither (bad_quality: reject)`;
    }
    const column = this.#store.columns[this.#scanner.column]!;
    const { kind, offset } = this.#field(this.#scanner.column);
    if (kind === 'symbol') {
      const { instrument, day } = this.#scanner.asked;
      return `${column.name}: instrument ${instrument} has no symbol on ${dayText(day)}`;
    }
    if (stop === 'empty') return badValue(column, 'undefined');
    return outOfRange(column, String(record.readBigUInt64LE(offset)));
  }

  /** The record as JSON, as it stands. */
  #rawText(record: Buffer): string {
    const members = Object.entries(this.#layout.columns)
      .filter(([, { kind }]) => kind !== 'symbol')
      .map(([name, column]) => `${JSON.stringify(name)}:${fieldText(record, column)}`);
    return `{${members.join(',')}}`;
  }

  async close(): Promise<void> {
    this.#scanner.close();
    await this.#stream.close();
  }
}

function fieldText(record: Buffer, { kind, offset }: DatabentoColumn): string {
  if (kind === 'character') return JSON.stringify(String.fromCharCode(record[offset]!));
  if (kind === 'price') return `"${record.readBigInt64LE(offset)}"`;
  if (kind === 'time' || kind === 'u64') return `"${record.readBigUInt64LE(offset)}"`;
  if (kind === 'u8') return String(record.readUInt8(offset));
  if (kind === 'u16') return String(record.readUInt16LE(offset));
  if (kind === 'i32') return String(record.readInt32LE(offset));
  return String(record.readUInt32LE(offset));
}
