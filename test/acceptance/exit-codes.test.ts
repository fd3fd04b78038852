/**
 * How each command ends: 0, 1, 2, 3 and 78 as the table of `tidemark --help` says, data on stdout
 * and everything else on stderr. (130 is the matter of signals.test.ts, and wrong usage of every
 * kind that of cli/main.test.ts.)
 */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type Ended, temporaryFolder, tidemark } from './command.ts';

const folder = temporaryFolder();

function put(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const GOOD = `name: good
sources:
  trades:
    type: file
    path: trades.csv
    columns: { symbol: symbol, event_time: ts, price: price, size: size }
operators:
  bars:
    type: tumbling_window
    input: trades
    size: 1m
    aggregates: { high: max(price), volume: sum(size) }
sinks:
  bars: { type: parquet, input: bars, path: out/bars }
quality:
  - { name: high, dataset: bars, accepted_range: { column: high, min: 0 } }
tests:
  - name: a bar
    input: { trades: [{ symbol: A, event_time: "09:30:00", price: 1, size: 2 }] }
    expect: { bars: [{ symbol: A, high: 1, volume: 2 }] }
`;
put('good.yaml', GOOD);
put('bad.yaml', GOOD.replace('size: 1m', 'size: soon'));
put('failing.yaml', GOOD.replace('high: 1,', 'high: 2,'));
put('trades.csv', 'symbol,ts,price,size\nA,2024-01-02T09:30:00Z,1,2\nB,2024-01-02T09:31:00Z,3,4\n');
mkdirSync(join(folder, 'empty'));

const CHECK_FAILS = ['-s', 'quality.0.accepted_range.min=2'];
const NO_SOURCE = ['-s', 'sources.trades.path=none.csv'];
const BROKEN_SQL = 'selec 1';

type Stdout = 'nothing' | 'JSON' | 'text';

/** In this order: what `run` writes is what `check` and `query` look at. */
const endings: readonly [values: readonly string[], code: number, stdout: Stdout, told: RegExp][] =
  [
    [['run', 'good.yaml'], 0, 'nothing', /✓ completed/],
    [['run', 'good.yaml', '--json'], 0, 'JSON', /^$/],
    [
      ['run', 'good.yaml', ...NO_SOURCE],
      1,
      'nothing',
      /^error\[source\/not-found\]: no file .*none/,
    ],
    [['run', 'good.yaml', ...NO_SOURCE, '--json'], 1, 'JSON', /^error\[source\/not-found\]/],
    [['run', 'none.yaml'], 1, 'nothing', /^error\[config\/unreadable\]: cannot read none\.yaml/],
    [['run'], 2, 'nothing', /^error: missing required argument 'file'/],
    [['run', 'good.yaml', ...CHECK_FAILS], 3, 'nothing', /1 row with high below 2/],
    [['run', 'bad.yaml'], 78, 'nothing', /^bad\.yaml:11:11: error\[config\/invalid-value\]/],
    [['run', 'bad.yaml', '--json'], 78, 'JSON', /^bad\.yaml:11:11: error/],
    [['run', 'good.yaml', '-s', 'key'], 2, 'nothing', /'key' is invalid\. Expected path=value/],
    [
      ['run', 'good.yaml', '-s', 'a..b=1'],
      2,
      'nothing',
      /'a\.\.b=1' is invalid\. Expected names between the dots/,
    ],
    [['test', 'good.yaml', '--filter', 'none'], 1, 'nothing', /^there is no test case with "none"/],
    [['lint', 'good.yaml'], 0, 'nothing', /^1 file: no problems\n$/],
    [['lint', 'bad.yaml'], 1, 'text', /^1 file: 1 error, 0 warnings\n$/],
    [['lint', 'empty'], 2, 'nothing', /there are no pipelines in empty/],
    [['explain', 'good.yaml'], 0, 'text', /^$/],
    [['test', 'good.yaml'], 0, 'text', /^1 passed, 0 failed\n$/],
    [['test', 'failing.yaml', '--json'], 1, 'JSON', /^0 passed, 1 failed\n$/],
    [['test', 'bad.yaml'], 1, 'text', /1 problem in files\n$/],
    [['check', 'good.yaml'], 0, 'text', /^$/],
    [['check', 'good.yaml', ...CHECK_FAILS], 3, 'text', /^$/],
    [['check', 'good.yaml', ...CHECK_FAILS, '--json'], 3, 'JSON', /^$/],
    [
      ['check', 'good.yaml', '-s', 'sinks.bars.path=other'],
      0,
      'text',
      /^warning: nothing is written/,
    ],
    [['query', 'good.yaml', 'from bars', '--json'], 0, 'JSON', /^$/],
    [
      ['query', 'good.yaml', BROKEN_SQL],
      1,
      'nothing',
      /^error\[quality\/query-failed\]: .*"selec"/,
    ],
    [['query', 'good.yaml', BROKEN_SQL, '--json'], 1, 'JSON', /^error\[quality\/query-failed\]/],
    [['query', 'good.yaml', 'from bars', '--limit', 'x'], 2, 'nothing', /Expected a whole number/],
    [['query', 'bad.yaml', 'from bars'], 78, 'nothing', /^bad\.yaml:11:11/],
    [['create', 'file/tumbling_window/parquet'], 0, 'text', /^$/],
    [['list', 'operators', '--json'], 0, 'JSON', /^$/],
    [['schema'], 0, 'JSON', /^$/],
    [['doctor', '--json'], 0, 'JSON', /^$/],
    [['demo', '-s', 'sources.trades.trades=none'], 78, 'nothing', /error\[config\/invalid-value\]/],
    [['demo', '-s', 'sources.trades.trades=20000', '-q'], 0, 'nothing', /✓ completed/],
  ];

for (const [values, code, stdout, told] of endings) {
  test(`tidemark ${values.join(' ')} ends with ${code}`, () => {
    const ended = tidemark(folder, ...values);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, told);
    assertStdout(ended, stdout);
  });
}

function assertStdout({ stdout }: Ended, what: Stdout): void {
  if (what === 'nothing') assert.equal(stdout, '');
  else if (what === 'text') assert.match(stdout, /[^]\n$/);
  else assert.doesNotThrow(() => JSON.parse(stdout), stdout);
}

test('rows on stdout come alone', () => {
  const sink = ['-s', 'sinks.bars.type=csv', '-s', 'sinks.bars.path=-', '-s', 'quality=[]'];
  const { code, stdout, stderr } = tidemark(folder, 'run', 'good.yaml', ...sink);
  assert.equal(code, 0, stderr);
  const [header, ...rows] = stdout.split('\n');
  assert.equal(header, 'symbol,window_start,window_end,high,volume');
  assert.deepEqual(rows.sort(), [
    '',
    'A,2024-01-02T09:30:00.000000000Z,2024-01-02T09:31:00.000000000Z,1,2',
    'B,2024-01-02T09:31:00.000000000Z,2024-01-02T09:32:00.000000000Z,3,4',
  ]);
});
