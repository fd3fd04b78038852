/**
 * How many rows of a publisher each partition of a stream holds already, from the ids of its
 * messages, which outlive the server's own memory of ids (its duplicate window):
 *
 *     <publisher>:<partition>:<first row>+<rows>
 */

import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { PullReader } from './pull-reader.ts';
import { apiFailure, type StreamFacts } from './stream-facts.ts';

export function messageId(
  publisher: string,
  partition: number,
  firstRow: number,
  rows: number,
): string {
  return `${publisher}:${partition}:${firstRow}+${rows}`;
}

/** Rows up to the end of the message; undefined where it is another publisher's. */
function rowsUpTo(id: string | undefined, publisher: string): [number, number] | undefined {
  if (id === undefined || !id.startsWith(`${publisher}:`)) return undefined;
  const match = /^(\d+):(\d+)\+(\d+)$/.exec(id.slice(publisher.length + 1));
  return match === null ? undefined : [Number(match[1]), Number(match[2]) + Number(match[3])];
}

export interface StoredRequest {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly facts: StreamFacts;
  readonly prefix: string;
  readonly partitions: number;
  readonly publisher: string;
  readonly who: string;
}

const NO_MESSAGE = 10_037;
const ID_HEADER = 'Nats-Msg-Id';

/** Rows stored, a number a partition. */
export async function storedRows(request: StoredRequest): Promise<number[]> {
  const { manager, facts, prefix, partitions, publisher, who } = request;
  const stored = new Array<number>(partitions).fill(0);
  if (facts.lastSequence === 0) return stored;
  for (let partition = 0; partition < partitions; partition++) {
    try {
      const query = { last_by_subj: `${prefix}.${partition}.>` };
      const message = await manager.streams.getMessage(facts.name, query);
      if (message === null) continue;
      const own = rowsUpTo(message.header?.get(ID_HEADER), publisher);
      // Others have published since: what this one has stored lies further back.
      if (own?.[0] !== partition) return await searchedRows(request);
      stored[partition] = own[1];
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === NO_MESSAGE) continue;
      throw apiFailure(error, who, `read the last message of partition ${partition}`);
    }
  }
  return stored;
}

/** The same from the headers of all messages. */
async function searchedRows(request: StoredRequest): Promise<number[]> {
  const { connection, manager, facts, prefix, partitions, publisher, who } = request;
  const stored = new Array<number>(partitions).fill(0);
  const reader = new PullReader({
    connection,
    manager,
    who,
    stream: facts.name,
    subject: `${prefix}.>`,
    position: { sequence: Math.max(0, facts.firstSequence - 1), time: '', stream: '' },
    pendingBytesMax: 16 << 20,
    pendingMessagesMax: 16_384,
    isHeadersOnly: true,
    maySkip: 'always',
  });
  try {
    for (;;) {
      const message = reader.take();
      if (message === undefined) {
        if (reader.isDrained) return stored;
        await reader.arrival(100);
        continue;
      }
      const own = rowsUpTo(message.id, publisher);
      if (own !== undefined && own[0] < partitions) {
        stored[own[0]] = Math.max(stored[own[0]]!, own[1]);
      }
      if (message.sequence >= facts.lastSequence) return stored;
    }
  } finally {
    await reader.close();
  }
}
