/**
 * Rows into a stream, each a message.
 *
 * At once: a row is published as it comes, under an id made of its own values. A checkpoint carries
 * the stream's last sequence; a run that goes on from it reads the ids behind that sequence and
 * leaves out what is stored, however long ago that was.
 *
 * At a checkpoint: rows are carried in the checkpoint as committables, and published by the commit
 * under ids made of the epoch, the number of the row and its bytes. A commit that is repeated
 * looks for them in the stream where the server may have forgotten their ids.
 */

import { jetstream, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type {
  Committable,
  PreparedCommit,
  SinkContext,
  SinkWriter,
} from '../../engine/contract/connector.ts';
import { fnv1a32 } from '../../engine/contract/hash.ts';
import { pack, unpack } from '../../engine/contract/message-pack.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { closeConnection, openConnection } from './connection.ts';
import { MessageLanes } from './message-lanes.ts';
import { publishedIds } from './published-ids.ts';
import { type RowFormat, rowMessages } from './row-messages.ts';
import { idColumns, type NatsSinkConfig, publishesAtOnce } from './sink-fields.ts';
import { type SinkStream, sinkStream } from './sink-stream.ts';
import { subjectFilter } from './subject-template.ts';

/** Without a checkpoint to tell where to begin, so many of the newest messages are looked at. */
const SEARCHED_MAX = 250_000;
/** Bytes of rows in one committable. */
const COMMITTABLE_BYTES = 4 << 20;

interface Link {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly stream: SinkStream;
  readonly lanes: MessageLanes;
}

function whoOf({ sink }: SinkContext): string {
  return `sink "${sink}"`;
}

/** Ids of a sink begin so. */
function idPrefix({ pipeline, sink }: SinkContext): string {
  return `${encodeURIComponent(pipeline)}/${encodeURIComponent(sink)}/`;
}

async function openLink(config: NatsSinkConfig, context: SinkContext): Promise<Link> {
  const who = whoOf(context);
  const connection = await openConnection(config, {
    who,
    note: (text) => process.stderr.write(`${text}\n`),
  });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const stream = await sinkStream(manager, config, context);
    const giveUpMs = Number(durationNs(config.connect_timeout) / 1_000_000n);
    const lanes = new MessageLanes({ client: jetstream(connection), who, giveUpMs });
    return { connection, manager, stream, lanes };
  } catch (error) {
    await closeConnection(connection);
    throw error;
  }
}

function searchIds(
  { connection, manager, stream }: Link,
  config: NatsSinkConfig,
  context: SinkContext,
  after: number,
): Promise<Set<string>> {
  return publishedIds({
    connection,
    manager,
    facts: stream.facts,
    subject: subjectFilter(config.subject),
    prefix: idPrefix(context),
    after,
    who: whoOf(context),
  });
}

/** What a checkpoint carries for rows that are published at once. */
interface Carried {
  readonly stream: string;
  readonly sequence: number;
}

export async function openWriter(
  config: NatsSinkConfig,
  context: SinkContext,
): Promise<SinkWriter> {
  const link = await openLink(config, context);
  try {
    const isAtOnce = publishesAtOnce(config, context.schema);
    const format: RowFormat = {
      schema: context.schema,
      subject: config.subject,
      format: config.format,
      id: isAtOnce ? idColumns(config, context.schema) : [],
    };
    if (!isAtOnce) return new CheckpointWriter(link, format);
    const after = searchFrom(link.stream, context.resume?.carried);
    const known = await searchIds(link, config, context, after);
    return new AtOnceWriter(link, format, idPrefix(context), known);
  } catch (error) {
    await closeConnection(link.connection);
    throw error;
  }
}

function searchFrom({ facts }: SinkStream, carried: Uint8Array | undefined): number {
  const newest = facts.lastSequence - SEARCHED_MAX;
  if (carried === undefined) return newest;
  const { stream, sequence } = unpack(carried) as Carried;
  // In a stream made anew the sequences mean something else.
  return stream === facts.id && sequence <= facts.lastSequence ? sequence : newest;
}

class AtOnceWriter implements SinkWriter {
  readonly #link: Link;
  readonly #format: RowFormat;
  readonly #prefix: string;
  /** Ids that the stream holds from before. */
  readonly #known: Set<string>;

  constructor(link: Link, format: RowFormat, prefix: string, known: Set<string>) {
    this.#link = link;
    this.#format = format;
    this.#prefix = prefix;
    this.#known = known;
  }

