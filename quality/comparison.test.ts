import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CheckSeverity,
  type CheckStatus,
  meets,
  parseComparison,
  verdict,
  worseStatus,
} from './comparison.ts';

test('a comparison is an operator and a whole number, and nothing else', () => {
  const accepted: readonly [text: string, operator: string, count: number][] = [
    ['!= 0', '!=', 0],
    ['<>0', '!=', 0],
    ['> 10', '>', 10],
    ['>=10', '>=', 10],
    ['  <  3 ', '<', 3],
    ['<= 3', '<=', 3],
    ['= 1', '=', 1],
    ['== 1', '=', 1],
  ];
  for (const [text, operator, count] of accepted) {
    assert.deepEqual(parseComparison(text), { operator, count }, text);
  }
  for (const text of [
    '',
    '10',
    '>',
    '> -1',
    '> 1.5',
    '> 1e3',
    '=> 1',
    '>> 1',
    '> 10 rows',
    '> 10 or 1 = 1',
    'between 1 and 2',
    '! = 0',
    '> 10%',
    '> ten',
  ]) {
    assert.equal(parseComparison(text), undefined, text);
  }
});

test('every operator against the counts around its number', () => {
  const table: readonly [text: string, at2: boolean, at3: boolean, at4: boolean][] = [
    ['= 3', false, true, false],
    ['!= 3', true, false, true],
    ['< 3', true, false, false],
    ['<= 3', true, true, false],
    ['> 3', false, false, true],
    ['>= 3', false, true, true],
  ];
  for (const [text, ...want] of table) {
    const comparison = parseComparison(text)!;
    assert.deepEqual(
      [2, 3, 4].map((failures) => meets(failures, comparison)),
      want,
      text,
    );
  }
});

test("severity, warn_if and error_if decide as dbt's do", () => {
  const usual = '!= 0';
  const table: readonly [
    severity: CheckSeverity,
    warnIf: string,
    errorIf: string,
    failures: number,
    status: CheckStatus,
  ][] = [
    ['error', usual, usual, 0, 'pass'],
    ['error', usual, usual, 1, 'error'],
    ['error', usual, '> 10', 0, 'pass'],
    ['error', usual, '> 10', 10, 'warn'],
    ['error', usual, '> 10', 11, 'error'],
    ['error', '> 5', '> 10', 5, 'pass'],
    ['error', '> 5', '> 10', 6, 'warn'],
    ['error', '> 5', '> 10', 11, 'error'],
    // error_if is asked first, also where it is the weaker one
    ['error', '> 10', '> 5', 11, 'error'],
    ['error', '> 10', '> 5', 6, 'error'],
    ['warn', usual, usual, 0, 'pass'],
    ['warn', usual, usual, 1, 'warn'],
    ['warn', usual, '> 10', 1000, 'warn'],
    ['warn', '> 5', usual, 3, 'pass'],
    ['warn', '> 5', '> 5', 6, 'warn'],
    // an expected number of failing rows
    ['error', '= 0', '> 3', 0, 'warn'],
    ['error', usual, '< 2', 0, 'error'],
  ];
  for (const [severity, warnIf, errorIf, failures, status] of table) {
    assert.equal(
      verdict(failures, severity, parseComparison(warnIf)!, parseComparison(errorIf)!),
      status,
      `${severity} warn_if ${warnIf} error_if ${errorIf} with ${failures}`,
    );
  }
});

test('the worse of two statuses', () => {
  assert.equal(worseStatus('pass', 'warn'), 'warn');
  assert.equal(worseStatus('error', 'warn'), 'error');
  assert.equal(worseStatus('pass', 'pass'), 'pass');
});
