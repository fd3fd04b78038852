/**
 * What is wrong with the user's document: data, many at once, each anchored at a path of it. The
 * linter turns the path (and the offset inside a text) into a line and a column.
 */

export type Path = readonly (string | number)[];

/** What each code means; printed in docs/reference/errors.md. */
export const PROBLEM_CODES = {
  'config/syntax': 'The file is not well-formed YAML.',
  'config/duplicate-key': 'A mapping has the same key twice.',
  'config/unknown-field': 'There is no option of this name here.',
  'config/missing-field': 'A required option is missing.',
  'config/invalid-value': 'The value of an option is not of the kind it takes.',
  'config/constraint': 'Two options, each valid, do not go together.',
  'config/unknown-type': 'There is no source, operator or sink of this type.',
  'config/unknown-input': 'An input names no source, step or output of a step.',
  'config/unknown-dataset': 'A quality check names no sink whose output can be queried.',
  'config/duplicate-name': 'Two things that share one name space have the same name.',
  'config/cycle': 'Steps feed each other in a ring.',
  'config/unused': 'Nothing reads the output of a source or step.',
  'config/unplannable':
    'A declaration fails on this configuration. This is a fault of its code; please report it.',
  'config/undefined-variable': 'An environment variable is not set, and its place has no default.',
  'config/env-file': 'A line of an env file is not KEY=VALUE.',
  'config/override': 'The path of an -s option does not lead to an option.',
  'config/unknown-column': 'An option or expression names a column that its input lacks.',
  'config/duplicate-column': 'A step would put out two columns of one name.',
  'config/column-type': 'A column has not the type that the option or expression needs.',
  'config/expression-syntax': 'An expression cannot be parsed.',
  'config/expression-type': 'An expression combines values whose types do not go together.',
  'config/argument-count': 'An expression calls a function with too many or too few arguments.',
  'config/unknown-function': 'An expression calls a function that does not exist.',
  'config/revised-input':
    'A stateful step reads rows that may be stated again, and would count them twice.',
} as const satisfies Record<string, string>;

export type ProblemCode = keyof typeof PROBLEM_CODES;

export interface Problem {
  readonly path: Path;
  /** Whether the caret stands under the key or (default) under the value. */
  readonly target?: 'key' | 'value';
  /** Characters into the text of the value, for expressions. */
  readonly offset?: number;
  /** Columns on whose types the problem rests; where not given, all that the value names. */
  readonly columns?: readonly string[];
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
  const nearest = nearestWord(word, candidates);
  return nearest === undefined ? undefined : `did you mean ${nearest}?`;
}

/** The candidate that the word may be a slip of; undefined where none is near enough. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let nearestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
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
