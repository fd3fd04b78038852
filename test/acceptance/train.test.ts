/** `tidemark train`: a model from a file of trades, used by a run, and refused where it must be. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { trainingRequest } from '../../cli/train-model.ts';
import { lintFile } from '../../config/lint.ts';
import { catalog } from '../../catalog.ts';
import { summaryOf, temporaryFolder, tidemark } from './command.ts';

const folder = temporaryFolder();

/** Trades of four symbols; a few in a thousand are unlike the others, as is the last. */
function trades(): string {
  const lines = Array.from({ length: 4000 }, (_, i) => {
    const time = new Date(Date.UTC(2024, 0, 2, 14, 30) + i * 250).toISOString();
    const isUnlike = i % 250 === 101;
    const price = (isUnlike ? 140 : 100) + Math.sin(i / 50) + (i % 7) / 10;
    const round = isUnlike ? 70_000 + i : 100 * (1 + (i % 9));
    const size = i % 100 === 0 ? '' : String(round);
    return `${time},S${i % 4},${price.toFixed(2)},${size}`;
  });
  const last = '2024-01-02T15:00:00Z,S1,140,90000';
  return `${['time,symbol,price,size', ...lines, last].join('\n')}\n`;
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

test('a model is trained from the rows that arrive, and nothing else is written', () => {
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
  const other = ['-s', 'sources.trades.batch_rows=61', '-s', 'partitions=3', '--slots', '1'];
  const ended = train('--out', 'models/other.json', '-q', ...other);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(readFileSync(join(folder, 'models/other.json'), 'utf8'), first);
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
  const unlike = found.find((row) => String(row['event_time']).includes('T15:00:00'));
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

test('what cannot be trained is told before anything is read', async () => {
  const { plan } = await lintFile(join(folder, 'trades.yaml'), { catalog });
  const cases: readonly [operator: string, out: string | undefined, message: RegExp][] = [
    ['forest', undefined, /--out is missing, and step forest names no model file/],
    ['forst', 'x', /there is no such step; did you mean forest\?/],
    ['moves', 'x', /a step of type rolling has no model; it can be forest/],
  ];
  for (const [operator, out, message] of cases) {
    const flags = { operator, rows: 10, ...(out === undefined ? {} : { out }) };
    const request = trainingRequest(plan!, flags);
    assert.equal(typeof request, 'string');
    assert.match(request as string, message);
  }
  const ended = train('--out', 'trades.csv/x.json');
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /model\/unwritable.*cannot write the model trades\.csv\/x\.json/);
});

test('rows without numbers train nothing, and leave no file', () => {
  const before = readdirSync(join(folder, 'models'));
  const noNumbers = 'operators.forest.features.size=log(0 - abs(price))';
  const ended = train('--out', 'models/x.json', '-s', noNumbers);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /model\/no-rows.*4,001 rows arrived/);
  assert.deepEqual(readdirSync(join(folder, 'models')), before);
});
