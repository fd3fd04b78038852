import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Datasets } from './datasets.ts';
import { displayRows, runQuery } from './query.ts';
import type { DatasetColumn } from './relation.ts';
import { TestFolder } from './testing/test-folder.ts';

const BARS: readonly DatasetColumn[] = [
  { name: 'symbol', type: 'string' },
  { name: 'window_start', type: 'timestamp' },
  { name: 'close', type: 'float64' },
  { name: 'trades', type: 'int64' },
  { name: 'halted', type: 'boolean' },
];

async function rowsOf(datasets: Datasets, sql: string): Promise<(string | null)[][]> {
  return displayRows(await runQuery(datasets, sql));
}

const BAR_TYPES = [
  ['symbol', 'VARCHAR'],
  ['window_start', 'TIMESTAMP_NS'],
  ['close', 'DOUBLE'],
  ['trades', 'BIGINT'],
  ['halted', 'BOOLEAN'],
];

test('a dataset without files is an empty view with the columns it will have', async () => {
  using folder = new TestFolder();
  for (const format of ['parquet', 'ndjson', 'csv'] as const) {
    await using datasets = await Datasets.open([
      {
        name: 'bars',
        format,
        glob: folder.file('bars/**/*.x'),
        columns: BARS,
        partitions: [
          { name: 'date', type: 'date' },
          { name: 'symbol', type: 'string' },
        ],
      },
    ]);
    assert.equal(datasets.problem('bars'), undefined);
    assert.deepEqual(
      datasets.columns('bars').map(({ name, type }) => [name, type]),
      [...BAR_TYPES, ['date', 'DATE']],
    );
    assert.deepEqual(await rowsOf(datasets, 'select count(*), max(close) from bars'), [
      ['0', null],
    ]);
    assert.deepEqual(await datasets.inventory('bars'), {
      name: 'bars',
      files: 0,
      bytes: 0,
      rows: 0,
    });
  }
});

test('Parquet files in folders are one view; the schema types what folder names say', async () => {
  using folder = new TestFolder();
  const row = (close: number): string =>
    `select timestamp_ns '2026-01-02 09:30:00.000000001' as window_start,
       ${close}::double as close, 7::bigint as trades`;
  await folder.parquet('bars/symbol=600519/date=2026-01-02/part-1.parquet', row(1));
  await folder.parquet('bars/symbol=AAPL/date=2026-01-03/part-2.parquet', row(2));
  await using datasets = await Datasets.open([
    { name: 'bars', format: 'parquet', glob: folder.file('bars/**/*.parquet'), columns: BARS },
  ]);
  assert.deepEqual(
    await rowsOf(
      datasets,
      `select symbol, typeof(symbol), date, typeof(date), window_start, close, halted
       from bars order by close`,
    ),
    [
      ['600519', 'VARCHAR', '2026-01-02', 'DATE', '2026-01-02 09:30:00.000000001', '1.0', null],
      ['AAPL', 'VARCHAR', '2026-01-03', 'DATE', '2026-01-02 09:30:00.000000001', '2.0', null],
    ],
  );
  const inventory = await datasets.inventory('bars');
  assert.equal(inventory.files, 2);
  assert.equal(inventory.rows, 2);
  assert.ok(inventory.bytes > 100);
});

test('files whose columns differ are united by name', async () => {
  using folder = new TestFolder();
  await folder.parquet('a/1.parquet', `select 'A' as symbol, 1.5::double as close`);
  await folder.parquet('a/2.parquet', `select 3::bigint as trades, 'B' as symbol`);
  await using datasets = await Datasets.open([
    { name: 'bars', format: 'parquet', glob: folder.file('a/*.parquet'), columns: BARS },
  ]);
  assert.deepEqual(
    await rowsOf(datasets, 'select symbol, close, trades, halted from bars order by 1'),
    [
      ['A', '1.5', null, null],
      ['B', null, '3', null],
    ],
  );
});

test('folders above the dataset are no columns of it', async () => {
  using folder = new TestFolder();
  await folder.parquet('run=3/bars/1.parquet', `select 1 as x`);
  await using datasets = await Datasets.open([
    { name: 'bars', format: 'parquet', glob: folder.file('run=3/bars/**/*.parquet') },
  ]);
  assert.deepEqual(
    datasets.columns('bars').map((column) => column.name),
    ['x'],
  );
});

