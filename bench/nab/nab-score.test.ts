import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cost,
  gain,
  NAB_PROFILES,
  nabScore,
  probationRows,
  type ScoredSeries,
} from './nab-score.ts';

const [STANDARD, LOW_FP, LOW_FN] = NAB_PROFILES;

/** 100 rows, of which 15 are probation; windows at rows 30 to 39 and 60 to 79. */
function series(detected: Readonly<Record<number, number>>): ScoredSeries {
  const scores = new Float64Array(100);
  for (const [row, score] of Object.entries(detected)) scores[Number(row)] = score;
  return {
    scores,
    windows: [
      [30, 39],
      [60, 79],
    ],
  };
}

/** 2 / (1 + e^5y) - 1, as the paper states it. */
const sigmoid = (y: number): number => 2 / (1 + Math.exp(5 * y)) - 1;

test('probation is 15 percent, and 750 rows at most', () => {
  assert.deepEqual(
    [0, 6, 7, 100, 4999, 5000, 5007, 20_000].map(probationRows),
    [0, 0, 1, 15, 749, 750, 750, 750],
  );
});

test('the first row of every window and nothing else is perfect', () => {
  for (const profile of NAB_PROFILES) {
    const result = nabScore([series({ 30: 1, 60: 1 })], profile);
    assert.deepEqual(result, { score: 100, limit: 1, windows: 2, found: 2, falseRows: 0 });
  }
});

test('what detects nothing, or the same everywhere, is null', () => {
  // Everywhere the same score: detecting all rows costs more than it gains.
  const wide = { scores: new Float64Array(1000).fill(0.5), windows: [[800, 809]] as const };
  for (const profile of [STANDARD, LOW_FP, LOW_FN]) {
    const { score, limit, found } = nabScore([wide], profile);
    assert.deepEqual([score, limit, found], [0, Number.POSITIVE_INFINITY, 0]);
  }
  const never = { scores: new Float64Array(100).fill(Number.NaN), windows: [[50, 59]] as const };
  assert.equal(nabScore([never], STANDARD).score, 0);
  assert.equal(nabScore([], STANDARD).score, 0);
});

test('early in a window gains more than late, by the sigmoid of its place', () => {
  const window = [30, 39] as const;
  assert.equal(gain(30, window), 1);
  assert.equal(gain(35, window), sigmoid(-0.5) / sigmoid(-1));
  assert.equal(gain(39, window), sigmoid(-0.1) / sigmoid(-1));
  const only = (row: number): number => nabScore([series({ [row]: 1 })], STANDARD).score;
  // One of two windows, with nothing lost elsewhere: half of the scale, times the gain and the
  // miss that is no more.
  assert.equal(only(30), 50);
  assert.ok(Math.abs(only(39) - (100 * (1 + gain(39, window))) / 4) < 1e-9, `${only(39)}`);
  assert.ok(only(30) > only(35) && only(35) > only(39));
});

test('a window counts once, by its earliest detected row', () => {
  const early = nabScore([series({ 32: 1, 38: 1 })], STANDARD);
  assert.equal(early.score, nabScore([series({ 32: 1 })], STANDARD).score);
  assert.equal(early.found, 1);
  // Also where the later row is detected at a higher limit.
  const swept = nabScore([series({ 32: 0.5, 38: 1 })], STANDARD);
  assert.deepEqual([swept.score, swept.limit], [early.score, 0.5]);
});

test('a row outside costs little just behind a window, and all elsewhere', () => {
  const window = [30, 39] as const;
  assert.equal(cost(20, undefined), -1);
  assert.equal(cost(39 + 9, window), sigmoid(1));
  assert.equal(cost(39 + 27, window), sigmoid(3));
  assert.equal(cost(39 + 28, window), -1);
  const perfect = { 30: 1, 60: 1 };
  const costs = (row: number, profile = STANDARD): number =>
    (100 - nabScore([series({ ...perfect, [row]: 1 })], profile as typeof STANDARD).score) * 0.04;
  const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-9, `${a}, not ${b}`);
  near(costs(20), 0.11);
  near(costs(40), -0.11 * sigmoid(1 / 9));
  near(costs(85), -0.11 * sigmoid(6 / 19));
  assert.ok(costs(40) < costs(45) && costs(45) < costs(20));
  near(costs(20, LOW_FP as unknown as typeof STANDARD), 0.22);
});

test('rows in probation neither gain nor cost', () => {
  assert.equal(nabScore([series({ 30: 1, 60: 1, 3: 5, 14: 1 })], STANDARD).score, 100);
  assert.ok(nabScore([series({ 30: 1, 60: 1, 15: 1 })], STANDARD).score < 100);
});

test('a missed window costs twice under reward_low_FN', () => {
  const one = [series({ 30: 1 })];
  // tp - fn of -2 fn to 2 tp: (1 - 1 + 2) / 4, and (1 - 2 + 4) / 6.
  assert.equal(nabScore(one, STANDARD).score, 50);
  assert.equal(nabScore(one, LOW_FN).score, 50);
  const late = [series({ 39: 1 })];
  assert.ok(nabScore(late, LOW_FN).score > nabScore(late, STANDARD).score);
});

test('one limit holds for all series together', () => {
  const quiet = series({ 30: 0.4, 60: 0.4 });
  const loud = series({ 20: 0.6, 22: 0.6, 30: 0.9, 60: 0.9 });
  const { limit, found, falseRows } = nabScore([quiet, loud], STANDARD);
  assert.deepEqual([limit, found, falseRows], [0.4, 4, 2]);
});
