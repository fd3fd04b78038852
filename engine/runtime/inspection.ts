/** What a run tells about a key while it goes on: why its windows have not come yet. */

import { partitionOf } from '../contract/hash.ts';
import { nearestWord } from '../contract/problem.ts';
import type { EventTime, ProcessingTimeMs } from '../contract/time.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import type { TaskInspection } from './partition-task.ts';
import type { RunParts } from './run-parts.ts';
import type { SplitStanding } from './watermark-tracker.ts';

/** Plain data. */
export interface Inspection extends TaskInspection {
  readonly key: string;
  /** Where the key has had no row: one that has, and that may have been meant. */
  readonly similarKey: string | undefined;
  readonly nowMs: ProcessingTimeMs;
  readonly watermark: EventTime;
  readonly splits: readonly (SplitStanding & {
    readonly source: string;
    readonly split: string;
  })[];
}

async function nearest(
  key: string,
  own: string | undefined,
  slots: RunParts['slots'],
): Promise<string | undefined> {
  const all = await Promise.all(slots.map((slot) => slot.inspect(key)));
  const keys = [own, ...all.map(({ nearestKey }) => nearestKey)];
  return nearestWord(
    key,
    keys.filter((each) => each !== undefined),
  );
}

export async function inspectKey(
  key: string,
  plan: PipelinePlan,
  { slots, feeds, watermarks }: RunParts,
  nowMs: ProcessingTimeMs,
): Promise<Inspection> {
  const partition = partitionOf(key, plan.partitions);
  const group = watermarks.watermarks.length === 1 ? 0 : partition;
  // Partitions are dealt out to slots in turns.
  const { task, nearestKey } = await slots[partition % slots.length]!.inspect(key);
  const similarKey = task!.isKnown ? undefined : await nearest(key, nearestKey, slots);
  const splits = watermarks.standings(group).map((standing, index) => ({
    source: plan.sources[feeds[index]!.source]!.name,
    split: feeds[index]!.split.id,
    ...standing,
  }));
  return { nowMs, key, ...task!, similarKey, watermark: watermarks.watermarks[group]!, splits };
}
