/** `tidemark train`: a model from a file of trades, used by a run, and refused where it must be. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { summaryOf, temporaryFolder, tidemark } from './command.ts';

const folder = temporaryFolder();

/** Trades of four symbols; the last of all is unlike the others. */
function trades(): string {
  const lines = Array.from({ length: 4000 }, (_, i) => {
    const time = new Date(Date.UTC(2024, 0, 2, 14, 30) + i * 250).toISOString();
    const price = 100 + Math.sin(i / 50) + (i % 7) / 10;
    const size = i % 100 === 0 ? '' : String(100 * (1 + (i % 9)));
    return `${time},S${i % 4},${price.toFixed(2)},${size}`;
  });
  return `${['time,symbol,price,size', ...lines, '2024-01-02T15:00:00Z,S1,140,90000'].join('\n')}\n`;
}

writeFileSync(join(folder, 'trades.csv'), trades());
writeFileSync(
  join(folder, 'trades.yaml'),
  `name: trained
sources:
  trades:
    type: file
    path: trades.csv
    format: csv
    columns: { symbol: symbol, event_time: time, price: price, size: size }
key: symbol
operators:
  moves:
    type: rolling
    input: trades
    over: 2 rows
    columns: { change: pct_change(price) }
  forest:
    type: isolation_forest
    input: moves
    features: { change: change, size: log(size) }
    contamination: 0.01
sinks:
  anomalies: { type: ndjson, input: forest, path: anomalies.ndjson }
  moves: { type: ndjson, input: moves, path: moves.ndjson }
`,
);

interface TrainedJson {
  readonly model: string;
  readonly accounts: Readonly<Record<string, number>>;
  readonly training: Readonly<Record<string, number>>;
}

const train = (...more: readonly string[]) =>
  tidemark(folder, 'train', 'trades.yaml', '--operator', 'forest', ...more);

test('a model is trained from the rows that arrive at the step, and nothing else is written', () => {
  const before = readdirSync(folder);
  const ended = train('--out', 'models/one.json', '--json');
  assert.equal(ended.code, 0, ended.stderr);
  const { model, accounts, training } = JSON.parse(ended.stdout) as TrainedJson;
  assert.equal(model, 'models/one.json');
  assert.equal(accounts['processed'], 4001);
  // 40 trades without a size, and the first of each symbol, one of them among those.
  assert.deepEqual([training['rows_seen'], training['rows_skipped']], [4001, 43]);
  assert.equal(training['rows'], 4001 - 43);
  assert.deepEqual(readdirSync(folder).sort(), [...before, 'models'].sort());
  assert.deepEqual(readdirSync(join(folder, 'models')), ['one.json']);
});

test('the same rows make the same model, whatever the threads and batches', () => {
  const first = readFileSync(join(folder, 'models/one.json'), 'utf8');
  for (const more of [
    ['--slots', '1'],
    ['-s', 'sources.trades.batch_rows=61', '--slots', '2'],
    ['-s', 'partitions=3'],
  ]) {
    const ended = train('--out', 'models/other.json', '-q', ...more);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(readFileSync(join(folder, 'models/other.json'), 'utf8'), first, more.join(' '));
  }
  assert.equal(train('--out', 'models/other.json', '-s', 'operators.forest.seed=1').code, 0);
  assert.notEqual(readFileSync(join(folder, 'models/other.json'), 'utf8'), first);
});

test('a run uses the model, and finds the trade that is unlike the others', () => {
  const use = ['-s', 'operators.forest.model=models/one.json'];
  const ended = tidemark(folder, 'run', 'trades.yaml', '--json', ...use);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(summaryOf(ended).steps[1]?.rowsIn, 4001);
  const found = readFileSync(join(folder, 'anomalies.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string | number>);
  assert(found.length > 5 && found.length < 60, `${found.length} anomalies`);
  const unlike = found.find((row) => String(row['event_time']).startsWith('2024-01-02T15:00:00'));
  const { details } = JSON.parse(String(unlike?.['explanation'])) as {
    details: Record<string, number>;
  };
  assert(details['contribution_change']! > 0 && details['contribution_size']! > 0);
});

test('the summary says what to do with the model', () => {
  const { stderr, code } = train('--out', 'models/two.json', '--rows', '500');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /a sample of 500 of 3,958, 43 skipped/);
  assert.match(stderr, /100 of 256 rows/);
  assert.match(stderr, /Use it with: -s operators\.forest\.model=models\/two\.json/);
});

test('what cannot be trained is told', () => {
  const cases: readonly [code: number, message: RegExp, flags: readonly string[]][] = [
    [2, /--out is missing, and step forest names no model file/, []],
    [2, /there is no such step; did you mean forest\?/, ['--operator', 'forst', '--out', 'x']],
    [2, /a step of type rolling has no model; it can be forest/, ['--operator', 'moves']],
    [78, /must name at least one feature|expected/, ['-s', 'operators.forest.features={}']],
    [1, /model\/no-rows.*4,001 rows arrived/, ['--out', 'x', '-s', NO_NUMBERS]],
    [1, /model\/unwritable.*trades\.csv/, ['--out', 'trades.csv/x.json']],
  ];
  for (const [code, message, flags] of cases) {
    const ended = train(...flags);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
  }
  assert(!existsSync(join(folder, 'x')));
});

const NO_NUMBERS = 'operators.forest.features.size=log(0 - abs(price))';
