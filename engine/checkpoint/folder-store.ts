/**
 * Checkpoints in a folder: one file each, which appears by a link and is never changed. A second
 * engine on the same folder is refused, as long as the first one lives.
 */

import { open, link, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { EngineError } from '../contract/error.ts';
import type { CheckpointStore, StoredCheckpoint } from './checkpoint-store.ts';

const FILE = /^(\d{12})\.checkpoint$/;
const LOCK = 'engine.lock';

export class FolderStore implements CheckpointStore {
  readonly #folder: string;
  /** What stands in the lock; undefined for whoever only looks. */
  readonly #lock: string | undefined;

  private constructor(folder: string, ownLock: string | undefined) {
    this.#folder = folder;
    this.#lock = ownLock;
  }

  /**
   * The folder for an engine that runs: made where it is missing, and locked.
   * @throws {EngineError} `checkpoint/busy` where another engine has it.
   */
  static async open(folder: string): Promise<FolderStore> {
    try {
      await mkdir(folder, { recursive: true });
      const store = new FolderStore(folder, await lock(folder));
      for (const name of await readdir(folder)) {
        // Temporary locks are not ours: others may be trying to get in.
        if (name.endsWith('.checkpoint.tmp')) await unlink(join(folder, name));
      }
      return store;
    } catch (error) {
      throw storeError(folder, 'use', error);
    }
  }

  /** The folder as it is, for whoever only looks; an engine may be at work in it. */
  static toLookAt(folder: string): FolderStore {
    return new FolderStore(folder, undefined);
  }

  nameOf(epoch: number): string {
    return join(this.#folder, fileOf(epoch));
  }

  async list(): Promise<readonly StoredCheckpoint[]> {
    await this.#checkLock('read');
    const found: StoredCheckpoint[] = [];
    for (const name of await this.#names()) {
      const match = FILE.exec(name);
      if (match === null) continue;
      try {
        const { size, mtimeMs } = await stat(join(this.#folder, name));
        found.push({ epoch: Number(match[1]), bytes: size, writtenMs: mtimeMs });
      } catch (error) {
        // An engine at work may have removed it since.
        if (codeOf(error) !== 'ENOENT') throw storeError(this.#folder, 'read', error);
      }
    }
    return found.sort((a, b) => b.epoch - a.epoch);
  }

  async read(epoch: number): Promise<Uint8Array> {
    try {
      return await readFile(this.nameOf(epoch));
    } catch (error) {
      throw storeError(this.nameOf(epoch), 'read', error);
    }
  }

  async write(epoch: number, pieces: readonly Uint8Array[]): Promise<void> {
    const target = this.nameOf(epoch);
    const temporary = `${target}.tmp`;
    await this.#checkLock('write');
    try {
      await writeDurably(temporary, pieces);
      // A link refuses to overwrite, where a rename would not.
      await link(temporary, target);
      await unlink(temporary);
      await syncFolder(this.#folder);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw storeError(target, 'write', error);
    }
  }

  async remove(epoch: number): Promise<void> {
    try {
      await unlink(this.nameOf(epoch));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw storeError(this.nameOf(epoch), 'remove', error);
    }
  }

  async close(): Promise<void> {
    if (await this.#hasLock()) await unlink(join(this.#folder, LOCK)).catch(() => undefined);
  }

  async #hasLock(): Promise<boolean> {
    const found = await readFile(join(this.#folder, LOCK), 'utf8').catch(() => undefined);
    return this.#lock !== undefined && found === this.#lock;
  }

  /**
   * A folder that somebody has removed or given to another run looks like one without checkpoints:
   * who went on would begin anew, or write among those of the other.
   */
  async #checkLock(doing: 'read' | 'write'): Promise<void> {
    if (this.#lock === undefined || (await this.#hasLock())) return;
    throw new EngineError(
      'checkpoint/lost',
      `cannot ${doing} checkpoints in ${this.#folder}: this run no longer has the folder, which ` +
        'was removed, or taken by another run',
    );
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw storeError(this.#folder, 'read', error);
    }
  }
}

function fileOf(epoch: number): string {
  return `${String(epoch).padStart(12, '0')}.checkpoint`;
}

async function writeDurably(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < pieces.length; at += WRITE_PIECES_MAX) {
      await writeAll(file, pieces.slice(at, at + WRITE_PIECES_MAX));
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Pieces handed to the system at once. */
const WRITE_PIECES_MAX = 512;

async function writeAll(
  file: Awaited<ReturnType<typeof open>>,
  pieces: readonly Uint8Array[],
): Promise<void> {
  let left = pieces.filter(({ byteLength }) => byteLength > 0);
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left);
    while (left.length > 0 && bytesWritten >= left[0]!.byteLength) {
      bytesWritten -= left[0]!.byteLength;
      left = left.slice(1);
    }
    if (bytesWritten > 0) left = [left[0]!.subarray(bytesWritten), ...left.slice(1)];
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface LockHolder {
  readonly pid: number;
  /** Tells the process from a later one of the same number. */
  readonly started: string;
}

/**
 * Takes the lock, also from a holder that is dead. It appears with its holder in it, by a link. Of
 * those that find a dead holder, one may remove its lock: who has taken a second lock that is named
 * after that holder, and still finds it in the first one. So nobody removes the lock of the living.
 * @returns What stands in it.
 */
async function lock(folder: string): Promise<string> {
  const own: LockHolder = { pid: process.pid, started: startOf(process.pid) ?? '' };
  const text = JSON.stringify({ ...own, mark: randomUUID() });
  const temporary = join(folder, `${LOCK}.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await takeLock(folder, join(folder, LOCK), temporary);
    return text;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

async function takeLock(folder: string, path: string, own: string): Promise<void> {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt++) {
    try {
      await link(own, path);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = await holderOf(path);
    if (holder !== undefined && isAtWork(holder)) {
      throw new EngineError(
        'checkpoint/busy',
        `cannot use ${folder}: another run has it, process ${holder.pid}`,
      );
    }
    const claim = `${path}.${holder === undefined ? 'unknown' : `${holder.pid}-${holder.started}`}`;
    await takeLock(folder, claim, own);
    try {
      if (isDeepStrictEqual(await holderOf(path), holder)) await unlink(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    } finally {
      await unlink(claim).catch(() => undefined);
    }
  }
  throw new EngineError('checkpoint/busy', `cannot use ${folder}: other runs fight for it`);
}

const LOCK_ATTEMPTS_MAX = 3;

function isAtWork({ pid, started }: LockHolder): boolean {
  return startOf(pid) === started;
}

/** Process that has a folder of checkpoints, where one is at work. */
export async function runningEngine(folder: string): Promise<number | undefined> {
  const holder = await holderOf(join(folder, LOCK));
  return holder !== undefined && isAtWork(holder) ? holder.pid : undefined;
}

async function holderOf(path: string): Promise<LockHolder | undefined> {
  try {
    const holder = JSON.parse(await readFile(path, 'utf8')) as Partial<LockHolder>;
    const { pid, started } = holder;
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

/** Something that stays while the process lives, and differs for the next of its number. */
function startOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    // Field 3 is the state (Z: dead, not yet waited for), field 22 when it started.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return isAlive(pid) ? '' : undefined;
  }
}

/** Where there is no /proc. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function storeError(
  path: string,
  doing: 'use' | 'read' | 'write' | 'remove',
  cause: unknown,
): Error {
  if (cause instanceof EngineError) return cause;
  const code = codeOf(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `cannot ${doing} ${path}: no space left on the device`;
    return new EngineError('checkpoint/disk-full', message, { cause });
  }
  const words = (cause as Error).message;
  return new EngineError('checkpoint/unwritable', `cannot ${doing} ${path}: ${words}`, { cause });
}
