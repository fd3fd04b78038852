/** Parquet and Arrow: types, nulls, dictionaries, row groups and lanes. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { before } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import * as arrow from 'apache-arrow';
import { plan, read, type Options, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const T = 1381152600_000_000_000n;
let connection: DuckDBConnection;

before(async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  connection = await instance.connect();
});

/** Writes the rows of a query as Parquet. */
async function parquet(name: string, query: string, options = ''): Promise<string> {
  const path = join(folder, `${name}.parquet`);
  await connection.run(`copy (${query}) to '${path}' (format parquet${options})`);
  return path;
}

const key = `'A' symbol, make_timestamp_ns(${T}) event_time`;

/** Values of one column of a query, read as the type. */
async function cast(sql: string, type: string, name = 'cast'): Promise<unknown[]> {
  const path = await parquet(name, `select ${key}, v from (values ${sql}) t(v)`);
  const columns = { symbol: 'symbol', event_time: 'event_time', v: { type } } as Options['columns'];
  const { rows, rejected, error } = await read({ path, columns });
  if (error !== undefined) throw error;
  return [...rows.map((row) => row[2]), ...rejected.map(({ reason }) => reason)];
}

test('numbers of every type become doubles', async () => {
  for (const type of ['tinyint', 'smallint', 'integer', 'bigint', 'float', 'double']) {
    const values = await cast(`(-3::${type}), (null), (120::${type})`, 'float64');
    assert.deepEqual(values, [-3, null, 120], type);
  }
  for (const type of ['utinyint', 'usmallint', 'uinteger', 'ubigint']) {
    assert.deepEqual(
      await cast(`(7::${type}), (null), (200::${type})`, 'float64'),
      [7, null, 200],
      type,
    );
  }
  assert.deepEqual(await cast("(1.5::float), ('nan'::float), ('-inf'::float)", 'float64'), [
    1.5,
    null,
    -Infinity,
  ]);
  assert.deepEqual(await cast('(18446744073709551615::ubigint)', 'float64'), [2 ** 64]);
  assert.deepEqual(await cast('(true), (null), (false)', 'float64'), [1, null, 0]);
});

test('decimals become the nearest doubles', async () => {
  assert.deepEqual(await cast('(1.1::decimal(4,1)), (null), (-99.9::decimal(4,1))', 'float64'), [
    1.1,
    null,
    -99.9,
  ]);
  const wide = ['12345678901234567890.123456789012345678', '-0.000000000000000003', '0'];
  const sql = wide.map((text) => `('${text}'::decimal(38,18))`).join(',');
  assert.deepEqual(await cast(sql, 'float64'), wide.map(Number));
  assert.deepEqual(await cast('(12::decimal(18,0)), (null)', 'int64'), [12n, null]);
});

test('integers become int64, and what does not fit is rejected', async () => {
  assert.deepEqual(await cast('(-3::smallint), (null)', 'int64'), [-3n, null]);
  assert.deepEqual(await cast('(9007199254740993::bigint)', 'int64'), [9007199254740993n]);
  assert.deepEqual(await cast('(1::ubigint), (9223372036854775808::ubigint)', 'int64'), [
    1n,
    'v: "9223372036854775808", expected a whole number of 64 bits',
  ]);
});

test('times of every unit become nanoseconds', async () => {
  const times = ['2013-10-07 13:30:00', '1969-12-31 23:59:59'];
  for (const type of ['timestamp_s', 'timestamp_ms', 'timestamp', 'timestamp_ns', 'timestamptz']) {
    const sql = `${times.map((time) => `('${time}'::${type})`).join(',')}, (null)`;
    assert.deepEqual(await cast(sql, 'timestamp'), [T, -1_000_000_000n, null], type);
  }
  const day = 1381104000_000_000_000n;
  assert.deepEqual(await cast("('2013-10-07'::date), (null)", 'timestamp'), [day, null]);
  assert.deepEqual(await cast('(1381152600), (1381152600000000001)', 'timestamp'), [T, T + 1n]);
  assert.deepEqual(await cast("('2013-10-07T13:30:00Z'), (null), ('noon')", 'timestamp'), [
    T,
    null,
    'v: "noon", expected a time such as 2013-10-07T13:30:00Z or an epoch',
  ]);
  assert.deepEqual(await cast("('9999-01-01'::timestamp)", 'timestamp'), [
    'v: "253370764800000000", expected a time from 1678-01-01 to 2262-01-01',
  ]);
});

test('texts, bytes and integers become texts', async () => {
  const long = 'a text that is longer than eight bytes';
  assert.deepEqual(await cast(`('A'), (null), (''), ('${long}'), ('é')`, 'string'), [
    'A',
    null,
    '',
    long,
    'é',
  ]);
  assert.deepEqual(await cast("('AB'::blob)", 'string'), ['AB']);
  assert.deepEqual(await cast('(12), (null), (-7), (12)', 'string'), ['12', null, '-7', '12']);
  assert.deepEqual(await cast("('x'::enum('x', 'y')), (null)", 'string'), ['x', null]);
});

