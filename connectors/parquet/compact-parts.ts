/**
 * Which small parts of a sink can become one, and putting the one in their place.
 *
 * A run that is at work names parts in its checkpoints: those are left alone, as are all that are
 * younger than the oldest checkpoint. Everything older is settled.
 */

import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { SinkContext } from '../../engine/contract/connector.ts';
import { findParts, type PartId, PartNames } from '../staging/part-files.ts';
import { beginMerge, finishMerge, removeStaleMerges, withPartLock } from '../staging/part-merge.ts';
import { sinkError } from '../staging/sink-error.ts';
import { removeStaged } from '../staging/staged-file.ts';
import { EXTENSION, folderOf } from './parquet-sink.ts';

/** Parts of one hive folder that become one. */
export interface MergeTask {
  readonly folder: string;
  readonly inputs: readonly { readonly path: string; readonly bytes: number }[];
  /** Where the merged part is to be written; nobody sees it there. */
  readonly staged: string;
}

export interface MergeLimits {
  /** Parts from this size on are left as they are. */
  readonly smallBytes: number;
  /** Size of all parts that become one. */
  readonly mergedBytes: number;
}

export const MERGE_LIMITS: MergeLimits = { smallBytes: 128 * 2 ** 20, mergedBytes: 512 * 2 ** 20 };

type Target = { readonly path: string };

/**
 * Finishes merges that were cut short, and finds what else there is to merge.
 * @param oldestEpoch Tells that of the oldest checkpoint, undefined where there is none. It is
 *   asked behind the look at the parts: those of a first checkpoint that is stored meanwhile are
 *   not among them.
 */
export async function planMerges(
  config: Target,
  context: SinkContext,
  oldestEpoch: () => Promise<number | undefined>,
  limits: MergeLimits = MERGE_LIMITS,
): Promise<MergeTask[]> {
  const { sink } = context;
  const root = folderOf(config);
  const names = new PartNames(context, EXTENSION);
  if (statSync(root, { throwIfNoEntry: false }) === undefined) return [];
  withPartLock(sink, root, names, () => removeStaleMerges(sink, root, names));
  const parts = findParts(sink, root, names);
  const isSettled = settled([...parts.values()], await oldestEpoch());
  const folders = new Map<string, MergeTask['inputs'][number][]>();
  for (const [path, part] of [...parts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size;
    if (bytes === undefined || bytes >= limits.smallBytes || !isSettled(part)) continue;
    const own = folders.get(dirname(path));
    if (own === undefined) folders.set(dirname(path), [{ path, bytes }]);
    else own.push({ path, bytes });
  }
  return [...folders].flatMap(([folder, small]) =>
    groups(small, limits.mergedBytes).map((inputs) => ({
      folder,
      inputs,
      staged: join(folder, names.hidden('merging')),
    })),
  );
}

function settled(
  parts: readonly PartId[],
  firstEpoch: number | undefined,
): (part: PartId) => boolean {
  if (firstEpoch === undefined) return () => true;
  const newest = parts.reduce((most, { generation }) => Math.max(most, generation), 0);
  return ({ generation, epoch }) => generation < newest || epoch < firstEpoch;
}

/** Neighbours that together do not exceed `bytesMax`, at least two of them. */
function groups<T extends { bytes: number }>(parts: readonly T[], bytesMax: number): T[][] {
  const all: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (group.length > 0 && bytes + part.bytes > bytesMax) {
      all.push(group);
      group = [];
      bytes = 0;
    }
    group.push(part);
    bytes += part.bytes;
  }
  return [...all, group].filter(({ length }) => length > 1);
}

/**
 * Puts the merged part, which has been written, in the place of its inputs.
 * @returns Its path, or undefined where an input has gone since: a run has replaced it.
 */
export function completeMerge(
  config: Target,
  context: SinkContext,
  { folder, inputs, staged }: MergeTask,
): string | undefined {
  const { sink } = context;
  const root = folderOf(config);
  const names = new PartNames(context, EXTENSION);
  return withPartLock(sink, root, names, () => {
    const isThere = ({ path, bytes }: MergeTask['inputs'][number]): boolean =>
      statSync(path, { throwIfNoEntry: false })?.size === bytes;
    // A run on another machine that shares the folder takes it for the rest of a dead process.
    const isStaged = statSync(staged, { throwIfNoEntry: false }) !== undefined;
    if (!isStaged || !inputs.every(isThere)) {
      removeStaged(staged);
      return undefined;
    }
    sync(sink, staged);
    const parts = [...findParts(sink, folder, names)].filter(([path]) => dirname(path) === folder);
    const merged = names.part(nextId(new Map(parts), inputs));
    const journal = beginMerge(sink, folder, names, {
      replaced: inputs.map(({ path }) => basename(path)),
      staged: basename(staged),
      merged,
      bytes: statSync(staged).size,
    });
    finishMerge(sink, journal);
    return join(folder, merged);
  });
}

/** As young as the youngest input, so that it is replaced and taken back when that would be. */
function nextId(
  parts: ReadonlyMap<string, PartId>,
  inputs: readonly { readonly path: string }[],
): PartId {
  let { generation, epoch } = parts.get(inputs[0]!.path)!;
  for (const { path } of inputs) {
    const part = parts.get(path)!;
    if (part.generation < generation) continue;
    epoch = part.generation > generation ? part.epoch : Math.max(epoch, part.epoch);
    generation = part.generation;
  }
  let number = 1;
  for (const part of parts.values()) {
    if (part.generation === generation && part.epoch === epoch) {
      number = Math.max(number, part.number + 1);
    }
  }
  return { generation, epoch, number };
}

function sync(sink: string, path: string): void {
  try {
    const file = openSync(path, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw sinkError(sink, `write ${path}`, error);
  }
}
