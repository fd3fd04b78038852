/**
 * The commit: every sink makes visible what it has staged, one after the other. Where one cannot,
 * what those before it have made visible is there to be told.
 */

import type { Catalog, Committable, SinkContext } from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import type { SinkSnapshot } from '../checkpoint/checkpoint.ts';
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
  readonly context: SinkContext;
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
 */
export async function commitCheckpoint(
  pipeline: string,
  snapshots: readonly SinkSnapshot[],
  catalog: Catalog,
  onState: (state: CommitState) => void,
): Promise<void> {
  const sinks = snapshots.map((snapshot) => ({
    ...snapshot,
    context: { sink: snapshot.name, pipeline, schema: snapshot.schema },
  }));
  await commitEach(sinks, catalog, onState);
}
