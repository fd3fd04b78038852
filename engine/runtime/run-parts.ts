/** The parts of a run: its feeds, slots and sinks, opened at once, anew or from a checkpoint. */

import type { Catalog, SinkResume, SplitPosition } from '../contract/connector.ts';
import { EngineError } from '../contract/error.ts';
import type { Clock } from '../contract/time.ts';
import type { Checkpoint, SinkTotals } from '../checkpoint/checkpoint.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { partitionsOfSlot } from './router.ts';
import { sinkContext, sinkDefinition } from './sink-host.ts';
import type { FoundSplit } from './source-files.ts';
import { SplitFeed } from './split-feed.ts';
import { WatermarkTracker } from './watermark-tracker.ts';
import type { SinkPort, SlotPort, Workers } from './workers.ts';

export interface RunParts {
  readonly slots: readonly SlotPort[];
  readonly sinks: SinkPort;
  /** In the order of the splits, as in `watermarks` and `positions`. */
  readonly feeds: readonly SplitFeed[];
  readonly watermarks: WatermarkTracker;
  /** Where each feed begins; undefined at its start. */
  readonly positions: (SplitPosition | undefined)[];
  /** Undefined where a source does not know its size. */
  readonly bytesTotal: number | undefined;
}

export interface PartsRequest {
  readonly plan: PipelinePlan;
  readonly workers: Workers;
  readonly slots: number;
  readonly lanes: number;
  readonly clock: Clock;
  readonly splits: readonly FoundSplit[];
  readonly checkpoint: Checkpoint | undefined;
}

export async function findSplits(
  plan: PipelinePlan,
  catalog: Catalog,
  signal: AbortSignal | undefined,
): Promise<FoundSplit[]> {
  const found: FoundSplit[] = [];
  for (const [index, source] of plan.sources.entries()) {
    const definition = catalog.sources.find(({ name }) => name === source.type)!;
    const splits = await definition.splits(source.config, {
      source: source.name,
      partitions: plan.partitions,
      signal,
    });
    found.push(...splits.map((split) => ({ index, split })));
  }
  return found;
}

/** What the user should know of the places of the sinks, before they are opened. */
export function sinkNotes(
  plan: PipelinePlan,
  catalog: Catalog,
  checkpoint: Checkpoint | undefined,
  totals: ReadonlyMap<string, SinkTotals | undefined>,
): string[] {
  return plan.sinks.flatMap(({ name, config }, index) => {
    const before = checkpoint?.sinks.find((sink) => sink.name === name);
    const { committables = [] } = before ?? {};
    const { epoch = 0 } = checkpoint ?? {};
    const past = before && { epoch, committables, files: totals.get(name)?.files };
    const { notes } = sinkDefinition(plan, index, catalog);
    try {
      return notes?.(config, sinkContext(plan, index), past) ?? [];
    } catch (error) {
      // What cannot be looked at cannot be opened either, which tells why.
      if (error instanceof EngineError) return [];
      throw error;
    }
  });
}

/** Everything at once: most of the time of a start goes into loading threads. */
export async function openParts(request: PartsRequest): Promise<RunParts> {
  const opening = [openSinks(request), openSlots(request), openFeeds(request)] as const;
  const [sinks, slots, feeds] = await Promise.allSettled(opening);
  const failed = [sinks, slots, feeds].find((outcome) => outcome.status === 'rejected');
  if (sinks.status === 'rejected' || slots.status === 'rejected' || feeds.status === 'rejected') {
    const opened: { close(): Promise<void> }[] = [];
    if (sinks.status === 'fulfilled') opened.push(sinks.value);
    if (slots.status === 'fulfilled') opened.push(...slots.value);
    if (feeds.status === 'fulfilled') opened.push(...feeds.value.map(({ feed }) => feed));
    await Promise.allSettled(opened.map((part) => part.close()));
    throw failed!.reason;
  }
  return {
    sinks: sinks.value,
    slots: slots.value,
    feeds: feeds.value.map(({ feed }) => feed),
    positions: feeds.value.map(({ resumeAt }) => resumeAt),
    watermarks: trackWatermarks(request),
    bytesTotal: request.splits.reduce<number | undefined>(
      (sum, { split }) =>
        sum === undefined || split.totalBytes === undefined ? undefined : sum + split.totalBytes,
      0,
    ),
  };
}

function openSinks({ plan, workers, checkpoint }: PartsRequest): Promise<SinkPort> {
  const resume =
    checkpoint &&
    plan.sinks.map(({ name }): SinkResume | undefined => {
      const before = checkpoint.sinks.find((sink) => sink.name === name);
      // A new sink begins: what is at its place is not of this pipeline's run.
      return before && { epoch: checkpoint.epoch, carried: before.carried };
    });
  return workers.openSinks(plan, resume);
}

function openSlots({ plan, workers, slots, checkpoint }: PartsRequest): Promise<SlotPort[]> {
  const opening = Array.from({ length: slots }, (_, slot) => {
    const own = new Set(partitionsOfSlot(slot, slots, plan.partitions));
    const tasks = checkpoint?.tasks.filter(({ partition }) => own.has(partition));
    return workers.openSlot({ plan, slot, slots, tasks });
  });
  return Promise.all(opening);
}

function openFeeds(
  request: PartsRequest,
): Promise<{ feed: SplitFeed; resumeAt: SplitPosition | undefined }[]> {
  const { plan, workers, slots, splits, checkpoint } = request;
  let readers = 0;
  const feeds = splits.map(async ({ index, split }) => {
    const lanes = Math.max(1, Math.min(request.lanes, split.lanesMax));
    const first = readers;
    readers += lanes;
    const resumeAt = before(checkpoint, plan, { index, split })?.position;
    const ports = await Promise.all(
      Array.from({ length: lanes }, (_, lane) =>
        workers.openReader({ plan, source: index, split, lane, lanes, slots, resumeAt }),
      ),
    );
    return { feed: new SplitFeed(index, split, ports, first), resumeAt };
  });
  return Promise.all(feeds);
}

function trackWatermarks({ plan, splits, checkpoint, clock }: PartsRequest): WatermarkTracker {
  const isPartitioned = splits.some(({ split }) => split.watermarkScope === 'partition');
  const groups = isPartitioned ? plan.partitions : 1;
  const watermarks = new WatermarkTracker(groups, checkpoint?.watermarks);
  for (const found of splits) {
    const { maxOutOfOrdernessNs: delayNs, idleTimeoutMs } = plan.sources[found.index]!.watermark;
    const scope = found.split.watermarkScope ?? 'split';
    const peaks = before(checkpoint, plan, found)?.peaks;
    watermarks.addSplit({ delayNs, idleTimeoutMs, scope, peaks }, clock.nowMs());
  }
  return watermarks;
}

/** The split as the checkpoint has it. */
function before(
  checkpoint: Checkpoint | undefined,
  plan: PipelinePlan,
  { index, split }: FoundSplit,
): Checkpoint['sources'][number]['splits'][number] | undefined {
  const { name } = plan.sources[index]!;
  const source = checkpoint?.sources.find((candidate) => candidate.name === name);
  return source?.splits.find(({ id }) => id === split.id);
}