test('booleans, and integers that are 0 or 1', async () => {
  assert.deepEqual(await cast('(true), (null), (false)', 'boolean'), [true, null, false]);
  assert.deepEqual(await cast('(1), (null), (0), (2)', 'boolean'), [
    true,
    null,
    false,
    'v: "2", expected true or false',
  ]);
});

test('a column of nothing but nulls is of any type', async () => {
  for (const type of ['float64', 'int64', 'timestamp', 'string', 'boolean']) {
    const path = join(folder, 'nulls.arrow');
    const table = new arrow.Table({
      symbol: arrow.vectorFromArray(['A', 'B'], new arrow.Utf8()),
      event_time: arrow.makeVector(BigInt64Array.of(T, T)),
      v: arrow.vectorFromArray([null, null], new arrow.Null()),
    });
    writeFileSync(path, arrow.tableToIPC(table, 'stream'));
    const columns = {
      symbol: 'symbol',
      event_time: 'event_time',
      v: { type },
    } as Options['columns'];
    const { rows, error } = await read({ path, columns });
    assert.equal(error, undefined);
    assert.deepEqual(
      rows.map((row) => row[2]),
      [null, null],
      type,
    );
  }
});

test('what cannot be cast or is not there is an error that names what the file has', async () => {
  for (const [sql, type, found] of [
    ["('x')", 'float64', 'utf8'],
    ['(1.5)', 'timestamp', 'decimal(2, 1)'],
    ['(1.5::double)', 'int64', 'float64'],
    ['([1, 2])', 'float64', 'list'],
    ["({'a': 1})", 'string', 'struct'],
    ["('13:30'::time)", 'timestamp', 'time[us]'],
  ] as const) {
    await assert.rejects(cast(sql, type), (error: Error & { code: string }) => {
      assert.equal(error.code, 'source/format');
      assert.ok(
        error.message.includes(`column v is ${found}, which is not read as ${type}`),
        error.message,
      );
      assert.ok(
        error.message.includes('symbol: utf8, event_time: timestamp[ns], v: '),
        error.message,
      );
      return true;
    });
  }
  const path = await parquet('missing', `select ${key}, 1.5 price`);
  const columns = { symbol: 'symbol', event_time: 'event_time', pric: 'pric' };
  const { error } = await read({ path, columns });
  assert.match(
    error!.message,
    /no column "pric"; it has symbol, event_time, price; did you mean price\?/,
  );
});

test('a null in the key or the event time rejects the row, with its place', async () => {
  const path = await parquet(
    'null-keys',
    `select case when i % 1000 = 500 then null else 'S' || i % 3 end symbol,
            case when i % 1000 = 501 then null else make_timestamp_ns(${T} + i) end event_time,
            i::double v
     from range(20000) t(i) order by i`,
    ', row_group_size 4096',
  );
  const columns = { symbol: 'symbol', event_time: 'event_time', v: 'v' };
  for (const batchRows of [1000, 65_536]) {
    const { rows, rejected } = await read({ path, columns }, { batchRows });
    const expected = Array.from({ length: 20_000 }, (_, i) => i).filter(
      (i) => i % 1000 !== 500 && i % 1000 !== 501,
    );
    assert.deepEqual(
      rows,
      expected.map((i) => [`S${i % 3}`, T + BigInt(i), i]),
    );
    assert.equal(rejected.length, 40);
    assert.deepEqual(
      rejected.slice(0, 3).map(({ line, reason, raw }) => [line, reason.split(',')[0], raw]),
      [
        [501, 'symbol: null', `{"symbol":null,"event_time":"${T + 500n}","v":"500"}`],
        [502, 'event_time: null', '{"symbol":"S0","event_time":null,"v":"501"}'],
        [1501, 'symbol: null', `{"symbol":null,"event_time":"${T + 1500n}","v":"1500"}`],
      ],
    );
  }
});

test('lanes read every row group once, and in the order of units they are the file', async () => {
  const select = (from: number, to: number): string =>
    `select 'S' || i % 5 symbol, make_timestamp_ns(${T} + i) event_time, i::double v
     from range(${from}, ${to}) t(i) order by i`;
  await parquet('lanes-1', select(0, 20_000), ', row_group_size 2048');
  await parquet('lanes-2', select(20_000, 25_000), ', row_group_size 4096');
  const options = {
    path: join(folder, 'lanes-*.parquet'),
    columns: { v: 'v', symbol: 'symbol', event_time: 'event_time' },
  };
  const whole = await read(options, { batchRows: 1000 });
  const unitCount = whole.units.at(-1)! + 1;
  assert.ok(unitCount > 6);
  assert.deepEqual(
    [...new Set(whole.units)],
    Array.from({ length: unitCount }, (_, i) => i),
  );
  assert.deepEqual(
    whole.rows.map((row) => row[0]),
    Array.from({ length: 25_000 }, (_, i) => i),
  );
  for (const lanes of [2, 3]) {
    const batches: { unit: number; rows: unknown[][] }[] = [];
    let bytes = 0;
    for (let lane = 0; lane < lanes; lane++) {
      const { rows, units, batchSizes, bytesRead } = await read(options, {
        batchRows: 1000,
        lane,
        lanes,
      });
      assert.ok(units.every((unit) => unit % lanes === lane));
      assert.deepEqual(
        units,
        [...units].sort((a, b) => a - b),
      );
      let at = 0;
      for (const [index, unit] of units.entries()) {
        batches.push({ unit, rows: rows.slice(at, (at += batchSizes[index]!)) });
      }
      bytes += bytesRead;
    }
    const ordered = batches.sort((a, b) => a.unit - b.unit).flatMap(({ rows }) => rows);
    assert.deepEqual(ordered, whole.rows);
    assert.ok(bytes <= whole.totalBytes && bytes > whole.totalBytes * 0.5);
  }
});

