/**
 * Watermarks of the splits, and of the tasks that read them.
 *
 * A split's watermark is the largest event time it has shown minus `max_out_of_orderness`. The
 * tasks' watermark is the smallest over all splits that are neither idle nor at their end, and
 * never falls, even where a split comes back from idleness with older rows.
 *
 * Where event time runs in each partition of a split on its own, so do all of these: there is one
 * *group* of tasks a partition then, and else a single group of all tasks. A partition that has
 * fallen silent while others of its split go on follows the slowest of those.
 *
 * Silence is time in which the split was listened to: between answers of its reader in close
 * succession, the last of which said that nothing more was there. Time in which the reader lagged
 * behind, was not asked, had lost its connection, or the process was stopped (a laptop asleep), is
 * none: what was sent meanwhile is still to come, and would be late behind an idle split.
 */

import type { WatermarkScope } from '../contract/connector.ts';
import {
  BEGINNING_OF_TIME,
  END_OF_TIME,
  type EventTime,
  type ProcessingTimeMs,
} from '../contract/time.ts';

/** Event times of a batch: of all its rows, or of those of one partition. */
export interface TimeRange {
  readonly smallest: EventTime;
  readonly largest: EventTime;
}

/** One for the whole batch, or one a partition, undefined where it has no rows. */
export type TimeRanges = readonly (TimeRange | undefined)[];

/** What a batch of one split means for the tasks of a group. */
export interface WatermarkStep {
  /** Largest event time of the split before the batch. */
  readonly peakBefore: EventTime;
  readonly othersWatermark: EventTime;
  readonly watermarkBefore: EventTime;
  readonly watermark: EventTime;
}

/** How a split stands to the tasks of a group. Plain data. */
export interface SplitStanding {
  /** Largest event time so far. */
  readonly peak: EventTime;
  /** The smallest one holds the tasks' watermark back; undefined where the split does not count. */
  readonly watermark: EventTime | undefined;
  /** When its event time last moved on. */
  readonly movedMs: ProcessingTimeMs;
  readonly isIdle: boolean;
  readonly hasEnded: boolean;
}

/** The event time of a split, or of one partition of it. */
interface SplitTime {
  peak: EventTime;
  /** What `listenedMs` was at the last rows. */
  heardAtMs: number;
  movedMs: ProcessingTimeMs;
  isIdle: boolean;
}

interface SplitState {
  readonly delayNs: bigint;
  readonly idleTimeoutMs: number;
  /** One, or one a partition. */
  readonly times: readonly SplitTime[];
  /** For how long it has been listened to. */
  listenedMs: number;
  /** Its last answer that listening goes on from; undefined where it does not. */
  answeredMs: ProcessingTimeMs | undefined;
  hasEnded: boolean;
}

/** Longest time between two answers of a reader that is listened to: several of its timeouts. */
const PAUSE_MS_MAX = 1000;

export interface TrackedSplit {
  readonly delayNs: bigint;
  readonly idleTimeoutMs: number;
  readonly scope: WatermarkScope;
  /** Largest event times so far, as `peaks` gave them to a checkpoint. */
  readonly peaks?: readonly EventTime[] | undefined;
}

export class WatermarkTracker {
  readonly #splits: SplitState[] = [];
  readonly #groups: number;
  readonly #watermarks: EventTime[];

