/**
 * Names and what reads them: `trades`, `bars`, `bars.late`, `trades.rejected`.
 */

import { didYouMean } from '../contract/problem.ts';
import type { InputReference } from './pipeline-plan.ts';

/** The output of every source that carries the rows it could not use. */
export const REJECTED_OUTPUT = 'rejected';

export function parseReference(text: string): InputReference {
  const dot = text.indexOf('.');
  if (dot < 0) return { step: text, output: 'main' };
  return { step: text.slice(0, dot), output: text.slice(dot + 1) };
}

export function referenceText({ step, output }: InputReference): string {
  return output === 'main' ? step : `${step}.${output}`;
}

/** Suggestions are dear in a file of thousands of names and mistakes: so many are made. */
const COMPARISONS_MAX = 200_000;

/** Suggests names of steps, for a whole file. */
export class Suggestions {
  readonly #names: readonly string[];
  #comparisons = 0;

  constructor(names: Iterable<string>) {
    this.#names = [...names];
  }

  /** The name that was probably meant. */
  meant(word: string): string | undefined {
    this.#comparisons += this.#names.length;
    if (this.#comparisons > COMPARISONS_MAX || word.length > 100) return undefined;
    return nearest(word, this.#names);
  }

  help(word: string): string | undefined {
    const meant = this.meant(word);
    return meant === undefined ? undefined : `did you mean ${meant}?`;
  }
}

export function nearest(word: string, candidates: readonly string[]): string | undefined {
  return didYouMean(word, candidates)?.slice('did you mean '.length, -1);
}
