/**
 * Checkpoints in a folder: one file each, which appears by a link and is never changed. A second
 * engine on the same folder is refused, as long as the first one lives.
 */

import { open, link, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../contract/error.ts';
import type { CheckpointStore, StoredCheckpoint } from './checkpoint-store.ts';
import { describeHolder, FolderLock } from './folder-lock.ts';

const FILE = /^(\d{12})\.checkpoint$/;
/** An empty file beside a checkpoint whose outputs are in sight. */
const COMMITTED = /^(\d{12})\.committed$/;

export class FolderStore implements CheckpointStore {
  readonly #folder: string;
  /** Undefined for whoever only looks. */
  readonly #lock: FolderLock | undefined;

  private constructor(folder: string, lock: FolderLock | undefined) {
    this.#folder = folder;
    this.#lock = lock;
  }

  /**
   * The folder for an engine that runs: made where it is missing, and locked.
   * @param warn Told what the user should know while it is waited for.
   * @throws {EngineError} `checkpoint/busy` where another engine has it.
   */
  static async open(
    folder: string,
    warn: (warning: string) => void = () => undefined,
  ): Promise<FolderStore> {
    let lock: FolderLock | undefined;
    try {
      await mkdir(folder, { recursive: true });
      lock = await FolderLock.take(folder, (holder, seconds) => {
        warn(
          `${folder} is in use by ${describeHolder(holder)}, or was left behind by it: waiting ` +
            `up to ${seconds} s for a sign of life`,
        );
      });
      const names = await readdir(folder);
      for (const name of names) {
        const epoch = COMMITTED.exec(name)?.[1];
        const isLeft = epoch !== undefined && !names.includes(`${epoch}.checkpoint`);
        // Temporary locks are not ours: others may be trying to get in.
        if (isLeft || name.endsWith('.checkpoint.tmp')) await unlink(join(folder, name));
      }
      return new FolderStore(folder, lock);
    } catch (error) {
      await lock?.release();
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
    const names = new Set(await this.#names());
    for (const name of names) {
      const match = FILE.exec(name);
      if (match === null) continue;
      try {
        const entry = await stat(join(this.#folder, name));
        if (!entry.isFile()) throw notAFile(join(this.#folder, name));
        const { size: bytes, mtimeMs: writtenMs } = entry;
        const isCommitted = names.has(`${match[1]}.committed`);
        found.push({ epoch: Number(match[1]), bytes, writtenMs, isCommitted });
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

  async noteCommitted(epoch: number): Promise<void> {
    await writeFile(join(this.#folder, committedOf(epoch)), '').catch(() => undefined);
  }

  async remove(epoch: number): Promise<void> {
    try {
      await unlink(this.nameOf(epoch));
      await unlink(join(this.#folder, committedOf(epoch))).catch(() => undefined);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw storeError(this.nameOf(epoch), 'remove', error);
    }
  }

  async close(): Promise<void> {
    await this.#lock?.release();
  }

  /**
   * A folder that somebody has removed or given to another run looks like one without checkpoints:
   * who went on would begin anew, or write among those of the other.
   */
  async #checkLock(doing: 'read' | 'write'): Promise<void> {
    if (this.#lock === undefined || (await this.#lock.isOurs())) return;
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

function committedOf(epoch: number): string {
  return `${String(epoch).padStart(12, '0')}.committed`;
}

function notAFile(path: string): EngineError {
  return new EngineError(
    'checkpoint/unwritable',
    `cannot use ${path} as a checkpoint: it is not a file, as a checkpoint is; move it away`,
  );
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
