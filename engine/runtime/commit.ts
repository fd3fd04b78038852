/**
 * The commit: every sink makes visible what it has staged, one after the other. Where one cannot,
 * what those before it have made visible is there to be told.
 */

import type { Catalog, CommitContext, Committable } from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import type { Checkpoint, SinkSnapshot } from '../checkpoint/checkpoint.ts';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import { EngineError } from '../contract/error.ts';
import { discardAll, sinkContext } from './sink-host.ts';

/** How far a commit has got. */
export interface CommitState {
  /** Sinks whose output is visible, in the order of the plan. */
  readonly done: readonly string[];
  /** The sink whose commit has failed; a part of its output may be visible. */
  readonly failed?: string;
}

/** What is committed of one sink. */
type SinkCommit = Pick<SinkSnapshot, 'name' | 'type' | 'config' | 'committables'> & {
  readonly context: CommitContext;
};

async function commitEach(
  sinks: readonly SinkCommit[],
  catalog: Catalog,
  onState: (state: CommitState, failedAt?: number) => void,
): Promise<void> {
  const done: string[] = [];
  for (const [index, { name, type, config, committables, context }] of sinks.entries()) {
    try {
      const definition = catalog.sinks.find((candidate) => candidate.name === type)!;
      await definition.commit(config, committables, context);
    } catch (error) {
      onState({ done, failed: name }, index);
      throw error;
    }
    if (committables.length > 0) done.push(name);
    onState({ done });
  }
}

/**
 * Commits a list of committables a sink, which nothing but this run knows of: where one fails,
 * nothing stays of what it and those after it have staged.
 * @param onState Told after each sink.
 */
export async function commitAll(
  plan: PipelinePlan,
  catalog: Catalog,
  committables: readonly (readonly Committable[])[],
  onState: (state: CommitState) => void,
): Promise<void> {
  const sinks = plan.sinks.map((sink, index) => ({
    ...sink,
    committables: committables[index]!,
    context: sinkContext(plan, index),
  }));
  let failed = sinks.length;
  try {
    await commitEach(sinks, catalog, (state, failedAt) => {
      failed = failedAt ?? failed;
      onState(state);
    });
  } catch (error) {
    await discardAll(plan, catalog, committables, failed);
    throw error;
  }
}

/**
 * Commits what a stored checkpoint holds, with the sinks as they were then. Where one fails, all
 * of it stays as it is: the checkpoint promises it, and the next start tries again.
 * @param wasMade Whether all of it is known to have been made before.
 */
export async function commitCheckpoint(
  pipeline: string,
  snapshots: readonly SinkSnapshot[],
  catalog: Catalog,
  wasMade: boolean,
  onState: (state: CommitState) => void,
): Promise<void> {
  const sinks = snapshots.map((snapshot) => ({
    ...snapshot,
    context: { sink: snapshot.name, pipeline, schema: snapshot.schema, wasMade },
  }));
  await commitEach(sinks, catalog, onState);
}

/**
 * Commits, at the start of a run, what the checkpoint that it goes on from has promised. Only then
 * are later ones removed: where it cannot be had, they are what there is to go on from.
 * @param superseded Numbers of the later ones, newest first.
 * @throws {EngineError} sink/lost with the ways out, where it cannot be had any more.
 */
export async function commitPromised(
  { epoch }: Checkpoint,
  store: CheckpointStore,
  superseded: readonly number[],
  commit: () => Promise<void>,
): Promise<void> {
  try {
    await commit();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'sink/lost') throw error;
    const hasOlder = (await store.list()).some((stored) => stored.epoch < epoch);
    const back = hasOlder ? 'go back to before it was written with --from-checkpoint, ' : '';
    const message =
      `${error.message}; checkpoint ${epoch} goes on behind its rows: put it back, ${back}or ` +
      'begin anew with --ignore-state';
    throw new EngineError(error.code, message, { cause: error });
  }
  await store.noteCommitted(epoch);
  for (const later of superseded) await store.remove(later);
}
