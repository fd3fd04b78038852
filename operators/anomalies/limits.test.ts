import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { limitsOf } from './limits.ts';

const cases: readonly (readonly [when: string, up: number | null, down: number | null])[] = [
  ['abs(z) > 3', 3, 3],
  ['ABS(z) >= 3.5', 3.5, 3.5],
  ['3 < abs( z )', 3, 3],
  ['z > 3', 3, null],
  ['-3 > z', null, 3],
  ['z > 3 or z < -4', 3, 4],
  ['z not between -2 and 3', 3, 2],
  ['z between -2 and 3', null, null],
  ['volume > 100 and (abs(z) > 3 or is_open)', 3, 3],
  ['abs(z) > 3 and abs(z) < 100', 3, 3],
  ['abs(other) > 3', null, null],
  ['abs(z) > other', null, null],
  ['z < 3', null, null],
  ['z = 3', null, null],
  ['not abs(z) > 3', null, null],
  ['true', null, null],
];

test('limits are read off the condition where it names them', () => {
  for (const [when, up, down] of cases) {
    assert.deepEqual(limitsOf(parseAccepted(when), parseAccepted('z')), { up, down }, when);
  }
});

test('the score may be any expression', () => {
  const score = parseAccepted('price / (previous)');
  const limits = limitsOf(parseAccepted('price/previous > 1.1'), score);
  assert.deepEqual(limits, { up: 1.1, down: null });
});
