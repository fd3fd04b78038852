import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { plan, read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const T = 1381152600_000_000_000n;
const columns = { symbol: 'symbol', event_time: 'ts', price: 'price' };

function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

test('lints, all of them at once', () => {
  const base = { path: 'a.csv', columns };
  const cases: readonly [name: string, options: Parameters<typeof plan>[0], want: string[]][] = [
    ['valid', base, []],
    ['no key', { ...base, columns: { event_time: 'ts' } }, ['columns config/unknown-column']],
    ['no time', { ...base, columns: { symbol: 's' } }, ['columns config/unknown-column']],
    ['time option', { ...base, time: 'at' }, ['time config/unknown-column']],
    [
      'key is no text',
      { ...base, columns: { ...columns, symbol: { from: 'symbol', type: 'int64' } } },
      ['columns.symbol.type config/column-type'],
    ],
    [
      'time is no time',
      { ...base, columns: { ...columns, event_time: { type: 'float64' } } },
      ['columns.event_time.type config/column-type'],
    ],
    ['format unknown', { ...base, path: 'data/*' }, ['path config/missing-field']],
    ['format given', { ...base, path: 'data/*', format: 'ndjson' }, []],
    [
      'csv options elsewhere',
      { ...base, path: 'a.parquet', delimiter: ';', header: false },
      ['delimiter config/constraint', 'header config/constraint'],
    ],
    ['parquet in gzip', { ...base, path: 'a.parquet.gz' }, ['path config/constraint']],
    [
      'names without a header',
      { ...base, header: false, columns: { ...columns, symbol: 1, event_time: 2 } },
      ['columns.price config/constraint'],
    ],
    [
      'position with a header',
      { ...base, columns: { ...columns, price: { from: 3 } } },
      ['columns.price.from config/constraint'],
    ],
  ];
  for (const [name, options, want] of cases) {
    const found = plan(options).problems.map((problem) => problem.split(':')[0]);
    assert.deepEqual(found, want, name);
  }
});

test('types by default, and declared', () => {
  const { schema } = plan(
    {
      path: 'a.csv',
      time: 'at',
      columns: {
        sym: 's',
        at: 't',
        event_time: 'e',
        price: 'p',
        sequence: { from: 'q', type: 'int64' },
        flag: { type: 'boolean' },
      },
    },
    'sym',
  );
  assert.deepEqual(
    schema.columns.map(({ name, type }) => `${name}:${type}`),
    [
      'sym:string',
      'at:timestamp',
      'event_time:timestamp',
      'price:float64',
      'sequence:int64',
      'flag:boolean',
    ],
  );
  assert.equal(schema.time, 'at');
  assert.equal(schema.key, 'sym');
});

test('files of a glob are one stream in the order of their names', async () => {
  put('glob/b-2.csv', 'price,ts,symbol\n3,1381152603,C\n');
  put('glob/b-10.csv', 'symbol,price,ts\nB,2,1381152602\n');
  put('glob/a.csv', 'ts,unused,symbol,price\n1381152601,x,A,1\n');
  const result = await read({ path: join(folder, 'glob/*.csv'), columns });
  assert.equal(result.error, undefined);
  assert.deepEqual(result.rows, [
    ['A', T + 1_000_000_000n, 1],
    ['B', T + 2_000_000_000n, 2],
    ['C', T + 3_000_000_000n, 3],
  ]);
  assert.deepEqual(result.units, [0, 1, 2]);
  assert.equal(result.lanesMax, 1);
  assert.equal(result.bytesRead, result.totalBytes);
});

test('a name with the characters of a glob is a name where such a file exists', async () => {
  const path = put('odd [1] (2).csv', 'symbol,ts,price\nA,2013-10-07,1\n');
  assert.equal((await read({ path, columns })).rows.length, 1);
});

test('files that cannot be found or opened', async () => {
  const pattern = join(folder, 'nothing-*.csv');
  await assert.rejects(read({ path: pattern, columns }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'source/not-found');
    assert.equal(error.message, `no file matches nothing-*.csv in ${folder}`);
    return true;
  });
  await assert.rejects(read({ path: join(folder, 'no/such/a.csv'), columns }), {
    code: 'source/not-found',
    message: /there is no folder .*no\/such/,
  });
  mkdirSync(join(folder, 'folder.csv'));
  await assert.rejects(read({ path: join(folder, 'folder.csv'), columns }), {
    code: 'source/unreadable',
    message: /it is a folder/,
  });
});

test('a file without permission', {
  skip: process.getuid?.() === 0 && 'root may read all',
}, async () => {
  const path = put('secret.csv', 'symbol,ts,price\n');
  chmodSync(path, 0);
  const { error } = await read({ path, columns });
  assert.equal(error?.code, 'source/unreadable');
  assert.match(error.message, /secret\.csv: permission denied/);
});