  /** @param groups 1, or the number of partitions where some split has the scope `partition`. */
  constructor(groups: number, watermarks?: readonly EventTime[]) {
    this.#groups = groups;
    this.#watermarks = Array.from(
      { length: groups },
      (_, group) => watermarks?.[watermarks.length === 1 ? 0 : group] ?? BEGINNING_OF_TIME,
    );
  }

  /** Adds a split and returns its number. */
  addSplit(
    { delayNs, idleTimeoutMs, scope, peaks }: TrackedSplit,
    nowMs: ProcessingTimeMs,
  ): number {
    const length = scope === 'partition' ? this.#groups : 1;
    const times = Array.from({ length }, (_, group) => ({
      peak: peaks?.[group] ?? BEGINNING_OF_TIME,
      heardAtMs: 0,
      movedMs: nowMs,
      isIdle: false,
    }));
    const listening = { listenedMs: 0, answeredMs: undefined };
    return this.#splits.push({ delayNs, idleTimeoutMs, times, ...listening, hasEnded: false }) - 1;
  }

  /** The watermark of each group. */
  get watermarks(): readonly EventTime[] {
    return this.#watermarks;
  }

  /** The furthest moment that all groups with rows have reached. */
  get watermark(): EventTime {
    return watermarkOf(this.#watermarks) ?? BEGINNING_OF_TIME;
  }

  /** Largest event times of the split so far: one, or one a partition. */
  peaks(split: number): EventTime[] {
    return this.#splits[split]!.times.map(({ peak }) => peak);
  }

  /** Largest event time of the split so far. */
  peak(split: number): EventTime {
    return this.#splits[split]!.times.reduce(
      (largest, { peak }) => (peak > largest ? peak : largest),
      BEGINNING_OF_TIME,
    );
  }

  isIdle(split: number): boolean {
    return this.#splits[split]!.times.every(({ isIdle }) => isIdle);
  }

  /** The one of these splits to read next: so bounded sources are merged by event time. */
  furthestBehind(splits: Iterable<number>): number {
    let furthest = -1;
    for (const split of splits) {
      if (furthest < 0 || this.#isBehind(split, furthest)) furthest = split;
    }
    return furthest;
  }

  #isBehind(split: number, other: number): boolean {
    const idle = this.isIdle(split);
    return idle === this.isIdle(other) ? this.peak(split) < this.peak(other) : !idle;
  }

  /**
   * Moves on with a batch; returns a step a group.
   * @param isCaughtUp Whether nothing more was there behind it; undefined where nobody knows.
   */
  rows(
    split: number,
    ranges: TimeRanges,
    nowMs: ProcessingTimeMs,
    isCaughtUp?: boolean,
  ): readonly WatermarkStep[] {
    const state = this.#splits[split]!;
    if (isCaughtUp !== undefined) listen(state, nowMs, isCaughtUp);
    const before = this.#watermarks.map((watermarkBefore, group) => ({
      peakBefore: timeOf(state, group).peak,
      othersWatermark: this.#smallest(group, (other) => other !== state),
      watermarkBefore,
    }));
    for (const [index, range] of ranges.entries()) {
      const time = state.times[index];
      if (range === undefined || time === undefined) continue;
      time.isIdle = false;
      time.heardAtMs = state.listenedMs;
      if (range.largest <= time.peak) continue;
      time.peak = range.largest;
      time.movedMs = nowMs;
    }
    // Of a stream that never pauses, a partition can fall silent all the same.
    markIdle(state);
    this.#move();
    return before.map((step, group) => ({ ...step, watermark: this.#watermarks[group]! }));
  }

  /** What a batch without rows means: nothing. */
  pause(split: number): readonly WatermarkStep[] {
    return this.#watermarks.map((watermark, group) => ({
      peakBefore: timeOf(this.#splits[split]!, group).peak,
      othersWatermark: watermark,
      watermarkBefore: watermark,
      watermark,
    }));
  }

  end(split: number): readonly EventTime[] {
    this.#splits[split]!.hasEnded = true;
    this.#move();
    return [...this.#watermarks];
  }

  /**
   * The split has answered that no rows have come: the time since its answer before is silence.
   * @param isCaughtUp False where the reader could not have had any rows, however many there are.
   * @returns The watermarks, without what is idle now.
   */
  idle(split: number, nowMs: ProcessingTimeMs, isCaughtUp = true): readonly EventTime[] {
    const state = this.#splits[split]!;
    listen(state, nowMs, isCaughtUp);
    markIdle(state);
    // With every split idle there is nothing to tell the time by, so the watermark stays.
    if (this.#splits.some(({ times, hasEnded }) => !hasEnded && times.some((t) => !t.isIdle))) {
      this.#move();
    }
    return [...this.#watermarks];
  }

  /** How each split stands to a group, in the order of their numbers. */
  standings(group: number): SplitStanding[] {
    return this.#splits.map((split) => {
      const { peak, movedMs, isIdle } = timeOf(split, group);
      const watermark = this.#watermarkOf(split, group);
      return { peak, watermark, movedMs, isIdle, hasEnded: split.hasEnded };
    });
  }

  #move(): void {
    for (const [group, watermark] of this.#watermarks.entries()) {
      const smallest = this.#smallest(group, () => true);
      if (smallest > watermark) this.#watermarks[group] = smallest;
    }
  }

  #smallest(group: number, counts: (split: SplitState) => boolean): EventTime {
    let smallest = END_OF_TIME;
    for (const split of this.#splits) {
      if (!counts(split)) continue;
      const own = this.#watermarkOf(split, group);
      if (own !== undefined && own < smallest) smallest = own;
    }
    return smallest;
  }

  /** What the split says about the group; undefined where it says nothing. */
  #watermarkOf(split: SplitState, group: number): EventTime | undefined {
    if (split.hasEnded) return undefined;
    const time = timeOf(split, group);
    if (!time.isIdle) return delayed(time, split);
    let slowest: EventTime | undefined;
    for (const other of split.times) {
      if (other.isIdle || other.peak === BEGINNING_OF_TIME) continue;
      const own = delayed(other, split);
      if (slowest === undefined || own < slowest) slowest = own;
    }
    return slowest;
  }
}

/** The furthest moment that all groups with rows have reached; undefined where none has rows. */
export function watermarkOf(watermarks: readonly EventTime[]): EventTime | undefined {
  let smallest: EventTime | undefined;
  for (const watermark of watermarks) {
    if (watermark === BEGINNING_OF_TIME) continue;
    if (smallest === undefined || watermark < smallest) smallest = watermark;
  }
  return smallest;
}

function listen(state: SplitState, nowMs: ProcessingTimeMs, isCaughtUp: boolean): void {
  const passedMs = nowMs - (state.answeredMs ?? nowMs);
  // A clock that was set back tells nothing.
  if (isCaughtUp && passedMs > 0 && passedMs <= PAUSE_MS_MAX) state.listenedMs += passedMs;
  state.answeredMs = isCaughtUp ? nowMs : undefined;
}

function markIdle({ times, listenedMs, idleTimeoutMs }: SplitState): void {
  for (const time of times) time.isIdle ||= listenedMs - time.heardAtMs >= idleTimeoutMs;
}

function timeOf({ times }: SplitState, group: number): SplitTime {
  return times[times.length === 1 ? 0 : group]!;
}

function delayed({ peak }: SplitTime, { delayNs }: SplitState): EventTime {
  return peak - delayNs < BEGINNING_OF_TIME ? BEGINNING_OF_TIME : peak - delayNs;
}
