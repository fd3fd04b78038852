import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SinkContext, SinkWriter } from '../../engine/contract/connector.ts';
import type { ErrorCode } from '../../engine/contract/error.ts';
import { z } from '../../engine/contract/fields.ts';
import type { Problem } from '../../engine/contract/problem.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { columnBatch, query, readBack, type Row, sortRows } from '../testing/rows.ts';
import { parquet } from './parquet-sink.ts';

const schema: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'window_start', type: 'timestamp' },
    { name: 'close', type: 'float64' },
    { name: 'trades', type: 'int64' },
    { name: 'halted', type: 'boolean' },
    { name: 'venue', type: 'string' },
    { name: 'note', type: 'string' },
  ],
  time: 'window_start',
  key: 'symbol',
};
const context: SinkContext = { sink: 'bars', pipeline: 'test', schema };

function at(text: string): bigint {
  return parseIsoTime(text)!;
}

const ROWS: readonly Row[] = [
  ['AAPL', at('2013-10-07T13:30:00.000000001Z'), 487.5, 2n ** 53n + 1n, true, 'XNAS', 'a'],
  ['AAPL', at('2013-10-07T23:59:59.999999999Z'), -0, -(2n ** 63n) + 1n, false, 'XNYS', ''],
  ['BRK/A', at('2013-10-08T00:00:00Z'), Infinity, 2n ** 63n - 1n, null, 'XNYS', 'ünï → 💥'],
  ['', null, null, null, true, null, null],
  ['ZZ', at('1969-12-31T23:59:59.999999999Z'), 5e-324, 0n, false, 'XNAS', 'b "c", d\n'],
];

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-parquet-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const object = z.strictObject(parquet.fields);

function config(path: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return object.parse({ path: join(folder, path), ...more });
}

async function open(settings: Record<string, unknown>): Promise<SinkWriter> {
  return parquet.open(settings, context);
}

/** One run: writes, commits and closes. */
async function run(settings: Record<string, unknown>, batches: readonly (readonly Row[])[]) {
  const writer = await open(settings);
  for (const rows of batches) await writer.write(columnBatch(schema, rows));
  const { committables } = await writer.prepareCommit(0, true);
  await parquet.commit(settings, committables, context);
  await writer.close();
  return committables;
}

async function rowsOf(settings: Record<string, unknown>): Promise<Row[]> {
  return readBack(parquet.dataset(settings, context)!, schema);
}

