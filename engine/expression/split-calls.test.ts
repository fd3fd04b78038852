import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expression } from './expression.ts';
import { formatExpression } from './format-expression.ts';
import { parseExpression } from './parse-expression.ts';
import { splitCalls } from './split-calls.ts';

const AGGREGATES = new Set(['sum', 'count', 'max']);

function split(text: string): { calls: string[]; outer: string } {
  const expression: Expression = parseExpression(text, [], ({ message }) => assert.fail(message))!;
  const { calls, outer } = splitCalls(expression, AGGREGATES);
  return {
    calls: calls.map(({ name, arguments: inner, column, offset, end }) => {
      const call = `${name}(${inner.map(formatExpression).join(', ')})`;
      return `${column} = ${call} at ${text.slice(offset, end)}`;
    }),
    outer: formatExpression(outer),
  };
}

test('calls become columns, in the order of the text', () => {
  assert.deepEqual(split('sum(price * size) / sum(size)'), {
    calls: ['$0 = sum(price * size) at sum(price * size)', '$1 = sum(size) at sum(size)'],
    outer: '"$0" / "$1"',
  });
});

test('identical calls are one, however they are spelled', () => {
  assert.deepEqual(split('SUM( (a) ) + sum(a) * count(*)'), {
    calls: ['$0 = sum(a) at SUM( (a) )', '$1 = count() at count(*)'],
    outer: '"$0" + "$0" * "$1"',
  });
});

test('calls are found everywhere, and only the outermost', () => {
  const choice = 'case when sum(a) is null then -max(b) else abs(sum(c)) end';
  const everywhere = `${choice} between max(d) and 1 or sum(e) in (2)`;
  assert.deepEqual(split(everywhere).outer.match(/\$\d/g), ['$0', '$1', '$2', '$3', '$4']);
  assert.deepEqual(split('sum(max(a))'), {
    calls: ['$0 = sum(max(a)) at sum(max(a))'],
    outer: '"$0"',
  });
});

test('an expression without calls stays as it is', () => {
  assert.deepEqual(split('abs(a) + 1'), { calls: [], outer: 'abs(a) + 1' });
});
