/**
 * What is wrong with the user's document: data, many at once, each anchored at a path of it. The
 * linter turns the path (and the offset inside a text) into a line and a column.
 */

export type Path = readonly (string | number)[];

export type ProblemCode =
  | 'config/syntax'
  | 'config/duplicate-key'
  | 'config/unknown-field'
  | 'config/missing-field'
  | 'config/invalid-value'
  | 'config/constraint'
  | 'config/unknown-type'
  | 'config/unknown-input'
  | 'config/cycle'
  | 'config/unused'
  | 'config/undefined-variable'
  | 'config/unknown-column'
  | 'config/duplicate-column'
  | 'config/column-type'
  | 'config/expression-syntax'
  | 'config/expression-type'
  | 'config/unknown-function'
  | 'config/revised-input';

export interface Problem {
  readonly path: Path;
  /** Whether the caret stands under the key or (default) under the value. */
  readonly target?: 'key' | 'value';
  /** Characters into the text of the value, for expressions. */
  readonly offset?: number;
  readonly code: ProblemCode;
  readonly severity?: 'error' | 'warning';
  /** Lower case, no full stop, quotes the user's own text. */
  readonly message: string;
  /** A way out: `did you mean size?` */
  readonly help?: string;
}

/** Takes a problem whose path is relative to the step (or connector) that is being planned. */
export type Report = (problem: Problem) => void;

/** `did you mean X?` for the nearest of the candidates, where one is near enough. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let nearestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest === undefined ? undefined : `did you mean ${nearest}?`;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
