/**
 * Ids of messages that a stream holds, from a sequence on. The server itself knows ids for the
 * length of its duplicate window only; a run that goes on after longer than that looks here.
 */

import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { PullReader } from './pull-reader.ts';
import type { StreamFacts } from './stream-facts.ts';

export interface IdSearch {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly facts: StreamFacts;
  /** Subjects of the messages, as a filter. */
  readonly subject: string;
  /** Ids that begin so. */
  readonly prefix: string;
  /** Messages behind this sequence. */
  readonly after: number;
  readonly who: string;
}

export async function publishedIds(search: IdSearch): Promise<Set<string>> {
  const { facts, prefix, after } = search;
  const ids = new Set<string>();
  if (facts.lastSequence <= Math.max(0, after)) return ids;
  const reader = new PullReader({
    connection: search.connection,
    manager: search.manager,
    who: search.who,
    stream: facts.name,
    subject: search.subject,
    // What the limits have removed is not there to be compared with.
    position: { sequence: Math.max(0, after, facts.firstSequence - 1), time: '', stream: '' },
    pendingBytesMax: 16 << 20,
    pendingMessagesMax: 16_384,
    isHeadersOnly: true,
    maySkip: 'always',
  });
  try {
    for (;;) {
      const message = reader.take();
      if (message === undefined) {
        if (reader.isDrained) return ids;
        await reader.arrival(100);
        continue;
      }
      if (message.id?.startsWith(prefix) === true) ids.add(message.id);
      if (message.sequence >= facts.lastSequence) return ids;
    }
  } finally {
    await reader.close();
  }
}
