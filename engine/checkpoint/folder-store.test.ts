/** Checkpoints in a folder: whole or not there, for one engine at a time. */

import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { runningEngine } from './folder-lock.ts';
import { FolderStore } from './folder-store.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-store-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const newFolder = (): string => join(root, `folder ${folders++}`, 'state');
const piece = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = async (store: FolderStore, epoch: number): Promise<string> =>
  new TextDecoder().decode(await store.read(epoch));

/** Pieces whose bytes tell the epoch, of more than one `writev`. */
function piecesOf(epoch: number): Uint8Array[] {
  return Array.from({ length: 1200 }, (_, i) => Buffer.alloc(i % 3 === 0 ? 0 : 700, epoch));
}
const PIECES_BYTES = piecesOf(0).reduce((sum, { byteLength }) => sum + byteLength, 0);

test('what is written is listed, the newest first, and read back whole', async () => {
  const folder = newFolder();
  const store = await FolderStore.open(folder);
  assert.deepEqual(await store.list(), []);
  await store.write(2, [piece('two'), new Uint8Array(), piece('!')]);
  await store.write(10, piecesOf(10));
  await store.write(1, []);
  assert.equal(await textOf(store, 2), 'two!');
  assert(Buffer.concat(piecesOf(10)).equals(await store.read(10)));
  const listed = (await store.list()).map(({ epoch, bytes }) => [epoch, bytes]);
  assert.deepEqual(listed, [
    [10, PIECES_BYTES],
    [2, 4],
    [1, 0],
  ]);
  await store.remove(2);
  await store.remove(2);
  await assert.rejects(store.read(2), { code: 'checkpoint/unwritable' });
  assert.deepEqual(
    (await store.list()).map(({ epoch }) => epoch),
    [10, 1],
  );
  await store.close();
  assert.deepEqual(readdirSync(folder), ['000000000001.checkpoint', '000000000010.checkpoint']);
});

test('it is noted which checkpoints are committed, as long as they are there', async () => {
  const folder = newFolder();
  const store = await FolderStore.open(folder);
  for (const epoch of [1, 2, 3]) await store.write(epoch, [piece('x')]);
  await store.noteCommitted(1);
  await store.noteCommitted(2);
  const noted = async (): Promise<boolean[]> =>
    (await store.list()).map(({ isCommitted }) => isCommitted);
  assert.deepEqual(await noted(), [false, true, true]);
  await store.remove(2);
  assert.deepEqual(await noted(), [false, true]);
  rmSync(store.nameOf(1));
  await store.close();
  await (await FolderStore.open(folder)).close();
  assert.deepEqual(readdirSync(folder), ['000000000003.checkpoint']);
});

test('a folder in the place of a checkpoint is named', async () => {
  const folder = newFolder();
  const store = await FolderStore.open(folder);
  mkdirSync(store.nameOf(4));
  await assert.rejects(store.list(), {
    code: 'checkpoint/unwritable',
    message:
      `cannot use ${store.nameOf(4)} as a checkpoint: it is not a file, as a checkpoint is; ` +
      'move it away',
  });
  await store.close();
});

test('a checkpoint is never overwritten', async () => {
  const folder = newFolder();
  const store = await FolderStore.open(folder);
  await store.write(7, [piece('first')]);
  await assert.rejects(store.write(7, [piece('second')]), { code: 'checkpoint/unwritable' });
  assert.equal(await textOf(store, 7), 'first');
  await store.close();
  assert.deepEqual(readdirSync(folder), ['000000000007.checkpoint']);
});

test('temporary files go when an engine opens the folder; whoever looks leaves them', async () => {
  const folder = newFolder();
  assert.deepEqual(await FolderStore.toLookAt(folder).list(), []);
  assert.equal(existsSync(folder), false);
  mkdirSync(folder, { recursive: true });
  const files = ['000000000003.checkpoint', '000000000004.checkpoint.tmp', 'notes.txt'];
  for (const name of files) writeFileSync(join(folder, name), name);
  const epochs = async (store: FolderStore): Promise<number[]> =>
    (await store.list()).map(({ epoch }) => epoch);
  assert.deepEqual(await epochs(FolderStore.toLookAt(folder)), [3]);
  assert.deepEqual(readdirSync(folder), files);
  const store = await FolderStore.open(folder);
  assert.deepEqual(await epochs(store), [3]);
  await store.close();
  assert.deepEqual(readdirSync(folder), ['000000000003.checkpoint', 'notes.txt']);
});

test('a folder is for one engine at a time', async () => {
  const folder = newFolder();
  const first = await FolderStore.open(folder);
  assert.equal((await runningEngine(folder))?.pid, process.pid);
  await assert.rejects(FolderStore.open(folder), {
    code: 'checkpoint/busy',
    message: `cannot use ${folder}: another run has it, process ${process.pid}`,
  });
  assert.deepEqual(await FolderStore.toLookAt(folder).list(), []);
  await first.close();
  assert.equal(await runningEngine(folder), undefined);
  await (await FolderStore.open(folder)).close();
});

