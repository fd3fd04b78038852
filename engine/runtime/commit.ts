/**
 * The commit of a run: every sink makes visible what it has staged, one after the other. Where one
 * cannot, nothing stays of what it and those after it have staged, and what those before it have
 * made visible is there to be told.
 */

import type { Catalog, Committable } from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { discardAll, sinkContext, sinkDefinition } from './sink-host.ts';

/** How far a commit has got. */
export interface CommitState {
  /** Sinks whose output is visible, in the order of the plan. */
  readonly done: readonly string[];
  /** The sink whose commit has failed; a part of its output may be visible. */
  readonly failed?: string;
}

/**
 * Commits a list of committables a sink.
 * @param onState Told after each sink.
 */
export async function commitAll(
  plan: PipelinePlan,
  catalog: Catalog,
  committables: readonly (readonly Committable[])[],
  onState: (state: CommitState) => void,
): Promise<void> {
  const done: string[] = [];
  for (const [index, { name, config }] of plan.sinks.entries()) {
    try {
      const definition = sinkDefinition(plan, index, catalog);
      await definition.commit(config, committables[index]!, sinkContext(plan, index));
    } catch (error) {
      onState({ done, failed: name });
      await discardAll(plan, catalog, committables, index);
      throw error;
    }
    if (committables[index]!.length > 0) done.push(name);
    onState({ done });
  }
}
