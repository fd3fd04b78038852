import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../contract/problem.ts';
import { arbitraryExpression } from './expression.arbitrary.ts';
import { columnsOf, type Expression, EXPRESSION_DEPTH_MAX } from './expression.ts';
import { formatExpression } from './format-expression.ts';
import { parseExpression } from './parse-expression.ts';

function parse(text: string): Expression {
  return parseExpression(text, [], ({ message }) => assert.fail(`${text}: ${message}`))!;
}

function withoutSpans(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (key === 'offset' || key === 'end') return undefined;
      return Object.is(inner, -0) ? 'minus zero' : inner;
    }),
  );
}

test('a formatted expression parses to the same tree', () => {
  fc.assert(
    fc.property(arbitraryExpression, (expression) => {
      const text = formatExpression(expression);
      assert.deepEqual(withoutSpans(parse(text)), withoutSpans(expression), text);
    }),
    { numRuns: 2000 },
  );
});

/** Fully parenthesised by hand: what binds how. */
const groupings: readonly (readonly [text: string, same: string])[] = [
  ['a + b * c', 'a + (b * c)'],
  ['a - b - c', '(a - b) - c'],
  ['a / b * c % d', '((a / b) * c) % d'],
  ['-a * b', '(-a) * b'],
  ['a or b and c', 'a or (b and c)'],
  ['not a = b', 'not (a = b)'],
  ['not a and b', '(not a) and b'],
  ['a + 1 > b - 1 and c', '((a + 1) > (b - 1)) and c'],
  ['a + 1 is null', '(a + 1) is null'],
  ['a between b and c and d', '(a between b and c) and d'],
  ['not a in (1)', 'not (a in (1))'],
  ['A AND B Is Not Null', 'A and B is not null'],
  ['COUNT(*)', 'count()'],
  ['a != b', 'a <> b'],
  ['case when a then b else c end + 1', '(case when a then b else c end) + 1'],
  ['- -5', '-(-5)'],
  ['.5e1', '5'],
  ['"a"', 'a'],
  ["F(a, N => -1, m => 'x')", "f(a, n => -1, m => 'x')"],
  ['f( n=>true )', 'f(n => true)'],
];

test('operators bind as in SQL', () => {
  for (const [text, same] of groupings) {
    assert.deepEqual(withoutSpans(parse(text)), withoutSpans(parse(same)), text);
  }
});

test('formatting writes no parenthesis that it need not', () => {
  for (const text of ['(a + b) * c - d', 'not (a and b) or c', 'a - (b - c)', '-(a + 1)']) {
    assert.equal(formatExpression(parse(text)), text);
  }
});

const errors: readonly (readonly [text: string, offset: number, message: string])[] = [
  ['', 0, 'expected a value, got the end'],
  ['a +', 3, 'expected a value, got the end'],
  ['a b', 2, 'expected an operator, got b'],
  ['(a', 2, 'expected ), got the end'],
  ['a == b', 2, 'expected an operator, got =='],
  ['a => b', 2, 'expected an operator, got =>'],
  ['f(n => a)', 7, 'expected a number, a string, true, false or null, got a'],
  ['f(n => 1, a)', 10, 'expected name => value'],
  ['a && b', 2, 'expected an operator, got &&'],
  ['a ^ 2', 2, 'expected an operator, got ^'],
  ['a < b < c', 6, 'expected and, or or the end, got <'],
  ['a in ()', 6, 'expected a value, got )'],
  ['a in (b)', 6, 'expected a number, a string, true, false or null, got b'],
  ['a in (1 2)', 8, 'expected , or ), got 2'],
  ['a is 5', 5, 'expected null, got 5'],
  ['a not 5', 6, 'expected between or in, got 5'],
  ['a between 1', 11, 'expected and, got the end'],
  ['case x when 1', 5, 'expected when, got x'],
  ['case when a then b', 18, 'expected when, else or end, got the end'],
  ['case when a then b else c', 25, 'expected end, got the end'],
  ["'open", 0, "expected a ' at the end of the string, got the end"],
  ['"open', 0, 'expected a " at the end of the name, got the end'],
  ['""', 0, 'expected the name of a column, got ""'],
  ['5m', 0, 'expected a number, got 5m'],
  ['1.2.3', 0, 'expected a number, got 1.2.'],
  ['1e999', 0, 'expected a number below 1.8e308, got 1e999'],
  ['f(a,)', 4, 'expected a value, got )'],
  ['f(a', 3, 'expected , or ), got the end'],
  ['a; drop', 1, 'expected an expression, got ;'],
  ['1 + not a', 4, 'expected a value, got not'],
  ['end', 0, 'expected a value, got end'],
  ['a 💥', 2, 'expected an expression, got 💥'],
];