test('files of a header and files of blank JSON lines have no rows', async () => {
  for (const [name, content] of [
    ['header.csv', 'symbol,ts,price\n'],
    ['header-open.csv', 'symbol,ts,price'],
    ['bom.csv', '\ufeffsymbol,ts,price\r\n'],
    ['empty.ndjson', ''],
    ['empty.ndjson.gz', gzipSync('')],
    ['blank.ndjson', '\n \n'],
  ] as const) {
    const result = await read({ path: put(`empty/${name}`, content), columns });
    assert.equal(result.error, undefined, name);
    assert.deepEqual([result.rows, result.rejected], [[], []], name);
  }
});

test('a file that cannot be empty and is', async () => {
  for (const [name, content, expected, code] of [
    ['empty.csv', '', 'a header', 'source/format'],
    ['blank.csv', '\n\r\n', 'a header', 'source/format'],
    ['empty.csv.gz', gzipSync(''), 'a header', 'source/format'],
    ['none.csv.gz', '', 'gzip data', 'source/truncated'],
    ['none.ndjson.gz', '', 'gzip data', 'source/truncated'],
    ['none.csv.zst', '', 'zstd data', 'source/truncated'],
    ['empty.arrow', '', 'Arrow', 'source/truncated'],
    ['empty.parquet', '', 'Parquet', 'source/truncated'],
  ] as const) {
    const path = put(`none/${name}`, content);
    const { rows, rejected, error } = await read({ path, columns });
    assert.deepEqual([rows, rejected], [[], []], name);
    assert.equal(error?.message, `cannot read ${path}: it is empty, expected ${expected}`);
    assert.equal(error.code, code);
  }
  const noHeader = { symbol: 1, event_time: 2 };
  const path = put('none/no-header.csv', '');
  const result = await read({ path, columns: noHeader, header: false });
  assert.deepEqual([result.rows, result.error], [[], undefined]);
});

test('a column that the header has twice, where it is read', async () => {
  const path = put('twice.csv', 'symbol,ts,price,size, price\nA,1381152600,1,2,3\n');
  const { error } = await read({ path, columns: { ...columns, price: 'price' } });
  assert.equal(error, undefined, 'an exact name wins over one with blanks');
  const same = put('same.csv', 'symbol,ts,price,size,price\nA,1381152600,1,2,3\n');
  const result = await read({ path: same, columns });
  assert.equal(result.error?.code, 'source/format');
  assert.equal(
    result.error.message,
    `cannot read ${same}: its header has two columns "price", at positions 3 and 5; ` +
      'rename one of them',
  );
  const others = await read({ path: same, columns: { ...columns, price: 'size' } });
  assert.deepEqual(others.rows, [['A', T, 2]]);
});

test('a missing column names the header and the column that was meant', async () => {
  const path = put('typo.csv', 'symbol,ts,prize\nA,1,2\n');
  const { error } = await read({ path, columns });
  assert.equal(error?.code, 'source/format');
  assert.match(
    error.message,
    /no column "price"; its header is symbol, ts, prize; did you mean prize\?/,
  );
  const short = put('short.csv', 'A;1\n');
  const byPosition = { symbol: 1, event_time: 2, price: 3 };
  const result = await read({ path: short, header: false, delimiter: ';', columns: byPosition });
  assert.match(result.error!.message, /no column 3; its first row has 2 cells/);
});

test('without a header, by position, with another delimiter', async () => {
  const path = put('ticks.txt', 'A\t2013-10-07T13:30:00Z\t1.5\n"B\t2"\t1381152600000\t\n');
  const result = await read({
    path,
    header: false,
    delimiter: '\t',
    columns: { price: 3, event_time: 2, symbol: 1 },
  });
  assert.deepEqual(result.rows, [
    [1.5, T, 'A'],
    [null, T, 'B\t2'],
  ]);
});

test('the unit of epochs, told or by magnitude', async () => {
  const path = put('epochs.csv', 'symbol,ts,price\nA,1381152600,1\n');
  for (const [unit, time] of [
    ['auto', T],
    ['s', T],
    ['ms', T / 1000n],
    ['us', T / 1_000_000n],
    ['ns', T / 1_000_000_000n],
  ] as const) {
    const { rows } = await read({ path, columns, time_unit: unit });
    assert.equal(rows[0]![1], time, unit);
  }
});

