/**
 * A pipeline whose rows stay within the process: nothing is written, no checkpoint is taken and
 * nothing is checked; rows are handed to whoever wants to learn from them.
 */

import { catalog } from '../catalog.ts';
import type { ColumnBatch } from '../engine/contract/batch.ts';
import { type Catalog, defineSink } from '../engine/contract/connector.ts';
import type { Schema } from '../engine/contract/schema.ts';
import { systemClock } from '../engine/contract/time.ts';
import type { InputReference, PipelinePlan, SinkPlan } from '../engine/plan/pipeline-plan.ts';
import { Pipeline } from '../engine/runtime/pipeline.ts';
import type { RunProgress, RunResult } from '../engine/runtime/run-result.ts';
import type { SinkPort, Workers } from '../engine/runtime/workers.ts';
import { engineThreads, shareCores } from '../threads/engine-threads.ts';

const COLLECT = 'collect';

/** An output of a step or a source whose rows are wanted. */
export interface WantedRows {
  readonly name: string;
  readonly input: InputReference;
  readonly schema: Schema;
}

export interface CollectOptions {
  readonly slots: number | undefined;
  readonly signal: AbortSignal;
  /** @param index Of the wanted rows. The batch may be kept. */
  readonly onRows: (index: number, batch: ColumnBatch) => void;
}

const collectSink = defineSink({
  name: COLLECT,
  since: '0.1.0',
  stability: 'stable',
  summary: 'Hands the rows on within the process.',
  guarantees: { order: 'As they come.', delivery: 'Once.', backPressure: 'None.' },
  fields: {},
  constraints: [],
  examples: [],
  plan: () => undefined,
  takesBack: true,
  open: () => {
    throw new Error('this sink stays on the thread of the pipeline');
  },
  commit: async () => undefined,
  discard: async () => undefined,
  dataset: () => undefined,
});

/** @returns To be run once; its threads end with the run. */
export function collectingPipeline(
  plan: PipelinePlan,
  wanted: readonly WantedRows[],
  { slots, signal, onRows }: CollectOptions,
): { progress(): RunProgress; run(): Promise<RunResult> } {
  const sinks = wanted.map(({ name, input, schema }): SinkPlan => {
    return { name, type: COLLECT, config: {}, inputs: [input], schema };
  });
  const port: SinkPort = {
    write: async (index, batch) => onRows(index, batch),
    prepareCommit: async () => sinks.map(() => ({ committables: [] })),
    close: async () => undefined,
  };
  const threads = engineThreads();
  const workers: Workers = { ...threads, openSinks: async () => port };
  const collecting: PipelinePlan = { ...plan, sinks, quality: [], checkpoint: undefined };
  const known: Catalog = { ...catalog, sinks: [collectSink] };
  const pipeline = new Pipeline(collecting, known, workers, {
    ...shareCores(plan, slots),
    clock: systemClock,
    signal,
  });
  return {
    progress: () => pipeline.progress(),
    run: async () => {
      try {
        return await pipeline.run();
      } finally {
        await threads.close();
      }
    },
  };
}
