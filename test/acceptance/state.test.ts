/** What a user is told where state and outputs of earlier runs are not as a run expects them. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type Ended, environment, MAIN, temporaryFolder, tidemark } from './command.ts';

const WAIT_MS = 20_000;

/** A pipeline in a folder of its own that runs until it is stopped, and writes many small files. */
function pipeline(more: Readonly<Record<string, unknown>> = {}): string {
  const folder = temporaryFolder();
  writePipeline(folder, { checkpoint: { interval: '100ms' }, ...more });
  return folder;
}

function writePipeline(folder: string, more: Readonly<Record<string, unknown>>): void {
  const trades = { type: 'generator', symbols: 5, trades: 1_000_000_000, speed: '2000x' };
  const bars = { type: 'parquet', input: 'bars', path: 'out/bars', row_group_rows: 20 };
  const document = {
    name: 'live',
    partitions: 2,
    sources: { trades },
    operators: {
      bars: {
        type: 'tumbling_window',
        input: 'trades',
        size: '1s',
        aggregates: { trades: 'count()' },
      },
    },
    sinks: { bars: { ...bars, roll: { rows: 20 } } },
    ...more,
  };
  writeFileSync(join(folder, 'live.yaml'), JSON.stringify(document));
}

const statesOf = (folder: string, name: string): string[] => {
  try {
    return readdirSync(join(folder, 'state', name)).sort();
  } catch {
    return [];
  }
};

/** Runs until there is a further checkpoint, or it ends by itself; then stops it. */
async function run(folder: string, options: readonly string[] = [], name = 'live'): Promise<Ended> {
  const isNote = (file: string): boolean => file.endsWith('.committed');
  const newest = (): string | undefined => statesOf(folder, name).findLast(isNote);
  const before = newest();
  const child = spawn(
    process.execPath,
    [MAIN, 'run', 'live.yaml', '-q', '--slots', '1', ...options],
    {
      cwd: folder,
      env: environment(),
    },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  for (let waits = 0; waits < WAIT_MS / 20 && child.exitCode === null; waits++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = newest();
    if (now !== undefined && now !== before) break;
  }
  child.kill('SIGTERM');
  return { code: await closed, stdout, stderr };
}

/** Runs it until its newest checkpoint has files of its own. */
async function runToFiles(folder: string): Promise<readonly string[]> {
  for (;;) {
    assert.equal((await run(folder)).code, 0);
    const files = readdirSync(join(folder, 'out/bars'));
    const [epoch] = /\d{5}(?=\.committed)/.exec(statesOf(folder, 'live').at(-1)!)!;
    if (files.some((name) => name.includes(`-${epoch}-`))) return files;
  }
}

test('a folder of outputs that is gone is a warning, and a lost promise an error', async () => {
  const folder = pipeline();
  const files = await runToFiles(folder);
  rmSync(join(folder, 'out'), { recursive: true });
  const told = await run(folder);
  assert.equal(told.code, 0);
  const { length } = files;
  const all = length === 1 ? 'the file' : `all ${length} files`;
  assert.match(
    told.stderr,
    new RegExp(`warning: sink bars: ${all} that it wrote up to checkpoint`),
  );
  assert.equal(told.stderr.match(/that it wrote up to checkpoint/g)!.length, 1, 'told once');
  assert.match(told.stderr, /files in all {2}rows in all/);
  await runToFiles(folder);
  // As where the process was killed between the checkpoint and its commit.
  const states = statesOf(folder, 'live').filter((name) => name.endsWith('.committed'));
  for (const name of states) rmSync(join(folder, 'state/live', name));
  rmSync(join(folder, 'out'), { recursive: true });
  const lost = await run(folder);
  assert.equal(lost.code, 1);
  assert.match(
    lost.stderr,
    /error\[sink\/lost\]: .*part-live.*with --from-checkpoint, or begin anew/,
  );
  assert.match(lost.stderr, /\nNothing was read\.\n$/);
  const anew = await run(folder, ['--ignore-state']);
  assert.equal(anew.code, 0);
  assert.match(anew.stderr, /--ignore-state: state\/live\/\d+.checkpoint and \d+ older removed; /);
  assert.match(anew.stderr, /; every source is read from its start; what bars wrote is replaced /);
});

test('state that waits, another name and a folder for a checkpoint are told', async () => {
  const folder = pipeline();
  await runToFiles(folder);
  writePipeline(folder, { name: 'renamed', checkpoint: { interval: '100ms' } });
  const renamed = await run(folder, [], 'renamed');
  assert.match(renamed.stderr, /out\/bars holds .* of pipeline live, which renamed leaves alone/);
  const trades = { type: 'generator', symbols: 5, trades: 1000 };
  writePipeline(folder, { sources: { trades } });
  const { stderr } = tidemark(folder, 'run', 'live.yaml', '-q');
  assert.match(
    stderr,
    /warning: state\/live holds checkpoints of this pipeline, up to \d+, but the/,
  );
  mkdirSync(join(folder, 'state/renamed/000000999999.checkpoint'));
  writePipeline(folder, { name: 'renamed', checkpoint: { interval: '100ms' } });
  const refused = await run(folder, [], 'renamed');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /error\[checkpoint\/unwritable\]: .*999999.checkpoint.* not a file/);
  assert.match(refused.stderr, /\nNothing was started: outputs and checkpoints are as they were\./);
});
