/**
 * Watermarks of the splits and of the tasks that read them.
 *
 * A split's watermark is the largest event time it has shown minus `max_out_of_orderness`. The
 * tasks' watermark is the smallest over all splits that are neither idle nor at their end, and
 * never falls, even where a split comes back from idleness with older rows.
 */

import {
  BEGINNING_OF_TIME,
  END_OF_TIME,
  type EventTime,
  type ProcessingTimeMs,
} from '../contract/time.ts';

interface SplitState {
  readonly delayNs: bigint;
  readonly idleTimeoutMs: number;
  peak: EventTime;
  lastRowsMs: ProcessingTimeMs;
  hasEnded: boolean;
  isIdle: boolean;
}

/** What a batch of one split means for the tasks. */
export interface WatermarkStep {
  /** Largest event time of the split before the batch. */
  readonly peakBefore: EventTime;
  readonly othersWatermark: EventTime;
  readonly watermarkBefore: EventTime;
  readonly watermark: EventTime;
}

export class WatermarkTracker {
  readonly #splits: SplitState[] = [];
  #watermark: EventTime = BEGINNING_OF_TIME;

  /** Adds a split and returns its number. */
  addSplit(delayNs: bigint, idleTimeoutMs: number, nowMs: ProcessingTimeMs): number {
    const split = { delayNs, idleTimeoutMs, peak: BEGINNING_OF_TIME, lastRowsMs: nowMs };
    return this.#splits.push({ ...split, hasEnded: false, isIdle: false }) - 1;
  }

  get watermark(): EventTime {
    return this.#watermark;
  }

  /** Largest event time of the split so far. */
  peak(split: number): EventTime {
    return this.#splits[split]!.peak;
  }

  isIdle(split: number): boolean {
    return this.#splits[split]!.isIdle;
  }

  rows(split: number, largestTime: EventTime, nowMs: ProcessingTimeMs): WatermarkStep {
    const state = this.#splits[split]!;
    const peakBefore = state.peak;
    const watermarkBefore = this.#watermark;
    state.isIdle = false;
    state.lastRowsMs = nowMs;
    const othersWatermark = this.#smallest((other) => other !== state);
    if (largestTime > state.peak) state.peak = largestTime;
    this.#move();
    return { peakBefore, othersWatermark, watermarkBefore, watermark: this.#watermark };
  }

  end(split: number): EventTime {
    this.#splits[split]!.hasEnded = true;
    this.#move();
    return this.#watermark;
  }

  /** Marks splits that have been silent for too long, and returns the watermark without them. */
  tick(nowMs: ProcessingTimeMs): EventTime {
    for (const split of this.#splits) {
      split.isIdle ||= nowMs - split.lastRowsMs >= split.idleTimeoutMs;
    }
    // With every split idle there is nothing to tell the time by, so the watermark stays.
    if (this.#splits.some((split) => !split.isIdle && !split.hasEnded)) this.#move();
    return this.#watermark;
  }

  #move(): void {
    const smallest = this.#smallest(() => true);
    if (smallest > this.#watermark) this.#watermark = smallest;
  }

  #smallest(counts: (split: SplitState) => boolean): EventTime {
    let smallest = END_OF_TIME;
    for (const split of this.#splits) {
      if (split.hasEnded || split.isIdle || !counts(split)) continue;
      const own = split.peak - split.delayNs;
      if (own < smallest) smallest = own;
    }
    return smallest < BEGINNING_OF_TIME ? BEGINNING_OF_TIME : smallest;
  }
}