test('ndjson and csv are read with the types of the schema, to the last digit', async () => {
  using folder = new TestFolder();
  writeFileSync(
    folder.file('late.ndjson'),
    '{"symbol":"A","window_start":"2026-01-02T09:30:00.000000001Z","close":1.5,' +
      '"trades":9007199254740993,"halted":true}\n' +
      '{"symbol":null,"window_start":null,"close":null}\n',
  );
  writeFileSync(
    folder.file('late.csv'),
    'symbol,window_start,close,trades,halted\n' +
      'A,2026-01-02T09:30:00.000000001Z,1.5,9007199254740993,true\n' +
      ',,,,\n"a ""quoted"", text",,,,\n"",,,,\n',
  );
  writeFileSync(folder.file('empty.csv'), '');
  writeFileSync(folder.file('empty.ndjson'), '');
  await using datasets = await Datasets.open([
    { name: 'json', format: 'ndjson', glob: folder.file('late.ndjson'), columns: BARS },
    { name: 'csv', format: 'csv', glob: folder.file('late.csv'), columns: BARS },
    { name: 'empty csv', format: 'csv', glob: folder.file('empty.csv'), columns: BARS },
    { name: 'empty json', format: 'ndjson', glob: folder.file('empty.ndjson'), columns: BARS },
  ]);
  const first = ['A', '2026-01-02 09:30:00.000000001', '1.5', '9007199254740993', 'true'];
  const nulls = [null, null, null, null, null];
  assert.deepEqual(await rowsOf(datasets, 'from json'), [first, nulls]);
  assert.deepEqual(await rowsOf(datasets, 'from csv'), [
    first,
    nulls,
    ['a "quoted", text', null, null, null, null],
    ['', null, null, null, null],
  ]);
  for (const name of ['empty csv', 'empty json']) {
    assert.equal(datasets.problem(name), undefined, name);
    assert.deepEqual(await rowsOf(datasets, `select count(*) from "${name}"`), [['0']]);
    assert.deepEqual(
      datasets.columns(name).map(({ name, type }) => [name, type]),
      BAR_TYPES,
    );
  }
});

test('one dataset that cannot be read leaves the others of use', async () => {
  using folder = new TestFolder();
  await folder.parquet('good.parquet', 'select 1 as x');
  writeFileSync(folder.file('bad.parquet'), 'PAR1 this is no parquet file PAR1');
  await using datasets = await Datasets.open([
    { name: 'bad', format: 'parquet', glob: folder.file('bad.parquet') },
    { name: 'good', format: 'parquet', glob: folder.file('good.parquet') },
    { name: 'absent', format: 'parquet', glob: folder.file('absent/*.parquet') },
  ]);
  assert.equal(datasets.has('bad'), false);
  assert.match(datasets.problem('bad')!, /bad\.parquet/);
  assert.match(datasets.problem('absent')!, /no file matches .*absent/);
  assert.deepEqual(await rowsOf(datasets, 'from good'), [['1']]);
});

test('names of views, columns and folders may hold anything', async () => {
  using folder = new TestFolder();
  const odd = `select "; drop table 'x' --`;
  const columns: readonly DatasetColumn[] = [
    { name: odd, type: 'float64' },
    { name: 'größe µ 値', type: 'string' },
  ];
  const file = 'a=1/[b] *?/bars/date=2026-01-02/1.parquet';
  await folder.parquet(file, `select 'x' as "größe µ 値"`);
  const glob = join(folder.path, 'a=1/[[]b[]] [*][?]/bars/**/*.parquet');
  await using datasets = await Datasets.open([{ name: odd, format: 'parquet', glob, columns }]);
  assert.equal(datasets.problem(odd), undefined);
  assert.equal((await datasets.inventory(odd)).rows, 1);
  const names = datasets.columns(odd).map((column) => column.name);
  assert.deepEqual(names.sort(), [odd, 'größe µ 値', 'date'].sort());
});

test('the database is locked, knows only UTC and loads nothing', async () => {
  await using datasets = await Datasets.open([], { memoryBytes: 300 * 2 ** 20, threads: 1 });
  assert.deepEqual(
    await rowsOf(
      datasets,
      `select current_setting('TimeZone'), current_setting('threads'),
              current_setting('memory_limit'), current_setting('autoload_known_extensions'),
              current_setting('autoinstall_known_extensions')`,
    ),
    [['UTC', '1', '300.0 MiB', 'false', 'false']],
  );
  await assert.rejects(runQuery(datasets, 'set threads = 8'), /locked/);
  await datasets.close();
  await datasets.close();
});