function files(path: string): string[] {
  const root = join(folder, path);
  const found = readdirSync(root, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

for (const compression of ['zstd', 'snappy', 'none']) {
  test(`DuckDB reads every type and null back, ${compression}`, async () => {
    const settings = config(`types-${compression}`, { compression });
    await run(settings, [ROWS]);
    assert.deepEqual(await rowsOf(settings), sortRows(ROWS));
    assert.deepEqual(files(`types-${compression}`), ['part-test.bars-0001-00000-0001.parquet']);
  });
}

test('DuckDB sees the types of the contract, and statistics without NaN', async () => {
  const settings = config('described');
  await run(settings, [ROWS]);
  const { glob } = parquet.dataset(settings, context)!;
  const described = await query(`DESCRIBE SELECT * FROM '${glob}'`);
  assert.deepEqual(
    described.map(([name, type]) => `${String(name)} ${String(type)}`),
    [
      'symbol VARCHAR',
      'window_start TIMESTAMP_NS',
      'close DOUBLE',
      'trades BIGINT',
      'halted BOOLEAN',
      'venue VARCHAR',
      'note VARCHAR',
    ],
  );
  const [[nulls, smallest, codec]] = (await query(
    `SELECT stats_null_count, stats_min_value, compression FROM parquet_metadata('${glob}')
     WHERE path_in_schema = 'close'`,
  )) as [[bigint, string, string]];
  assert.deepEqual([nulls, Number(smallest), codec], [1n, -0, 'ZSTD']);
  const [[created]] = (await query(`SELECT created_by FROM parquet_file_metadata('${glob}')`)) as [
    [string],
  ];
  assert.equal(created, 'tidemark');
});

test('the key and repeated strings have a dictionary, distinct ones do not', async () => {
  const settings = config('dictionary');
  const rows = Array.from(
    { length: 100 },
    (_, i): Row => [`S${i}`, 0n, i, 0n, true, `V${i % 3}`, `note ${i}`],
  );
  await run(settings, [rows]);
  const { glob } = parquet.dataset(settings, context)!;
  const encodings = await query(
    `SELECT path_in_schema, encodings FROM parquet_metadata('${glob}') ORDER BY ALL`,
  );
  const dictionaries = encodings.filter(([, text]) => String(text).includes('DICTIONARY'));
  assert.deepEqual(
    dictionaries.map(([name]) => name),
    ['symbol', 'venue'],
  );
  const deltas = encodings.filter(([, text]) => String(text).includes('DELTA'));
  assert.deepEqual(
    deltas.map(([name]) => name),
    ['trades', 'window_start'],
  );
});

test('rows go into hive folders by day, a null day into a folder of its own', async () => {
  const settings = config('days', { partition_by: ['date'] });
  await run(settings, [ROWS]);
  assert.deepEqual(files('days'), [
    'date=1969-12-31/part-test.bars-0001-00000-0001.parquet',
    'date=2013-10-07/part-test.bars-0001-00000-0001.parquet',
    'date=2013-10-08/part-test.bars-0001-00000-0001.parquet',
    'date=__HIVE_DEFAULT_PARTITION__/part-test.bars-0001-00000-0001.parquet',
  ]);
  const dates = ['2013-10-07', '2013-10-07', '2013-10-08', null, '1969-12-31'];
  const expected = ROWS.map((row, i): Row => [...row, dates[i]!]);
  assert.deepEqual(await rowsOf(settings), sortRows(expected));
});

test('partition columns stand in folder names, which hold any text, not in files', async () => {
  const settings = config('columns', { partition_by: ['symbol', 'halted', 'trades'] });
  const rows = ROWS.filter(([symbol]) => symbol !== '');
  await run(settings, [rows]);
  assert.ok(
    files('columns').includes(
      `symbol=BRK%2FA/halted=__HIVE_DEFAULT_PARTITION__/trades=${2n ** 63n - 1n}/` +
        'part-test.bars-0001-00000-0001.parquet',
    ),
  );
  const dataset = parquet.dataset(settings, context)!;
  assert.deepEqual(
    dataset.columns.map(({ name }) => name),
    ['window_start', 'close', 'venue', 'note'],
  );
  assert.deepEqual(await rowsOf(settings), sortRows(rows));
});

test('nothing is visible before the commit, and a commit may be repeated', async () => {
  const settings = config('commit', { partition_by: ['date'] });
  const writer = await open(settings);
  await writer.write(columnBatch(schema, ROWS));
  const { committables } = await writer.prepareCommit(0, true);
  assert.ok(files('commit').every((name) => name.endsWith('.inprogress')));
  await parquet.commit(settings, committables, context);
  const committed = files('commit');
  assert.ok(committed.every((name) => name.endsWith('.parquet')));
  await parquet.commit(settings, committables, context);
  assert.deepEqual(files('commit'), committed);
  await writer.close();
  assert.deepEqual(files('commit'), committed);
});

test('a commit that was cut short is finished by the next call', async () => {
  const settings = config('cut', { partition_by: ['date'] });
  const writer = await open(settings);
  await writer.write(columnBatch(schema, ROWS));
  const { committables } = await writer.prepareCommit(0, true);
  await parquet.commit(settings, committables.slice(0, 2), context);
  await parquet.commit(settings, committables, context);
  assert.equal((await rowsOf(settings)).length, ROWS.length);
});

test('a committable whose file is gone is an error, also beside an older namesake', async () => {
  const settings = config('gone');
  await run(settings, [ROWS.slice(0, 1)]);
  const writer = await open(settings);
  await writer.write(columnBatch(schema, ROWS));
  const { committables } = await writer.prepareCommit(0, true);
  rmSync(String(committables[0]!['staged']));
  await assert.rejects(parquet.commit(settings, committables, context), { code: 'sink/lost' });
  await parquet.commit(settings, committables, { ...context, wasMade: true });
});

test('close without commit removes what was staged, and the folders made for it', async () => {
  const settings = config('close', { partition_by: ['date'], roll: { rows: 1 } });
  const writer = await open(settings);
  await writer.write(columnBatch(schema, ROWS));
  await writer.close();
  assert.deepEqual(readdirSync(join(folder, 'close')), []);
});

test('epochs of one run add up', async () => {
  const settings = config('epochs');
  const writer = await open(settings);
  for (const [epoch, row] of ROWS.entries()) {
    await writer.write(columnBatch(schema, [row]));
    await parquet.commit(settings, (await writer.prepareCommit(epoch, true)).committables, context);
  }
  await parquet.commit(
    settings,
    (await writer.prepareCommit(ROWS.length, true)).committables,
    context,
  );
  await writer.close();
  assert.equal(files('epochs').length, ROWS.length);
  assert.deepEqual(await rowsOf(settings), sortRows(ROWS));
});

test('a second run replaces the first, even with no rows, but no file of others', async () => {
  const settings = config('replace', { partition_by: ['date'], roll: { rows: 1 } });
  await run(settings, [ROWS]);
  const foreign = [
    'part-00000.parquet',
    'part-test.other-0001-00000-0001.parquet',
    'notes/part-test.bars-0001-00000-0001.parquet',
    'date=2013-10-07/bars.parquet',
    'date=2013-10-07/part-test.bars-0001-00000-0001.parquet.crc',
  ];
  mkdirSync(join(folder, 'replace', 'notes'));
  for (const name of foreign) writeFileSync(join(folder, 'replace', name), name);
  const again = config('replace', { partition_by: ['date'] });
  await run(again, [ROWS.slice(2, 3)]);
  assert.deepEqual(
    files('replace'),
    [...foreign, 'date=2013-10-08/part-test.bars-0002-00000-0001.parquet'].sort(),
  );
  await run(again, []);
  assert.deepEqual(files('replace'), [...foreign].sort());
  for (const name of foreign) {
    assert.equal(readFileSync(join(folder, 'replace', name), 'utf8'), name);
  }
});

test('if_exists: append keeps earlier files, fail refuses them', async () => {
  const settings = config('append', { if_exists: 'append' });
  await run(settings, [ROWS.slice(0, 2)]);
  await run(settings, [ROWS.slice(2)]);
  assert.deepEqual(await rowsOf(settings), sortRows(ROWS));
  const refusing = config('append', { if_exists: 'fail' });
  await assert.rejects(open(refusing), { code: 'sink/exists' });
  await run(config('fresh', { if_exists: 'fail' }), [ROWS]);
});

test('files that are continued must lie in the same hive folders', async () => {
  await run(config('layout', { partition_by: ['date'] }), [ROWS.slice(0, 2)]);
  const other = config('layout', { partition_by: ['symbol', 'date'], if_exists: 'append' });
  await assert.rejects(open(other), {
    code: 'sink/layout',
    message: /date=2013-10-07.* is partitioned by date, expected partitioned by symbol, date;/,
  });
  await assert.rejects(open(config('layout', { if_exists: 'append' })), {
    code: 'sink/layout',
    message: /is partitioned by date, expected not partitioned;/,
  });
  const same = config('layout', { partition_by: ['date'], if_exists: 'append' });
  await run(same, [ROWS.slice(2, 3)]);
  assert.equal((await rowsOf(same)).length, 3);
});

test('pipelines that share a folder and the name of a sink leave each other alone', async () => {
  const settings = config('shared');
  const other: SinkContext = { ...context, pipeline: 'test-2' };
  await run(settings, [ROWS.slice(0, 2)]);
  const writer = await parquet.open(settings, other);
  await writer.write(columnBatch(schema, ROWS.slice(2)));
  await parquet.commit(settings, (await writer.prepareCommit(0, true)).committables, other);
  await writer.close();
  await run(settings, [ROWS.slice(0, 1)]);
  assert.deepEqual(await rowsOf(settings), sortRows(ROWS.slice(0, 1)));
  assert.deepEqual(
    await readBack(parquet.dataset(settings, other)!, schema),
    sortRows(ROWS.slice(2)),
  );
});

test('opening removes what this sink left behind in a crash, and nothing of others', async () => {
  const dead = '2147483647-x-3.parquet.inprogress';
  const names = [`part-test.bars-${dead}`, `part-test.other-${dead}`];
  mkdirSync(join(folder, 'stale', 'date=2013-10-07'), { recursive: true });
  for (const name of names) {
    writeFileSync(join(folder, 'stale', name), 'half');
    writeFileSync(join(folder, 'stale', 'date=2013-10-07', name), 'half');
  }
  const writer = await open(config('stale', { partition_by: ['date'] }));
  assert.deepEqual(files('stale'), [`date=2013-10-07/${names[1]}`, names[1]]);
  await writer.close();
  const live = `part-test.bars-${process.ppid}-x-3.parquet.inprogress`;
  writeFileSync(join(folder, 'stale', live), 'half');
  await assert.rejects(open(config('stale')), { code: 'sink/busy' });
  assert.ok(files('stale').includes(live), 'what another run is writing stays');
});

test('a process killed between stage and commit leaves nothing in sight', async () => {
  const settings = config('killed');
  const module = new URL('./parquet-sink.js', import.meta.url).href;
  const script = `
    const { parquet } = await import(${JSON.stringify(module)});
    const writer = await parquet.open(${JSON.stringify(settings)}, ${JSON.stringify(context)});
    await writer.write({ rowCount: 1, columns: [
      { type: 'string', codes: Uint32Array.of(0), dictionary: ['A'] },
      { type: 'timestamp', values: BigInt64Array.of(1n) },
      { type: 'float64', values: Float64Array.of(1) },
      { type: 'int64', values: BigInt64Array.of(1n) },
      { type: 'boolean', values: Uint8Array.of(1) },
      { type: 'string', codes: Uint32Array.of(0), dictionary: ['A'] },
      { type: 'string', codes: Uint32Array.of(0), dictionary: ['A'] },
    ] });
    await writer.prepareCommit(0, true);
    process.kill(process.pid, 'SIGKILL');
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(child.signal, 'SIGKILL', child.stderr.toString());
  const staged = /^part-test\.bars-\d+-\w+-\w+-\d+\.parquet\.inprogress$/;
  assert.match(files('killed').join(' '), staged);
  const { glob } = parquet.dataset(settings, context)!;
  assert.deepEqual(await query(`SELECT count(*) FROM glob('${glob}')`), [[0n]]);
  await run(settings, [ROWS]);
  assert.deepEqual(files('killed'), ['part-test.bars-0001-00000-0001.parquet']);
});

test('a path below a file is refused with path and cause', async () => {
  writeFileSync(join(folder, 'file'), '');
  for (const path of ['file', 'file/below']) {
    const message = new RegExp(`sink "bars": cannot .*${path}.*: .* \\((EEXIST|ENOTDIR)\\)`);
    await assert.rejects(open(config(path)), { code: 'sink/unwritable', message });
  }
});

test('a folder that cannot be written to is refused with path and cause', async () => {
  mkdirSync(join(folder, 'locked'), { mode: 0o555 });
  // Root may write everywhere, so it becomes nobody for a moment.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!('nobody');
  try {
    await assert.rejects(open(config('locked')), {
      code: 'sink/unwritable',
      message: /locked: permission denied \(EACCES\)/,
    });
  } finally {
    if (isRoot) process.seteuid!('root');
  }
});

test('a full disk is an error that says so, and leaves nothing', async (t) => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
  if (mount.status !== 0) {
    t.skip(`cannot mount a small file system: ${mount.stderr?.toString() ?? mount.error}`);
    return;
  }
  try {
    const settings = config('disk', { compression: 'none', row_group_rows: 1000 });
    const writer = await open(settings);
    const expected: { code: ErrorCode; message: RegExp } = {
      code: 'sink/disk-full',
      message:
        /sink "bars": cannot write .*disk\/part-test.bars-.*: no space left on device \(ENOSPC\)/,
    };
    await assert.rejects(async () => {
      for (let i = 0; i < 1000; i++) {
        const row = (k: number): Row => [`S${k}`, 0n, Math.random(), 0n, true, 'v', `${i} ${k}`];
        await writer.write(
          columnBatch(
            schema,
            Array.from({ length: 100 }, (_, k) => row(k)),
          ),
        );
      }
    }, expected);
    await assert.rejects(writer.prepareCommit(0, true), expected);
    await writer.close();
    assert.deepEqual(readdirSync(disk), []);
  } finally {
    spawnSync('umount', [disk]);
    assert.ok(existsSync(disk));
  }
});

const planCases: readonly [partition_by: string[], want: string[]][] = [
  [['date'], []],
  [['date', 'symbol', 'halted', 'trades'], []],
  [['dat'], ['config/unknown-column partition_by.0: the input has no column dat']],
  [
    ['symbol', 'close'],
    [
      'config/column-type partition_by.1: cannot partition by close: it is float64, expected ' +
        'string, boolean or int64',
    ],
  ],
  [['date', 'date'], ['config/duplicate-column partition_by.1: date is named twice']],
];

for (const [partition_by, want] of planCases) {
  test(`plan: partition_by ${partition_by.join(', ')}`, () => {
    const problems: Problem[] = [];
    parquet.plan(config('plan', { partition_by }), schema, (problem) => problems.push(problem));
    assert.deepEqual(
      problems.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`),
      want,
    );
  });
}

test('plan: rows without a time have no date, and not every column can be a folder', () => {
  const narrow: Schema = { columns: [{ name: 'symbol', type: 'string' }], time: '', key: 'symbol' };
  const problems: Problem[] = [];
  const settings = config('plan', { partition_by: ['symbol', 'date'] });
  parquet.plan(settings, narrow, (problem) => problems.push(problem));
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['config/unknown-column', 'config/constraint'],
  );
});
