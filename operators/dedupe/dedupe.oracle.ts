/** The definition of `dedupe`, row by row: every row is compared with all that were kept. */

import type { Row } from '../../engine/testing/harness.ts';
import type { Value } from '../../engine/testing/table.ts';

export interface Sorted {
  readonly kept: Row[];
  readonly duplicates: Row[];
}

export function dedupeOracle(
  rows: readonly Row[],
  columns: readonly string[],
  withinNs: bigint,
  maxOutOfOrdernessNs: bigint,
): Sorted {
  const kept: Row[] = [];
  const duplicates: Row[] = [];
  let latest: bigint | undefined;
  for (const row of rows) {
    const time = row['event_time'] as bigint;
    const watermark = latest === undefined ? undefined : latest - maxOutOfOrdernessNs;
    if (latest === undefined || time > latest) latest = time;
    const isRepeated = kept.some((other) => {
      const keptAt = other['event_time'] as bigint;
      const apart = time > keptAt ? time - keptAt : keptAt - time;
      const isForgotten = watermark !== undefined && watermark >= keptAt + withinNs;
      return (
        other['symbol'] === row['symbol'] &&
        columns.every((name) => isSame(other[name]!, row[name]!)) &&
        apart < withinNs &&
        !isForgotten
      );
    });
    (isRepeated ? duplicates : kept).push(row);
  }
  return { kept, duplicates };
}

/** Zeroes of both signs are one number. */
function isSame(a: Value, b: Value): boolean {
  return a === b;
}
