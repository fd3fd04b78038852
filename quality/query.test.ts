import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Datasets } from './datasets.ts';
import { displayRows, type QueryChunk, runQuery } from './query.ts';
import { QueryError } from './sql.ts';

interface Spellings {
  readonly display: (string | null)[];
  readonly json: string[];
  readonly csv: (string | null)[];
}

async function spellings(sql: string): Promise<Spellings[]> {
  await using datasets = await Datasets.open([]);
  const rows: Spellings[] = [];
  for await (const chunk of (await runQuery(datasets, sql)).chunks) {
    for (let row = 0; row < chunk.rowCount; row++) {
      rows.push({ display: chunk.display(row), json: chunk.json(row), csv: chunk.csv(row) });
    }
  }
  return rows;
}

const VALUES: readonly [sql: string, display: string | null, json: string, csv: string | null][] = [
  ['null', null, 'null', null],
  ['null::double', null, 'null', null],
  ['true', 'true', 'true', 'true'],
  ['(-128)::tinyint', '-128', '-128', '-128'],
  ['9007199254740991', ...same('9007199254740991')],
  ['-9007199254740992', ...quoted('-9007199254740992')],
  ['18446744073709551615::ubigint', ...quoted('18446744073709551615')],
  [
    `'-170141183460469231731687303715884105728'::hugeint`,
    ...quoted('-170141183460469231731687303715884105728'),
  ],
  ['1.50::decimal(10,2)', ...same('1.50')],
  ['-0.00000001::decimal(38,8)', ...quoted('-0.00000001')],
  ['1::double', ...same('1.0')],
  ['0.1::double', ...same('0.1')],
  ['0.1::float', ...same('0.1')],
  ['16777217::float', ...same('16777216.0')],
  ['1e300::double', ...same('1e+300')],
  ['-0.0::double', ...same('-0.0')],
  [`'nan'::double`, 'nan', 'null', 'nan'],
  [`'inf'::double`, 'inf', '1e999', 'inf'],
  [`'-inf'::float`, '-inf', '-1e999', '-inf'],
  [`'a "b", \\n' || chr(10)`, 'a "b", \\n\n', '"a \\"b\\", \\\\n\\n"', 'a "b", \\n\n'],
  [`timestamp_ns '2013-10-07 13:30:00.000000001'`, ...time('2013-10-07 13:30:00.000000001')],
  [`timestamp '1969-12-31 23:59:59.5'`, ...time('1969-12-31 23:59:59.5')],
  [`timestamp_ms '2013-10-07 13:30:00.125'`, ...time('2013-10-07 13:30:00.125')],
  [`timestamp_s '2013-10-07 13:30:00'`, ...time('2013-10-07 13:30:00')],
  [
    `timestamptz '2013-10-07 15:30:00+02'`,
    '2013-10-07 13:30:00+00',
    '"2013-10-07T13:30:00Z"',
    '2013-10-07T13:30:00Z',
  ],
  [`timestamp 'infinity'`, 'infinity', '"infinity"', 'infinity'],
  [`date '2013-10-07'`, '2013-10-07', '"2013-10-07"', '2013-10-07'],
  [`time '13:30:00.5'`, '13:30:00.5', '"13:30:00.5"', '13:30:00.5'],
  [`interval '1 month 2 days 00:00:01.5'`, ...quoted('1 month 2 days 00:00:01.5')],
  [
    `uuid '00000000-0000-0000-0000-0000000000ff'`,
    ...quoted('00000000-0000-0000-0000-0000000000ff'),
  ],
  [`'\\x01a'::blob`, '\\x01a', '"0161"', '0161'],
  [`'101'::bit`, ...quoted('101')],
  [`'x'::enum('x', 'y')`, ...quoted('x')],
  ['[1, null, 3]', '[1, NULL, 3]', '[1,null,3]', '[1,null,3]'],
  ['[1.5::float, null]::float[]', '[1.5, NULL]', '[1.5,null]', '[1.5,null]'],
  [`['it''s', 'b']`, `['it''s', 'b']`, `["it's","b"]`, `["it's","b"]`],
  ['array_value(1::double, 2)', '[1.0, 2.0]', '[1.0,2.0]', '[1.0,2.0]'],
  ['[9007199254740993]', '[9007199254740993]', '["9007199254740993"]', '["9007199254740993"]'],
  [
    `{'at': timestamp_ns '2013-10-07 13:30:00', 'x': {'y': 0.1::float}}`,
    `{'at': 2013-10-07 13:30:00, 'x': {'y': 0.1}}`,
    '{"at":"2013-10-07T13:30:00Z","x":{"y":0.1}}',
    '{"at":"2013-10-07T13:30:00Z","x":{"y":0.1}}',
  ],
  [`map {'a': 1.0::double}`, `{'a'=1.0}`, '[{"key":"a","value":1.0}]', '[{"key":"a","value":1.0}]'],
  ['union_value(k := 1::float)', '1.0', '1.0', '1.0'],
];

