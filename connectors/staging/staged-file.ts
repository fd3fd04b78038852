/**
 * A file that nobody takes for output until it is published: it is written as `….inprogress`
 * beside its target, made durable, and renamed.
 *
 * Everything is synchronous. Files are written on a sink thread that has nothing else to do, and a
 * state that cannot be seen half-way needs no recovery.
 */

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { EngineError } from '../../engine/contract/error.ts';
import { isMissing, sinkError } from './sink-error.ts';
import { keepFresh } from './fresh-files.ts';

export const STAGED_SUFFIX = '.inprogress';

export class StagedFile {
  readonly path: string;
  readonly #sink: string;
  #file: number | undefined;
  #bytes = 0;

  private constructor(sink: string, path: string, file: number) {
    this.#sink = sink;
    this.path = path;
    this.#file = file;
  }

  /**
   * Creates the file and the folders above it.
   * @param path Ends in `.inprogress`; must not exist.
   */
  static create(sink: string, path: string): StagedFile {
    createFolder(sink, dirname(path));
    try {
      const file = openSync(path, 'wx');
      keepFresh(path);
      return new StagedFile(sink, path, file);
    } catch (error) {
      throw sinkError(sink, `create ${path}`, error);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Writes all of the bytes. After an error the file is good for `discard` only. */
  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) {
      try {
        offset += writeSync(this.#file!, bytes, offset);
      } catch (error) {
        throw sinkError(this.#sink, `write ${this.path}`, error);
      }
    }
    this.#bytes += bytes.length;
  }

  /** Makes the file and its name durable, and closes it. */
  finish(): void {
    try {
      fsyncSync(this.#file!);
      this.#close();
    } catch (error) {
      throw sinkError(this.#sink, `write ${this.path}`, error);
    }
    syncFolder(this.#sink, dirname(this.path));
  }

  /** Closes and removes the file. Never throws; twice is harmless. */
  discard(): void {
    try {
      this.#close();
    } catch {
      // Its bytes are not wanted.
    }
    removeStaged(this.path);
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }
}

/** Removes a staged file. Never throws: what stays is taken away at the next start. */
export function removeStaged(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or its folder cannot be written to any more.
  }
}

/** Creates a folder and those above it, durably. */
export function createFolder(sink: string, folder: string): void {
  try {
    const first = makeFolders(folder);
    if (first === undefined) return;
    // The name of each new folder stands in the folder above it.
    let parent = dirname(first);
    syncFolder(sink, parent);
    for (const name of relative(parent, folder).split(sep).slice(0, -1)) {
      parent = join(parent, name);
      syncFolder(sink, parent);
    }
  } catch (error) {
    throw sinkError(sink, `create folder ${folder}`, error);
  }
}

/** The first folder that was made. */
function makeFolders(folder: string): string | undefined {
  try {
    return mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (!isMissing(error)) throw error;
    // On a read-only disk Node says that there is no such folder; the folder above knows better.
    let parent = dirname(resolve(folder));
    while (!existsSync(parent)) parent = dirname(parent);
    accessSync(parent, constants.W_OK);
    throw error;
  }
}

/** Makes the names in a folder durable. */
export function syncFolder(sink: string, folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw sinkError(sink, `sync folder ${folder}`, error);
  }
}

/**
 * Renames a staged file into sight; harmless where that has happened already. The caller syncs the
 * folder once all of its files are there.
 * @param bytes Size of the file: tells the one that is there already from an older namesake.
 * @throws {EngineError} sink/lost where neither is there.
 */
export function publish(sink: string, staged: string, target: string, bytes: number): void {
  try {
    renameSync(staged, target);
  } catch (error) {
    if (!isMissing(error)) throw sinkError(sink, `rename ${staged} to ${target}`, error);
    const found = statSync(target, { throwIfNoEntry: false })?.size;
    if (found === bytes) return;
    const instead = found === undefined ? 'neither is there' : `it has ${found} bytes`;
    throw new EngineError(
      'sink/lost',
      `sink "${sink}": cannot make ${target} of ${basename(staged)}: ${instead}, expected a file ` +
        `of ${bytes} bytes`,
      { cause: error },
    );
  }
}

/** Removes folders that have become empty, from this one up to but without `root`. */
export function removeEmptyFolders(folder: string, root: string): void {
  for (let each = folder; each !== root && each.startsWith(root); each = dirname(each)) {
    try {
      rmdirSync(each);
    } catch {
      return;
    }
  }
}