test('bad rows are rejected with file, line, reason and text, and reading goes on', async () => {
  const long = 'x'.repeat(5000);
  const path = put(
    'bad.csv',
    [
      'symbol,ts,price',
      'A,1381152600,1',
      ',1381152600,1',
      'A,,1',
      'A,yesterday,1',
      'A,1381152600,1.2.3',
      'A,1381152600',
      'A,1381152600,1,2',
      '"A"B,1381152600,1',
      '"two',
      'lines",1381152600,oops',
      'A,9999-01-01,1',
      `${long},1381152600,x`,
      'A,1381152600,2',
      '"never closed,1381152600,1',
      'A,1381152600,3',
    ].join('\n'),
  );
  const { rows, rejected, error } = await read({ path, columns });
  assert.equal(error, undefined);
  assert.deepEqual(
    rows.map((row) => row[2]),
    [1, 2, 3],
  );
  assert.ok(rejected.every(({ origin }) => origin === path));
  const cut = `"${'x'.repeat(80)}…"`;
  assert.equal(cut.length, 83);
  assert.deepEqual(
    rejected.map(({ line, reason }) => `${line} ${reason}`),
    [
      '3 symbol: empty, expected a text',
      '4 event_time: empty, expected a time such as 2013-10-07T13:30:00Z or an epoch',
      '5 event_time: "yesterday", expected a time such as 2013-10-07T13:30:00Z or an epoch',
      '6 price: "1.2.3", expected a number',
      '7 2 cells, expected 3',
      '8 4 cells, expected 3',
      '9 "\\"A\\"B": text behind a closing quote',
      '10 price: "oops", expected a number',
      '12 event_time: "9999-01-01", expected a time from 1678-01-01 to 2262-01-01',
      '13 price: "x", expected a number',
      '15 a quote is never closed',
    ],
  );
  assert.equal(rejected[1]!.raw, 'A,,1');
  assert.equal(rejected[7]!.raw, '"two\nlines",1381152600,oops');
  assert.equal(rejected[9]!.raw, 'x'.repeat(4096));
});

test('a quote that is never closed costs one line, a line beyond measure itself', async () => {
  const good = 'A,1381152600,1\n';
  const filler = good.repeat(250_000);
  const path = put('quote.csv', `symbol,ts,price\n${good}"A,1381152600,1\n${filler}`);
  const result = await read({ path, columns });
  assert.equal(result.rows.length, 250_001);
  assert.deepEqual(
    result.rejected.map(({ line, raw }) => [line, raw]),
    [[3, '"A,1381152600,1']],
  );
  const huge = put('huge.csv', `symbol,ts,price\n${good}${'y'.repeat(5_000_000)}\n${good}"z`);
  const second = await read({ path: huge, columns });
  assert.equal(second.rows.length, 2);
  assert.deepEqual(
    second.rejected.map(({ line, reason }) => [line, reason.split(' ')[0]]),
    [
      [3, 'row'],
      [5, 'a'],
    ],
  );
  assert.equal(second.rejected[0]!.raw.length, 4096);
});

test('a file of nothing but bad rows comes in bounded batches', async () => {
  const path = put('all-bad.csv', `symbol,ts,price\n${'A,x,1\n'.repeat(5000)}`);
  const { rejected, batchSizes } = await read({ path, columns });
  assert.equal(rejected.length, 5000);
  assert.ok(batchSizes.length >= 4);
});

test('JSON lines: nested members, exact integers, numbers as texts, bad lines', async () => {
  const path = put(
    'ticks.ndjson',
    [
      '{"d":{"s":"A","T":1381152600000000001,"p":"1.5"},"q":9007199254740993,"ok":true}',
      '{"d":{"s":"1234567890123456789 \\"x\\"","T":"2013-10-07T13:30:00Z","p":null},"q":null}',
      '{"d":{"s":7,"T":1381152600.25,"p":2},"q":"12","ok":0}',
      '{"d":{"s":"A","T":1381152600',
      '[1,2]',
      '{"d":{"T":1381152600,"p":1}}',
      '{"d":{"s":"A","T":1381152600,"p":"x"}}',
      '{"d":{"s":"A","T":1381152600,"p":1},"q":1.5}',
      '{"d":{"s":"A","T":1381152600,"p":1},"q":9223372036854775808}',
      '{"d.s":"dotted","d":{"T":1381152600,"p":1e3}}',
    ].join('\r\n'),
  );
  const { rows, rejected, error } = await read({
    path,
    columns: {
      symbol: 'd.s',
      event_time: 'd.T',
      price: 'd.p',
      q: { type: 'int64' },
      ok: { type: 'boolean' },
    },
  });
  assert.equal(error, undefined);
  assert.deepEqual(rows, [
    ['A', T + 1n, 1.5, 9007199254740993n, true],
    ['1234567890123456789 "x"', T, null, null, null],
    ['7', T + 250_000_000n, 2, 12n, false],
    ['dotted', T, 1000, null, null],
  ]);
  assert.deepEqual(
    rejected.map(({ line, reason }) => `${line} ${reason.split(',')[0]}`),
    [
      `4 ${rejected[0]!.reason.split(',')[0]}`,
      '5 not an object',
      '6 symbol: missing',
      '7 price: "x"',
      '8 q: 1.5',
      '9 q: "9223372036854775808"',
    ],
  );
  assert.match(rejected[0]!.reason, /^no JSON: /);
  assert.equal(rejected[2]!.raw, '{"d":{"T":1381152600,"p":1}}');
});

test('text in UTF-16 is refused by name', async () => {
  const path = put('utf16.csv', Buffer.from('\ufeffsymbol,ts,price\n', 'utf16le'));
  const { error } = await read({ path, columns });
  assert.equal(error?.code, 'source/format');
  assert.match(error.message, /UTF-16, expected UTF-8/);
});
