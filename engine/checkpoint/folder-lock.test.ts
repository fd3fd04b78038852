/** The lock of a folder between processes that cannot see each other, as in containers. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FolderLock, type LockHolder, runningEngine } from './folder-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-lock-'));
after(() => rmSync(root, { recursive: true, force: true }));

const LEASE_MS = 1000;
/** A holder elsewhere that happens to have our number, and our start too. */
function foreignLock(folder: string): string {
  const path = join(folder, 'engine.lock');
  const [, , started] = /^(\d+) .*\) (?:\S+ ){19}(\S+)/.exec(
    readFileSync(`/proc/${process.pid}/stat`, 'utf8'),
  )!;
  const holder = { pid: process.pid, started, place: '00000000', host: 'other', mark: 'm' };
  writeFileSync(path, JSON.stringify(holder));
  return path;
}

test('a holder at another place keeps the folder as long as its heart beats', async () => {
  const folder = mkdtempSync(join(root, 'folder-'));
  const path = foreignLock(folder);
  let beats = 0;
  // Clocks of machines may differ: only that it changes counts.
  const heart = setInterval(() => utimesSync(path, 1000, ++beats), 100);
  try {
    await assert.rejects(FolderLock.take(folder, undefined, LEASE_MS), {
      code: 'checkpoint/busy',
      message: `cannot use ${folder}: another run has it, process ${process.pid} on other`,
    });
  } finally {
    clearInterval(heart);
  }
  const waits: unknown[] = [];
  const onWait = (holder: LockHolder, seconds: number) => waits.push([holder.host, seconds]);
  const lock = await FolderLock.take(folder, onWait, LEASE_MS);
  assert.deepEqual(waits, [['other', 1]]);
  assert.equal((await runningEngine(folder))?.pid, process.pid);
  assert.deepEqual(readdirSync(folder), ['engine.lock']);
  await lock.release();
  assert.deepEqual(readdirSync(folder), []);
});

test('of several that wait for a silent holder elsewhere, one gets the folder', async () => {
  const folder = mkdtempSync(join(root, 'folder-'));
  foreignLock(folder);
  const taking = Array.from({ length: 6 }, () => FolderLock.take(folder, undefined, LEASE_MS));
  const taken = await Promise.allSettled(taking);
  const locks = taken.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  assert.equal(locks.length, 1);
  assert.deepEqual(readdirSync(folder), ['engine.lock']);
  await locks[0]!.release();
});

test('process 1 of one container does not take the folder of process 1 of another', async (t) => {
  const folder = mkdtempSync(join(root, 'folder-'));
  const container = ['--pid', '--fork', '--mount-proc', '--kill-child'];
  const probe = spawnSync('unshare', [...container, 'true']);
  if (probe.status !== 0) {
    t.skip(`cannot make a space of process numbers: ${probe.stderr?.toString() ?? probe.error}`);
    return;
  }
  const module = new URL('./folder-lock.js', import.meta.url).href;
  const program = `
    import { FolderLock } from ${JSON.stringify(module)};
    try {
      await FolderLock.take(process.argv[1], undefined, 5000);
      console.log('has it', process.pid);
      setInterval(() => undefined, 1000);
    } catch (error) {
      console.log(error.code, process.pid);
    }`;
  const start = () =>
    spawn(
      'unshare',
      [...container, process.execPath, '--input-type=module', '--eval', program, folder],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
  const first = start();
  try {
    assert.equal(String((await once(first.stdout, 'data'))[0]), 'has it 1\n');
    const second = start();
    assert.equal(String((await once(second.stdout, 'data'))[0]), 'checkpoint/busy 1\n');
  } finally {
    first.kill('SIGKILL');
  }
  await once(first, 'close');
  const lock = await FolderLock.take(folder, undefined, LEASE_MS);
  await lock.release();
});
