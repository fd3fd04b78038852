/** Looks at the stream before reading goes on behind a position. */

import type { JetStreamManager } from '@nats-io/jetstream';
import { EngineError } from '../../engine/contract/error.ts';
import { judgePosition, type StreamPosition } from './judge-position.ts';
import { readFacts, storedTime, type StreamFacts } from './stream-facts.ts';

/** @throws {EngineError} nats/stream-replaced, -truncated, -expired; or what `readFacts` throws. */
export async function checkPosition(
  manager: JetStreamManager,
  stream: string,
  position: StreamPosition,
  who: string,
): Promise<StreamFacts> {
  const facts = await readFacts(manager, stream, who);
  const { sequence, time } = position;
  const isStored = sequence >= facts.firstSequence && sequence <= facts.lastSequence;
  const stored =
    time !== '' && isStored ? await storedTime(manager, stream, sequence, who) : undefined;
  const problem = judgePosition(position, facts, stored);
  if (problem !== undefined) {
    const remedy = 'to read what it holds now, start anew with --ignore-state';
    throw new EngineError(problem.code, `${who}: ${problem.message}; ${remedy}`);
  }
  return facts;
}
