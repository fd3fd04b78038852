/** Replays the rows of a source into a partitioned stream, flat out or by the clock of the rows. */

import { randomUUID } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type { SourceDefinition } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { columnIndex, INT64_NULL, type Schema } from '../../engine/contract/schema.ts';
import { closeConnection, openConnection, sleep } from './connection.ts';
import type { ConnectionConfig } from './connection-fields.ts';
import { makeEncoder } from './message-encoder.ts';
import { PublishWindow } from './publish-window.ts';
import { PublishInput } from './publish-input.ts';
import { type OpenWindow, type PublishStats, RowPublisher } from './row-publisher.ts';
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
  /** Told why a message has to be tried again. */
  readonly onRetry?: (reason: string) => void;
}

export interface PublishProgress extends PublishStats {
  readonly rowsRead: number;
  /** Share of the input that has been read, 0 to 1; undefined where its size is not known. */
  readonly share: number | undefined;
  readonly rowsRejected: number;
}

export const PARTITIONS_DEFAULT = 16;
/** Headers and subject of a message count too. */
const HEADER_BYTES = 512;
/** With a speed, rows wait for others of their partition so long at most. */
const LINGER_MS = 20;

export async function publishSource(request: PublishRequest): Promise<PublishProgress> {
  const who = 'publish';
  // The input first: where it cannot be read, no server is asked and no stream made.
  const input = await PublishInput.open(request);
  let connection: NatsConnection | undefined;
  try {
    connection = await openConnection(request.connection, {
      who,
      note: request.note,
      signal: request.signal,
    });
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const { stream, prefix, publisher, source } = request;
    const found = await findOrAddStream(manager, wishOf(request), who);
    const partitions = checkLayout(found, request);
    request.onFound?.(found);
    const search = { connection, manager, facts: found.facts, prefix, partitions, publisher, who };
    const stored = await storedRows(search);
    const openWindow = windowFor(found, connection);
    const rows = new RowPublisher({
      context: {
        client: jetstream(connection),
        who: `publish to ${stream}`,
        giveUpMs: request.giveUpMs,
        ...(request.onRetry === undefined ? {} : { onRetry: request.onRetry }),
      },
      schema: source.schema,
      encode: await makeEncoder(request.format, source.schema),
      prefix,
      partitions,
      publisher,
      rowsPerMessage: request.rowsPerMessage,
      payloadBytesMax: (connection.info?.max_payload ?? 1 << 20) - HEADER_BYTES,
      stored,
      openWindow,
    });
    const replay = new Replay(request, input, rows);
    try {
      await replay.run();
    } finally {
      rows.close();
    }
    return replay.progress();
  } finally {
    await input.close();
    if (connection !== undefined) await closeConnection(connection);
  }
}

/** How long a server must know ids, so that what is sent again after a silence is recognised. */
const DUPLICATE_WINDOW_NS_MIN = 30e9;

/** A window where the stream allows one. */
function windowFor({ config }: FoundStream, connection: NatsConnection): OpenWindow | undefined {
  const { num_replicas: replicas, duplicate_window: windowNs } = config;
  if (replicas > 1 || windowNs < DUPLICATE_WINDOW_NS_MIN) return undefined;
  return (context, onAgain) => new PublishWindow({ connection, context, onAgain });
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
  readonly #input: PublishInput;
  readonly #rows: RowPublisher;
  readonly #time: number;
  /** Clock and event time at the first row that is not stored yet. */
  #begun: { readonly nowMs: number; readonly timeNs: bigint } | undefined;
  #largestNs = INT64_NULL;
  #flushedMs = 0;

  constructor(request: PublishRequest, input: PublishInput, rows: RowPublisher) {
    this.#request = request;
    this.#input = input;
    this.#rows = rows;
    const { schema } = request.source;
    this.#time = columnIndex(schema, schema.time);
  }

  progress(): PublishProgress {
    const { rowsRead, rowsRejected, share } = this.#input;
    return { ...this.#rows.stats, rowsRead, rowsRejected, share };
  }

  async run(): Promise<void> {
    const { signal, speed } = this.#request;
    while (!signal.aborted) {
      const batch = await this.#input.next();
      if (batch === 'end') break;
      if (batch === 'idle') await this.#rows.flush();
      else if (speed === undefined) await this.#rows.write(batch);
      else await this.#writePaced(batch, speed);
      this.#tell();
    }
    await this.#rows.drain();
  }

  #tell(): void {
    this.#request.onProgress?.(this.progress());
  }

  /** Writes rows as they fall due. A row before others in time is due with them. */
  async #writePaced(batch: ColumnBatch, speed: number): Promise<void> {
    const column = batch.columns[this.#time]!;
    const times = (column as { readonly values: BigInt64Array }).values;
    let row = 0;
    if (this.#begun === undefined) {
      // What is stored already fell due in an earlier run.
      row = this.#rows.storedRun(batch);
      if (row > 0) await this.#rows.write(batch, 0, row);
    }
    while (row < batch.rowCount && !this.#request.signal.aborted) {
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
        this.#tell();
      }
      if (row === batch.rowCount) break;
      const waitMs = Number(this.#largestNs - dueNs) / 1e6 / speed;
      await sleep(Math.max(1, Math.min(LINGER_MS, waitMs)), this.#request.signal);
    }
  }

  #dueAt(time: bigint): bigint {
    if (time > this.#largestNs) this.#largestNs = time;
    return this.#largestNs;
  }
}
