/**
 * One stream, or one subject filter of it, as rows. Messages are taken as they arrive; their rows
 * are put together until a batch is full or nothing more is here, so batches are small when little
 * comes, and large when much does.
 *
 * A position names the last message that was read whole, with its broker time, and how many rows
 * of the next one have been read, where that has more than a batch holds.
 */

import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { RejectedRow } from '../../engine/contract/batch.ts';
import type {
  ReaderContext,
  SourceBatch,
  SplitPosition,
  SplitReader,
  SplitStatus,
} from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { byteCount } from '../../engine/contract/fields.ts';
import { asError, rawText, REJECTED_ROWS_MAX } from '../formats/decoder.ts';
import { JsonColumns } from '../formats/json-columns.ts';
import { checkPosition } from './check-position.ts';
import { closeConnection, openConnection } from './connection.ts';
import { canScanMessages, JsonMessages } from './json-messages.ts';
import type { StreamPosition } from './judge-position.ts';
import { type MessageDecoder, UndecodableMessage } from './message-decoder.ts';
import { PullReader } from './pull-reader.ts';
import { columnsOf, type NatsSourceConfig, timeUnitOf } from './source-fields.ts';
import { startPosition } from './start-position.ts';
import { readFacts } from './stream-facts.ts';
import type { StreamMessage } from './stream-message.ts';
import { ValueDecoder } from './value-decoder.ts';

/** Longest wait for a first message. */
const POLL_MS = 100;
/** Batches in close succession are held back by as much, so that they grow. */
const GATHER_MS = 4;
/** Longest stretch of decoding in one poll. */
const BUSY_MS = 50;
/** Messages that a scanner is given at once, and their bytes. */
const GROUP_MESSAGES = 4096;
const GROUP_BYTES = 1 << 21;
/** Messages of a new run that may be undecodable before that is taken for the wrong format. */
const TRIES_MAX = 16;

async function makeDecoder(
  config: NatsSourceConfig,
  { schema, batchRows }: ReaderContext,
): Promise<MessageDecoder> {
  const columns = columnsOf(config, schema.key);
  const unit = timeUnitOf(config);
  if (config.format === 'arrow') {
    const { ArrowDecoder } = await import('./arrow-decoder.ts');
    return new ArrowDecoder(columns, batchRows, unit);
  }
  if (config.format === 'json' && canScanMessages(columns)) {
    return new JsonMessages(columns, batchRows, unit);
  }
  return new ValueDecoder(config.format, columns, new JsonColumns(columns, batchRows, unit));
}

interface ReaderParts {
  readonly config: NatsSourceConfig;
  readonly context: ReaderContext;
  readonly connection: NatsConnection;
  readonly pull: PullReader;
  readonly decoder: MessageDecoder;
  readonly start: StreamPosition;
  readonly rowsToSkip: number;
  /** With `until: last`: the last message to read. */
  readonly last: number | undefined;
}

