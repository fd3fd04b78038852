/** `tidemark compact`, as a user runs it, over what three runs have written. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
const PIPELINE = `
name: tiny-bars
sources:
  trades:
    type: file
    path: trades.csv
    format: csv
    columns: { symbol: symbol, event_time: ts_event, price: price }
operators:
  bars:
    type: tumbling_window
    input: trades
    size: 1m
    aggregates: { high: max(price) }
sinks:
  bars: { type: parquet, input: bars, path: out/bars, partition_by: [date], if_exists: append }
  lines: { type: ndjson, input: bars, path: out/bars.ndjson }
`;
const TRADES = `symbol,ts_event,price
B,2026-01-02T09:30:01Z,20.25
A,2026-01-02T09:30:59Z,11
A,2026-01-02T09:31:00Z,9.5
`;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-compact-'));
  writeFileSync(join(folder, 'bars.yaml'), PIPELINE);
  writeFileSync(join(folder, 'trades.csv'), TRADES);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function tidemark(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { ...process.env, NO_COLOR: '1' } };
    execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('small files of several runs become one, and the rows stay', async () => {
  for (let i = 0; i < 3; i++) assert.equal((await tidemark('run', 'bars.yaml')).code, 0);
  const parts = (): string[] => readdirSync(join(folder, 'out/bars/date=2026-01-02'));
  assert.equal(parts().length, 3);
  const sql = 'select symbol, window_start, count(*) from bars group by all order by all';
  const expected = await tidemark('query', 'bars.yaml', sql, '--csv');
  const { code, stdout } = await tidemark('compact', 'bars.yaml', '--json');
  assert.equal(code, 0);
  const [compacted, ...others] = JSON.parse(stdout) as Record<string, unknown>[];
  assert.deepEqual([compacted!['sink'], compacted!['files'], compacted!['rows']], ['bars', 3, 9]);
  assert.equal(others.length, 0);
  assert.deepEqual(parts(), ['part-tiny-bars.bars-0003-00000-0002.parquet']);
  assert.deepEqual(await tidemark('query', 'bars.yaml', sql, '--csv'), expected);
  const again = await tidemark('compact', 'bars.yaml', '--sink', 'bars');
  assert.deepEqual([again.code, again.stdout], [0, '']);
  assert.match(again.stderr, /^Nothing to merge/);
});

test('a sink that writes no Parquet is wrong usage', async () => {
  const { code, stderr } = await tidemark('compact', 'bars.yaml', '--sink', 'lines');
  assert.equal(code, 2);
  assert.match(stderr, /no Parquet sink is called lines; there are bars/);
});
