/** W1 in the engine: trades in memory → bars → z-scores → anomalies, on threads or on this one. */

import { systemClock } from '../../engine/contract/time.ts';
import { fileURLToPath } from 'node:url';
import { catalog } from '../../catalog.ts';
import { lintFile } from '../../config/lint.ts';
import type { Catalog } from '../../engine/contract/connector.ts';
import type { PipelinePlan } from '../../engine/plan/pipeline-plan.ts';
import { Pipeline } from '../../engine/runtime/pipeline.ts';
import { threadWorkers } from '../../engine/runtime/thread-workers.ts';
import { inlineWorkers, type Workers } from '../../engine/runtime/workers.ts';
import { memorySource, type SharedTrades } from './memory-source.ts';

/** The pipeline lies in the sources, not beside the compiled file. */
export const W1_PIPELINE: string = fileURLToPath(
  new URL('../../../bench/workloads/w1.yaml', import.meta.url),
);

/**
 * @param windowSize Length of a bar.
 * @throws {Error} With the lints, where there are any.
 */
export async function planW1(
  input: string,
  output: string,
  windowSize = '1s',
): Promise<PipelinePlan> {
  const { plan, lints } = await lintFile(W1_PIPELINE, {
    catalog,
    environment: { TRADES: input, OUTPUT: output },
    overrides: [`operators.bars.size=${windowSize}`],
  });
  if (plan === undefined) throw new Error(JSON.stringify(lints, undefined, 1));
  return plan;
}

let threads: Workers | undefined;

/** The same threads for every run: what is measured is the engine, not how threads warm up. */
function warmThreads(): Workers {
  threads ??= threadWorkers({
    reader: new URL('./memory-reader-thread.js', import.meta.url),
    slot: new URL('../../threads/slot.js', import.meta.url),
    sink: new URL('../../threads/sink.js', import.meta.url),
  });
  return threads;
}

export interface EngineRun {
  /** Threads for tasks; 0 runs everything, readers and sinks too, on the calling thread. */
  readonly slots: number;
  /** Reader threads. */
  readonly lanes: number;
  /** Keep the sinks of the pipeline; otherwise rows are counted and dropped. */
  readonly writes: boolean;
}

/**
 * Runs the pipeline over trades in memory. The seconds count from the first poll of the source to
 * the commit of the last row: neither threads nor trades are made in that time.
 */
export async function runEngine(
  plan: PipelinePlan,
  trades: SharedTrades,
  { slots, lanes, writes }: EngineRun,
): Promise<{ seconds: number; anomalies: number }> {
  let committedNs = 0n;
  const noted = (definition: Catalog['sinks'][number]): Catalog['sinks'][number] => ({
    ...definition,
    commit: async (...values) => {
      await definition.commit(...values);
      committedNs = process.hrtime.bigint();
    },
  });
  const ours: Catalog = {
    operators: catalog.operators,
    sources: [memorySource],
    sinks: catalog.sinks.map(noted),
  };
  const inMemory: PipelinePlan = {
    ...plan,
    sources: plan.sources.map((source) => ({
      ...source,
      type: 'memory',
      config: { trades, lanes },
    })),
    sinks: writes
      ? plan.sinks
      : plan.sinks.map((sink) => ({ ...sink, type: 'blackhole', config: {} })),
  };
  Atomics.store(trades.startedNs, 0, 0n);
  const workers = slots === 0 ? inlineWorkers(ours) : warmThreads();
  const pipeline = new Pipeline(inMemory, ours, workers, {
    slots: Math.max(1, slots),
    lanes: slots === 0 ? 1 : lanes,
    clock: systemClock,
  });
  const result = await pipeline.run();
  if (result.failure !== undefined) throw result.failure;
  const { processed, read } = result.accounts;
  if (read !== trades.rows || processed !== read) {
    throw new Error(`${processed} of ${read} rows processed, expected ${trades.rows}`);
  }
  const seconds = Number(committedNs - Atomics.load(trades.startedNs, 0)) / 1e9;
  return { seconds, anomalies: result.anomalies };
}
