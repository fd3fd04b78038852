/**
 * No row disappears: rows of known fate, in files of several formats, are counted once each, and
 * those that were not processed can be found again in the outputs that are made for them.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { lintText } from '../../config/lint.ts';
import { SourceText } from '../../config/source-text.ts';
import { catalog, createPipeline } from '../../index.ts';
import { temporaryFolder } from './command.ts';

const folder = temporaryFolder();
const ROWS = 30_000;
const START_S = 1_700_000_000;

type Fate = 'processed' | 'late' | 'rejected' | 'duplicate';

interface Made {
  readonly csv: string;
  readonly ndjson: string;
  readonly counts: Record<'read' | Fate, number>;
}

/** A row a second; the rest of the number of a row by a prime decides what is wrong with it. */
function makeRows(): Made {
  const counts = { read: 0, processed: 0, late: 0, rejected: 0, duplicate: 0 };
  const csv: string[] = ['symbol,ts,price,seq'];
  const ndjson: string[] = [];
  for (let row = 0; row < ROWS; row++) {
    const symbol = `S${row % 11}`;
    const time = START_S + row;
    let fate: Fate = 'processed';
    let cells: [string, number | string, number | string, number] = [symbol, time, row % 100, row];
    if (row % 101 === 1) {
      fate = 'rejected';
      cells = row % 2 === 0 ? [symbol, time, 'dear', row] : ['', time, 1, row];
    } else if (row % 103 === 2 && row > 5000) {
      fate = 'late';
      cells = [symbol, time - 4000, 1, row];
    } else if (row % 107 === 3) {
      fate = 'duplicate';
      cells = [`S${(row - 1) % 11}`, time, 1, row - 1];
    }
    // What is said twice of a row that was not taken is the first that is taken.
    if (fate === 'duplicate' && ((row - 1) % 101 === 1 || ((row - 1) % 103 === 2 && row > 5001))) {
      continue;
    }
    counts.read++;
    counts[fate]++;
    const [s, ts, price, seq] = cells;
    csv.push(cells.join(','));
    ndjson.push(JSON.stringify({ symbol: s === '' ? null : s, ts, price, seq }));
  }
  return { csv: `${csv.join('\n')}\n`, ndjson: `${ndjson.join('\n')}\n`, counts };
}

const { csv, ndjson, counts } = makeRows();

const files: readonly [name: string, content: string | Uint8Array][] = [
  ['rows.csv', csv],
  ['rows.csv.gz', gzipSync(csv)],
  ['rows.ndjson', ndjson],
];

interface Execution {
  readonly slots: number;
  readonly batchRows: number;
}

const out = (name: string, { slots }: Execution, sink: string): string =>
  join(folder, `${slots}-${name}-${sink}.ndjson`);

function pipeline(name: string, execution: Execution): string {
  const seq = { from: 'seq', type: 'int64' };
  const columns = { symbol: 'symbol', event_time: 'ts', price: 'price', seq };
  const sink = (input: string): object => {
    return { type: 'ndjson', input, path: out(name, execution, input) };
  };
  return JSON.stringify({
    name: 'accounts',
    sources: {
      trades: {
        type: 'file',
        path: join(folder, name),
        columns,
        watermark: { max_out_of_orderness: '5s' },
        batch_rows: execution.batchRows,
      },
    },
    operators: {
      unique: { type: 'dedupe', input: 'trades', columns: ['seq'], within: '2h' },
      bars: {
        type: 'tumbling_window',
        input: 'unique',
        size: '1m',
        allowed_lateness: '10s',
        aggregates: { trades: 'count()' },
      },
    },
    sinks: {
      bars: sink('bars'),
      late: sink('bars.late'),
      twice: sink('unique.duplicates'),
      rejected: sink('trades.rejected'),
    },
  });
}

async function assertAccounts(name: string, execution: Execution): Promise<void> {
  const source = new SourceText('accounts.yaml', pipeline(name, execution));
  const { plan, lints } = lintText(source, { catalog, environment: {} });
  assert.deepEqual(lints, []);
  const { slots } = execution;
  const { accounts, failure } = await createPipeline(plan!, { slots }).run();
  assert.equal(failure, undefined);
  assert.deepEqual(accounts, counts);
  const lines = (sink: string): Record<string, unknown>[] =>
    readFileSync(out(name, execution, sink), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const inBars = lines('bars').reduce((sum, { trades }) => sum + Number(trades), 0);
  assert.equal(inBars, counts.processed);
  assert.equal(lines('bars.late').length, counts.late);
  assert.equal(lines('unique.duplicates').length, counts.duplicate);
  const rejected = lines('trades.rejected');
  assert.equal(rejected.length, counts.rejected);
  // Line and raw text lead back to the row.
  const written = (name.startsWith('rows.csv') ? csv : ndjson).split('\n');
  for (const { line, raw } of rejected) assert.equal(raw, written[Number(line) - 1]);
}

test('rows of every fate are made', () => {
  for (const [fate, count] of Object.entries(counts)) assert.ok(count > 200, `${count} ${fate}`);
});

for (const [name, content] of files) {
  test(`${name}: every row is in one account, however it is run`, async () => {
    writeFileSync(join(folder, name), content);
    await assertAccounts(name, { slots: 1, batchRows: 65_536 });
    await assertAccounts(name, { slots: 2, batchRows: 997 });
  });
}
