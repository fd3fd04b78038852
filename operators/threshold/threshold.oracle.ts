/**
 * Oracle of threshold: anomalies row by row, from rules given as functions.
 */

import type { Row, Value } from '../../engine/testing/table.ts';

export interface OracleRule {
  readonly type: string;
  readonly detector: string;
  /** Text of the condition, for the explanation. */
  readonly text: string;
  readonly limit: number | null;
  when(row: Row): boolean;
  value(row: Row): number | null;
  score(row: Row): number | null;
  baseline(row: Row): number | null;
}

/** Anomalies of rows in arrival order; a row below the largest time before, less delay, is late. */
export function anomaliesOracle(
  rows: readonly Row[],
  rules: readonly OracleRule[],
  delay: bigint,
  iso: (time: bigint) => string,
): Row[] {
  const anomalies: Row[] = [];
  const given = new Map<string, number>();
  let latest: bigint | undefined;
  for (const row of rows) {
    const time = row['event_time'] as bigint;
    const isLate = latest !== undefined && time < latest - delay;
    if (latest === undefined || time > latest) latest = time;
    for (const rule of rules.filter((each) => each.when(row))) {
      const score = rule.score(row);
      const size = score === null ? 0 : Math.abs(score);
      const bare = `step/${row['symbol'] as string}/${time}/${rule.type}`;
      const counted = isLate ? `late ${row['symbol'] as string}` : bare;
      const count = (given.get(counted) ?? 0) + 1;
      given.set(counted, count);
      const start = (row['window_start'] ?? null) as bigint | null;
      const end = (row['window_end'] ?? null) as bigint | null;
      const isWindow = start !== null && end !== null;
      anomalies.push({
        anomaly_id: isLate ? `${bare}/late-${count}` : count === 1 ? bare : `${bare}/${count}`,
        symbol: row['symbol'] as Value,
        event_time: time,
        window_start: start ?? time,
        window_end: end ?? time,
        type: rule.type,
        detector: rule.detector,
        value: rule.value(row),
        baseline: rule.baseline(row),
        score,
        threshold: rule.limit,
        severity: size > 5 ? 'high' : size > 4 ? 'medium' : 'low',
        confidence: score === null || rule.limit === null ? null : 1 - 2 ** (-size / rule.limit),
        direction: score === null || score === 0 ? null : score > 0 ? 'up' : 'down',
        explanation: JSON.stringify({
          rule: rule.text,
          observed: rule.value(row),
          score,
          threshold: rule.limit,
          baseline: rule.baseline(row),
          window: isWindow ? { start: iso(start), end: iso(end) } : null,
        }),
      });
    }
  }
  return anomalies;
}
