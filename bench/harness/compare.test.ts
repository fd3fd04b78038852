import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changeOf, rankTest } from './compare.ts';

/** The definition: every way to choose which of all values are the first list. */
function rankTestOracle(a: readonly number[], b: readonly number[]): number {
  const wins = (first: readonly number[], second: readonly number[]): number => {
    let sum = 0;
    for (const x of first) for (const y of second) if (x < y) sum++;
    return sum;
  };
  const all = [...a, ...b];
  const middle = (a.length * b.length) / 2;
  const found = Math.abs(wins(a, b) - middle);
  let [ways, uneven] = [0, 0];
  for (let chosen = 0; chosen < 2 ** all.length; chosen++) {
    const first = all.filter((_, i) => (chosen >> i) & 1);
    if (first.length !== a.length) continue;
    const second = all.filter((_, i) => !((chosen >> i) & 1));
    ways++;
    if (Math.abs(wins(first, second) - middle) >= found) uneven++;
  }
  return uneven / ways;
}

test('the rank test is the share of all ways to deal the values out', () => {
  const times = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 10 });
  fc.assert(
    fc.property(times, fc.nat(), (values, cut) => {
      const at = 1 + (cut % (values.length - 1));
      const [a, b] = [values.slice(0, at), values.slice(at)];
      assert(Math.abs(rankTest(a, b) - rankTestOracle(a, b)) < 1e-12);
    }),
    { numRuns: 50 },
  );
});

test('a change that no repetition contradicts counts, and noise does not', () => {
  const before = [10, 10.2, 9.9, 10.1, 10.05, 9.95, 10.15];
  const after = before.map((seconds) => seconds / 2 + 0.001);
  const { verdict, ratio, low, high } = changeOf(before, after);
  assert.equal(verdict, 'faster');
  assert(low < ratio && ratio < high && Math.abs(ratio - 2) < 0.01);
  assert.equal(changeOf(after, before).verdict, 'slower');
  const shuffled = [9.94, 10.16, 10.06, 9.91, 10.12, 10.03, 10.19];
  assert.equal(changeOf(before, shuffled).verdict, 'within noise');
});

test('one slow repetition decides nothing, and four are too few to decide', () => {
  const before = [10, 10.2, 9.9, 10.1, 10.05];
  assert.equal(changeOf(before, [10.15, 9.95, 10.1, 10, 50]).verdict, 'within noise');
  assert.equal(changeOf([1, 1, 1, 1], [2, 2, 2, 2]).verdict, 'too few repetitions');
  assert.equal(changeOf([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]).verdict, 'slower');
});
