/**
 * How well anomalies were found: planted ones against found ones.
 *
 * A found row matches a planted anomaly of the same symbol whose `[start, end)`, made longer by the
 * tolerance at its end, overlaps `[windowStart, windowEnd)`. The tolerance is for statistics that
 * see an anomaly in the bar after it; it is 0 unless given.
 */

import type { EventTime } from '../../engine/contract/time.ts';
import type { PlantedAnomaly } from './planting.ts';

export interface FoundAnomaly {
  readonly symbol: string;
  readonly type: string;
  readonly windowStart: EventTime;
  readonly windowEnd: EventTime;
}

export interface MatchCounts {
  readonly planted: number;
  /** Rows: an anomaly of three minutes may well be found in three bars. */
  readonly found: number;
  /** Planted ones that a found row matches. */
  readonly matched: number;
  /** Found rows that match a planted one. */
  readonly correct: number;
  /** `correct / found`; null where nothing was found. */
  readonly precision: number | null;
  /** `matched / planted`; null where nothing was planted. */
  readonly recall: number | null;
}

export interface MatchReport {
  /** By type, which must be the same. In alphabetical order. */
  readonly types: Readonly<Record<string, MatchCounts>>;
  /** All of them; the type must be the same. */
  readonly overall: MatchCounts;
  /** All of them, whatever type was found. */
  readonly anyType: MatchCounts;
}

export function matchAnomalies(
  planted: readonly PlantedAnomaly[],
  found: readonly FoundAnomaly[],
  toleranceNs = 0n,
): MatchReport {
  const sameType = (a: PlantedAnomaly, b: FoundAnomaly): boolean => a.type === b.type;
  const names = [...new Set([...planted, ...found].map(({ type }) => type))].sort();
  const types = names.map((name): [string, MatchCounts] => {
    const ofType = ({ type }: { readonly type: string }): boolean => type === name;
    return [name, count(planted.filter(ofType), found.filter(ofType), sameType, toleranceNs)];
  });
  return {
    types: Object.fromEntries(types),
    overall: count(planted, found, sameType, toleranceNs),
    anyType: count(planted, found, () => true, toleranceNs),
  };
}

function count(
  planted: readonly PlantedAnomaly[],
  found: readonly FoundAnomaly[],
  isAlike: (a: PlantedAnomaly, b: FoundAnomaly) => boolean,
  toleranceNs: bigint,
): MatchCounts {
  const bySymbol = new Map<string, PlantedAnomaly[]>();
  for (const each of planted) {
    const ofSymbol = bySymbol.get(each.symbol);
    if (ofSymbol === undefined) bySymbol.set(each.symbol, [each]);
    else ofSymbol.push(each);
  }
  const matched = new Set<PlantedAnomaly>();
  let correct = 0;
  for (const row of found) {
    const hits = (bySymbol.get(row.symbol) ?? []).filter(
      (each) =>
        isAlike(each, row) &&
        each.start < row.windowEnd &&
        row.windowStart < each.end + toleranceNs,
    );
    if (hits.length > 0) correct++;
    for (const hit of hits) matched.add(hit);
  }
  return {
    planted: planted.length,
    found: found.length,
    matched: matched.size,
    correct,
    precision: found.length === 0 ? null : correct / found.length,
    recall: planted.length === 0 ? null : matched.size / planted.length,
  };
}
