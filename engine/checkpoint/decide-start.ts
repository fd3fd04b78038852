/** From where a run may go on. Pure: facts in, decision out. */

import type { ErrorCode } from '../contract/error.ts';

/** What the user asked for. */
export type StartRequest =
  | { readonly kind: 'newest' }
  | { readonly kind: 'epoch'; readonly epoch: number }
  | { readonly kind: 'ignore' };

/** A checkpoint as it was found; `problem` where it cannot be used. */
export interface FoundCheckpoint {
  readonly epoch: number;
  /** Whether its outputs are known to be in sight. */
  readonly isCommitted?: boolean;
  readonly problem?: { readonly code: ErrorCode; readonly message: string };
}

export type StartDecision =
  /** Begin anew; `remove` is what is left of earlier runs. */
  | { readonly kind: 'begin'; readonly remove: readonly number[] }
  /** Go on; the later checkpoints of `remove` must be gone before anything is written. */
  | {
      readonly kind: 'resume';
      readonly epoch: number;
      readonly remove: readonly number[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'refuse'; readonly code: ErrorCode; readonly message: string };

export interface StartFacts {
  readonly request: StartRequest;
  /** The newest first. */
  readonly found: readonly FoundCheckpoint[];
  /** Sinks that cannot take back what they have committed. */
  readonly sinksThatKeep: readonly string[];
}

export function decideStart({ request, found, sinksThatKeep }: StartFacts): StartDecision {
  if (request.kind === 'ignore') return { kind: 'begin', remove: epochsOf(found) };
  if (request.kind === 'epoch') return decideEpoch(request.epoch, found, sinksThatKeep);
  const [newest] = found;
  if (newest === undefined) return { kind: 'begin', remove: [] };
  if (newest.problem === undefined) {
    return { kind: 'resume', epoch: newest.epoch, remove: [], warnings: [] };
  }
  const { code, message } = newest.problem;
  if (code !== 'checkpoint/damaged') return { kind: 'refuse', code, message };
  const older = found.find(({ problem }) => problem === undefined);
  if (older === undefined) {
    const help = 'no older one is good; start anew with --ignore-state';
    return { kind: 'refuse', code, message: `${message}; ${help}` };
  }
  if (sinksThatKeep.length > 0) {
    const help =
      `checkpoint ${older.epoch} is good, but ${listed(sinksThatKeep)} cannot take back what ` +
      `came after it; accept that it may come twice with --from-checkpoint ${older.epoch}, or ` +
      'start anew with --ignore-state';
    return { kind: 'refuse', code, message: `${message}; ${help}` };
  }
  return {
    kind: 'resume',
    epoch: older.epoch,
    remove: later(found, older.epoch),
    warnings: [`${message}; going on from checkpoint ${older.epoch}, outputs after it taken back`],
  };
}

function decideEpoch(
  epoch: number,
  found: readonly FoundCheckpoint[],
  sinksThatKeep: readonly string[],
): StartDecision {
  const chosen = found.find((candidate) => candidate.epoch === epoch);
  if (chosen === undefined) {
    const there = found.length === 0 ? 'there is none' : `there are ${epochsOf(found).join(', ')}`;
    return {
      kind: 'refuse',
      code: 'checkpoint/not-found',
      message: `cannot go on from checkpoint ${epoch}: it does not exist, ${there}`,
    };
  }
  if (chosen.problem !== undefined) return { kind: 'refuse', ...chosen.problem };
  const remove = later(found, epoch);
  const warnings: string[] = [];
  if (remove.length > 0) {
    warnings.push(
      `going back to checkpoint ${epoch}: ${remove.length} later ` +
        `${remove.length === 1 ? 'one is' : 'ones are'} removed, outputs after it taken back`,
    );
    if (sinksThatKeep.length > 0) {
      warnings.push(
        `${listed(sinksThatKeep)} cannot take back what came after checkpoint ${epoch}: it may ` +
          'come twice, where nobody recognises its ids',
      );
    }
  }
  return { kind: 'resume', epoch, remove, warnings };
}

/** Which checkpoints may go after `newest` was written. */
export function decideRetention(epochs: readonly number[], newest: number, keep: number): number[] {
  const older = epochs.filter((epoch) => epoch < newest).sort((a, b) => b - a);
  return older.slice(Math.max(0, keep - 1));
}

function epochsOf(found: readonly FoundCheckpoint[]): number[] {
  return found.map(({ epoch }) => epoch);
}

/** The newest first: what is left after a crash on the way is still the newest part. */
function later(found: readonly FoundCheckpoint[], than: number): number[] {
  return epochsOf(found)
    .filter((epoch) => epoch > than)
    .sort((a, b) => b - a);
}

function listed(names: readonly string[]): string {
  return names.length === 1 ? `sink ${names[0]}` : `sinks ${names.join(', ')}`;
}
