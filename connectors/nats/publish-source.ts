/** Replays the rows of a source into a partitioned stream, flat out or by the clock of the rows. */

import { randomUUID } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type {
  ReaderContext,
  SourceDefinition,
  SourceSplit,
  SplitReader,
} from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { columnIndex, INT64_NULL, type Schema } from '../../engine/contract/schema.ts';
import { closeConnection, openConnection, sleep } from './connection.ts';
import type { ConnectionConfig } from './connection-fields.ts';
import { makeEncoder } from './message-encoder.ts';
import { type PublishStats, RowPublisher } from './row-publisher.ts';
import type { MessageFormat } from './source-fields.ts';
import { storedRows } from './stored-rows.ts';
import { describeLayout } from './stream-facts.ts';
import { findOrAddStream, type FoundStream } from './stream-setup.ts';

export interface PublishRequest {
  readonly connection: ConnectionConfig;
  readonly stream: string;
  readonly prefix: string;
  /** Undefined takes those of the stream, 16 where it is new. */
  readonly partitions: number | undefined;
  readonly maxAgeNs: bigint;
  readonly maxBytes: number;
  readonly duplicateWindowNs: bigint;
  readonly replicas: number;
  readonly format: MessageFormat;
  readonly rowsPerMessage: number;
  /** Multiple of real time; undefined means flat out. */
  readonly speed: number | undefined;
  /** Names the rows in the ids of messages: the same rows shall always have the same name. */
  readonly publisher: string;
  readonly source: {
    readonly definition: SourceDefinition;
    readonly config: Record<string, unknown>;
    readonly schema: Schema;
    readonly name: string;
    readonly batchRows: number;
  };
  /** How long a message is tried, ms. */
  readonly giveUpMs: number;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  readonly onFound?: (stream: FoundStream) => void;
  readonly onProgress?: (progress: PublishProgress) => void;
}

export interface PublishProgress extends PublishStats {
  readonly rowsRead: number;
  readonly rowsRejected: number;
  /** Why the last message had to be tried again. */
  readonly lastRetry: string | undefined;
}

export const PARTITIONS_DEFAULT = 16;
/** Headers and subject of a message count too. */
const HEADER_BYTES = 512;
/** With a speed, rows wait for others of their partition so long at most. */
const LINGER_MS = 20;

export async function publishSource(request: PublishRequest): Promise<PublishProgress> {
  const who = 'publish';
  const connection = await openConnection(request.connection, {
    who,
    note: request.note,
    signal: request.signal,
  });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const { stream, prefix, publisher, source } = request;
    const found = await findOrAddStream(manager, wishOf(request), who);
    const partitions = checkLayout(found, request);
    request.onFound?.(found);
    const search = { connection, manager, facts: found.facts, prefix, partitions, publisher, who };
    const stored = await storedRows(search);
    let lastRetry: string | undefined;
    const rows = new RowPublisher({
      context: {
        client: jetstream(connection),
        who: `publish to ${stream}`,
        giveUpMs: request.giveUpMs,
        onRetry: (reason) => {
          lastRetry = reason;
        },
      },
      schema: source.schema,
      encode: await makeEncoder(request.format, source.schema),
      prefix,
      partitions,
      publisher,
      rowsPerMessage: request.rowsPerMessage,
      payloadBytesMax: (connection.info?.max_payload ?? 1 << 20) - HEADER_BYTES,
      stored,
    });
    const replay = new Replay(request, rows, () => lastRetry);
    await replay.run();
    return replay.progress();
  } finally {
    await closeConnection(connection);
  }
}

function wishOf(request: PublishRequest) {
  return {
    name: request.stream,
    subjects: [`${request.prefix}.*.>`],
    description: describeLayout({
      partitions: request.partitions ?? PARTITIONS_DEFAULT,
      sid: randomUUID(),
    }),
    maxAgeNs: request.maxAgeNs,
    maxBytes: request.maxBytes,
    duplicateWindowNs: request.duplicateWindowNs,
    replicas: request.replicas,
  };
}

