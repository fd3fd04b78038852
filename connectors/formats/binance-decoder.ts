/**
 * Captured Binance streams: lines of a local time in nanoseconds and the message as it came.
 *
 *     1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":…,"T":…,"p":"…",…}}
 *
 * Trades and book tickers become rows, one of the two by choice; everything else is passed over and
 * counted. A trade has the exchange's time. A book ticker of a spot market has none: its event time
 * is the local one less the skew of the local clock, so that both can be laid side by side.
 *
 * The skew is the smallest difference between the local time and the exchange's over the messages
 * that have both, of the last two stretches of a minute that had any: what is left in it is the
 * shortest way of a message, some milliseconds, while a mean would hold every delay. It follows the
 * clock as it drifts. The first message that has both is looked for ahead, so that no row comes
 * before it.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import type { BinanceStream } from './binance-columns.ts';
import { openBytes } from './byte-stream.ts';
import { OUT_OF_RANGE, timeOfText } from './cell-text.ts';
import { asError, type Decoder } from './decoder.ts';
import type { JsonColumns } from './json-columns.ts';
import { type LineRows, LinesDecoder, PASSED, TAKEN } from './lines-decoder.ts';
import { type ByteStream, streamOf } from './piece-stream.ts';

const SKEW_SPAN_NS = 60_000_000_000;
const LOOK_AHEAD_BYTES = 1 << 20;
const LINE = /^(\d{1,19})\s+(\{.*)$/s;

type Members = Readonly<Record<string, unknown>>;

interface Message {
  /** Nanoseconds of the local clock. */
  readonly local: bigint;
  readonly stream: string;
  readonly data: Members;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A line taken apart, or what is wrong with it. */
function parseMessage(line: string): Message | string {
  const match = LINE.exec(line);
  if (match === null) return 'no capture: expected a local time in nanoseconds and a JSON object';
  let message: unknown;
  try {
    message = JSON.parse(match[2]!);
  } catch (error) {
    return `no JSON: ${(error as Error).message}`;
  }
  const { stream = '', data = message } = message as Members;
  if (typeof stream !== 'string' || !isMembers(data)) {
    return 'no message of a stream: expected {"stream": …, "data": {…}}';
  }
  return { local: BigInt(match[1]!), stream, data };
}

/** Nanoseconds of a time of the exchange, in milliseconds or microseconds. */
function exchangeTime(value: unknown): bigint | undefined {
  if (typeof value !== 'number') return undefined;
  const time = timeOfText(String(value), 0n);
  return time === OUT_OF_RANGE ? undefined : time;
}

/** What a message is, to us. */
function kindOf({ stream, data }: Message): BinanceStream | undefined {
  if (data['e'] === 'trade') return 'trade';
  if (data['e'] === 'bookTicker') return 'book_ticker';
  return data['e'] === undefined && stream.endsWith('@bookTicker') ? 'book_ticker' : undefined;
}

/** The smallest difference seen lately: in this stretch of local time and the one before. */
class ClockSkew {
  #stretch: number;
  #current: number;
  #before: number;

  constructor({ skewStretch, skew, skewBefore }: SplitPosition) {
    this.#stretch = Number(skewStretch ?? -1);
    this.#current = Number(skew ?? Number.POSITIVE_INFINITY);
    this.#before = Number(skewBefore ?? Number.POSITIVE_INFINITY);
  }

