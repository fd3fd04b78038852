import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOperator } from '../../engine/testing/harness.ts';
import { tumblingWindow } from '../tumbling-window/tumbling-window.ts';
import { acceptedAggregates } from './plan-aggregates.ts';
import { layoutRecord } from './record-layout.ts';
import { TRADES } from './window.arbitrary.ts';

const lints = (config: object, input = TRADES): string[] =>
  planOperator(
    tumblingWindow,
    { size: '1m', aggregates: { rows: 'count()' }, ...config },
    input,
  ).problems.map(({ path, offset, code, message, help }) => {
    const place = `${path.join('.')}${offset === undefined ? '' : `@${offset}`}`;
    return `${place} ${code}: ${message}${help === undefined ? '' : `; ${help}`}`;
  });

const aggregates: readonly (readonly [text: string, lint: string | RegExp])[] = [
  [
    'high - price',
    /^aggregates\.x@0 config\/expression-type: expected an aggregate, got column high/,
  ],
  [
    'max(price) - price',
    'aggregates.x@13 config/expression-type: expected an aggregate, got column price, which ' +
      'differs from row to row; did you mean last(price)?',
  ],
  [
    'sum(venue)',
    'aggregates.x@4 config/expression-type: sum takes float64, int64, got venue of type string',
  ],
  [
    'last(venue)',
    'aggregates.x@5 config/expression-type: last takes float64, int64, timestamp, got venue of ' +
      'type string',
  ],
  [
    'sum(price + count())',
    'aggregates.x@12 config/expression-type: sum takes values of rows, got count()',
  ],
  ['max()', 'aggregates.x@0 config/argument-count: expected max(x), got 0 arguments'],
  [
    'count(price, size)',
    'aggregates.x@0 config/argument-count: expected count() or count(x), got 2 arguments',
  ],
  ['sum(prise)', /^aggregates\.x@4 config\/unknown-column: .*; did you mean price\?/],
  ['means(price)', /^aggregates\.x@0 config\/unknown-function: .*; did you mean mean\?/],
  ['avg(price) / 2', /^aggregates\.x@0 config\/unknown-function: .*; did you mean mean\?/],
  ['sum(price', /^aggregates\.x@9 config\/expression-syntax: /],
  ['first(price) > last(venue)', /^aggregates\.x@20 config\/expression-type: last takes/],
];

for (const [text, lint] of aggregates) {
  test(`a lint for ${text}`, () => {
    const found = lints({ aggregates: { x: text } });
    if (typeof lint === 'string') assert.deepEqual(found, [lint]);
    else assert.match(found[0] ?? '', lint);
  });
}

test('all problems are told at once, and the other columns are planned', () => {
  const config = { size: '1m', aggregates: { a: 'sum(venue)', b: 'max()', c: 'first(sent)' } };
  const { problems } = planOperator(tumblingWindow, config, TRADES);
  assert.deepEqual(
    problems.map(({ path }) => path[1]),
    ['a', 'b'],
  );
  const outputs = tumblingWindow.plan(config, TRADES, () => undefined);
  assert.deepEqual(outputs.main.columns.slice(3), [
    { name: 'a', type: 'float64' },
    { name: 'b', type: 'float64' },
    { name: 'c', type: 'timestamp' },
  ]);
});

test('options are checked', () => {
  assert.deepEqual(lints({ size: '0s' }), ['size config/constraint: must be above 0s']);
  assert.deepEqual(lints({ size: '99999d' }), ['size config/constraint: must be at most 36525d']);
  assert.deepEqual(lints({ allowed_lateness: '99999d' }), [
    'allowed_lateness config/constraint: must be at most 36525d',
  ]);
  assert.deepEqual(lints({ aggregates: {} }), [
    'aggregates config/constraint: must name at least one aggregate',
  ]);
  const taken = { symbol: 'count()', window_end: 'count()', revision: 'count()' };
  const names = (emit: string): string[] =>
    lints({ emit, aggregates: taken }).map((lint) => lint.split(';')[0]!);
  assert.deepEqual(names('final'), [
    'aggregates.symbol config/duplicate-column: the window has a column symbol already',
    'aggregates.window_end config/duplicate-column: the window has a column window_end already',
  ]);
  assert.equal(names('early').length, 3);
});

test('a window of windows that are stated early is refused', () => {
  const found = lints({}, { ...TRADES, revises: true });
  assert.match(found[0] ?? '', /^input config\/revised-input: /);
});

test('a call that is written twice is computed once', () => {
  const { calls, outputs } = acceptedAggregates(
    { a: 'sum(price*size) / sum( size )', b: 'sum(price * size)', c: 'SUM(size) + count()' },
    TRADES,
  );
  assert.deepEqual(
    calls.map(({ name, argument }) => `${name}(${argument?.text ?? ''})`),
    ['sum(price * size)', 'sum(size)', 'count()'],
  );
  assert.deepEqual(
    outputs.map((output) => output.calls),
    [[0, 1], [0], [1, 2]],
  );
});

const shapes: readonly (readonly [aggregates: string[], isBar: boolean])[] = [
  [['first(price)', 'stddev(price)', 'sum(size)', 'sum(price * size)', 'count()'], true],
  [['mean(price)', 'sum(size * price)'], true],
  [['mean(price)', 'sum(size)', 'count(size)', 'count(price)'], true],
  [['max(price + 1)', 'sum(sequence)'], true],
  [['max(price)', 'sum(price)', 'sum(price * price)'], true],
  [['max(price)', 'count()'], true],
  [['sum(size)', 'count()'], false],
  [['max(price)', 'sum(size)', 'sum(price)'], false],
  [['max(price)', 'min(size)'], false],
  [['max(price)', 'count(venue)'], false],
  [['max(price)', 'sum(size)', 'sum(price * sequence)'], false],
  [['max(sequence)'], false],
  [['max(price)', 'count(size)'], false],
];

for (const [texts, isBar] of shapes) {
  test(`${texts.join(', ')}: ${isBar ? 'a bar' : 'not a bar'}`, () => {
    const named = Object.fromEntries(texts.map((text, i) => [`x${i}`, text]));
    const { calls } = acceptedAggregates(named, TRADES);
    assert.equal(layoutRecord(calls, { isRevised: false }).bar !== undefined, isBar);
  });
}
