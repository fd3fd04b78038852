/** The threads of a pipeline: what each kind runs, and how many the cores are shared among. */

import { availableParallelism } from 'node:os';
import type { PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import { threadWorkers } from '../engine/runtime/thread-workers.ts';
import type { Workers } from '../engine/runtime/workers.ts';

export function engineThreads(): Workers {
  return threadWorkers({
    reader: new URL('./reader.js', import.meta.url),
    slot: new URL('./slot.js', import.meta.url),
    sink: new URL('./sink.js', import.meta.url),
  });
}

/** @param slots As many as the user wants; undefined for one a core. */
export function shareCores(
  { partitions }: PipelinePlan,
  slots: number | undefined,
): { readonly slots: number; readonly lanes: number } {
  const cores = availableParallelism();
  return {
    slots: Math.min(slots ?? cores, partitions),
    // Decoding shares the cores with the slots: a reader for every two of them keeps both busy.
    lanes: Math.max(1, Math.floor(cores / 2)),
  };
}