test('the lock of a dead process is taken, also where its number is used again', async () => {
  const gone = spawnSync(process.execPath, ['--version']).pid;
  const locks = [
    JSON.stringify({ pid: gone, started: '1' }),
    JSON.stringify({ pid: process.pid, started: 'before' }),
    '{"pid": 1',
    '',
  ];
  for (const text of locks) {
    const folder = newFolder();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'engine.lock'), text);
    assert.equal(await runningEngine(folder), undefined, text);
    const store = await FolderStore.open(folder);
    assert.equal((await runningEngine(folder))?.pid, process.pid, text);
    await store.close();
  }
});

/** A process of its own that writes checkpoints from `first` on, and tells of each. */
function writer(folder: string, first: number): ChildProcess {
  const module = new URL('./folder-store.js', import.meta.url).href;
  const program = `
    import { FolderStore } from ${JSON.stringify(module)};
    const store = await FolderStore.open(process.argv[1]);
    const piecesOf = ${piecesOf.toString()};
    for (let epoch = Number(process.argv[2]); ; epoch++) {
      await store.write(epoch, piecesOf(epoch));
      console.log(epoch);
    }`;
  const args = ['--input-type=module', '--eval', program, folder, String(first)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('a process that is killed while it writes leaves whole checkpoints only', async () => {
  const folder = newFolder();
  let last = 0;
  for (let life = 0; life < 4; life++) {
    const child = writer(folder, last + 1);
    const ended = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout! })) {
      last = Number(line);
      // In the middle of the next one, more or less far.
      if (last % 3 === 0) {
        for (let i = 0; i < life; i++) await new Promise((resolve) => setImmediate(resolve));
        child.kill('SIGKILL');
      }
    }
    await ended;
    const store = await FolderStore.open(folder);
    const stored = await store.list();
    const newest = stored[0]!.epoch;
    assert(newest >= last, `checkpoint ${last} was said to be there, found up to ${newest}`);
    assert.equal(stored.length, newest, 'none is missing');
    for (const { epoch } of stored) {
      assert(Buffer.concat(piecesOf(epoch)).equals(await store.read(epoch)), `epoch ${epoch}`);
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
    await store.close();
    last = newest;
  }
});

test('a full disk keeps the checkpoints that are there', async (t) => {
  const disk = newFolder();
  mkdirSync(disk, { recursive: true });
  const size = Math.ceil(PIECES_BYTES * 1.5);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  if (mount.status !== 0) {
    t.skip(`cannot mount a small file system: ${mount.stderr?.toString() ?? mount.error}`);
    return;
  }
  try {
    const store = await FolderStore.open(disk);
    await store.write(1, piecesOf(1));
    await assert.rejects(store.write(2, piecesOf(2)), {
      code: 'checkpoint/disk-full',
      message: `cannot write ${store.nameOf(2)}: no space left on the device`,
    });
    assert.deepEqual(readdirSync(disk), ['000000000001.checkpoint', 'engine.lock']);
    assert(Buffer.concat(piecesOf(1)).equals(await store.read(1)));
    await store.remove(1);
    await store.write(2, piecesOf(2));
    await store.close();
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('of many that find the lock of a dead process at once, one gets the folder', async () => {
  const dead = { pid: 2 ** 30, started: '1' };
  for (const text of [JSON.stringify(dead), '', undefined]) {
    for (let round = 0; round < 20; round++) {
      const folder = newFolder();
      mkdirSync(folder, { recursive: true });
      if (text !== undefined) writeFileSync(join(folder, 'engine.lock'), text);
      const opening = Array.from({ length: 8 }, () => FolderStore.open(folder));
      const opened = await Promise.allSettled(opening);
      const stores = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      assert.equal(stores.length, 1);
      for (const each of opened) {
        if (each.status === 'rejected') assert.equal(each.reason.code, 'checkpoint/busy');
      }
      assert.deepEqual(readdirSync(folder), ['engine.lock']);
      await stores[0]!.close();
      assert.deepEqual(readdirSync(folder), []);
    }
  }
});

test('a run whose folder is removed or taken neither writes nor begins anew', async () => {
  const folder = newFolder();
  const first = await FolderStore.open(folder);
  await first.write(1, [piece('one')]);
  rmSync(folder, { recursive: true });
  await assert.rejects(first.list(), { code: 'checkpoint/lost' });
  await assert.rejects(first.write(2, [piece('two')]), { code: 'checkpoint/lost' });
  const second = await FolderStore.open(folder);
  await assert.rejects(first.write(2, [piece('two')]), { code: 'checkpoint/lost' });
  await first.close();
  await second.write(1, [piece('of the second')]);
  assert.equal(await textOf(second, 1), 'of the second');
  await second.close();
});
