/** The linter on the real catalogue: all that is wrong is told in one go, and nothing else. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { catalog } from '../catalog.ts';
import { lintText } from '../config/lint.ts';
import { SourceText } from '../config/source-text.ts';

function places(yaml: string): string[] {
  const source = new SourceText('pipeline.yaml', yaml);
  const { lints } = lintText(source, { catalog, environment: {} });
  return lints.map(({ line, column, code }) => `${line}:${column} ${code.slice(7)}`);
}

const SOURCE = `name: chain
sources:
  trades:
    type: file
    path: data/*.csv
    columns: { symbol: symbol, event_time: ts, price: price, note: { from: n, type: string } }
`;

const cases: readonly [name: string, yaml: string, want: readonly string[]][] = [
  [
    'a bad aggregate hides neither the others nor the columns behind it',
    `${SOURCE}operators:
  bars:
    type: tumbling_window
    input: trades
    size: 5m
    aggregates:
      high: [max(price)]
      low: min(prise)
      vwap: mex(price) + sum(sizes)
      close: last(price)
  stats:
    type: rolling
    input: bars
    over: 20 rows
    columns:
      z: zscore(clos)
      y: { a: 1 }
      x: zscore(high) + zscor(vwap)
      w: mean(close, 3) > 'a'
  spikes: { type: filter, input: stats, where: y > 3 and x > 3 and q > 3 }
sinks:
  out: { type: parquet, input: spikes, path: out }
quality:
  - { dataset: out, not_null: [high, heigt, x], severity: fatal }
`,
    [
      '13:13 invalid-value',
      '14:16 unknown-column',
      '15:13 unknown-function',
      '15:30 unknown-column',
      '22:17 unknown-column',
      '23:10 invalid-value',
      '24:25 unknown-function',
      '25:10 argument-count',
      '26:68 unknown-column',
      '30:38 unknown-column',
      '30:59 invalid-value',
    ],
  ],
  [
    'behind what is not known, expressions are looked at',
    `name: chain
sources:
  trades: { type: kafka, brokers: a }
operators:
  scored: { type: detector, input: trades, rules: 3 }
  some: { type: filter, input: scored, where: price > and 3 }
  more: { type: derive, input: trades, columns: { a: foo(price), b: abs('x') + z, c: a = 'x' } }
  bars: { type: tumbling_window, input: more, size: 5m, aggregates: { high: max(a), low: price } }
  late: { type: filter, input: bars.late, where: mex(price) > 3 }
  last: { type: filter, input: bars, where: high > 3 and hihg > 3 and 'a' }
  lost: { type: filter, input: nirvana, where: "price in ()" }
  ring: { type: derive, input: back, columns: { a: foo(b) } }
  back: { type: filter, input: ring, where: "a = 'x' and c > 3 and 3" }
sinks:
  some: { type: csv, input: some, path: some.csv }
  late: { type: csv, input: late, path: late.csv }
  last: { type: csv, input: last, path: last.csv }
  lost: { type: parquet, input: lost, path: lost, partition_by: [anything] }
  back: { type: csv, input: back, path: back.csv }
quality:
  - { dataset: lost, not_null: [anything] }
  - { dataset: last, not_null: [high, anything] }
`,
    [
      '3:19 unknown-type',
      '5:19 unknown-type',
      '6:55 expression-syntax',
      '7:54 unknown-function',
      '7:73 expression-type',
      '8:90 expression-type',
      '9:50 unknown-function',
      '10:58 unknown-column',
      '10:71 expression-type',
      '11:32 unknown-input',
      '11:59 expression-syntax',
      '12:32 cycle',
      '12:52 unknown-function',
      '13:68 expression-type',
      '22:39 unknown-column',
    ],
  ],
  [
    'a misspelt type is one mistake, and its options are looked at',
    `${SOURCE}operators:
  bars:
    type: tumbling_windw
    input: trades
    size: never
    allowed_lateness: 1h
    aggregates: { high: max(prise) }
sinks:
  out: { type: parqet, input: bars, path: out, partition_by: [hihg] }
`,
    [
      '9:11 unknown-type',
      '11:11 invalid-value',
      '13:29 unknown-column',
      '15:16 unknown-type',
      '15:63 unknown-column',
    ],
  ],
  [
    'a bad entry of a source hides neither its other columns nor steps behind it',
    `name: chain
key: [symbol]
sources:
  trades:
    type: file
    path: data/*.csv
    format: csvv
    columns: { symbol: symbol, event_time: ts, price: [a], size: { form: b }, n: 0 }
operators:
  some: { type: filter, input: trades, where: price > 'a' or size = 3 or sise > 3 or n > 3 }
sinks:
  some: { type: csv, input: some, path: some.csv }
`,
    [
      '2:6 invalid-value',
      '7:13 invalid-value',
      '8:55 invalid-value',
      '8:68 unknown-field',
      '8:82 invalid-value',
      // The key may be any column: sise may be one.
    ],
  ],
  [
    'a rule, and a constraint, are looked at next to what is wrong',
    `${SOURCE}operators:
  marks:
    type: threshold
    input: trades
    rules:
      - { type: a, when: price > 3, scor: prise, value: [price] }
      - 7
      - { type: b c, when: price, score: price, value: nope }
    severity: { medium: 5, high: 4 }
sinks:
  some: { type: csv, input: marks, path: some.csv, colour: red }
`,
    [
      '12:37 unknown-field',
      '12:43 unknown-column',
      '12:57 invalid-value',
      '13:9 invalid-value',
      '14:17 invalid-value',
      '14:28 expression-type',
      '14:56 unknown-column',
      '15:34 constraint',
      '17:52 unknown-field',
    ],
  ],
];

for (const [name, yaml, want] of cases) {
  test(name, () => assert.deepEqual(places(yaml), want));
}
