/** The commit of parts: what is staged becomes visible, what it replaces goes. */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Committable } from '../../engine/contract/connector.ts';
import { type PartId, type PartNames, removeParts } from './part-files.ts';
import { removeStaleMerges, withPartLock } from './part-merge.ts';
import { publish, removeEmptyFolders, removeStaged, syncFolder } from './staged-file.ts';

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
 * @param wasMade Whether the commit is known to have been made before: then what is gone since is
 *   gone by somebody's will.
 * @throws {EngineError} sink/lost where a part is neither staged nor visible.
 */
export function commitParts(
  sink: string,
  names: PartNames,
  committables: readonly Committable[],
  wasMade = false,
): void {
  const all = committables as readonly (PartCommittable | ReplaceCommittable)[];
  const folders = new Set<string>();
  for (const part of all) {
    if (part.kind !== 'part') continue;
    if (wasMade && !existsSync(part.staged)) continue;
    publish(sink, part.staged, part.target, part.bytes);
    folders.add(dirname(part.target));
  }
  for (const folder of folders) syncFolder(sink, folder);
  for (const each of all) {
    if (each.kind !== 'replace') continue;
    takeParts(sink, names, each.folder, ({ generation }) => generation < each.generation);
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

/** Removes parts, and those that merges have made of them. */
export function takeParts(
  sink: string,
  names: PartNames,
  folder: string,
  isGoing: (part: PartId) => boolean,
): void {
  if (!existsSync(folder)) return;
  withPartLock(sink, folder, names, () => {
    removeStaleMerges(sink, folder, names);
    removeParts(sink, names, folder, isGoing);
  });
}
