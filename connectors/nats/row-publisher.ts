/**
 * Rows into the partitions of a stream, through a window where the stream allows one. Otherwise
 * each partition has one message on its way at a time, so that its rows stay in order whatever has
 * to be tried again; the partitions go side by side.
 *
 * A message says in its id which rows it holds, counted in its partition. So a publisher that is
 * run again passes over what is stored, however its rows were cut into messages.
 */

import type { ColumnBatch, ColumnVector } from '../../engine/contract/batch.ts';
import { partitionOf } from '../../engine/contract/hash.ts';
import { columnIndex, type Schema, STRING_NULL } from '../../engine/contract/schema.ts';
import { RowBuffer } from '../parquet/row-buffer.ts';
import { batchOf, type EncodeRows } from './message-encoder.ts';
import { type PublishContext, publishMessage } from './publish-message.ts';
import type { PublishWindow } from './publish-window.ts';
import { messageId } from './stored-rows.ts';
import { tokenFor } from './subject-template.ts';

export type OpenWindow = (
  context: PublishContext,
  onAgain: (messages: number) => void,
) => PublishWindow;

export interface PublisherOptions {
  readonly context: PublishContext;
  readonly schema: Schema;
  readonly encode: EncodeRows;
  readonly prefix: string;
  readonly partitions: number;
  readonly publisher: string;
  readonly rowsPerMessage: number;
  /** The largest payload that the server takes. */
  readonly payloadBytesMax: number;
  /** Rows of each partition that the stream holds already. */
  readonly stored: readonly number[];
  /** Set where the stream may be published to through a window. */
  readonly openWindow?: OpenWindow | undefined;
}

export interface PublishStats {
  rows: number;
  /** Rows that were stored already. */
  rowsSkipped: number;
  /** Rows without a key, which have no partition. */
  rowsWithoutKey: number;
  messages: number;
  bytes: number;
  /** Messages that the server knew by their id. */
  duplicates: number;
  retries: number;
}

/** Messages of one partition that wait for their turn. */
const WAITING_MAX = 2;
/** Token of the subject of a message with rows of several symbols. */
export const MIXED_TOKEN = 'mixed';

interface Lane {
  readonly buffer: RowBuffer;
  /** Rows of the partition that have been seen. */
  seen: number;
  /** Number in the partition of the first row of the buffer. */
  first: number;
  waiting: number;
  turn: Promise<void>;
}

interface Message {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly id: string;
  readonly rows: number;
}

