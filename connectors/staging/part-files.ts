/**
 * The part files of a sink that writes into a folder:
 *
 *   <folder>/date=2013-10-07/part-<sink>-<epoch>-<number>.parquet
 *   <folder>/date=2013-10-07/part-<sink>-<mark>.parquet.inprogress
 *
 * The name says whose a file is, so that sinks can share a folder and nothing is ever removed that
 * another program wrote. Only the folder itself and hive folders (`key=value`) in it are looked at.
 */

import { type Dirent, existsSync, readdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Committable } from '../../engine/contract/connector.ts';
import { isMissing, sinkError } from './sink-error.ts';
import {
  publish,
  removeEmptyFolders,
  removeStaged,
  STAGED_SUFFIX,
  syncFolder,
} from './staged-file.ts';
import { isStagedMark, removeStale, stagedMark } from './staged-name.ts';

const PART = /^\d{5,}-\d{4,}$/;

export class PartNames {
  readonly #prefix: string;
  readonly #extension: string;

  /** @param extension With its dot. */
  constructor(sink: string, extension: string) {
    this.#prefix = `part-${sink}-`;
    this.#extension = extension;
  }

  /** A visible file: the `number`th of its folder, from 1, in the commit of this epoch. */
  part(epoch: number, number: number): string {
    const digits = `${String(epoch).padStart(5, '0')}-${String(number).padStart(4, '0')}`;
    return `${this.#prefix}${digits}${this.#extension}`;
  }

  /** A staged file. Serials are unique among those of one writer. */
  staged(serial: number): string {
    return `${this.#prefix}${stagedMark(serial)}${this.#extension}${STAGED_SUFFIX}`;
  }

  isPart(name: string): boolean {
    return PART.test(this.#middle(name, this.#extension));
  }

  /** The mark of a staged file of this sink, or undefined. */
  markOf(name: string): string | undefined {
    const mark = this.#middle(name, this.#extension + STAGED_SUFFIX);
    return isStagedMark(mark) ? mark : undefined;
  }

  /** Matches the visible files of this sink in `folder` and the hive folders in it. */
  glob(folder: string): string {
    return `${join(escapeGlob(folder), '**', escapeGlob(this.#prefix))}[0-9]*${this.#extension}`;
  }

  #middle(name: string, ending: string): string {
    const isOurs = name.startsWith(this.#prefix) && name.endsWith(ending);
    return isOurs ? name.slice(this.#prefix.length, name.length - ending.length) : '';
  }
}

/** So that DuckDB takes each character of the path for itself. */
export function escapeGlob(path: string): string {
  return path.replace(/[*?[\]]/g, '[$&]');
}

/** Paths of the files of `folder` and the hive folders in it whose name the filter accepts. */
export function findFiles(
  sink: string,
  folder: string,
  accepts: (name: string) => boolean,
): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw sinkError(sink, `read folder ${folder}`, error);
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.includes('=') ? findFiles(sink, path, accepts) : [];
    return accepts(entry.name) ? [path] : [];
  });
}

/**
 * Removes what a writer that crashed has left behind.
 * @throws {EngineError} sink/busy where another run writes into the folder.
 */
export function removeStaleParts(sink: string, folder: string, names: PartNames): void {
  for (const path of findFiles(sink, folder, (name) => names.markOf(name) !== undefined)) {
    removeStale(sink, folder, path, names.markOf(basename(path))!);
    removeEmptyFolders(dirname(path), folder);
  }
}

/** A staged part, and the name under which it will be seen. */
export interface PartCommittable extends Committable {
  readonly kind: 'part';
  readonly staged: string;
  readonly target: string;
  readonly bytes: number;
  readonly rows: number;
}

/** That this commit is the first of a run: older parts of the sink go. */
export interface ReplaceCommittable extends Committable {
  readonly kind: 'replace';
  readonly folder: string;
}

/**
 * Makes parts visible, then removes the older ones where the commit says so. In this order a crash
 * in between leaves too much rather than nothing, and the next call puts it right.
 */
export function commitParts(
  sink: string,
  names: PartNames,
  committables: readonly Committable[],
): void {
  const all = committables as readonly (PartCommittable | ReplaceCommittable)[];
  const targets = new Set<string>();
  const folders = new Set<string>();
  for (const part of all) {
    if (part.kind !== 'part') continue;
    publish(sink, part.staged, part.target, part.bytes);
    targets.add(part.target);
    folders.add(dirname(part.target));
  }
  for (const folder of folders) syncFolder(sink, folder);
  for (const each of all) {
    if (each.kind === 'replace') removeOlderParts(sink, names, each.folder, targets);
  }
}

/** Removes staged parts that will not be committed, and folders that were made for them alone. */
export function discardParts(root: string, committables: readonly Committable[]): void {
  for (const each of committables as readonly (PartCommittable | ReplaceCommittable)[]) {
    if (each.kind !== 'part') continue;
    removeStaged(each.staged);
    removeEmptyFolders(dirname(each.staged), root);
  }
}

function removeOlderParts(
  sink: string,
  names: PartNames,
  folder: string,
  keep: ReadonlySet<string>,
): void {
  const touched = new Set<string>();
  for (const path of findFiles(sink, folder, (name) => names.isPart(name))) {
    if (keep.has(path)) continue;
    try {
      unlinkSync(path);
    } catch (error) {
      if (!isMissing(error)) throw sinkError(sink, `remove ${path}`, error);
    }
    touched.add(dirname(path));
  }
  for (const each of touched) {
    removeEmptyFolders(each, folder);
    if (existsSync(each)) syncFolder(sink, each);
  }
}
