/** What a run should say of a folder of parts before it begins or goes on there. */

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Committable, SinkContext, SinkPast } from '../../engine/contract/connector.ts';
import type { PartCommittable } from './part-commit.ts';
import { findFiles, findParts, PartNames } from './part-files.ts';

export function partNotes(
  folder: string,
  extension: string,
  context: SinkContext,
  past: SinkPast | undefined,
): string[] {
  const names = new PartNames(context, extension);
  const isEmpty = findParts(context.sink, folder, names).size === 0;
  if (past !== undefined) return goneNotes(folder, context, past, isEmpty);
  return isEmpty ? otherNotes(folder, extension, context) : [];
}

/** Parts that were committed are not there any more: nobody writes them again. */
function goneNotes(
  folder: string,
  { sink }: SinkContext,
  { epoch, files, committables }: SinkPast,
  isEmpty: boolean,
): string[] {
  const remedy = 'put them back, or begin anew with --ignore-state to write all of them again';
  if (isEmpty && (files ?? 0) > 0) {
    const all = files === 1 ? 'the file' : `all ${files} files`;
    return [
      `sink ${sink}: ${all} that it wrote up to checkpoint ${epoch} ` +
        `${files === 1 ? 'is' : 'are'} gone from ${folder}; the run goes on behind those rows: ` +
        remedy,
    ];
  }
  const gone = committables.filter(isPart).filter(({ target }) => !existsSync(target));
  if (gone.length === 0) return [];
  const more = gone.length === 1 ? '' : ` and ${gone.length - 1} more`;
  return [
    `sink ${sink}: ${gone[0]!.target}${more}, of checkpoint ${epoch}, ` +
      `${gone.length === 1 ? 'is' : 'are'} gone; the run goes on behind those rows: ${remedy}`,
  ];
}

function isPart(committable: Committable): committable is PartCommittable {
  return committable['kind'] === 'part';
}

/**
 * The first run of a pipeline finds parts of the same sink of another: after a change of its name,
 * the folder would hold the rows twice.
 */
function otherNotes(folder: string, extension: string, { sink, pipeline }: SinkContext): string[] {
  const others = new Map<string, number>();
  const isOther = (name: string): boolean => {
    const found = /^part-([^.]+)\.(.+)-\d{4,}-\d{5,}-\d{4,}\.[a-z]+$/.exec(name);
    return found !== null && found[1] !== pipeline && found[2] === sink && name.endsWith(extension);
  };
  for (const path of findFiles(sink, folder, isOther)) {
    const [, other] = /^part-([^.]+)\./.exec(basename(path))!;
    others.set(other!, (others.get(other!) ?? 0) + 1);
  }
  return [...others].map(
    ([other, count]) =>
      `sink ${sink}: ${folder} holds ${count === 1 ? 'a file' : `${count} files`} of pipeline ` +
      `${other}, which ${pipeline} leaves alone: if it was renamed, its rows will be there ` +
      `twice; name it ${other} again to go on, or remove part-${other}.${sink}-*`,
  );
}
