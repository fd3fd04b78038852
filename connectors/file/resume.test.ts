/** A position taken after any batch leads to the rows behind it, and to no others. */

import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import * as arrow from 'apache-arrow';
import { file } from './file-source.ts';
import { type Options, parseOptions, plan, read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const columns = { symbol: 'symbol', event_time: 'ts', price: 'price' };
const ROWS = 900;

/** Every 50th row is bad, and every 70th has a quoted text with a line end. */
function csvLine(row: number): string {
  const symbol = row % 70 === 0 ? '"S\n0"' : `S${row % 7}`;
  return `${symbol},${1381152600 + row},${row % 50 === 49 ? 'x' : row}\n`;
}

function jsonLine(row: number): string {
  const price = row % 50 === 49 ? '"x"' : String(row);
  return `{"symbol":"S€${row % 7}","ts":${1381152600 + row},"price":${price}}\n`;
}

function text(line: (row: number) => string, from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => line(from + i)).join('');
}

function put(name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content);
}

async function makeFiles(): Promise<readonly string[]> {
  const header = '\ufeffsymbol,ts,price\n';
  const half = ROWS / 2;
  put('plain-1.csv', header + text(csvLine, 0, half));
  put('plain-2.csv', `symbol,ts,price\r\n${text(csvLine, half, ROWS)}`);
  put('gz-1.csv.gz', gzipSync(header + text(csvLine, 0, half)));
  put('gz-2.csv.gz', gzipSync(`symbol,ts,price\n${text(csvLine, half, ROWS)}`));
  put('json-1.ndjson', text(jsonLine, 0, half));
  put('json-2.ndjson.gz', gzipSync(text(jsonLine, half, ROWS)));
  for (const part of [0, 1]) {
    const rows = Array.from({ length: half }, (_, i) => part * half + i);
    const batches = [rows.slice(0, 100), rows.slice(100)].map(
      (some) =>
        new arrow.Table({
          symbol: arrow.vectorFromArray(
            some.map((row) => `S${row % 7}`),
            new arrow.Utf8(),
          ),
          ts: arrow.makeVector(BigInt64Array.from(some, (row) => BigInt(1381152600 + row))),
          price: arrow.makeVector(Float64Array.from(some)),
        }),
    );
    const [first, second] = batches;
    put(`ipc-${part}.arrow`, arrow.tableToIPC(first!.concat(second!), 'stream'));
  }
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(
    `copy (select 'S' || i % 7 symbol, 1381152600 + i ts, i::double price from range(9000) t(i))
     to '${join(folder, 'groups.parquet')}' (format parquet, row_group_size 2048)`,
  );
  connection.closeSync();
  return ['plain-*.csv', 'gz-*.csv.gz', 'json-*', 'ipc-*.arrow', 'groups.parquet'];
}

test('reading goes on behind any position', async () => {
  for (const pattern of await makeFiles()) {
    const options: Options = { path: join(folder, pattern), columns };
    if (pattern.startsWith('json')) options.format = 'ndjson';
    const whole = await read(options);
    assert.equal(whole.error, undefined, pattern);
    for (const batchRows of pattern.endsWith('parquet') ? [1000] : [37, 450]) {
      const once = await read(options, { batchRows });
      assert.deepEqual(once.rows, whole.rows, pattern);
      assert.deepEqual(once.rejected, whole.rejected, pattern);
      let rowsBefore = 0;
      for (const [index, position] of once.positions.entries()) {
        rowsBefore += once.batchSizes[index]!;
        const resumeAt = JSON.parse(JSON.stringify(position)) as typeof position;
        const rest = await read(options, { batchRows, resumeAt });
        assert.equal(rest.error, undefined, pattern);
        assert.deepEqual(rest.rows, whole.rows.slice(rowsBefore), `${pattern} after ${rowsBefore}`);
        const before = await read(options, { batchRows, batchesMax: index + 1 });
        assert.deepEqual([...before.rejected, ...rest.rejected], whole.rejected, pattern);
      }
    }
  }
});

test('a lane goes on in the middle of its row group, the others at their next', async () => {
  await makeFiles();
  const options = { path: join(folder, 'groups.parquet'), columns };
  const whole = await read(options, { batchRows: 500 });
  for (const stop of [0, 3, 5, 9, whole.positions.length - 1]) {
    const rowsBefore = whole.batchSizes.slice(0, stop + 1).reduce((sum, size) => sum + size, 0);
    const resumeAt = whole.positions[stop]!;
    const batches: { unit: number; rows: unknown[][] }[] = [];
    for (const lane of [0, 1]) {
      const part = await read(options, { batchRows: 500, lane, lanes: 2, resumeAt });
      let at = 0;
      for (const [index, unit] of part.units.entries()) {
        batches.push({ unit, rows: part.rows.slice(at, (at += part.batchSizes[index]!)) });
      }
    }
    const rest = batches.sort((a, b) => a.unit - b.unit).flatMap(({ rows }) => rows);
    assert.deepEqual(rest, whole.rows.slice(rowsBefore));
  }
});

test('a file that is gone where reading stopped is an error', async () => {
  put('gone-1.csv', 'symbol,ts,price\nA,1,1\n');
  put('gone-2.csv', 'symbol,ts,price\nA,1,1\n');
  const options = { path: join(folder, 'gone-*.csv'), columns };
  const { positions } = await read(options);
  rmSync(join(folder, 'gone-1.csv'));
  await assert.rejects(read(options, { resumeAt: positions[0]! }), {
    code: 'source/not-found',
    message: /cannot go on reading: .*gone-1\.csv is gone/,
  });
});

test('polls that overlap give the batches one after another, and the end for ever', async () => {
  await makeFiles();
  const config = parseOptions({ path: join(folder, 'plain-*.csv'), columns });
  const { schema } = plan({ path: 'a.csv', columns });
  const [split] = await file.splits(config, { source: 's' });
  const context = { source: 's', schema, split: split!, lane: 0, lanes: 1, batchRows: 100 };
  const reader = await file.open(config, context);
  const polls = await Promise.all(Array.from({ length: 15 }, () => reader.poll()));
  const units = polls.map((batch) => (typeof batch === 'string' ? batch : batch.unit));
  assert.deepEqual(units, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 'end', 'end', 'end', 'end', 'end']);
  const dictionaries = polls.flatMap((batch) =>
    typeof batch === 'string' || batch.columns[0]!.type !== 'string'
      ? []
      : [batch.columns[0]!.dictionary],
  );
  assert.equal(new Set(dictionaries).size, 1);
  await reader.close();
  await reader.close();
});

const data = '../shared/data/us-equities';

test('real trades, to the last row', {
  skip: !existsSync(data) && `${data} is not there`,
}, async () => {
  for (const [day, rows] of [
    ['07', 388_417],
    ['08', 654_140],
    ['09', 641_559],
  ] as const) {
    const config = parseOptions({
      path: `${data}/trades-2013-10-${day}.csv.gz`,
      columns: { symbol: 'symbol', event_time: 'ts_event', price: 'price', size: 'size' },
    });
    const { schema } = plan(config as Options);
    const [split] = await file.splits(config, { source: 's' });
    const context = { source: 's', schema, split: split!, lane: 0, lanes: 1, batchRows: 65_536 };
    const reader = await file.open(config, context);
    let count = 0;
    for (let batch = await reader.poll(); typeof batch !== 'string'; batch = await reader.poll()) {
      count += batch.rowCount;
      assert.deepEqual(batch.rejected, []);
    }
    assert.equal(count, rows);
    await reader.close();
  }
});
