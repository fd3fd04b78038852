/** Sentinels and times near the ends of 64 bits are bad rows, whatever the format. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { before } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { type Options, read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const columns = { symbol: 'symbol', event_time: 'ts' };

const SECOND = 1_000_000_000n;
const FIRST = -9_214_560_000n * SECOND;
const LAST = 9_214_646_400n * SECOND;
const GOOD = [FIRST, 0n, LAST];
const BAD = [FIRST - 1n, LAST + 1n, 2n ** 63n - 1n, -(2n ** 63n) + 1n];
const ALL = [...GOOD, ...BAD];
/** The same as ISO times, and a sentinel that many systems write. */
const ISO_GOOD = ['1678-01-01', '2262-01-01T00:00:00Z', '2262-01-01T02:00:00+02:00'];
const ISO_BAD = [
  '1677-12-31T23:59:59.999999999Z',
  '2262-01-01T00:00:00.000000001',
  '2262-01-01T00:00:00-00:01',
  '9999-12-31',
  '0001-01-01',
];

async function assertTimes(
  path: string,
  good: readonly bigint[],
  bad: number,
  unit: NonNullable<Options['time_unit']> = 'ns',
): Promise<void> {
  const { rows, rejected, error } = await read({ path, time_unit: unit, columns });
  assert.equal(error, undefined);
  assert.deepEqual(
    rows.map((row) => row[1]),
    good,
  );
  assert.equal(rejected.length, bad);
  for (const { reason } of rejected) {
    assert.match(reason, /^event_time: .*, expected a time from 1678-01-01 to 2262-01-01$/);
  }
}

function put(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('csv', async () => {
  const lines = (times: readonly (string | bigint | number)[]): string =>
    `symbol,ts\n${times.map((time) => `A,${time}\n`).join('')}`;
  await assertTimes(put('n.csv', lines(ALL)), GOOD, BAD.length);
  const isoTimes = [FIRST, LAST, LAST];
  const iso = put('iso.csv', lines([...ISO_GOOD, ...ISO_BAD]));
  await assertTimes(iso, isoTimes, ISO_BAD.length);
  const seconds = [9_214_646_400, 9_214_646_401, -9_214_560_000, -9_214_560_001, '9214646400.1'];
  const path = put('s.csv', lines(seconds));
  await assertTimes(path, [LAST, FIRST], 3, 's');
});

test('JSON lines', async () => {
  const lines = (times: readonly (string | bigint | number)[]): string =>
    times.map((time) => `{"symbol":"A","ts":${time}}\n`).join('');
  await assertTimes(put('n.ndjson', lines(ALL)), GOOD, BAD.length);
  const texts = [...ISO_GOOD, ...ISO_BAD].map((time) => JSON.stringify(time));
  const path = put('iso.ndjson', lines(texts));
  await assertTimes(path, [FIRST, LAST, LAST], ISO_BAD.length);
});

test('Arrow', async () => {
  const table = tableFromArrays({
    symbol: ALL.map(() => 'A'),
    ts: BigInt64Array.from(ALL),
  });
  const path = put('n.arrow', tableToIPC(table, 'stream'));
  await assertTimes(path, GOOD, BAD.length);
});

let connection: Awaited<ReturnType<DuckDBInstance['connect']>>;
before(async () => {
  connection = await (await DuckDBInstance.create()).connect();
});

test('Parquet', async () => {
  const write = async (times: readonly bigint[], type: string): Promise<string> => {
    const path = join(folder, 'n.parquet');
    const values = times.map((time) => `('A', ${time}::bigint)`).join(',');
    const sql = `select symbol, ${type} as ts from (values ${values}) t(symbol, ts)`;
    await connection.run(`copy (${sql}) to '${path}' (format parquet)`);
    return path;
  };
  await assertTimes(await write(ALL, 'ts'), GOOD, BAD.length);
  const near = [...GOOD, FIRST - 1n, LAST + 1n];
  await assertTimes(await write(near, 'make_timestamp_ns(ts)'), GOOD, 2);
});
