/**
 * Tidemark as a library: plan a pipeline file, make a pipeline of the plan, run it.
 */

import { catalog } from './catalog.ts';
import { z } from './engine/contract/fields.ts';
import { type PipelinePlan, REJECTED_SCHEMA, type SinkPlan } from './engine/plan/pipeline-plan.ts';
import type { CommitState } from './engine/runtime/commit.ts';
import { FolderStore } from './engine/checkpoint/folder-store.ts';
import type { StartRequest } from './engine/checkpoint/decide-start.ts';
import { systemClock } from './engine/contract/time.ts';
import { Pipeline } from './engine/runtime/pipeline.ts';
import type { Inspection } from './engine/runtime/inspection.ts';
import type { RunProgress, RunResult } from './engine/runtime/run-result.ts';
import { engineThreads, shareCores } from './threads/engine-threads.ts';

export { catalog } from './catalog.ts';
export { lintFile } from './config/lint.ts';
export { EngineError } from './engine/contract/error.ts';
export type { PipelinePlan } from './engine/plan/pipeline-plan.ts';
export type { Inspection } from './engine/runtime/inspection.ts';
export type { CommitState } from './engine/runtime/commit.ts';
export type { RunProgress, RunResult } from './engine/runtime/run-result.ts';

export interface PipelineOptions {
  /** Worker threads that run partition tasks. Default: one a core. */
  readonly slots?: number | undefined;
  /** Aborted to ask for a clean end. */
  readonly signal?: AbortSignal | undefined;
  /** Where a pipeline with checkpoints begins. Default: at the newest, if there is one. */
  readonly start?: StartRequest | undefined;
  /** What the user should know of this run beside what it finds by itself. */
  readonly warnings?: readonly string[] | undefined;
}

/** A pipeline on threads of its own. */
export interface RunnablePipeline {
  readonly slots: number;
  progress(): RunProgress;
  /** Why windows of a key have not been put out yet; undefined before the run is open. */
  inspect(key: string): Promise<Inspection | undefined>;
  /** What has become visible of the outputs, once `run` has failed. */
  readonly commitState: CommitState;
  /** Runs to the end of the sources, or to the signal; once. See `Pipeline.run`. */
  run(): Promise<RunResult>;
}

export function createPipeline(
  plan: PipelinePlan,
  options: PipelineOptions = {},
): RunnablePipeline {
  const workers = engineThreads();
  const cores = shareCores(plan, options.slots);
  const { checkpoint } = plan;
  const pipeline = new Pipeline(withDeadLetters(plan), catalog, workers, {
    ...cores,
    clock: systemClock,
    signal: options.signal,
    warnings: options.warnings,
    checkpoints: checkpoint && {
      ...checkpoint,
      open: (warn) => FolderStore.open(checkpoint.folder, warn),
      start: options.start ?? { kind: 'newest' },
    },
  });
  return {
    slots: cores.slots,
    progress: () => pipeline.progress(),
    inspect: (key) => pipeline.inspect(key),
    get commitState() {
      return pipeline.commitState;
    },
    run: async () => {
      try {
        return await pipeline.run();
      } finally {
        await workers.close();
      }
    },
  };
}

/** Where the rejected rows of a source go that has no sink for them. */
export function deadLetterPath(plan: PipelinePlan, source: string): string {
  return `${plan.deadLetter.path}/${plan.name}.${source}.ndjson`;
}

/** Whether the sink reads the rejected rows of the source. */
export function takesRejected({ inputs }: SinkPlan, source: string): boolean {
  return inputs.some(({ step, output }) => step === source && output === 'rejected');
}

/** Gives every source whose rejected rows nobody takes a file for them, made with the first row. */
function withDeadLetters(plan: PipelinePlan): PipelinePlan {
  const { name: type, fields } = catalog.sinks.find(({ name }) => name === 'ndjson')!;
  const implicit = plan.sources.flatMap(({ name }): SinkPlan[] => {
    const input = { step: name, output: 'rejected' };
    if (plan.sinks.some((sink) => takesRejected(sink, name))) return [];
    const config = z
      .object(fields)
      .parse({ path: deadLetterPath(plan, name) }) as SinkPlan['config'];
    return [{ name: `${name}.rejected`, type, config, inputs: [input], schema: REJECTED_SCHEMA }];
  });
  return { ...plan, sinks: [...plan.sinks, ...implicit] };
}
