/**
 * An anomaly: the columns of its row, and what follows from its score.
 */

import { formatTime } from '../../engine/contract/time.ts';
import type { ColumnSchema } from '../../engine/contract/schema.ts';

export type Severity = 'low' | 'medium' | 'high';

export interface SeverityLimits {
  readonly medium: number;
  readonly high: number;
}

/** Columns of an anomaly row, in order; the second has the name of the input's key. */
export function anomalyColumns(key: string): readonly ColumnSchema[] {
  return [
    { name: 'anomaly_id', type: 'string' },
    { name: key, type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'window_start', type: 'timestamp' },
    { name: 'window_end', type: 'timestamp' },
    { name: 'type', type: 'string' },
    { name: 'detector', type: 'string' },
    { name: 'value', type: 'float64' },
    { name: 'baseline', type: 'float64' },
    { name: 'score', type: 'float64' },
    { name: 'threshold', type: 'float64' },
    { name: 'severity', type: 'string' },
    { name: 'confidence', type: 'float64' },
    { name: 'direction', type: 'string' },
    { name: 'explanation', type: 'string' },
  ];
}

/** By |score|, strictly above the limits; low without a score. */
export function severityOf(score: number | null, { medium, high }: SeverityLimits): Severity {
  const size = score === null ? 0 : Math.abs(score);
  return size > high ? 'high' : size > medium ? 'medium' : 'low';
}

/** 'up' or 'down' by the sign of the score, null without one. */
export function directionOf(score: number | null): 'up' | 'down' | null {
  if (score === null || score === 0) return null;
  return score > 0 ? 'up' : 'down';
}

/**
 * Confidence from how far the score is beyond its threshold: 1 - 2^(-|score| / threshold), which is
 * 0.5 at the threshold, 0.75 at twice it and nears 1. Null where one of the two is not known.
 */
export function confidenceOf(score: number | null, threshold: number | null): number | null {
  if (score === null || threshold === null || threshold === 0) return null;
  return 1 - 2 ** (-Math.abs(score) / threshold);
}

export interface Evidence {
  /** The condition, as the user wrote it. */
  readonly rule: string;
  readonly observed: number | null;
  readonly score: number | null;
  readonly threshold: number | null;
  readonly baseline: number | null;
  readonly window: { readonly start: bigint; readonly end: bigint } | null;
}

/**
 * Writes evidence as JSON, with ISO times. One for a batch: its anomalies share most of their
 * windows, whose times are then written once.
 */
export class Explainer {
  readonly #times = new Map<bigint, string>();

  explain({ rule, observed, score, threshold, baseline, window }: Evidence): string {
    const times =
      window === null ? null : { start: this.#iso(window.start), end: this.#iso(window.end) };
    return JSON.stringify({ rule, observed, score, threshold, baseline, window: times });
  }

  #iso(time: bigint): string {
    let text = this.#times.get(time);
    if (text === undefined) {
      text = formatTime(time);
      this.#times.set(time, text);
    }
    return text;
  }
}
