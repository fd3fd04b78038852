/** SIGINT and SIGTERM: the first drains and ends with 0, the second ends at once with 130. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { environment, MAIN, temporaryFolder } from './command.ts';

const folder = temporaryFolder();

/** More trades than a test waits for. Bars of a second go to stdout: a sign that rows flow. */
function pipeline(name: string, speed: string): string {
  const file = join(folder, `${name}.yaml`);
  const document = {
    name,
    sources: {
      trades: { type: 'generator', symbols: 5, trades: 1_000_000_000, speed, late: 0.01 },
    },
    operators: {
      bars: {
        type: 'tumbling_window',
        input: 'trades',
        size: '1s',
        aggregates: { trades: 'count()' },
      },
    },
    sinks: {
      bars: { type: 'ndjson', input: 'bars', path: '-' },
      late: { type: 'ndjson', input: 'bars.late', path: `${name}-late.ndjson` },
    },
    // What it finds of a run that was stopped is told, but is no reason to end with 3.
    quality: [{ dataset: 'late', row_count: { min: 10_000_000 } }],
  };
  writeFileSync(file, JSON.stringify(document));
  return file;
}

interface Run {
  readonly child: ChildProcess;
  readonly flowing: Promise<void>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function start(file: string): Run {
  const child = spawn(process.execPath, [MAIN, 'run', file, '-q'], {
    cwd: folder,
    env: environment(),
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
    });
  }
  const flowing = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, flowing, ended: closed.then((code) => ({ code, ...printed })) };
}

const lines = (text: string): string[] => text.split('\n').slice(0, -1);

for (const [signal, speed] of [
  ['SIGINT', 'max'],
  ['SIGTERM', '10x'],
] as const) {
  test(`${signal} drains at speed ${speed}: what was read is written, the end is 0`, async () => {
    const name = signal.toLowerCase();
    const { child, flowing, ended } = start(pipeline(name, speed));
    await Promise.race([flowing, ended]);
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Stopping: what has been read is processed and written\./m);
    assert.match(stderr, new RegExp(`^${name} +■ stopped`, 'm'));
    assert.match(stderr, /^Quality +0 passed · 1 failed$/m);
    const count = (what: string): number =>
      Number(new RegExp(`([\\d,]+) +${what}\\b`).exec(stderr)![1]!.replaceAll(',', ''));
    const inBars = lines(stdout)
      .map((line) => (JSON.parse(line) as { trades: number }).trades)
      .reduce((sum, trades) => sum + trades, 0);
    assert.ok(inBars > 0);
    assert.equal(inBars, count('processed'));
    assert.equal(count('processed') + count('late'), count('read'));
    if (count('late') > 0) {
      const late = readFileSync(join(folder, `${name}-late.ndjson`), 'utf8');
      assert.equal(lines(late).length, count('late'));
    }
  });
}

test('the second signal ends at once with 130; earlier outputs are as they were', async () => {
  const earlier = join(folder, 'twice-late.ndjson');
  writeFileSync(earlier, 'earlier\n');
  const { child, flowing, ended } = start(pipeline('twice', 'max'));
  await Promise.race([flowing, ended]);
  // Both are there before the process can act on the first.
  for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) child.kill(signal);
  const { code, stderr } = await ended;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Again to quit at once\.\n$/);
  assert.equal(readFileSync(earlier, 'utf8'), 'earlier\n');
});
