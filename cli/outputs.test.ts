/** The commands that look at outputs, as a user runs them, over what `run` has written. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { QualityReport } from '../quality/run-checks.ts';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

const PIPELINE = `
name: tiny-bars
sources:
  trades:
    type: file
    path: trades.csv
    format: csv
    columns: { symbol: symbol, event_time: ts_event, price: price, size: size }
operators:
  bars:
    type: tumbling_window
    input: trades
    size: 1m
    aggregates: { high: max(price), low: min(price), trades: count() }
sinks:
  bars: { type: parquet, input: bars, path: out/bars, partition_by: [date] }
  trades: { type: ndjson, input: trades, path: out/trades.ndjson }
quality:
  - { name: no_missing_high, dataset: bars, not_null: [high] }
  - { name: few_trades, dataset: bars, accepted_range: { column: trades, max: 1 }, severity: warn }
  - { name: low_prices, dataset: bars, sql: "select * from {{ dataset }} where high > 20" }
`;

const TRADES = `symbol,ts_event,price,size
A,2026-01-02T09:30:00.000000001Z,10.5,1
B,2026-01-02T09:30:01Z,20.25,2
A,2026-01-02T09:30:59Z,11,3
A,2026-01-02T09:31:00Z,not a price,3
A,2026-01-02T09:31:00Z,9.5,4
`;

let folder = '';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function tidemark(args: readonly string[], { input = '', columns = 100 } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { cwd: folder, env: { ...process.env, COLUMNS: String(columns), NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-outputs-'));
  writeFileSync(join(folder, 'bars.yaml'), PIPELINE);
  writeFileSync(join(folder, 'trades.csv'), TRADES);
  const { code, stderr } = await tidemark(['run', 'bars.yaml', '--no-check', '--slots', '1']);
  assert.equal(code, 0, stderr);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('check tells each check, and ends with 3 where one fails', async () => {
  const failed = await tidemark(['check', 'bars.yaml']);
  assert.equal(failed.code, 3, failed.stderr);
  assert.match(failed.stdout, /✓ {2}no_missing_high {2}bars {2}0 rows with a null in high/);
  assert.match(failed.stdout, /! {2}few_trades {7}bars {2}1 row with trades above 1/);
  assert.match(failed.stdout, /✗ {2}low_prices {7}bars {2}1 row returned/);
  assert.match(failed.stdout, /│ B .*20\.25 │/);
  assert.match(failed.stdout, /1 passed · 1 warned · 1 failed in /);

  const warned = await tidemark(['check', 'bars.yaml', '--json', '-s', 'quality.2.severity=warn']);
  assert.equal(warned.code, 0, warned.stderr);
  const report = JSON.parse(warned.stdout) as QualityReport;
  assert.equal(report.status, 'warn');
  assert.deepEqual(
    report.checks.map(({ name, status, failures }) => [name, status, failures]),
    [
      ['no_missing_high', 'pass', 0],
      ['few_trades', 'warn', 1],
      ['low_prices', 'warn', 1],
    ],
  );
});

test('query prints a table, JSON or CSV', async () => {
  const sql = 'select symbol, window_start, high, trades, date from bars order by all';
  const table = await tidemark(['query', 'bars.yaml', sql], { columns: 70 });
  assert.equal(table.code, 0, table.stderr);
  assert.equal(
    table.stdout,
    `┌─────────┬─────────────────────┬────────┬────────┬────────────┐
│ symbol  │    window_start     │  high  │ trades │    date    │
│ varchar │    timestamp_ns     │ double │ int64  │    date    │
├─────────┼─────────────────────┼────────┼────────┼────────────┤
│ A       │ 2026-01-02 09:30:00 │   11.0 │      2 │ 2026-01-02 │
│ A       │ 2026-01-02 09:31:00 │    9.5 │      1 │ 2026-01-02 │
│ B       │ 2026-01-02 09:30:00 │  20.25 │      1 │ 2026-01-02 │
└─────────┴─────────────────────┴────────┴────────┴────────────┘
3 rows · 5 columns
`,
  );
  const csv = await tidemark(['query', 'bars.yaml', sql, '--csv', '--limit', '1']);
  assert.equal(
    csv.stdout,
    'symbol,window_start,high,trades,date\nA,2026-01-02T09:30:00Z,11.0,2,2026-01-02\n',
  );
  const fromStdin = 'select event_time from trades order by all limit 1; -- the first';
  const json = await tidemark(['query', 'bars.yaml', '-', '--json'], { input: fromStdin });
  assert.deepEqual(JSON.parse(json.stdout), [{ event_time: '2026-01-02T09:30:00.000000001Z' }]);
});

test('query without SQL tells the views, rejected rows among them', async () => {
  const { stdout, code } = await tidemark(['query', 'bars.yaml', '--json']);
  assert.equal(code, 0);
  const views = JSON.parse(stdout) as { view: string; rows: number; columns: string }[];
  assert.deepEqual(
    views.map(({ view, rows, columns }) => [view, rows, columns]),
    [
      ['bars', 3, 'symbol, window_start, window_end, high, low, trades, date'],
      ['trades', 4, 'symbol, event_time, price, size'],
      ['trades_rejected', 1, 'source, origin, line, reason, raw'],
    ],
  );
});

test('what is wrong is told on stderr, with its exit code', async () => {
  const unknown = await tidemark(['query', 'bars.yaml', 'from bar']);
  assert.equal(unknown.code, 1);
  assert.equal(unknown.stdout, '');
  assert.match(unknown.stderr, /^error\[quality\/query-failed\]: Catalog Error: .*bar does not/);
  assert.match(
    unknown.stderr,
    /LINE 1: from bar\n\s+\^\nthe views are bars, trades, trades_rejected\n/,
  );
  assert.doesNotMatch(unknown.stderr, /Did you mean/);

  const empty = await tidemark(['query', 'bars.yaml', ' ; ']);
  assert.equal(empty.code, 1);
  assert.match(empty.stderr, /the SQL is empty/);

  const invalid = await tidemark(['check', 'bars.yaml', '-s', 'sinks.bars.type=parket']);
  assert.equal(invalid.code, 78);
  assert.match(invalid.stderr, /did you mean parquet\?/);

  const usage = await tidemark(['query', 'bars.yaml', 'from bars', '--csv', '--json']);
  assert.equal(usage.code, 2);
});

test('before a run there is nothing to find fault with but the absence of rows', async () => {
  const elsewhere = ['-s', 'sinks.bars.path=elsewhere', '-s', 'sinks.trades.path=no/where.ndjson'];
  const { code, stdout } = await tidemark(['check', 'bars.yaml', ...elsewhere]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /3 passed in /);
});

test('a run tells of a source without rows, and how late rows can be kept', async () => {
  writeFileSync(join(folder, 'empty.csv'), 'symbol,ts_event,price,size\n');
  const nowhere = ['-s', 'sinks.bars.path=none', '-s', 'sinks.trades.path=none.ndjson'];
  const options = ['bars.yaml', '--no-check', '--slots', '1', ...nowhere];
  const empty = await tidemark(['run', ...options, '-s', 'sources.trades.path=empty.csv']);
  assert.equal(empty.code, 0, empty.stderr);
  assert.match(empty.stderr, /^ {2}warning: no rows were read from trades: empty\.csv$/m);

  const lines = ['A,2026-01-02T09:40:00Z,1,1', 'A,2026-01-02T09:30:00Z,1,1'];
  writeFileSync(join(folder, 'late.csv'), `symbol,ts_event,price,size\n${lines.join('\n')}\n`);
  const late = await tidemark(['run', ...options, '-s', 'sources.trades.path=late.csv']);
  assert.match(late.stderr, /add a sink with input: bars\.late to keep them$/m);
  const kept = '{ type: ndjson, input: bars.late, path: late.ndjson }';
  const taken = ['-s', 'sources.trades.path=late.csv', '-s', `sinks.late=${kept}`];
  assert.doesNotMatch((await tidemark(['run', ...options, ...taken])).stderr, /warning/);
});

test('a reader of a run that has seen enough is no failure where nothing is lost', async () => {
  const line = 'A,2026-01-02T09:30:00Z,1,1\n';
  writeFileSync(join(folder, 'many.csv'), `symbol,ts_event,price,size\n${line.repeat(50_000)}`);
  const run = (...options: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const values = [
        '-s',
        'sources.trades.path=many.csv',
        '-s',
        'sinks.trades.path=-',
        ...options,
      ];
      const script = '("$@"; echo "code $?" >&2) | head -n 1';
      const command = [process.execPath, MAIN, 'run', 'bars.yaml', '--quiet', '--no-check'];
      execFile(
        'sh',
        ['-c', script, 'sh', ...command, ...values],
        { cwd: folder, env: { ...process.env, NO_COLOR: '1' } },
        (_error, stdout, stderr) => resolve({ code: 0, stdout, stderr }),
      );
    });
  const quiet = await run('-s', 'quality=[]', '-s', 'sinks.bars={ type: blackhole, input: bars }');
  assert.equal(quiet.stderr, 'code 0\n');
  const lost = await run('-s', 'sinks.bars.path=lost');
  assert.match(lost.stderr, /^error\[sink\/closed\].*\nNothing was made visible.*\ncode 1\n$/);
});