function checkLayout({ facts }: FoundStream, request: PublishRequest): number {
  const { layout, name, subjects } = facts;
  const mismatch = (message: string): EngineError =>
    new EngineError('nats/stream-mismatch', `cannot publish to stream ${name}: ${message}`);
  if (layout === undefined) {
    throw mismatch(
      'its description does not say how it is partitioned; publish to a new stream, or describe ' +
        `it as ${JSON.stringify(describeLayout({ partitions: 16, sid: '<any word>' }))}`,
    );
  }
  const wanted = request.partitions;
  if (wanted !== undefined && wanted !== layout.partitions) {
    throw mismatch(
      `it has ${layout.partitions} partitions, and --partitions is ${wanted}; they are fixed for ` +
        'the life of a stream',
    );
  }
  const subject = `${request.prefix}.*.>`;
  if (!subjects.includes(subject) && !subjects.includes(`${request.prefix}.>`)) {
    throw mismatch(`it takes ${subjects.join(', ')}, and --subject-prefix gives ${subject}`);
  }
  return layout.partitions;
}

class Replay {
  readonly #request: PublishRequest;
  readonly #rows: RowPublisher;
  readonly #lastRetry: () => string | undefined;
  readonly #time: number;
  #rowsRead = 0;
  #rowsRejected = 0;
  /** Clock and event time at the first row. */
  #begun: { readonly nowMs: number; readonly timeNs: bigint } | undefined;
  #largestNs = INT64_NULL;
  #flushedMs = 0;

  constructor(request: PublishRequest, rows: RowPublisher, lastRetry: () => string | undefined) {
    this.#request = request;
    this.#rows = rows;
    this.#lastRetry = lastRetry;
    const { schema } = request.source;
    this.#time = columnIndex(schema, schema.time);
  }

  progress(): PublishProgress {
    return {
      ...this.#rows.stats,
      rowsRead: this.#rowsRead,
      rowsRejected: this.#rowsRejected,
      lastRetry: this.#lastRetry(),
    };
  }

  async run(): Promise<void> {
    const { definition, config, name } = this.#request.source;
    const splits = await definition.splits(config, { source: name });
    for (const split of splits) {
      const reader = await definition.open(config, this.#contextOf(split));
      try {
        await this.#read(reader);
      } finally {
        await reader.close();
      }
      if (this.#request.signal.aborted) break;
    }
    await this.#rows.drain();
  }

  #contextOf(split: SourceSplit): ReaderContext {
    const { name, schema, batchRows } = this.#request.source;
    return { source: name, schema, split, lane: 0, lanes: 1, batchRows };
  }

  async #read(reader: SplitReader): Promise<void> {
    while (!this.#request.signal.aborted) {
      const batch = await reader.poll();
      if (batch === 'end') return;
      if (batch === 'idle') {
        await this.#rows.flush();
        continue;
      }
      this.#rowsRejected += batch.rejected.length;
      this.#rowsRead += batch.rowCount + batch.rejected.length;
      if (this.#request.speed === undefined) await this.#rows.write(batch);
      else await this.#writePaced(batch, this.#request.speed);
      this.#request.onProgress?.(this.progress());
    }
  }

  /** Writes rows as they fall due. A row before others in time is due with them. */
  async #writePaced(batch: ColumnBatch, speed: number): Promise<void> {
    const column = batch.columns[this.#time]!;
    const times = (column as { readonly values: BigInt64Array }).values;
    for (let row = 0; row < batch.rowCount && !this.#request.signal.aborted; ) {
      const nowMs = performance.now();
      this.#begun ??= { nowMs, timeNs: times[row]! };
      const elapsedNs = (nowMs - this.#begun.nowMs) * 1e6 * speed;
      const dueNs = this.#begun.timeNs + BigInt(Math.round(elapsedNs));
      let end = row;
      while (end < batch.rowCount && this.#dueAt(times[end]!) <= dueNs) end++;
      if (end > row) await this.#rows.write(batch, row, end);
      row = end;
      if (nowMs - this.#flushedMs >= LINGER_MS) {
        this.#flushedMs = nowMs;
        await this.#rows.flush();
      }
      if (row === batch.rowCount) break;
      const waitMs = Number(this.#largestNs - dueNs) / 1e6 / speed;
      await sleep(Math.max(1, Math.min(LINGER_MS, waitMs)));
    }
  }

  #dueAt(time: bigint): bigint {
    if (time > this.#largestNs) this.#largestNs = time;
    return this.#largestNs;
  }
}
