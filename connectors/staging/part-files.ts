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
import { isMissing, sinkError } from './sink-error.ts';
import { removeEmptyFolders, STAGED_SUFFIX, syncFolder } from './staged-file.ts';
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

  /** A file that no reader takes for a part: another name each time. */
  hidden(kind: 'merging' | 'merge' | 'locking'): string {
    return `.${this.#prefix}${stagedMark()}.${kind}`;
  }

  /** What a hidden file of this sink is, or undefined. */
  hiddenKind(name: string): string | undefined {
    return this.#hidden(name)?.kind;
  }

  /** The mark of a hidden file of this sink, or undefined. */
  hiddenMark(name: string): string | undefined {
    return this.#hidden(name)?.mark;
  }

  /** Name of the file that is there while somebody removes parts. */
  get lock(): string {
    return `.${this.#prefix}lock`;
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

  #hidden(name: string): { readonly mark: string; readonly kind: string } | undefined {
    const start = `.${this.#prefix}`;
    if (!name.startsWith(start)) return undefined;
    const [, mark, kind] = /^([^.]*)\.(.*)$/.exec(name.slice(start.length)) ?? [];
    if (mark === undefined || kind === undefined || !isStagedMark(mark)) return undefined;
    return { mark, kind };
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
