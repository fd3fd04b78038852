import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RunOneOptions } from '../run-one.ts';
import { compareResults } from './compare.ts';
import { type BenchResult, mergeResults, readResults } from './results.ts';

const RUN_ONE = fileURLToPath(new URL('../run-one.js', import.meta.url));
const RUN = fileURLToPath(new URL('../run.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-test-'));
after(() => rmSync(folder, { recursive: true }));

function runOne(name: string, repetitions: number) {
  const resultPath = join(folder, `${name}.json`);
  const command = `npm run bench -- ${name}`;
  const options: RunOneOptions = { quick: false, repetitions, command, resultPath };
  const values = [RUN_ONE, `harness/fixtures/${name}`, JSON.stringify(options)];
  const { status, stderr } = spawnSync(process.execPath, values, { encoding: 'utf8' });
  return { status, stderr, resultPath };
}

test('a benchmark that waits for what never comes says so', () => {
  const { status, stderr } = runOne('waits', 1);
  assert.equal(status, 1);
  assert.match(stderr, /FAILED while at "waiting": it waits for something/);
});

test('a contender with another result is named, and fails the benchmark', () => {
  const { status, stderr } = runOne('differs', 1);
  assert.equal(status, 1);
  assert.match(stderr, /FAILED while at "wrong: warm-up"/);
  assert.match(stderr, /"wrong" failed[^]*expected 1, found 2/);
});

test('every repetition is kept, results are merged, and compared with themselves', () => {
  const { status, stderr, resultPath } = runOne('counts', 5);
  assert.equal(status, 0, stderr);
  const result = JSON.parse(readFileSync(resultPath, 'utf8')) as BenchResult;
  assert.deepEqual(
    result.measurements.map(({ section, name, seconds }) => [section, name, seconds.length]),
    [
      ['counting', 'far', 5],
      ['counting', 'near', 5],
    ],
  );
  assert.deepEqual(
    result.ratios.map(({ name, isPeer, values }) => [name, isPeer, values.length]),
    [['far to near', true, 5]],
  );
  const file = join(folder, 'results.json');
  mergeResults(file, [{ ...result, name: 'other', command: 'kept' }]);
  mergeResults(file, [{ ...result, name: 'counts', command: 'replaced' }]);
  mergeResults(file, [{ ...result, name: 'counts' }]);
  const merged = readResults(file);
  assert.deepEqual(
    merged.benchmarks.map(({ name, command }) => [name, command]),
    [
      ['counts', 'npm run bench -- counts'],
      ['other', 'kept'],
    ],
  );
  const lines = compareResults(merged, merged.benchmarks[0]!);
  assert.equal(lines.filter((line) => /\+0\.0 %.*within noise/.test(line)).length, 2, lines.join());
});

test('a file of something else is refused', () => {
  const path = join(folder, 'else.json');
  const cut = '{"format": 1, "benchmarks": [{"name": "start-up"}]}';
  for (const text of ['{"benchmarks": []}', '{"format": 1, "bench', 'null', cut]) {
    writeFileSync(path, text);
    assert.throws(() => readResults(path), /else\.json is no results file/);
  }
});

test('files that cannot be read or written are told before anything is measured', () => {
  const broken = join(folder, 'broken.json');
  writeFileSync(broken, '{');
  const cases = [
    [['--nonsense'], /Unknown option '--nonsense'/],
    [['--compare', join(folder, 'missing.json')], /--compare: .*no such file/],
    [['--compare', broken], /--compare: .*no results file/],
    [['--json', broken], /--json: .*no results file/],
    [['--json', join(folder, 'missing', 'out.json')], /--json: .*no such file/],
  ] as const;
  for (const [values, words] of cases) {
    const run = [RUN, 'start-up', '--quick', ...values];
    const { status, stdout, stderr } = spawnSync(process.execPath, run, { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, words);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});
