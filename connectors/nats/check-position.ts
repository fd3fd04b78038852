/** Looks at the stream before reading goes on behind a position. */

import type { JetStreamManager } from '@nats-io/jetstream';
import { EngineError } from '../../engine/contract/error.ts';
import { judgePosition, type StreamPosition } from './judge-position.ts';
import { readFacts, storedTime, type StreamFacts } from './stream-facts.ts';

/**
 * @param maySkip What has been removed before the position is no failure.
 * @throws {EngineError} nats/stream-replaced, -truncated, -expired; or what `readFacts` throws.
 */
export async function checkPosition(
  manager: JetStreamManager,
  stream: string,
  position: StreamPosition,
  who: string,
  maySkip = false,
): Promise<StreamFacts> {
  const facts = await readFacts(manager, stream, who);
  const { sequence, time } = position;
  const isStored = sequence >= facts.firstSequence && sequence <= facts.lastSequence;
  const stored =
    time !== '' && isStored ? await storedTime(manager, stream, sequence, who) : undefined;
  const isSkipped = maySkip && sequence + 1 < facts.firstSequence;
  refuseLoss(isSkipped ? { ...position, sequence: facts.firstSequence - 1 } : position, facts, {
    stored,
    who,
  });
  return facts;
}

/** Throws where reading cannot go on behind a position of a stream. */
export function refuseLoss(
  position: StreamPosition,
  facts: StreamFacts,
  { stored, who }: { readonly stored?: string | undefined; readonly who: string },
): void {
  const problem = judgePosition(position, facts, stored);
  if (problem === undefined) return;
  const remedy = 'to read what it holds now, start anew with --ignore-state';
  throw new EngineError(problem.code, `${who}: ${problem.message}; ${remedy}`);
}