export class NatsReader implements SplitReader {
  readonly #parts: ReaderParts;
  readonly #who: string;
  #position: StreamPosition;
  /** Messages that have been taken, and the number of the first that has not been opened. */
  #group: readonly StreamMessage[] = [];
  #opened = 0;
  /** With `until: last`: what came behind the group has been thrown away unread. */
  #isLastGroup = false;
  /** The message at hand, its rows, and how many of them have been read. */
  #message: StreamMessage | undefined;
  #messageRows = 0;
  #cursor = 0;
  #rowsToSkip: number;
  #rows = 0;
  #rejected: RejectedRow[] = [];
  #bytesRead = 0;
  #messages = 0;
  #failure: { readonly error: unknown } | undefined;
  #hasEnded = false;
  #lastPollMs = 0;
  #pending: number | undefined;
  #lagSeconds: number | undefined;
  /** Undecodable messages since the start of a new run; undefined once it is known to work. */
  #tries: number | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  static async open(config: NatsSourceConfig, context: ReaderContext): Promise<NatsReader> {
    const who = `source "${context.source}"`;
    const decoder = await makeDecoder(config, context);
    const connection = await openConnection(config, { who });
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const resumed = resumedPosition(context.resumeAt);
      const facts =
        resumed === undefined
          ? await readFacts(manager, config.stream, who)
          : await checkPosition(manager, config.stream, resumed, who);
      const start = resumed ?? (await startPosition(manager, config, facts, who));
      const pull = new PullReader({
        connection,
        manager,
        who,
        stream: config.stream,
        subject: config.subject,
        position: start,
        pendingBytesMax: byteCount(config.max_pending_bytes),
        pendingMessagesMax: config.max_pending_messages,
        maySkip: resumed === undefined && config.start === 'first' ? 'at_first' : undefined,
      });
      const last = config.until === 'last' ? facts.lastSequence : undefined;
      const rowsToSkip = Number(context.resumeAt?.['row'] ?? 0);
      return new NatsReader({
        config,
        context,
        connection,
        pull,
        decoder,
        start,
        rowsToSkip,
        last,
      });
    } catch (error) {
      await closeConnection(connection);
      throw error;
    }
  }

  private constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#who = `source "${parts.context.source}"`;
    this.#position = parts.start;
    this.#rowsToSkip = parts.rowsToSkip;
    this.#tries = parts.context.resumeAt === undefined ? 0 : undefined;
    this.#hasEnded = parts.last !== undefined && parts.start.sequence >= parts.last;
  }

  async poll(): Promise<SourceBatch | 'idle' | 'end'> {
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #next(): Promise<SourceBatch | 'idle' | 'end'> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { pull } = this.#parts;
    if (!this.#hasMore && !this.#hasEnded) {
      const early = GATHER_MS - (performance.now() - this.#lastPollMs);
      if (early > 0 && !pull.hasPlenty) await new Promise((resolve) => setTimeout(resolve, early));
      await pull.arrival(POLL_MS);
    }
    const untilMs = performance.now() + BUSY_MS;
    try {
      while (this.#hasRoom() && this.#readMore()) if (performance.now() > untilMs) break;
    } catch (error) {
      this.#failure = { error: asError(error) };
    }
    this.#lastPollMs = performance.now();
    if (this.#rows > 0 || this.#rejected.length > 0) return this.#take();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#hasEnded || this.#isPastLast()) return 'end';
    return 'idle';
  }

  /** Messages have been taken and not been read. */
  get #hasMore(): boolean {
    return this.#message !== undefined || this.#opened < this.#group.length;
  }

  get #hasTakenAll(): boolean {
    return !this.#hasMore && !this.#isLastGroup;
  }

  #hasRoom(): boolean {
    const { batchRows } = this.#parts.context;
    return this.#rows < batchRows && this.#rejected.length < REJECTED_ROWS_MAX;
  }

  /** With `until: last`, and nothing more that matches the filter. */
  #isPastLast(): boolean {
    const { last, pull } = this.#parts;
    return last !== undefined && !this.#hasMore && pull.isDrained;
  }

  /** Converts a part of the message at hand, or of the next one; false where none is here. */
  #readMore(): boolean {
    if (this.#message === undefined && !this.#openNext()) return false;
    if (this.#message === undefined) return true;
    const message = this.#message;
    const skipped = Math.min(this.#rowsToSkip, this.#messageRows);
    this.#rowsToSkip = 0;
    this.#cursor += skipped;
    const room = this.#parts.context.batchRows - this.#rows;
    const count = Math.min(room, this.#messageRows - this.#cursor);
    try {
      this.#rows += this.#parts.decoder.convert(this.#cursor, count, this.#rows, (reason, raw) => {
        this.#reject(message, reason, raw);
      });
      this.#cursor += count;
    } catch (error) {
      if (!(error instanceof UndecodableMessage)) throw error;
      this.#undecodable(message, error.message);
      this.#cursor = this.#messageRows;
    }
    if (this.#cursor >= this.#messageRows) this.#finish(message);
    return true;
  }

  /** Takes messages where none are at hand; false where none are here or may be read. */
  #gather(): boolean {
    if (this.#opened < this.#group.length) return true;
    if (this.#isLastGroup) this.#hasEnded = true;
    if (this.#hasEnded) return false;
    const { pull, decoder, last } = this.#parts;
    const { scanner } = decoder;
    this.#opened = 0;
    this.#group = pull.takeSome(scanner === undefined ? 1 : GROUP_MESSAGES, GROUP_BYTES);
    if (last !== undefined && (this.#group.at(-1)?.sequence ?? 0) > last) {
      this.#group = this.#group.filter(({ sequence }) => sequence <= last);
      this.#isLastGroup = true;
      if (this.#group.length === 0) this.#hasEnded = true;
    }
    const newest = this.#group.at(-1);
    if (newest === undefined) return false;
    for (const { payload } of this.#group) this.#bytesRead += payload.length;
    this.#pending = newest.pending;
    this.#lagSeconds = Math.max(0, Date.now() - Number(newest.time.slice(0, -6))) / 1000;
    scanner?.load(this.#group);
    return true;
  }

  /** Reads the messages of one row that come next, if any, all at once. */
  #scan(): boolean {
    const { scanner } = this.#parts.decoder;
    if (scanner === undefined || this.#rowsToSkip > 0) return false;
    const from = this.#opened;
    this.#opened = scanner.scan(from, this.#rows);
    const count = this.#opened - from;
    if (count === 0) return false;
    this.#rows += count;
    this.#messages += count;
    this.#tries = undefined;
    this.#finish(this.#group[this.#opened - 1]!);
    return true;
  }

  /** Opens the next message, or reads those that need no opening; false where there is none. */
  #openNext(): boolean {
    if (!this.#gather()) return false;
    if (this.#scan()) return true;
    const { decoder } = this.#parts;
    const message = this.#group[this.#opened++]!;
    this.#messages++;
    this.#cursor = 0;
    try {
      this.#messageRows = decoder.open(message.payload, message.subject);
      this.#tries = undefined;
      this.#message = message;
    } catch (error) {
      if (!(error instanceof UndecodableMessage)) throw error;
      this.#undecodable(message, error.message);
      this.#rowsToSkip = 0;
      this.#finish(message);
    }
    return true;
  }

  #undecodable(message: StreamMessage, reason: string): void {
    const { config } = this.#parts;
    if (this.#tries !== undefined && ++this.#tries > TRIES_MAX) {
      throw new EngineError(
        'source/format',
        `${this.#who}: the first ${TRIES_MAX} messages of stream ${config.stream} cannot be read ` +
          `as ${config.format}: message ${message.sequence} on ${message.subject}: ${reason}`,
      );
    }
    this.#reject(message, reason, payloadText(message.payload));
  }

  #reject(message: StreamMessage, reason: string, raw: string): void {
    this.#rejected.push({
      origin: `${this.#parts.config.stream} ${message.subject}`,
      line: message.sequence,
      reason,
      raw: raw === '' ? payloadText(message.payload) : raw,
    });
  }

  #finish({ sequence, time, pending }: StreamMessage): void {
    this.#position = { ...this.#position, sequence, time };
    this.#message = undefined;
    this.#cursor = 0;
    const { last } = this.#parts;
    if (last !== undefined && (sequence >= last || pending === 0)) this.#hasEnded = true;
  }

  #take(): SourceBatch {
    const rowCount = this.#rows;
    const rejected = this.#rejected;
    this.#rows = 0;
    this.#rejected = [];
    const columns = this.#parts.decoder.take(rowCount);
    return { rowCount, columns, unit: 0, bytesRead: this.#bytesRead, rejected };
  }

  position(): SplitPosition {
    const { pull } = this.#parts;
    const isDone = this.#hasTakenAll && pull.isDrained;
    // Behind messages of other subjects, where there is none of ours.
    const isFurther = isDone && pull.reached.sequence > this.#position.sequence;
    const { sequence, time, stream } = isFurther ? pull.reached : this.#position;
    const row = this.#cursor;
    return { sequence, time, stream, ...(row === 0 ? {} : { row }) };
  }

  status(): SplitStatus {
    const { pull } = this.#parts;
    return {
      state: pull.state,
      sinceMs: pull.sinceMs,
      isCaughtUp: this.#hasTakenAll && pull.isListening,
      ...(this.#pending === undefined ? {} : { pendingMessages: this.#pending }),
      ...(this.#lagSeconds === undefined ? {} : { lagSeconds: this.#lagSeconds }),
      metrics: { messages_total: this.#messages, recreates_total: pull.recreates },
    };
  }

  async close(): Promise<void> {
    await this.#parts.pull.close();
    await closeConnection(this.#parts.connection);
  }
}

function resumedPosition(at: SplitPosition | undefined): StreamPosition | undefined {
  if (at === undefined) return undefined;
  return {
    sequence: Number(at['sequence'] ?? 0),
    time: String(at['time'] ?? ''),
    stream: String(at['stream'] ?? ''),
  };
}

/** Text of a payload: as it is where it is UTF-8 text, in base64 where it is not; both cut. */
function payloadText(payload: Uint8Array): string {
  const text = rawText(payload);
  if (isReadable(text)) return text;
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return `base64:${bytes.subarray(0, RAW_BYTES_MAX).toString('base64')}`;
}

function isReadable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0xfffd || (unit < 32 && unit !== 9 && unit !== 10 && unit !== 13)) return false;
  }
  return true;
}

/** As base64 these are 4 KiB. */
const RAW_BYTES_MAX = 3072;