test('a syntax error says where, what was expected and what was found', () => {
  for (const [text, offset, message] of errors) {
    const problems: Problem[] = [];
    assert.equal(
      parseExpression(text, ['columns', 'x'], (p) => problems.push(p)),
      undefined,
    );
    assert.equal(problems.length, 1, text);
    const [{ path, code, ...problem }] = problems as [Problem];
    assert.deepEqual([path, code], [['columns', 'x'], 'config/expression-syntax']);
    assert.deepEqual([problem.offset, problem.message], [offset, message], text);
  }
});

test('any text is parsed or reported, never thrown at', () => {
  const word = fc.constantFrom(
    ...['a', '1', "'s'", '"q', '(', ')', ',', 'case', 'when', 'then', 'else', 'end', 'not', 'in'],
    ...['between', 'and', 'is', 'null', '-', '*', '<', '!', '.', '\u0000', 'count(*)'],
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.string({ maxLength: 3 })), { maxLength: 12 }),
      (words) => {
        const problems: Problem[] = [];
        const text = words.join(' ');
        const tree = parseExpression(text, [], (problem) => problems.push(problem));
        assert.equal(problems.length, tree === undefined ? 1 : 0);
        if (tree === undefined) assert.ok(problems[0]!.offset! <= text.length);
        else assert.deepEqual(withoutSpans(parse(formatExpression(tree))), withoutSpans(tree));
      },
    ),
    { numRuns: 2000 },
  );
});

test('nesting has a limit, and what is within it works', () => {
  const deep = [
    `${'('.repeat(9999)}1`,
    `1${' + 1'.repeat(9999)}`,
    `${'- '.repeat(9999)}a`,
    `${'not '.repeat(9999)}a`,
    `${'abs('.repeat(9999)}a`,
    'case when '.repeat(9999),
  ];
  for (const text of deep) {
    const messages: string[] = [];
    parseExpression(text, [], ({ message }) => messages.push(message));
    assert.match(messages.join(), new RegExp(`at most ${EXPRESSION_DEPTH_MAX} nested operations`));
  }
  const chain = `1${' + 1'.repeat(EXPRESSION_DEPTH_MAX - 1)}`;
  assert.equal(formatExpression(parse(chain)), chain);
});

test('every node knows its place in the text', () => {
  const text = "  abs( price ) > 3 and venue in ('A', -1)";
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { kind, offset, end } = node as { kind?: string; offset: number; end: number };
    if (kind !== undefined) found.push(`${kind}: ${text.slice(offset, end)}`);
    Object.values(node).forEach(visit);
  };
  visit(parse(text));
  assert.deepEqual(found, [
    `binary: ${text.trim()}`,
    'binary: abs( price ) > 3',
    'call: abs( price )',
    'column: price',
    'number: 3',
    "in: venue in ('A', -1)",
    'column: venue',
    "string: 'A'",
    'number: -1',
  ]);
});

test('columnsOf names what an expression reads', () => {
  const text =
    'case when a > 1 then b else f(c, "D d") end between x and y or z in (1) or q is null';
  assert.deepEqual([...columnsOf(parse(text))].sort(), ['D d', 'a', 'b', 'c', 'q', 'x', 'y', 'z']);
});
