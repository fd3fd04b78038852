/**
 * The part files of a sink that writes into a folder:
 *
 *   <folder>/date=2013-10-07/part-<pipeline>.<sink>-<generation>-<epoch>-<number>.parquet
 *   <folder>/date=2013-10-07/part-<pipeline>.<sink>-<mark>.parquet.inprogress
 *
 * The name says whose a file is, so that sinks and pipelines can share a folder and nothing is ever
 * removed that another one wrote. Only the folder itself and hive folders (`key=value`) in it are
 * looked at.
 *
 * Epochs begin anew with each run that does not go on from a checkpoint; the generation tells those
 * runs apart. It is one more than that of the newest part there was when the run began.
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

const PART = /^(\d{4,})-(\d{5,})-(\d{4,})$/;

/** When a part was written, and its number among those of its folder and commit, from 1. */
export interface PartId {
  readonly generation: number;
  readonly epoch: number;
  readonly number: number;
}

export class PartNames {
  readonly #prefix: string;
  readonly #extension: string;

  /** @param extension With its dot. */
  constructor({ pipeline, sink }: { pipeline: string; sink: string }, extension: string) {
    // Neither name can hold a dot, and that of a sink no hyphen: nobody else has this prefix.
    this.#prefix = `part-${pipeline}.${sink}-`;
    this.#extension = extension;
  }

  part({ generation, epoch, number }: PartId): string {
    const digits = [pad(generation, 4), pad(epoch, 5), pad(number, 4)].join('-');
    return `${this.#prefix}${digits}${this.#extension}`;
  }

  /** A staged file: another name each time. */
  staged(): string {
    return `${this.#prefix}${stagedMark()}${this.#extension}${STAGED_SUFFIX}`;
  }

  /** Which part a visible file of this sink is, or undefined. */
  idOf(name: string): PartId | undefined {
    const match = PART.exec(this.#middle(name, this.#extension));
    if (match === null) return undefined;
    const [generation, epoch, number] = match.slice(1).map(Number) as [number, number, number];
    return { generation, epoch, number };
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

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
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

/** That this commit is the first of a run: parts of older generations go. */
export interface ReplaceCommittable extends Committable {
  readonly kind: 'replace';
  readonly folder: string;
  readonly generation: number;
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
  const folders = new Set<string>();
  for (const part of all) {
    if (part.kind !== 'part') continue;
    publish(sink, part.staged, part.target, part.bytes);
    folders.add(dirname(part.target));
  }
  for (const folder of folders) syncFolder(sink, folder);
  for (const each of all) {
    if (each.kind !== 'replace') continue;
    removeParts(sink, names, each.folder, ({ generation }) => generation < each.generation);
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

/** Parts of this sink, by path. */
export function findParts(sink: string, folder: string, names: PartNames): Map<string, PartId> {
  const parts = new Map<string, PartId>();
  for (const path of findFiles(sink, folder, (name) => names.idOf(name) !== undefined)) {
    parts.set(path, names.idOf(basename(path))!);
  }
  return parts;
}

/** Removes the parts that the filter names, durably, and folders that become empty. */
export function removeParts(
  sink: string,
  names: PartNames,
  folder: string,
  isGoing: (part: PartId) => boolean,
): void {
  const touched = new Set<string>();
  for (const [path, part] of findParts(sink, folder, names)) {
    if (!isGoing(part)) continue;
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
