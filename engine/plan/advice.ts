/** Ways out for lints. */

import { didYouMean } from '../contract/problem.ts';

/** `did you mean X?`, or else all there is to choose from. */
export function nearestOrAll(word: unknown, names: readonly string[], lead: string): string {
  const suggestion = typeof word === 'string' && word.length < 100 ? didYouMean(word, names) : '';
  return suggestion || `${lead} ${names.join(', ')}`;
}
