/**
 * Where the bytes of a text sink go: a staged file for each commit, or a stream.
 *
 * A file's commits follow one another in it. Each is staged as a file of its own and, at the
 * commit, renamed to the target (the first) or appended at the offset that the committable names;
 * what lies beyond that offset is cut off first, so that a commit that was cut short can be
 * repeated. Nothing is created before there is a row.
 *
 * A stream (stdout, a device, a named pipe) has no commit: its rows are out as soon as they are
 * written.
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Committable } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { isMissing, sinkError } from '../staging/sink-error.ts';
import {
  publish,
  removeStaged,
  STAGED_SUFFIX,
  StagedFile,
  syncFolder,
} from '../staging/staged-file.ts';
import { isStagedMark, removeStale, stagedMark } from '../staging/staged-name.ts';

export type IfExists = 'replace' | 'append' | 'fail';

export interface Target {
  /** Whether what is written now begins the output: then it starts with the header. */
  readonly isEmpty: boolean;
  write(bytes: Uint8Array): void;
  prepareCommit(): readonly Committable[];
  close(): void;
}

/** Name for stdout. */
export const STDOUT = '-';

/** @param header First line that a file which is continued must have, if any. */
export function openTarget(
  sink: string,
  path: string,
  ifExists: IfExists,
  header?: string,
): Target {
  if (path === STDOUT) return new StreamTarget(sink, 'stdout', 1);
  try {
    if (path.endsWith('/')) throw new Error('it names a folder, expected a file');
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || found.isFile()) {
      if (ifExists === 'append' && found !== undefined) checkContinuable(path, found.size, header);
      return new FileTarget(sink, path, ifExists);
    }
    if (found.isDirectory()) throw new Error('it is a folder, expected a file');
    return new StreamTarget(sink, path, openSync(path, 'w'));
  } catch (error) {
    throw sinkError(sink, `write ${path}`, error);
  }
}

const LINE_BYTES_MAX = 1 << 20;

/** Rows behind another header, or behind half a line, would spoil the file for every reader. */
function checkContinuable(path: string, size: number, header: string | undefined): void {
  if (size === 0) return;
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(Math.min(size, LINE_BYTES_MAX));
    const end = Buffer.alloc(1);
    readSync(file, start, 0, start.length, 0);
    readSync(file, end, 0, 1, size - 1);
    if (end.toString() !== '\n') throw new Error('its last line has no end, expected a newline');
    const [first] = start.toString().split(/\r?\n/, 1);
    if (header !== undefined && first !== header) {
      throw new Error(`its header is ${shorten(first!)}, expected ${shorten(header)}`);
    }
  } finally {
    closeSync(file);
  }
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** A commit of a file: `bytes` bytes that belong at `offset` of the target. */
interface AppendCommittable extends Committable {
  readonly kind: 'append';
  readonly staged: string;
  readonly target: string;
  readonly offset: number;
  readonly bytes: number;
}

/** That the first commit of a run has no rows: the file of an earlier run goes. */
interface RemoveCommittable extends Committable {
  readonly kind: 'remove';
  readonly target: string;
}

class FileTarget implements Target {
  readonly #sink: string;
  readonly #path: string;
  readonly #replaces: boolean;
  #staged: StagedFile | undefined;
  /** Bytes of the target once everything prepared so far is committed. */
  #preparedBytes: number;
  #serial = 0;
  #isFirstCommit = true;