/** A table with all the layouts that arrow-js can write, dictionaries above all. */
function arrowTable(from: number, rows: number): arrow.Table {
  const index = Array.from({ length: rows }, (_, row) => from + row);
  const symbols = index.map((i) => (i % 11 === 0 ? 'a rather long symbol' : `S${i % 300}`));
  return new arrow.Table({
    symbol: arrow.vectorFromArray(
      symbols,
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 7),
    ),
    event_time: arrow.makeVector(BigInt64Array.from(index, (i) => T + BigInt(i))),
    v: arrow.vectorFromArray(
      index.map((i) => (i % 7 === 0 ? null : i / 4)),
      new arrow.Float32(),
    ),
    large: arrow.vectorFromArray(
      index.map((i) => (i % 5 === 0 ? null : `text ${i}`)),
      new arrow.LargeUtf8(),
    ),
    flag: arrow.vectorFromArray(
      index.map((i) => (i % 3 === 0 ? null : i % 2 === 0)),
      new arrow.Bool(),
    ),
  });
}

function expectedRow(i: number): unknown[] {
  return [
    i % 11 === 0 ? 'a rather long symbol' : `S${i % 300}`,
    T + BigInt(i),
    i % 7 === 0 ? null : i / 4,
    i % 5 === 0 ? null : `text ${i}`,
    i % 3 === 0 ? null : i % 2 === 0,
  ];
}

test('Arrow streams and files, plain and compressed as a whole, at any batch size', async () => {
  const table = arrowTable(0, 700).concat(arrowTable(700, 3), arrowTable(703, 1300));
  const columns: Options['columns'] = {
    symbol: 'symbol',
    event_time: 'event_time',
    v: 'v',
    large: { type: 'string' },
    flag: { type: 'boolean' },
  };
  const expected = Array.from({ length: 2003 }, (_, i) => expectedRow(i));
  const stream = arrow.tableToIPC(table, 'stream');
  for (const [name, bytes] of [
    ['s.arrows', stream],
    // A file cannot replace a dictionary, as the stream does for each record batch.
    ['f.arrow', arrow.tableToIPC(arrowTable(0, 2003), 'file')],
    ['s.arrow.gz', gzipSync(stream)],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    for (const batchRows of [1, 7, 1000, 4096]) {
      const result = await read({ path, columns }, { batchRows });
      assert.equal(result.error, undefined, `${name} ${batchRows}`);
      assert.deepEqual(result.rows, expected, `${name} ${batchRows}`);
      assert.ok(result.batchSizes.every((size) => size <= batchRows));
    }
  }
});

test('Arrow bodies compressed by zstd or LZ4', async () => {
  const [batch] = arrowTable(0, 50).select(['v', 'event_time']).batches;
  assert.ok(batch);
  for (const [type, frame] of [
    [arrow.CompressionType.ZSTD, storedZstd],
    [arrow.CompressionType.LZ4_FRAME, storedLz4],
  ] as const) {
    arrow.compressionRegistry.set(type, { encode: frame, decode: () => new Uint8Array() });
    const writer = new arrow.RecordBatchStreamWriter({ compressionType: type });
    const table = new arrow.Table({
      symbol: arrow.vectorFromArray(['A', 'B', 'A'], new arrow.Utf8()),
      event_time: arrow.makeVector(BigInt64Array.of(T, T, T)),
      v: arrow.makeVector(Float64Array.of(1, 2, 3)),
    });
    const path = join(folder, 'compressed.arrow');
    writeFileSync(path, writer.writeAll(table).toUint8Array(true));
    const columns = { symbol: 'symbol', event_time: 'event_time', v: 'v' };
    const { rows, error } = await read({ path, columns });
    assert.equal(error, undefined);
    assert.deepEqual(
      rows.map((row) => row[2]),
      [1, 2, 3],
    );
  }
});

/** A zstd frame of one raw block. */
function storedZstd(bytes: Uint8Array): Uint8Array {
  const header = Buffer.alloc(3);
  header.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]), header, bytes]);
}

/** An LZ4 frame of one block that is not compressed; its header checksum is precomputed. */
function storedLz4(bytes: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32LE((bytes.length | 0x8000_0000) >>> 0);
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
  return Buffer.concat([header, size, bytes, Buffer.alloc(4)]);
}

test('the plan of a Parquet source needs no file', () => {
  const { problems } = plan({
    path: 'no/such/*.parquet',
    columns: { symbol: 's', event_time: 't' },
  });
  assert.deepEqual(problems, []);
});
