/**
 * An anomaly: the columns of its row, and what follows from its score. What is not known is NaN.
 */

import type { Path, Report } from '../../engine/contract/problem.ts';
import type { ColumnSchema, Schema } from '../../engine/contract/schema.ts';
import type { StateSize } from '../../engine/contract/state-size.ts';

export type Severity = 'low' | 'medium' | 'high';

export interface SeverityLimits {
  readonly medium: number;
  readonly high: number;
}

/** What an operator that writes anomalies declares: its state, */
export const ANOMALY_TABLES = {
  id_counts: 'How often each id was given that can still come again, as JSON.',
  late_counts: 'How many anomalies of late rows each key has had, as JSON.',
} as const;

/**
 * how large that gets,
 * @param types Types of its anomalies, which are part of the ids.
 */
export function anomalyStateSize(types: readonly string[]): StateSize {
  const longest = Math.max(0, ...types.map((type) => type.length));
  return {
    key: 0,
    parts: [
      { bytes: ID_BYTES + longest, each: 'anomaly that the watermark has not passed' },
      { bytes: LATE_COUNT_BYTES, each: 'key with anomalies of late rows', atMost: 1 },
    ],
  };
}

/** An id without its type, its time and its count, for names of usual lengths, as JSON. */
const ID_BYTES = 70;
const LATE_COUNT_BYTES = 16;

/** and its metrics. */
export const ANOMALY_METRICS = {
  anomalies_low_total: { unit: 'rows', doc: 'Anomalies of low severity.' },
  anomalies_medium_total: { unit: 'rows', doc: 'Anomalies of medium severity.' },
  anomalies_high_total: { unit: 'rows', doc: 'Anomalies of high severity.' },
} as const;

/**
 * Schema of the anomalies of an input.
 * @param at Field at which a key is reported that is called like another column of an anomaly.
 */
export function anomalySchema(input: Schema, at: Path, report: Report): Schema {
  const columns = anomalyColumns(input.key);
  if (columns.filter(({ name }) => name === input.key).length > 1) {
    report({
      path: at,
      target: 'key',
      code: 'config/duplicate-column',
      message: `the key is called ${input.key}, like another column of an anomaly`,
      help: `give the key another name, such as symbol, where it is read`,
    });
  }
  const schema: Schema = { columns, time: 'event_time', key: input.key };
  return input.revises === true ? { ...schema, revises: true } : schema;
}

/** Columns of an anomaly row, in order; the second has the name of the input's key. */
function anomalyColumns(key: string): readonly ColumnSchema[] {
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