  async write(batch: ColumnBatch): Promise<void> {
    for (const { subject, payload, key } of rowMessages(this.#format, batch)) {
      const id = this.#prefix + key;
      // Known ids come once more at most: the replay says each row once.
      if (this.#known.delete(id)) continue;
      await this.#link.lanes.send(subject, payload, id);
    }
  }

  async prepareCommit(): Promise<PreparedCommit> {
    const { lanes, stream } = this.#link;
    await lanes.drain();
    const { id, lastSequence } = stream.facts;
    const sequence = Math.max(lanes.lastSequence, lastSequence);
    const carried: Carried = { stream: id, sequence };
    return { committables: [], carried: pack(carried) };
  }

  async close(): Promise<void> {
    await closeConnection(this.#link.connection);
  }
}

/** A message as a committable holds it: subject and payload. */
type CarriedMessage = readonly [subject: string, payload: Uint8Array];

class CheckpointWriter implements SinkWriter {
  readonly #link: Link;
  readonly #format: RowFormat;
  #messages: CarriedMessage[] = [];
  #bytes = 0;
  #full: { readonly messages: Uint8Array; readonly count: number }[] = [];

  constructor(link: Link, format: RowFormat) {
    this.#link = link;
    this.#format = format;
  }

  async write(batch: ColumnBatch): Promise<void> {
    for (const { subject, payload } of rowMessages(this.#format, batch)) {
      this.#messages.push([subject, payload]);
      this.#bytes += subject.length + payload.length;
      if (this.#bytes >= COMMITTABLE_BYTES) this.#cut();
    }
  }

  #cut(): void {
    if (this.#messages.length === 0) return;
    this.#full.push({ messages: pack(this.#messages), count: this.#messages.length });
    this.#messages = [];
    this.#bytes = 0;
  }

  async prepareCommit(epoch: number): Promise<PreparedCommit> {
    this.#cut();
    const { id, lastSequence } = this.#link.stream.facts;
    let first = 0;
    const committables = this.#full.map(({ messages, count }): Committable => {
      const committable = {
        epoch,
        first,
        messages,
        stream: id,
        after: lastSequence,
        at: Date.now(),
      };
      first += count;
      return committable;
    });
    this.#full = [];
    return { committables };
  }

  async close(): Promise<void> {
    await closeConnection(this.#link.connection);
  }
}

/** Publishes what a checkpoint holds; what the stream has already is left out. */
export async function commitMessages(
  config: NatsSinkConfig,
  committables: readonly Committable[],
  context: SinkContext,
): Promise<void> {
  if (committables.length === 0) return;
  const link = await openLink(config, context);
  try {
    const known = await knownIds(link, config, committables, context);
    for (const committable of committables) {
      const epoch = Number(committable['epoch']);
      let row = Number(committable['first']);
      const messages = unpack(committable['messages'] as Uint8Array) as readonly CarriedMessage[];
      for (const [subject, payload] of messages) {
        const id = `${idPrefix(context)}${epoch}/${row++}/${digest(payload)}`;
        if (!known.has(id)) await link.lanes.send(subject, payload, id);
      }
    }
    await link.lanes.drain();
  } finally {
    await closeConnection(link.connection);
  }
}

/** Ids that the stream holds, where the server may have forgotten them. */
async function knownIds(
  link: Link,
  config: NatsSinkConfig,
  committables: readonly Committable[],
  context: SinkContext,
): Promise<Set<string>> {
  const { facts, duplicateWindowMs } = link.stream;
  const oldestMs = Math.min(...committables.map(({ at }) => Number(at)));
  if (!mayBeForgotten(oldestMs, Date.now(), duplicateWindowMs)) return new Set();
  const isSame = committables.every(({ stream }) => stream === facts.id);
  const after = isSame ? Math.min(...committables.map(({ after }) => Number(after))) : 0;
  return searchIds(link, config, context, after);
}

/**
 * Whether a message that was sent at the earliest at one time may be unknown to the server at
 * another, although it is stored. Half of the window is left for clocks that differ. Pure.
 */
export function mayBeForgotten(sentMs: number, nowMs: number, windowMs: number): boolean {
  return nowMs - sentMs > windowMs / 2 || nowMs < sentMs;
}

function digest(payload: Uint8Array): string {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1');
  return fnv1a32(text).toString(36);
}
