/**
 * Replacing parts of one folder by one part with the same rows, so that nobody who asks
 * `visibleParts` ever sees a row twice or not at all, whatever crashes.
 *
 *   .part-<pipeline>.<sink>-<mark>.merging   the new part, durable, not in sight yet
 *   .part-<pipeline>.<sink>-<mark>.merge     the journal: what it replaces, and its name to be
 *
 * The rename of the journal is the moment at which the new part takes the place of the old ones.
 * Everything after it (removing the old ones, renaming the new one, removing the journal) is
 * finished by whoever comes next: another merge, or the next run. In this order a reader that takes
 * just the files it finds may for a moment, or after a crash until then, miss rows of that folder;
 * it never sees one twice.
 *
 * A lock keeps merges and the engine apart while either removes parts; it is held for moments.
 */

import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../engine/contract/error.ts';
import { findFiles, type PartNames } from './part-files.ts';
import { isMissing, sinkError } from './sink-error.ts';
import { publish, removeStaged, syncFolder } from './staged-file.ts';
import { isStagedMark, isWriting, stagedMark } from './staged-name.ts';

/** A merge as its journal tells it; names are of files in the folder of the journal. */
export interface Merge {
  readonly replaced: readonly string[];
  readonly staged: string;
  readonly merged: string;
  readonly bytes: number;
}

/** Writes the journal: from here on the merged part counts. The caller holds the lock. */
export function beginMerge(sink: string, folder: string, names: PartNames, merge: Merge): string {
  const path = join(folder, names.hidden('merge'));
  const temporary = `${path}.tmp`;
  try {
    const file = openSync(temporary, 'wx');
    try {
      const bytes = Buffer.from(JSON.stringify(merge));
      writeSync(file, bytes, 0, bytes.length);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    throw sinkError(sink, `write ${path}`, error);
  }
  syncFolder(sink, folder);
  return path;
}

/** Finishes a merge whose journal stands; repeating it is harmless. The caller holds the lock. */
export function finishMerge(sink: string, journal: string): void {
  const merge = readJournal(journal);
  if (merge === undefined) return;
  const folder = dirname(journal);
  for (const name of merge.replaced) remove(sink, join(folder, name));
  publish(sink, join(folder, merge.staged), join(folder, merge.merged), merge.bytes);
  syncFolder(sink, folder);
  remove(sink, journal);
  syncFolder(sink, folder);
}

/** Finishes all merges of a sink. The caller holds the lock. */
export function finishMerges(sink: string, folder: string, names: PartNames): void {
  for (const journal of findJournals(sink, folder, names)) finishMerge(sink, journal);
}

const LEFTOVERS: ReadonlySet<string> = new Set(['merging', 'merge.tmp', 'locking']);

/** Removes what merges that came to nothing have left behind. The caller holds the lock. */
export function removeStaleMerges(sink: string, folder: string, names: PartNames): void {
  finishMerges(sink, folder, names);
  const isLeft = (name: string): boolean => LEFTOVERS.has(names.hiddenKind(name) ?? '');
  for (const path of findFiles(sink, folder, isLeft)) {
    if (!isWriting(names.hiddenMark(basename(path)) ?? '', path)) removeStaged(path);
  }
}

function findJournals(sink: string, folder: string, names: PartNames): string[] {
  return findFiles(sink, folder, (name) => names.hiddenKind(name) === 'merge');
}

/** Undefined where somebody else has finished it. */
function readJournal(path: string): Merge | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Merge;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function remove(sink: string, path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw sinkError(sink, `remove ${path}`, error);
  }
}

const LOOKS_MAX = 1000;

/**
 * The files that hold the rows of a sink, each row once. A merge that is under way at this moment
 * is seen either not at all or as done; files of this list that vanish were merged since.
 */
export function visibleParts(sink: string, folder: string, names: PartNames): string[] {
  for (let look = 0; ; look++) {
    const journals = findJournals(sink, folder, names);
    const merges = journals.map((path) => ({ folder: dirname(path), merge: readJournal(path) }));
    const parts = findFiles(sink, folder, (name) => names.idOf(name) !== undefined);
    const again = findFiles(sink, folder, (name) => names.idOf(name) !== undefined);
    const isStill = isSame(parts, again) && isSame(journals, findJournals(sink, folder, names));
    if (!isStill && look < LOOKS_MAX) continue;
    const visible = new Set(parts);
    for (const { folder: place, merge } of merges) {
      if (merge === undefined) continue;
      for (const name of merge.replaced) visible.delete(join(place, name));
      const merged = join(place, merge.merged);
      if (!visible.has(merged)) visible.add(join(place, merge.staged));
    }
    return [...visible].sort();
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  const known = new Set(b);
  return a.length === b.length && a.every((path) => known.has(path));
}

const WAIT_MS = 10;
const WAITS_MAX = 1000;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Runs with the lock of a sink's folder, which must exist.
 * @throws {EngineError} sink/busy where another process holds it for long.
 */
export function withPartLock<T>(sink: string, folder: string, names: PartNames, run: () => T): T {
  const path = join(folder, names.lock);
  const own = join(folder, names.hidden('locking'));
  const mark = stagedMark();
  try {
    writeOwn(sink, own, mark);
    takeLock(sink, path, own);
  } finally {
    removeStaged(own);
  }
  try {
    return run();
  } finally {
    if (holderOf(path) === mark) removeStaged(path);
  }
}

function writeOwn(sink: string, own: string, mark: string): void {
  try {
    writeFileSync(own, mark, { flag: 'wx' });
  } catch (error) {
    throw sinkError(sink, `write ${own}`, error);
  }
}

/**
 * A link, because it appears with the mark of its holder in it. Of those that find the lock of a
 * dead holder, one may remove it: who has taken a second lock that is named after that holder, and
 * still finds its mark in the first one. So nobody removes the lock of the living.
 * @param own File that becomes the lock.
 */
function takeLock(sink: string, path: string, own: string): void {
  try {
    for (let wait = 0; wait < WAITS_MAX; wait++) {
      try {
        linkSync(own, path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = holderOf(path);
      if (holder === undefined) continue;
      if (isWriting(holder, path)) Atomics.wait(sleeper, 0, 0, WAIT_MS);
      else removeDead(sink, path, own, holder);
    }
  } catch (error) {
    throw sinkError(sink, `take ${path}`, error);
  }
  throw new EngineError(
    'sink/busy',
    `sink "${sink}": cannot change its files: another process holds ${path}`,
  );
}

function removeDead(sink: string, path: string, own: string, holder: string): void {
  const claim = `${path}.${holder}`;
  takeLock(sink, claim, own);
  try {
    if (holderOf(path) === holder) unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  } finally {
    removeStaged(claim);
  }
}

/** No process has so large a number. */
const NOBODY = 2 ** 30;

/** Its mark; undefined where it has let go. */
function holderOf(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    // An earlier version wrote its number alone, and another file cannot be told by it.
    return isStagedMark(text) ? text : `${Number(text) || NOBODY}-0-${statSync(path).ino}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
