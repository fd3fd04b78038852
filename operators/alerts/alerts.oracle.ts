/**
 * The definition of `alerts`, group by group: all anomalies are known, in the order of their times,
 * and an episode is the longest stretch of them without a pause.
 */

import type { Row } from '../../engine/testing/harness.ts';

export interface OracleRules {
  readonly coolDown: { readonly rows: number } | { readonly durationNs: bigint };
  readonly openAbove?: number | undefined;
  readonly closeBelow: number;
  readonly byDirection: boolean;
}

export interface OracleEpisode {
  readonly opener: Row;
  readonly anomalies: readonly Row[];
  readonly peak: Row;
  /** Undefined where nothing ends it. */
  readonly closedAt: bigint | undefined;
}

/** @param rows None of them late; no id occurs twice. */
export function episodesOracle(rows: readonly Row[], rules: OracleRules): OracleEpisode[] {
  const names = ['symbol', 'type', ...(rules.byDirection ? ['direction'] : [])];
  const groups = new Set(rows.map((row) => names.map((name) => row[name]).join('|')));
  return [...groups].flatMap((group) => {
    const own = rows.filter((row) => names.map((name) => row[name]).join('|') === group);
    own.sort((a, b) => compare(timeOf(a), timeOf(b)) || compare(idOf(a), idOf(b)));
    return episodesOf(own, rules);
  });
}

function episodesOf(rows: readonly Row[], rules: OracleRules): OracleEpisode[] {
  const { openAbove, closeBelow, coolDown } = rules;
  const first = rows.findIndex((row) => openAbove === undefined || sizeOf(row) >= openAbove);
  if (first < 0) return [];
  const anomalies = [rows[first]!];
  let next = first + 1;
  let quiet = 0;
  let closedAt: bigint | undefined;
  for (; next < rows.length && closedAt === undefined; next++) {
    const row = rows[next]!;
    const end = endOf(anomalies[anomalies.length - 1]!, coolDown);
    if (end !== undefined && timeOf(row) >= end) break;
    if (closeBelow === 0 || sizeOf(row) >= closeBelow) {
      anomalies.push(row);
      quiet = 0;
    } else if ('rows' in coolDown && ++quiet === coolDown.rows) closedAt = timeOf(row);
  }
  closedAt ??= endOf(anomalies[anomalies.length - 1]!, coolDown);
  const sizes = anomalies.map(sizeOf).filter((size) => size >= 0);
  const peak = anomalies.find((row) => sizeOf(row) === Math.max(...sizes)) ?? anomalies[0]!;
  const episode = { opener: anomalies[0]!, anomalies, peak, closedAt };
  return [episode, ...episodesOf(rows.slice(next), rules)];
}

function endOf(last: Row, coolDown: OracleRules['coolDown']): bigint | undefined {
  return 'rows' in coolDown ? undefined : timeOf(last) + coolDown.durationNs;
}

function timeOf(row: Row): bigint {
  return row['event_time'] as bigint;
}

function idOf(row: Row): string {
  return row['anomaly_id'] as string;
}

/** NaN where the score is not known: such a row is neither above nor below anything. */
function sizeOf(row: Row): number {
  const score = row['score'];
  return typeof score === 'number' ? Math.abs(score) : Number.NaN;
}

function compare<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
