/**
 * Where the bytes of a text sink go: a staged file for each commit, or a stream.
 *
 * A file's commits follow one another in it. Each is staged as a file of its own and, at the
 * commit, renamed to the target (the first) or appended at the offset that the committable names;
 * what lies beyond that offset is cut off first, so that a commit that was cut short can be
 * repeated. Every commit also says where the file ends, and cuts off what lies beyond: so a run
 * that goes on from an older checkpoint takes back what was written after it. Nothing is created
 * before there is a row.
 *
 * A stream (stdout, a device, a named pipe) has no commit: its rows are out as soon as they are
 * written, and those behind the last checkpoint are written again after a crash.
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

/** How a target is opened. */
export interface TargetOptions {
  readonly ifExists: IfExists;
  /** Whether the run goes on from a checkpoint, whose commits have been made. */
  readonly isResumed: boolean;
  /** First line that a file which is continued must have, if any. */
  readonly header?: string | undefined;
}

export function openTarget(sink: string, path: string, options: TargetOptions): Target {
  if (path === STDOUT) return new StreamTarget(sink, 'stdout', 1);
  try {
    if (path.endsWith('/')) throw new Error('it names a folder, expected a file');
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || found.isFile()) {
      if (found !== undefined && (options.ifExists === 'append' || options.isResumed)) {
        checkContinuable(path, found.size, options.header);
      }
      return new FileTarget(sink, path, options);
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
  /** Of the staged file, which keeps it when it becomes the target. */
  readonly inode: number;
}

/** Where the target ends once the commit is made; at 0 there is none. */
interface EndCommittable extends Committable {
  readonly kind: 'end';
  readonly target: string;
  readonly end: number;
}

class FileTarget implements Target {
  readonly #sink: string;
  readonly #path: string;
  #staged: StagedFile | undefined;
  /** Bytes of the target once everything prepared so far is committed. */
  #preparedBytes: number;

  constructor(sink: string, path: string, { ifExists, isResumed }: TargetOptions) {
    this.#sink = sink;
    this.#path = path;
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size !== undefined && ifExists === 'fail' && !isResumed) {
      throw new EngineError(
        'sink/exists',
        `sink "${sink}": cannot write ${path}: it exists already, expected no such file because ` +
          'of if_exists: fail',
      );
    }
    const isContinued = isResumed || ifExists === 'append';
    this.#preparedBytes = isContinued ? (size ?? 0) : 0;
    removeOwnStale(sink, path);
  }

  get isEmpty(): boolean {
    return this.#preparedBytes === 0 && this.#staged === undefined;
  }

  write(bytes: Uint8Array): void {
    this.#staged ??= StagedFile.create(this.#sink, `${this.#path}.${stagedMark()}${STAGED_SUFFIX}`);
    this.#staged.write(bytes);
  }

  prepareCommit(): readonly Committable[] {
    const target = this.#path;
    const committables: (AppendCommittable | EndCommittable)[] = [];
    if (this.#staged !== undefined) {
      this.#staged.finish();
      const { path: staged, bytes } = this.#staged;
      const offset = this.#preparedBytes;
      const inode = statSync(staged).ino;
      committables.push({ kind: 'append', staged, target, offset, bytes, inode });
      this.#preparedBytes += bytes;
      this.#staged = undefined;
    }
    committables.push({ kind: 'end', target, end: this.#preparedBytes });
    return committables;
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

/** Makes commits visible, in order; repeating them is harmless. */
export function commitText(sink: string, committables: readonly Committable[]): void {
  let last: EndCommittable | undefined;
  for (const each of committables as readonly (AppendCommittable | EndCommittable)[]) {
    if (each.kind === 'end') last = each;
    else if (each.offset === 0) begin(sink, each);
    else append(sink, each);
  }
  // Those before the last belong to commits that were put off: more follows them.
  if (last !== undefined) cutBehind(sink, last);
}

/** Removes what is staged for commits that will not be made. */
export function discardText(committables: readonly Committable[]): void {
  for (const each of committables as readonly (AppendCommittable | EndCommittable)[]) {
    if (each.kind === 'append') removeStaged(each.staged);
  }
}

function begin(sink: string, { staged, target, bytes, inode }: AppendCommittable): void {
  // Later commits may have made it longer since; it is the file that was renamed.
  const found = statSync(target, { throwIfNoEntry: false });
  if (found?.ino === inode && found.size >= bytes && !existsSync(staged)) return;
  publish(sink, staged, target, bytes);
  syncFolder(sink, dirname(target));
}

/** Rows belong at an offset of the file: without what comes before, they have no place. */
function lost(
  sink: string,
  target: string,
  size: number | undefined,
  expected: number,
): EngineError {
  const found = size === undefined ? 'it is gone' : `it has ${size} bytes`;
  return new EngineError(
    'sink/lost',
    `sink "${sink}": cannot go on writing ${target}: ${found}, expected ${expected} bytes of ` +
      'earlier commits',
  );
}

function cutBehind(sink: string, { target, end }: EndCommittable): void {
  try {
    const size = statSync(target, { throwIfNoEntry: false })?.size;
    if (size === end || (size === undefined && end === 0)) return;
    if (size === undefined || size < end) {
      throw lost(sink, target, size, end);
    }
    if (end === 0) {
      unlinkSync(target);
      syncFolder(sink, dirname(target));
      return;
    }
    const file = openSync(target, 'r+');
    try {
      ftruncateSync(file, end);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw sinkError(sink, `cut ${target} at byte ${end}`, error);
  }
}

function append(sink: string, { staged, target, offset, bytes }: AppendCommittable): void {
  try {
    const size = statSync(target, { throwIfNoEntry: false })?.size ?? 0;
    if (!existsSync(staged) && size >= offset + bytes) return;
    if (size < offset) {
      throw lost(sink, target, statSync(target, { throwIfNoEntry: false })?.size, offset);
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
