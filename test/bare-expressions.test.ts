/** Expressions that YAML reads as numbers and booleans: accepted, their problems well placed. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { catalog } from '../catalog.ts';
import { pipelineJsonSchema } from '../config/json-schema.ts';
import { violations } from '../config/json-schema.oracle.ts';
import { lintText } from '../config/lint.ts';
import { SourceText } from '../config/source-text.ts';

const VALID = `name: bare
sources:
  trades:
    type: file
    path: trades.csv
    columns: { symbol: symbol, event_time: time, price: price }
operators:
  some: { type: filter, input: trades, where: true }
  more: { type: derive, input: some, columns: { one: 1, yes: true } }
  anomalies:
    type: threshold
    input: more
    rules:
      - { type: any, when: true, value: price, score: -1.5, baseline: 0 }
sinks:
  anomalies: { type: parquet, input: anomalies, path: out }
`;

function lint(yaml: string): { readonly found: readonly string[]; readonly document: unknown } {
  const source = new SourceText('bare.yaml', yaml);
  const { lints, document } = lintText(source, { catalog, environment: {} });
  const found = lints.map(({ line, column, message, help }) => {
    return `${line}:${column} ${message}${help === undefined ? '' : `; ${help}`}`;
  });
  return { found, document };
}

test('a pipeline with bare numbers and booleans is valid, for editors too', () => {
  const { found, document } = lint(VALID);
  assert.deepEqual(found, []);
  assert.deepEqual(violations(pipelineJsonSchema(catalog), document), []);
});

test('a variable may hold one', () => {
  assert.deepEqual(lint(VALID.replace('baseline: 0', 'baseline: "${BASE:0}"')).found, []);
  assert.deepEqual(lint(VALID.replace('when: true', 'when: "${ALL:true}"')).found, []);
});

const cases: readonly (readonly [from: string, to: string, want: string])[] = [
  [
    'where: true',
    'where: 5',
    '8:47 expected a condition, such as price > 0, got 5 of type float64',
  ],
  ['baseline: 0', 'baseline: false', '14:71 expected a number, got false of type boolean'],
  ['baseline: 0', 'baseline: [0]', '14:71 rules[0].baseline: expected an expression, got a list'],
  [
    'baseline: 0',
    'baseline: .inf',
    '14:71 rules[0].baseline: expected an expression, got Infinity',
  ],
  ['one: 1', 'one: null', '9:54 columns.one: expected an expression, got nothing'],
];

for (const [from, to, want] of cases) {
  test(`lint: ${to}`, () => assert.deepEqual(lint(VALID.replace(from, to)).found, [want]));
}