export class RowPublisher {
  readonly stats: PublishStats = {
    rows: 0,
    rowsSkipped: 0,
    rowsWithoutKey: 0,
    messages: 0,
    bytes: 0,
    duplicates: 0,
    retries: 0,
  };
  readonly #options: PublisherOptions;
  readonly #context: PublishContext;
  readonly #window: PublishWindow | undefined;
  readonly #lanes: readonly Lane[];
  readonly #key: number;
  readonly #columns: readonly number[];
  /** Partition of each code of the dictionary at hand. */
  #dictionary: readonly string[] = [];
  #partitions: number[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#context = {
      ...options.context,
      onRetry: (reason) => {
        this.stats.retries++;
        options.context.onRetry?.(reason);
      },
    };
    this.#window = options.openWindow?.(this.#context, (messages) => {
      this.stats.retries += messages;
    });
    const { schema, partitions, rowsPerMessage } = options;
    this.#key = columnIndex(schema, schema.key);
    this.#columns = schema.columns.map((_, index) => index);
    this.#lanes = Array.from({ length: partitions }, () => ({
      buffer: new RowBuffer(schema.columns, rowsPerMessage),
      seen: 0,
      first: 0,
      waiting: 0,
      turn: Promise.resolve(),
    }));
  }

  /** Takes rows `from` to `to` of the batch; resolves when there is room for more. */
  async write(batch: ColumnBatch, from = 0, to = batch.rowCount): Promise<void> {
    for (const [partition, rows] of this.#rowsByPartition(batch, from, to).entries()) {
      if (rows.length > 0) await this.#append(partition, batch, Uint32Array.from(rows));
    }
  }

  #rowsByPartition(batch: ColumnBatch, from: number, to: number): number[][] {
    const { codes, dictionary } = this.#keys(batch);
    const rows: number[][] = this.#lanes.map(() => []);
    for (let row = from; row < to; row++) {
      const code = codes[row]!;
      if (code === STRING_NULL) this.stats.rowsWithoutKey++;
      else rows[this.#partitionOf(code, dictionary)]!.push(row);
    }
    return rows;
  }

  #keys(batch: ColumnBatch): Extract<ColumnVector, { type: 'string' }> {
    const column = batch.columns[this.#key]!;
    if (column.type !== 'string') throw new TypeError('the key is a string column');
    if (column.dictionary !== this.#dictionary) this.#partitions = [];
    this.#dictionary = column.dictionary;
    return column;
  }

  #partitionOf(code: number, dictionary: readonly string[]): number {
    return (this.#partitions[code] ??= partitionOf(dictionary[code]!, this.#options.partitions));
  }

  /** How many rows at the beginning of the batch, the next to be written, are stored already. */
  storedRun(batch: ColumnBatch): number {
    const left = this.#lanes.map(({ seen }, at) => (this.#options.stored[at] ?? 0) - seen);
    const { codes, dictionary } = this.#keys(batch);
    let row = 0;
    for (; row < batch.rowCount; row++) {
      const code = codes[row]!;
      if (code === STRING_NULL) continue;
      if (left[this.#partitionOf(code, dictionary)]!-- <= 0) break;
    }
    return row;
  }

  async #append(partition: number, batch: ColumnBatch, rows: Uint32Array): Promise<void> {
    const lane = this.#lanes[partition]!;
    const stored = this.#options.stored[partition] ?? 0;
    const skipped = Math.min(rows.length, Math.max(0, stored - lane.seen));
    this.stats.rowsSkipped += skipped;
    lane.seen += skipped;
    for (let at = skipped; at < rows.length; ) {
      if (lane.buffer.rowCount === 0) lane.first = lane.seen;
      const count = Math.min(lane.buffer.room, rows.length - at);
      lane.buffer.append(batch, this.#columns, rows, at, count);
      lane.seen += count;
      at += count;
      const sending = lane.buffer.room === 0 ? this.#send(partition) : undefined;
      if (sending !== undefined) await sending;
    }
  }

  /**
   * Sends what is in the buffer of a partition. A promise is returned only where it has to be
   * waited for: many small messages then go out in one piece.
   */
  #send(partition: number): Promise<void> | undefined {
    const lane = this.#lanes[partition]!;
    if (lane.buffer.rowCount === 0) return undefined;
    let { first } = lane;
    const messages = [...this.#payloads(lane.buffer)].map(({ payload, rows, symbol }): Message => {
      const id = messageId(this.#options.publisher, partition, first, rows);
      first += rows;
      return { subject: `${this.#options.prefix}.${partition}.${symbol}`, payload, id, rows };
    });
    lane.buffer.clear();
    if (this.#window?.isOpen !== true) return this.#sendInTurn(lane, messages);
    if (messages.length === 1) return this.#sendThrough(this.#window, messages[0]!);
    return this.#sendParts(this.#window, messages);
  }

  #sendThrough(window: PublishWindow, message: Message): Promise<void> | undefined {
    const { subject, payload, id } = message;
    return window.publish(subject, payload, id, (isDuplicate) => this.#count(message, isDuplicate));
  }

  async #sendParts(window: PublishWindow, messages: readonly Message[]): Promise<void> {
    for (const message of messages) await this.#sendThrough(window, message);
  }

  /** Without a window: each message behind the one before it in its partition. */
  async #sendInTurn(lane: Lane, messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      lane.waiting++;
      lane.turn = lane.turn.then(async () => {
        try {
          if (this.#failure === undefined) await this.#publish(message);
        } catch (error) {
          this.#failure ??= { error };
        } finally {
          lane.waiting--;
        }
      });
    }
    while (lane.waiting > WAITING_MAX && this.#failure === undefined) await lane.turn;
    this.#check();
  }

  /** The rows of a buffer, cut until each part is one that the server takes. */
  *#payloads(buffer: RowBuffer): Iterable<{ payload: Uint8Array; rows: number; symbol: string }> {
    const payload = this.#options.encode(buffer);
    const rows = buffer.rowCount;
    if (payload.length <= this.#options.payloadBytesMax || rows === 1) {
      const [only, ...others] = buffer.columns[this.#key]!.texts;
      const symbol = others.length === 0 && only !== undefined ? tokenFor(only) : MIXED_TOKEN;
      yield { payload, rows, symbol };
      return;
    }
    const half = Math.floor(rows / 2);
    for (const [from, count] of [
      [0, half],
      [half, rows - half],
    ] as const) {
      const part = new RowBuffer(this.#options.schema.columns, count);
      part.append(batchOf(buffer), this.#columns, undefined, from, count);
      yield* this.#payloads(part);
    }
  }

  async #publish(message: Message): Promise<void> {
    const { subject, payload, id } = message;
    const { isDuplicate } = await publishMessage(this.#context, subject, payload, id);
    this.#count(message, isDuplicate);
  }

  #count({ payload, rows }: Message, isDuplicate: boolean): void {
    this.stats.messages++;
    if (isDuplicate) {
      this.stats.duplicates++;
      this.stats.rowsSkipped += rows;
    } else {
      this.stats.bytes += payload.length;
      this.stats.rows += rows;
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Sends everything that is here. */
  async flush(): Promise<void> {
    for (const partition of this.#lanes.keys()) await this.#send(partition);
  }

  /** Resolves when everything sent is stored. */
  async drain(): Promise<void> {
    await this.flush();
    await this.#window?.drain();
    await Promise.all(this.#lanes.map(({ turn }) => turn));
    this.#check();
  }

  close(): void {
    this.#window?.close();
  }
}
