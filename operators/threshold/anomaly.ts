/**
 * An anomaly: the columns of its row, and what follows from its score. What is not known is NaN.
 */

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
export function severityOf(score: number, { medium, high }: SeverityLimits): Severity {
  const size = Math.abs(score);
  return size > high ? 'high' : size > medium ? 'medium' : 'low';
}

/**
 * Confidence from how far the score is beyond its threshold: 1 - 2^(-|score| / threshold), which is
 * 0.5 at the threshold, 0.75 at twice it and nears 1. NaN where one of the two is not known.
 */
export function confidenceOf(score: number, threshold: number): number {
  return threshold === 0 ? Number.NaN : 1 - 2 ** (-Math.abs(score) / threshold);
}