  constructor(sink: string, path: string, ifExists: IfExists) {
    this.#sink = sink;
    this.#path = path;
    this.#replaces = ifExists !== 'append';
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size !== undefined && ifExists === 'fail') {
      throw new EngineError(
        'sink/exists',
        `sink "${sink}": cannot write ${path}: it exists already, expected no such file because ` +
          'of if_exists: fail',
      );
    }
    this.#preparedBytes = this.#replaces ? 0 : (size ?? 0);
    removeOwnStale(sink, path);
  }

  get isEmpty(): boolean {
    return this.#preparedBytes === 0 && this.#staged === undefined;
  }

  write(bytes: Uint8Array): void {
    this.#staged ??= StagedFile.create(
      this.#sink,
      `${this.#path}.${stagedMark(++this.#serial)}${STAGED_SUFFIX}`,
    );
    this.#staged.write(bytes);
  }

  prepareCommit(): readonly Committable[] {
    const isFirst = this.#isFirstCommit;
    this.#isFirstCommit = false;
    const staged = this.#staged;
    if (staged === undefined) {
      return isFirst && this.#replaces ? [{ kind: 'remove', target: this.#path }] : [];
    }
    staged.finish();
    this.#staged = undefined;
    const offset = this.#preparedBytes;
    this.#preparedBytes += staged.bytes;
    const { path, bytes } = staged;
    return [{ kind: 'append', staged: path, target: this.#path, offset, bytes }];
  }

  close(): void {
    this.#staged?.discard();
    this.#staged = undefined;
  }
}

/** Removes what a writer of this file that crashed has left behind. */
function removeOwnStale(sink: string, path: string): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return;
    throw sinkError(sink, `write ${path}`, error);
  }
  for (const name of names) {
    if (!name.startsWith(prefix) || !name.endsWith(STAGED_SUFFIX)) continue;
    const mark = name.slice(prefix.length, -STAGED_SUFFIX.length);
    if (isStagedMark(mark)) removeStale(sink, path, join(folder, name), mark);
  }
}

/** Makes commits visible, in order; repeating one is harmless. */
export function commitText(sink: string, committables: readonly Committable[]): void {
  for (const each of committables as readonly (AppendCommittable | RemoveCommittable)[]) {
    if (each.kind === 'remove') removeTarget(sink, each.target);
    else if (each.offset === 0) {
      publish(sink, each.staged, each.target, each.bytes);
      syncFolder(sink, dirname(each.target));
    } else append(sink, each);
  }
}

/** Removes what is staged for commits that will not be made. */
export function discardText(committables: readonly Committable[]): void {
  for (const each of committables as readonly (AppendCommittable | RemoveCommittable)[]) {
    if (each.kind === 'append') removeStaged(each.staged);
  }
}

function removeTarget(sink: string, target: string): void {
  try {
    unlinkSync(target);
    syncFolder(sink, dirname(target));
  } catch (error) {
    if (!isMissing(error)) throw sinkError(sink, `remove ${target}`, error);
  }
}

function append(sink: string, { staged, target, offset, bytes }: AppendCommittable): void {
  try {
    const size = statSync(target).size;
    if (!existsSync(staged) && size >= offset + bytes) return;
    if (size < offset) {
      throw new Error(`it has ${size} bytes, expected at least ${offset} of earlier commits`);
    }
    const file = openSync(target, 'r+');
    try {
      appendOrNothing(file, readFileSync(staged), offset);
    } finally {
      closeSync(file);
    }
    unlinkSync(staged);
  } catch (error) {
    throw sinkError(sink, `append ${staged} to ${target}`, error);
  }
}

/** Where the disk is full the file becomes again what it was: half a row is worse than none. */
function appendOrNothing(file: number, bytes: Uint8Array, offset: number): void {
  ftruncateSync(file, offset);
  try {
    writeAll(file, bytes, offset);
    fsyncSync(file);
  } catch (error) {
    ftruncateSync(file, offset);
    throw error;
  }
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

/** How long to wait for a reader that has fallen behind, before asking it again. */
const RETRY_MS = 2;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

class StreamTarget implements Target {
  readonly #sink: string;
  readonly #name: string;
  readonly #file: number;
  #isEmpty = true;

  constructor(sink: string, name: string, file: number) {
    this.#sink = sink;
    this.#name = name;
    this.#file = file;
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  write(bytes: Uint8Array): void {
    this.#isEmpty = false;
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(this.#file, bytes, done);
      } catch (error) {
        this.#waitOrThrow(error);
      }
    }
  }

  prepareCommit(): readonly Committable[] {
    return [];
  }

  close(): void {
    if (this.#file !== 1) closeSync(this.#file);
  }

  /** A pipe may be set not to block: then EAGAIN says that its reader is behind. */
  #waitOrThrow(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') {
      Atomics.wait(sleeper, 0, 0, RETRY_MS);
      return;
    }
    if (code === 'EPIPE') {
      throw new EngineError(
        'sink/closed',
        `sink "${this.#sink}": cannot write ${this.#name}: its reader has gone (EPIPE)`,
        { cause: error },
      );
    }
    throw sinkError(this.#sink, `write ${this.#name}`, error);
  }
}
