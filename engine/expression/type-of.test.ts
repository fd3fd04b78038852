import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import { parseExpression } from './parse-expression.ts';
import { typeOf } from './type-of.ts';

const SCHEMA: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'trades', type: 'int64' },
    { name: 'is_open', type: 'boolean' },
  ],
  time: 'event_time',
  key: 'symbol',
};

function check(text: string, schema = SCHEMA): { type: string | undefined; problems: Problem[] } {
  const problems: Problem[] = [];
  const report = (problem: Problem): void => void problems.push(problem);
  const expression = parseExpression(text, ['when'], report);
  assert.ok(expression !== undefined, text);
  return { type: typeOf(expression, schema, ['when'], report), problems };
}

const types: readonly (readonly [text: string, type: string])[] = [
  ['price', 'float64'],
  ['trades', 'int64'],
  ['trades + 1', 'float64'],
  ['-trades', 'float64'],
  ['abs(trades)', 'float64'],
  ['least(trades, trades)', 'int64'],
  ['least(trades, 1)', 'float64'],
  ['coalesce(trades, price)', 'float64'],
  ["coalesce(symbol, 'none')", 'string'],
  ["greatest(event_time, '2013-10-07')", 'timestamp'],
  ['event_time - event_time', 'float64'],
  ["event_time - '2013-10-07'", 'float64'],
  ["'2013-10-07' < event_time", 'boolean'],
  ["event_time in ('2013-10-07', null)", 'boolean'],
  ['price is null', 'boolean'],
  ['null = null', 'boolean'],
  ['null + 1', 'float64'],
  ['case when is_open then symbol end', 'string'],
  ['case when is_open then null else trades end', 'int64'],
  ['not (price > 1 or null)', 'boolean'],
  ['round(price, 2)', 'float64'],
];

test('every construct has a type', () => {
  for (const [text, type] of types) assert.deepEqual(check(text), { type, problems: [] }, text);
});

const mismatches: readonly (readonly [text: string, ...want: readonly string[]])[] = [
  ['prise', '0 config/unknown-column there is no column prise'],
  ['abss(1)', '0 config/unknown-function there is no function abss'],
  [
    'prise + nope(closes)',
    '0 config/unknown-column there is no column prise',
    '8 config/unknown-function there is no function nope',
    '13 config/unknown-column there is no column closes',
  ],
  ["price + 'a'", '8 config/expression-type expected a number, got a string'],
  [
    'event_time + 5',
    '0 config/expression-type expected a number, got column event_time of type timestamp',
  ],
  ['event_time - 5', '13 config/expression-type expected a timestamp, got a number'],
  ["event_time > 'noon'", "13 config/expression-type expected a timestamp, got 'noon'"],
  ["event_time - 'noon'", "13 config/expression-type expected a timestamp, got 'noon'"],
  ["event_time in ('noon')", "15 config/expression-type expected a timestamp, got 'noon'"],
  ["price = 'a'", '8 config/expression-type expected a number, got a string'],
  [
    "symbol < 'B'",
    '0 config/expression-type expected a number or a timestamp, got column symbol of type string',
  ],
  [
    'is_open > true',
    '0 config/expression-type expected a number or a timestamp, got column is_open of type boolean',
  ],
  [
    'is_open in (true)',
    '0 config/expression-type in compares numbers, strings and timestamps, got boolean',
  ],
  ['not price', '4 config/expression-type expected a condition, got column price of type float64'],
  [
    'price and is_open',
    '0 config/expression-type expected a condition, got column price of type float64',
  ],
  ['case when 1 then 2 end', '10 config/expression-type expected a condition, got a number'],
  [
    "case when is_open then 1 else 'a' end",
    '30 config/expression-type expected a number, got a string',
  ],
  [
    'coalesce(price, is_open)',
    '16 config/expression-type expected a number, got column is_open of type boolean',
  ],
  [
    'least(symbol, symbol)',
    '0 config/expression-type expected numbers or timestamps, got a string',
  ],
  ['log(1, 2)', '0 config/argument-count expected log(x), got 2 arguments'],
  ['coalesce()', '0 config/argument-count expected coalesce(a, b, …), got 0 arguments'],
  [
    'round(price, 2.5)',
    '13 config/expression-type expected a number of digits from 0 to 15, got 2.5',
  ],
  [
    'round(price, trades)',
    '13 config/expression-type expected a number of digits from 0 to 15, got trades',
  ],
  ['null', '0 config/expression-type expected a value, got null, which is always null'],
];

test('every mismatch is reported where it stands, all at once', () => {
  for (const [text, ...want] of mismatches) {
    const { type, problems } = check(text);
    assert.equal(type, undefined, text);
    assert.deepEqual(
      problems.map(({ offset, code, message }) => `${offset} ${code} ${message}`),
      want,
      text,
    );
    for (const { path } of problems) assert.deepEqual(path, ['when']);
  }
});

test('the help suggests a column, lists them, and knows double quotes', () => {
  const columns = 'columns: event_time, symbol, price, trades, is_open';
  assert.equal(check('prise').problems[0]?.help, `did you mean price?; ${columns}`);
  assert.match(check('symbol = "AAPL"').problems[0]?.help ?? '', /a string takes single quotes/);
  assert.match(check('Price').problems[0]?.help ?? '', /did you mean price/);
});

test('the help suggests functions, also those that the place knows', () => {
  const expression = parseExpression('summ(price)', [], () => {})!;
  const problems: Problem[] = [];
  typeOf(expression, SCHEMA, [], (problem) => problems.push(problem), ['sum', 'mean']);
  assert.match(problems[0]?.help ?? '', /^did you mean sum\?; functions: abs, .*mean$/);
});

test('columns of split calls are not suggested to the user', () => {
  const schema = { ...SCHEMA, columns: [{ name: '$0', type: 'float64' as const }] };
  assert.equal(check('price', schema).problems[0]?.help, undefined);
});
