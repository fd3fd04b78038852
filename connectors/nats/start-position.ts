/** Where a run without a checkpoint begins. */

import { randomUUID } from 'node:crypto';
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { EngineError } from '../../engine/contract/error.ts';
import { formatTime, parseIsoTime } from '../../engine/contract/time.ts';
import type { StreamPosition } from './judge-position.ts';
import type { NatsSourceConfig } from './source-fields.ts';
import { apiFailure, storedTime, type StreamFacts } from './stream-facts.ts';

/** The position before the first message to read. */
export async function startPosition(
  manager: JetStreamManager,
  config: NatsSourceConfig,
  facts: StreamFacts,
  who: string,
): Promise<StreamPosition> {
  const { start } = config;
  const { firstSequence, lastSequence, name, id } = facts;
  let next: number;
  if (start === 'first') next = Math.max(1, firstSequence);
  else if (start === 'new') next = lastSequence + 1;
  else if ('time' in start) next = await sequenceAt(manager, facts, start.time, who);
  else {
    next = start.sequence;
    if (next < firstSequence || next > lastSequence + 1) {
      throw new EngineError(
        'nats/no-sequence',
        `${who}: cannot start at message ${next}: stream ${name} has messages ${firstSequence} ` +
          `to ${lastSequence}`,
      );
    }
  }
  const sequence = next - 1;
  const isStored = sequence >= firstSequence && sequence <= lastSequence && sequence > 0;
  const time = isStored ? await storedTime(manager, name, sequence, who) : undefined;
  return { sequence, time: time ?? '', stream: id };
}

/**
 * The first message stored at or after a time. The server tells by where a consumer would begin;
 * reading itself never begins at a time, because a consumer made again would begin there again.
 */
async function sequenceAt(
  manager: JetStreamManager,
  { name, lastSequence }: StreamFacts,
  time: string,
  who: string,
): Promise<number> {
  const consumer = `tidemark-${randomUUID()}`;
  try {
    const { delivered } = await manager.consumers.add(name, {
      name: consumer,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: formatTime(parseIsoTime(time)!),
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 5_000_000_000,
    });
    void manager.consumers.delete(name, consumer).catch(() => undefined);
    return Math.min(delivered.stream_seq, lastSequence) + 1;
  } catch (error) {
    throw apiFailure(error, who, `find the first message at ${time} in stream ${name}`);
  }
}
