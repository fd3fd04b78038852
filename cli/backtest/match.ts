/**
 * Anomalies against labels.
 *
 * An anomaly matches a label of the same key that it overlaps, the label made longer by the
 * tolerance at both ends; a label that names a type wants the same one. An anomaly has the window
 * of its row, the end not within it, or the moment of the row. One label may have several
 * anomalies, all of them right, and one anomaly several labels.
 */

import type { EventTime } from '../../engine/contract/time.ts';
import type { Label } from './labels.ts';

export interface FoundAnomaly {
  readonly key: string;
  readonly type: string;
  readonly time: EventTime;
  /** Equal to the end where the row has no window. */
  readonly windowStart: EventTime;
  readonly windowEnd: EventTime;
  readonly score: number | null;
}

export interface Scores {
  readonly labels: number;
  readonly alerts: number;
  /** Labels that an alert matches. */
  readonly found: number;
  /** Alerts that match a label. */
  readonly correct: number;
  /** Null where there are no alerts. */
  readonly precision: number | null;
  /** Null where there are no labels. */
  readonly recall: number | null;
  readonly f1: number | null;
  /** Seconds from the start of a found label to the end of the earliest window that shows it. */
  readonly delayMedian: number | null;
  readonly delayMax: number | null;
}

export interface MatchResult {
  /** By type; labels that name none count for every type of anomaly. In alphabetical order. */
  readonly types: Readonly<Record<string, Scores>>;
  readonly overall: Scores;
  readonly missed: readonly Label[];
  readonly falseAlarms: readonly FoundAnomaly[];
}

export function matchLabels(
  labels: readonly Label[],
  anomalies: readonly FoundAnomaly[],
  toleranceNs: bigint,
): MatchResult {
  const named = [...labels, ...anomalies].flatMap(({ type }) => type ?? []);
  const types = [...new Set(named)].sort().map((type): [string, Scores] => [
    type,
    scoresOf(
      labels.filter((label) => label.type === undefined || label.type === type),
      anomalies.filter((anomaly) => anomaly.type === type),
      toleranceNs,
    ).scores,
  ]);
  const { scores: overall, ...rest } = scoresOf(labels, anomalies, toleranceNs);
  return { types: Object.fromEntries(types), overall, ...rest };
}

function scoresOf(
  labels: readonly Label[],
  anomalies: readonly FoundAnomaly[],
  toleranceNs: bigint,
): Pick<MatchResult, 'missed' | 'falseAlarms'> & { readonly scores: Scores } {
  const byKey = grouped(labels);
  /** When each found label was known first. */
  const known = new Map<Label, EventTime>();
  const falseAlarms: FoundAnomaly[] = [];
  for (const anomaly of anomalies) {
    const hits = (byKey.get(anomaly.key) ?? []).filter((label) =>
      isMatch(label, anomaly, toleranceNs),
    );
    if (hits.length === 0) falseAlarms.push(anomaly);
    for (const hit of hits) {
      const earlier = known.get(hit);
      if (earlier === undefined || anomaly.windowEnd < earlier) known.set(hit, anomaly.windowEnd);
    }
  }
  const delays = [...known]
    .map(([label, time]) => Number(time - label.start) / 1e9)
    .sort((a, b) => a - b);
  const correct = anomalies.length - falseAlarms.length;
  const precision = anomalies.length === 0 ? null : correct / anomalies.length;
  const recall = labels.length === 0 ? null : known.size / labels.length;
  const scores: Scores = {
    labels: labels.length,
    alerts: anomalies.length,
    found: known.size,
    correct,
    precision,
    recall,
    f1: harmonicMean(precision, recall),
    delayMedian: delays[(delays.length - 1) >> 1] ?? null,
    delayMax: delays[delays.length - 1] ?? null,
  };
  return { scores, missed: labels.filter((label) => !known.has(label)), falseAlarms };
}

function isMatch(label: Label, anomaly: FoundAnomaly, toleranceNs: bigint): boolean {
  if (label.type !== undefined && label.type !== anomaly.type) return false;
  const { windowStart: start, windowEnd } = anomaly;
  const last = windowEnd > start ? windowEnd - 1n : start;
  return start <= label.end + toleranceNs && last >= label.start - toleranceNs;
}

function harmonicMean(precision: number | null, recall: number | null): number | null {
  if (precision === null || recall === null) return null;
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

function grouped(labels: readonly Label[]): ReadonlyMap<string, readonly Label[]> {
  const groups = new Map<string, Label[]>();
  for (const label of labels) {
    const group = groups.get(label.key);
    if (group === undefined) groups.set(label.key, [label]);
    else group.push(label);
  }
  return groups;
}
