/**
 * What becomes of outputs when something goes wrong: earlier ones stay, half-written ones are never
 * seen, and a file that is read is never written.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { lintText } from '../../config/lint.ts';
import { SourceText } from '../../config/source-text.ts';
import { catalog, createPipeline, EngineError } from '../../index.ts';
import { environment, MAIN, summaryOf, temporaryFolder, tidemark } from './command.ts';

const folder = temporaryFolder();
const HEADER = 'symbol,ts,price,size\n';

function trades(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => `S${i % 7},${1_700_000_000 + i},1,2\n`);
  return `${HEADER}${lines.join('')}`;
}

function put(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

interface Parts {
  readonly source: string;
  readonly sinks: Readonly<Record<string, object>>;
}

function pipeline({ source, sinks }: Parts): string {
  const columns = { symbol: 'symbol', event_time: 'ts', price: 'price', size: 'size' };
  return JSON.stringify({
    name: 'outputs',
    sources: { trades: { type: 'file', path: source, format: 'csv', columns } },
    dead_letter: { path: join(folder, 'dead') },
    sinks: Object.fromEntries(
      Object.entries(sinks).map(([name, sink]) => [name, { input: 'trades', ...sink }]),
    ),
  });
}

/** Runs the pipeline in this process; the error where it fails. */
async function run(parts: Parts, signal?: AbortSignal): Promise<EngineError | undefined> {
  const source = new SourceText('outputs.yaml', pipeline(parts));
  const { plan, lints } = lintText(source, { catalog, environment: {} });
  assert.deepEqual(lints, []);
  try {
    return (await createPipeline(plan!, { slots: 1, signal }).run()).failure;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

const good = put('good.csv', trades(100));

test('a source of which nothing can be read leaves earlier outputs alone', async () => {
  const bad = put('bad.csv', 'Symbol,Time\nA,1\n');
  const sinks = {
    text: { type: 'csv', path: join(folder, 'kept/text.csv') },
    files: { type: 'parquet', path: join(folder, 'kept/files') },
  };
  assert.equal(await run({ source: good, sinks }), undefined);
  const text = readFileSync(sinks.text.path, 'utf8');
  const files = readdirSync(sinks.files.path);
  assert.equal(files.length, 1);
  assert.equal((await run({ source: bad, sinks }))?.code, 'source/format');
  assert.equal(await run({ source: good, sinks }, AbortSignal.abort()), undefined);
  assert.equal(readFileSync(sinks.text.path, 'utf8'), text);
  assert.deepEqual(readdirSync(sinks.files.path), files);
  // Rows before the damage are worth more than the outputs of an earlier run.
  const empty = put('empty.csv', HEADER);
  assert.equal(await run({ source: empty, sinks }), undefined);
  assert.equal(existsSync(sinks.text.path), false);
});

test('no sink may write to a file that a source reads', async () => {
  const before = readFileSync(good, 'utf8');
  const link = join(folder, 'link.csv');
  symlinkSync(good, link);
  for (const path of [good, join(folder, 'none/../good.csv'), link]) {
    const error = await run({ source: good, sinks: { rows: { type: 'csv', path } } });
    assert.equal(error?.code, 'sink/is-source', path);
    assert.match(error.message, /^sink "rows": cannot write .*: source "trades" reads it/);
  }
  const source = join(folder, 'g*.csv');
  const glob = await run({ source, sinks: { rows: { type: 'ndjson', path: good } } });
  assert.equal(glob?.code, 'sink/is-source');
  assert.equal(readFileSync(good, 'utf8'), before);
});

test('two sinks cannot share a file, but may share a folder', () => {
  const lint = (one: object, two: object): string[] =>
    lintText(new SourceText('p.yaml', pipeline({ source: good, sinks: { one, two } })), {
      catalog,
      environment: {},
    }).lints.map(({ code, message }) => `${code} ${message}`);
  const file = (path: string): object => ({ type: 'csv', path });
  assert.deepEqual(lint(file('out/a.csv'), file('./out//a.csv')), [
    'config/constraint sink one writes to ./out//a.csv as well',
  ]);
  assert.deepEqual(lint(file('out/a.csv'), file('out/b.csv')), []);
  const parts = { type: 'parquet', path: 'out' };
  assert.deepEqual(lint(parts, parts), []);
});

test('a sink of lines refuses the name of a folder at the start', async () => {
  const sinks = { rows: { type: 'csv', path: join(folder, 'slash/') } };
  const error = await run({ source: good, sinks });
  assert.match(error!.message, /cannot write .*slash\/: it names a folder, expected a file/);
  assert.equal(existsSync(sinks.rows.path), false);
});

test('a disk that is full when rows are appended leaves the file as it was', async (t) => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk]);
  if (mount.status !== 0) {
    t.skip(`cannot mount a small file system: ${mount.stderr?.toString() ?? mount.error}`);
    return;
  }
  try {
    const path = join(disk, 'rows.csv');
    const sinks = { rows: { type: 'csv', path, if_exists: 'append' } };
    assert.equal(await run({ source: good, sinks }), undefined);
    const before = readFileSync(path, 'utf8');
    // It can be staged, but not be there twice.
    const much = put('much.csv', trades(3000));
    assert.equal((await run({ source: much, sinks }))?.code, 'sink/disk-full');
    assert.equal(readFileSync(path, 'utf8'), before);
    assert.deepEqual(readdirSync(disk), ['rows.csv']);
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0);
    for (const type of ['csv', 'parquet']) {
      const rows = { type, path: join(disk, 'new/rows') };
      const error = await run({ source: good, sinks: { rows } });
      assert.equal(error?.code, 'sink/unwritable');
      assert.match(error.message, /read-only file system \(EROFS\)$/);
    }
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('with --json a failure is JSON as well, and rows on stdout are wrong usage', () => {
  const file = put(
    'json.yaml',
    pipeline({ source: 'none.csv', sinks: { rows: { type: 'csv', path: '-' } } }),
  );
  const usage = tidemark(folder, 'run', file, '--json');
  assert.deepEqual([usage.code, usage.stdout], [2, '']);
  assert.match(usage.stderr, /--json prints the summary on stdout, where sink rows writes/);
  const failed = tidemark(folder, 'run', file, '--json', '-s', 'sinks.rows.path=rows.csv');
  assert.equal(failed.code, 1);
  const { error, commit } = JSON.parse(failed.stdout) as Record<string, unknown>;
  assert.deepEqual(error, {
    code: 'source/not-found',
    message: `no file matches none.csv in ${folder}`,
  });
  assert.deepEqual(commit, { done: [] });
});

test('rejected rows are shown where they are, whichever source they are of', () => {
  const other = put('other.csv', `${HEADER}A,never,1,1\n`);
  const document = JSON.parse(
    pipeline({ source: good, sinks: { rows: { type: 'blackhole' } } }),
  ) as { sources: Record<string, object>; sinks: Record<string, object> };
  document.sources['other'] = { ...document.sources['trades'], path: other };
  document.sinks['others'] = { type: 'blackhole', input: 'other' };
  const file = put('two.yaml', JSON.stringify(document));
  const ended = tidemark(folder, 'run', file, '--json');
  assert.equal(ended.code, 0);
  const { accounts, kept } = summaryOf(ended);
  const counts = { read: 101, processed: 100, late: 0, rejected: 1, duplicate: 0 };
  assert.deepEqual(accounts, counts);
  const rejected = join(folder, 'dead/outputs.other.ndjson');
  assert.deepEqual(kept, { rejected });
  assert.match(readFileSync(rejected, 'utf8'), /"line":2,"reason":"event_time: \\"never\\"/);
});

test('a source of which no row can be read ends the run, and earlier output stays', async () => {
  const path = join(folder, 'kept.csv');
  const sinks = { rows: { type: 'csv', path } };
  assert.equal(await run({ source: good, sinks }), undefined);
  const before = readFileSync(path, 'utf8');
  const swapped = trades(2000).replaceAll(/,1,2$/gm, ',much,2');
  const failure = await run({ source: put('swapped.csv', swapped), sinks });
  assert.equal(failure?.code, 'source/format');
  assert.match(
    failure.message,
    /^source trades: none of the first [\d,]+ rows can be read; .*:2: /,
  );
  assert.match(failure.message, /price: "much", expected a number/);
  assert.equal(readFileSync(path, 'utf8'), before);
  // A few bad rows are no wrong format.
  const some = trades(50).replaceAll(/,1,2$/gm, ',much,2');
  assert.equal(await run({ source: put('some.csv', some), sinks }), undefined);
});

test('the queries to try carry the options of the run', () => {
  const sinks = { rows: { type: 'csv', path: 'elsewhere.csv' } };
  const file = put('try.yaml', pipeline({ source: good, sinks }));
  const options = ['-s', "sinks.rows.path=it's here.csv"];
  const { code, stderr } = tidemark(folder, 'run', file, ...options);
  assert.equal(code, 0, stderr);
  const command = /^ {2}npx tidemark (query [^]*")\n$/m.exec(stderr)![1]!;
  const tried = spawnSync('sh', ['-c', `"$0" "$1" ${command} --json`, process.execPath, MAIN], {
    cwd: folder,
    encoding: 'utf8',
    env: environment(),
  });
  assert.equal(tried.status, 0, tried.stderr);
  assert.equal((JSON.parse(tried.stdout) as unknown[]).length, 7);
});
