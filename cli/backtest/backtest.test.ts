/** `tidemark backtest`, from the command line. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseSweep } from './sweep.ts';

const main = fileURLToPath(new URL('../main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tidemark-backtest-'));
after(() => rmSync(folder, { recursive: true }));

function tidemark(...values: readonly string[]) {
  return spawnSync(process.execPath, [main, ...values], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NO_COLOR: '1', COLUMNS: '120' },
  });
}

const START = Date.parse('2024-01-02T09:30:00Z');
const timeOf = (row: number): string => new Date(START + row * 1000).toISOString();

// Prices alternate; those of these rows are off by so much.
const OFF: Readonly<Record<number, number>> = { 40: 20, 60: 5, 80: 20 };
const trades = Array.from({ length: 100 }, (_, row) => {
  return `<A>,${timeOf(row)},${100 + (row % 2) + (OFF[row] ?? 0)}`;
});
writeFileSync(join(folder, 'trades.csv'), ['symbol,time,price', ...trades].join('\n'));
const labels = [40, 60, 90].map((row) => `<A>,${timeOf(row)},jump`);
writeFileSync(join(folder, 'labels.csv'), ['symbol,event_time,type', ...labels].join('\n'));
writeFileSync(
  join(folder, 'jumps.yaml'),
  `name: jumps
sources:
  trades:
    type: file
    path: trades.csv
    columns: { symbol: symbol, event_time: time, price: price }
operators:
  limits:
    type: limits_detector
    input: trades
    value: price
    above: 110
    anomaly_type: jump
  rules:
    type: threshold
    input: trades
    rules: [{ type: jump, when: 'price > \${LIMIT:1000}', value: price, score: price }]
sinks:
  anomalies: { type: parquet, input: [limits, rules], path: out/anomalies }
  trades: { type: ndjson, input: trades, path: out/trades.ndjson }
`,
);

interface Scores {
  readonly [name: string]: number | null;
}

interface Report {
  readonly overall: Scores;
  readonly types: Record<string, Scores>;
  readonly missed: readonly { readonly start: string }[];
  readonly falseAlarms: readonly { readonly event_time: string }[];
  readonly sweep: { readonly values: readonly { value: number; overall: Scores }[] };
}

function backtest(...options: readonly string[]): Report {
  const run = ['backtest', 'jumps.yaml', '--labels', 'labels.csv', '--json', ...options];
  const { status, stdout, stderr } = tidemark(...run);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Report;
}

test('anomalies are compared with labels, and nothing is written', () => {
  const { types, overall, missed, falseAlarms } = backtest();
  assert.deepEqual(Object.keys(types), ['jump']);
  const { labels: all, found, alerts, correct, precision, alertsPerSymbolDay } = overall;
  assert.deepEqual([all, found, alerts, correct, precision], [3, 1, 2, 1, 0.5]);
  assert.equal(overall['recall'], 1 / 3);
  assert.equal(alertsPerSymbolDay, 2);
  assert.deepEqual(
    missed.map(({ start }) => Date.parse(start)),
    [60, 90].map((row) => START + row * 1000),
  );
  assert.equal(Date.parse(falseAlarms[0]!.event_time), START + 80_000);
  assert.equal(existsSync(join(folder, 'out')), false);
  assert.equal(backtest('--tolerance', '10s').overall['found'], 2);
});

test('a sweep runs once with each value: of a path, of a field, of a variable', () => {
  const found = (sweep: string): readonly (readonly (number | null)[])[] =>
    backtest('--sweep', sweep).sweep.values.map(({ value, overall }) => [
      ...[value, overall['found']!, overall['alerts']!],
    ]);
  const byLimit = [
    [103, 2, 3],
    [112, 1, 2],
    [121, 0, 0],
  ];
  assert.deepEqual(found('operators.limits.above=103:121:9'), byLimit);
  assert.deepEqual(found('above=103:121:9'), byLimit);
  // The limits find theirs as well.
  assert.deepEqual(found('LIMIT=103:121:9'), [
    [103, 2, 5],
    [112, 1, 4],
    [121, 1, 2],
  ]);
});

test('a report has charts in it, and loads nothing', () => {
  const options = ['--html', 'report.html', '--sweep', 'above=103:121:9'];
  const { status, stdout } = tidemark(
    'backtest',
    'jumps.yaml',
    '--labels',
    'labels.csv',
    ...options,
  );
  assert.equal(status, 0);
  assert.match(stdout, /│ jump .*│ +0\.500 │ +0\.333 │/);
  const html = readFileSync(join(folder, 'report.html'), 'utf8');
  assert.equal(html.match(/<svg/g)?.length, 3);
  assert.doesNotMatch(html, /<script|<link|src=|href=|<A>|NaN|undefined/);
  assert.match(html, /&lt;A&gt;/);
});

test('wrong usage says what is expected', () => {
  const fails = (status: number, message: RegExp, ...options: readonly string[]): void => {
    const run = tidemark('backtest', 'jumps.yaml', '--labels', 'labels.csv', ...options);
    assert.equal(run.status, status);
    assert.match(run.stderr, message);
  };
  fails(2, /--sweep above=1: expected path=from:to:step/, '--sweep', 'above=1');
  fails(2, /--sweep belwo: no step has such a field/, '--sweep', 'belwo=1:2:1');
  fails(2, /--tolerance soon: expected a duration/, '--tolerance', 'soon');
  fails(2, /--label-types jump: expected pairs/, '--label-types', 'jump');
  fails(1, /there is no column at/, '--label-columns', 'event_time=at');
  fails(78, /is invalid/, '-s', 'operators.limits.above=many');
  fails(2, /no sink reads the anomalies/, '-s', 'sinks.anomalies.input=trades');
  fails(1, /cannot read the labels/, '--labels', 'none.csv');
  fails(1, /cannot write the report/, '--html', 'no/such/folder.html');
});

test('a sweep has its end in it', () => {
  assert.deepEqual(parseSweep('a.b=2.5:5:0.5')?.values, [2.5, 3, 3.5, 4, 4.5, 5]);
  assert.deepEqual(parseSweep('x=0.1:0.3:0.1')?.values, [0.1, 0.2, 0.3]);
  assert.deepEqual(parseSweep('x=-1:1:1.5')?.values, [-1, 0.5]);
  for (const wrong of ['x=5:1:1', 'x=1:5:0', 'x=1:5:-1', 'x=0:1:0.0001', '=1:2:1', 'x=1:2']) {
    assert.equal(parseSweep(wrong), undefined, wrong);
  }
});
