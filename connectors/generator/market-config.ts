/** What a generated market is made of, after the units of the pipeline file are gone. */

import type { EventTime } from '../../engine/contract/time.ts';

export const ANOMALY_TYPES = [
  'bad_print',
  'gap',
  'price_spike',
  'stuck_price',
  'volatility_burst',
  'volume_surge',
] as const;

export type AnomalyType = (typeof ANOMALY_TYPES)[number];

export interface MarketConfig {
  readonly seed: number;
  readonly symbolCount: number;
  readonly start: EventTime;
  /** Length of a session in whole seconds. */
  readonly sessionSeconds: number;
  readonly sessionCount: number;
  /** Of all sessions together. */
  readonly tradeCount: number;
  readonly anomalies: Readonly<Record<AnomalyType, number>>;
  /** Share of rows that arrive up to `delayNs` after their time. */
  readonly outOfOrder: number;
  readonly delayNs: number;
  /** Share of rows that arrive from `lateNs` to twice that after their time. */
  readonly late: number;
  readonly lateNs: number;
}

export const SECOND_NS = 1e9;
export const MINUTE_NS = 60e9;
export const DAY_NS = 86_400e9;

/** Nanoseconds from the start of the first session to that of each: one a weekday. */
export function sessionOffsets({ start, sessionCount }: MarketConfig): number[] {
  const offsets: number[] = [];
  for (let day = 0; offsets.length < sessionCount; day++) {
    const date = new Date(Number(start / 1_000_000n) + day * 86_400_000);
    const isWeekend = date.getUTCDay() === 0 || date.getUTCDay() === 6;
    // A market that is asked to open on a Saturday does.
    if (day === 0 || !isWeekend) offsets.push(day * DAY_NS);
  }
  return offsets;
}