test('every type in its three spellings', async () => {
  const [row] = await spellings(`select ${VALUES.map(([sql]) => sql).join(', ')}`);
  for (const [index, [sql, display, json, csv]] of VALUES.entries()) {
    assert.equal(row!.display[index], display, `display of ${sql}`);
    assert.equal(row!.json[index], json, `json of ${sql}`);
    assert.equal(row!.csv[index], csv, `csv of ${sql}`);
    assert.doesNotThrow(() => JSON.parse(row!.json[index]!), sql);
  }
});

function same(text: string): [string, string, string] {
  return [text, text, text];
}

function quoted(text: string): [string, string, string] {
  return [text, JSON.stringify(text), text];
}

function time(text: string): [string, string, string] {
  const iso = `${text.replace(' ', 'T')}Z`;
  return [text, JSON.stringify(iso), iso];
}

test('floats read back as the same number', async () => {
  const rows = await spellings(
    'select sin(i) * power(10, i % 40 - 20) as d, d::float as f from range(500) t(i)',
  );
  const [wide] = await spellings(
    `select ${rows.map(({ json }) => `'${json[0]}'::double, '${json[1]}'::float`).join(', ')}`,
  );
  assert.deepEqual(
    wide!.json,
    rows.flatMap(({ json }) => json),
  );
});

test('columns have names that differ, types, and a side to be read from', async () => {
  await using datasets = await Datasets.open([]);
  const { columns } = await runQuery(
    datasets,
    `select 1 as a, 2.5::double as a, 'x' as "odd "" name", [1] as l,
            1.5::decimal(4,1) as d, now() as t, 1::utinyint as u`,
  );
  assert.deepEqual(
    columns.map(({ name, type, isNumeric }) => [name, type, isNumeric]),
    [
      ['a', 'INTEGER', true],
      ['a:1', 'DOUBLE', true],
      ['odd " name', 'VARCHAR', false],
      ['l', 'INTEGER[]', false],
      ['d', 'DECIMAL(4,1)', true],
      ['t', 'TIMESTAMP WITH TIME ZONE', false],
      ['u', 'UTINYINT', true],
    ],
  );
});

test('a large result comes in chunks, in order', async () => {
  await using datasets = await Datasets.open([], { threads: 2 });
  const result = await runQuery(datasets, 'select i from range(100000) t(i)');
  let rows = 0;
  let chunks = 0;
  for await (const chunk of result.chunks) {
    assert.equal(chunk.display(0)[0], String(rows));
    rows += chunk.rowCount;
    chunks++;
  }
  assert.equal(rows, 100_000);
  assert.ok(chunks > 1);
});

test('a result may be left before its end', async () => {
  await using datasets = await Datasets.open([]);
  for (let round = 0; round < 3; round++) {
    const result = await runQuery(datasets, 'select i from range(10000000) t(i)');
    for await (const chunk of result.chunks) {
      assert.ok((chunk satisfies QueryChunk).rowCount > 0);
      break;
    }
  }
});

test('the last of several statements gives the result; some have none', async () => {
  await using datasets = await Datasets.open([]);
  assert.deepEqual(
    await displayRows(
      await runQuery(
        datasets,
        'create table t(a int); insert into t values (1), (2); select sum(a) from t;',
      ),
    ),
    [['3']],
  );
  assert.deepEqual((await runQuery(datasets, 'create table u(a int)')).columns, []);
});

test('a failure carries the message of DuckDB, at the start and in the middle', async () => {
  await using datasets = await Datasets.open([]);
  await assert.rejects(runQuery(datasets, 'selec 1'), (error) => {
    assert.ok(error instanceof QueryError);
    assert.equal(error.code, 'quality/query-failed');
    assert.match(
      error.message,
      /^Parser Error: syntax error at or near "selec"\n\nLINE 1: selec 1\n\s+\^$/,
    );
    return true;
  });
  await assert.rejects(runQuery(datasets, '-- nothing here\n ;'), /empty/);
  const result = runQuery(
    datasets,
    `select case when i = 90000 then error('broken at 90000') else i end from range(100000) t(i)`,
  );
  await assert.rejects(async () => displayRows(await result), /broken at 90000/);
  assert.deepEqual(await displayRows(await runQuery(datasets, 'select 1')), [['1']]);
});