  /** Nanoseconds by which the local clock is ahead; undefined before there is a message. */
  get ns(): number | undefined {
    const smallest = Math.min(this.#current, this.#before);
    return Number.isFinite(smallest) ? smallest : undefined;
  }

  add(local: bigint, exchange: bigint): void {
    const difference = Number(local - exchange);
    const stretch = Math.floor(Number(local) / SKEW_SPAN_NS);
    if (stretch !== this.#stretch) {
      this.#before = this.#current;
      this.#current = difference;
      this.#stretch = stretch;
    } else if (difference < this.#current) this.#current = difference;
  }

  /** Plain data; what is not known is left out. */
  position(): SplitPosition {
    const known = { skewStretch: this.#stretch, skew: this.#current, skewBefore: this.#before };
    return Object.fromEntries(Object.entries(known).filter(([, value]) => Number.isFinite(value)));
  }
}

/** Opens the file, or the rest of it behind a position that a decoder of it has given. */
export async function openBinance(
  path: string,
  columns: JsonColumns,
  stream: BinanceStream,
  resumeAt?: SplitPosition,
): Promise<Decoder> {
  const offset = Number(resumeAt?.['byte'] ?? 0);
  const rows = new BinanceRows(columns, stream, resumeAt ?? {});
  let bytes = await openBytes(path, offset);
  // Trades have a time of their own.
  if (stream === 'book_ticker' && resumeAt === undefined) bytes = await lookAhead(bytes, rows);
  return new LinesDecoder(path, bytes, rows, offset, Number(resumeAt?.['line'] ?? 1));
}

/** Reads ahead to the first message with a time of the exchange; the bytes come again. */
async function lookAhead(stream: ByteStream, rows: BinanceRows): Promise<ByteStream> {
  const pieces: Uint8Array[] = [];
  let damage: Error | undefined;
  let text = '';
  for (let length = 0; length < LOOK_AHEAD_BYTES && !rows.isTimed; ) {
    let piece: Uint8Array | undefined;
    try {
      piece = await stream.next();
    } catch (error) {
      damage = asError(error);
    }
    if (piece === undefined) break;
    pieces.push(piece);
    length += piece.length;
    const lines = (text + Buffer.from(piece).toString('latin1')).split('\n');
    text = lines.pop()!;
    for (const line of lines) if (!rows.isTimed) rows.look(line);
  }
  async function* again(): AsyncGenerator<Uint8Array, void> {
    yield* pieces;
    if (damage !== undefined) throw damage;
    for (;;) {
      const piece = await stream.next();
      if (piece === undefined) return;
      yield piece;
    }
  }
  const bytes = streamOf(again(), () => stream.bytesRead);
  return {
    ...bytes,
    get bytesRead() {
      return stream.bytesRead;
    },
    close: async () => stream.close(),
  };
}

class BinanceRows implements LineRows {
  readonly rowsMax: number;
  readonly #columns: JsonColumns;
  readonly #wanted: BinanceStream;
  readonly #names: readonly string[];
  readonly #skew: ClockSkew;
  /** What the first timed message says, until it is reached. */
  #firstSkew: number | undefined;
  #passed = 0;
  #notMarket = 0;

  constructor(columns: JsonColumns, wanted: BinanceStream, resumeAt: SplitPosition) {
    this.rowsMax = columns.rowsMax;
    this.#columns = columns;
    this.#wanted = wanted;
    this.#names = columns.columns.map(({ from }) => String(from));
    this.#skew = new ClockSkew(resumeAt);
    const first = resumeAt['skewFirst'];
    if (first !== undefined) this.#firstSkew = Number(first);
  }

  get isTimed(): boolean {
    return this.#firstSkew !== undefined;
  }

  /** Notes the skew of a line that is read ahead. */
  look(line: string): void {
    const message = parseMessage(line.trimEnd());
    if (typeof message === 'string') return;
    const time = exchangeTime(message.data['E']);
    if (time !== undefined) this.#firstSkew = Number(message.local - time);
  }

  read(line: string, row: number): typeof TAKEN | typeof PASSED | string {
    const message = parseMessage(line.trimEnd());
    if (typeof message === 'string') return message;
    const { data, local } = message;
    const sent = exchangeTime(data['E']);
    if (sent !== undefined) this.#skew.add(local, sent);
    if (kindOf(message) !== this.#wanted) {
      this.#passed++;
      return PASSED;
    }
    if (this.#wanted === 'trade' && data['X'] !== undefined && data['X'] !== 'MARKET') {
      this.#notMarket++;
      return PASSED;
    }
    if (this.#wanted === 'trade' && typeof data['m'] !== 'boolean') {
      return 'm: expected true or false, which tells the side of the aggressor';
    }
    const values = this.#valuesOf(message);
    for (const [index, name] of this.#names.entries()) {
      if (values[name] === undefined) return `${name}: missing from the message`;
      const reason = this.#columns.put(index, row, values[name]);
      if (reason !== undefined) return reason;
    }
    return TAKEN;
  }

  #valuesOf({ local, data }: Message): Members {
    const skew = this.#skew.ns ?? this.#firstSkew ?? 0;
    const own =
      data['T'] === undefined ? local - BigInt(Math.round(skew)) : exchangeTime(data['T']);
    const common = {
      symbol: data['s'] === '' ? undefined : data['s'],
      event_time: own === undefined ? data['T'] : String(own),
      local_time: String(local),
    };
    if (this.#wanted === 'book_ticker') {
      const { b, B, a, A, u } = data;
      return { ...common, bid_px: b, bid_sz: B, ask_px: a, ask_sz: A, update_id: u };
    }
    const { p, q, t, m } = data;
    // Where the buyer was the maker, the seller was the aggressor.
    return { ...common, price: p, size: q, side: m === true ? 'A' : 'B', trade_id: t };
  }

  take(rowCount: number): ColumnVector[] {
    return this.#columns.take(rowCount);
  }

  position(): SplitPosition {
    const first = this.#firstSkew === undefined ? {} : { skewFirst: this.#firstSkew };
    return { ...first, ...this.#skew.position() };
  }

  metrics(): Readonly<Record<string, number>> {
    const skew = this.#skew.ns ?? this.#firstSkew;
    return {
      ...(skew === undefined ? {} : { clock_skew_seconds: skew / 1e9 }),
      ...(this.#passed === 0 ? {} : { messages_passed_over: this.#passed }),
      ...(this.#notMarket === 0 ? {} : { trades_not_market: this.#notMarket }),
    };
  }
}
