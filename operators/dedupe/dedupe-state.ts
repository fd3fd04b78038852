/**
 * Kept rows in a snapshot. Codes of strings hold for one run of a slot only, so a snapshot carries
 * the texts, and its entries the numbers of those.
 *
 * Sections: `texts`, a JSON array; `entries`, as `DedupeTable` gives them. The title tells the
 * columns that the values belong to.
 */

import { EngineError } from '../../engine/contract/error.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import { type ColumnSchema, STRING_NULL } from '../../engine/contract/schema.ts';
import { readSections, writeSections } from '../snapshots/sections.ts';

const ENTRY_HEADER_BYTES = 16;

/** Bytes of an entry: key, time and a word for each compared column. */
export function entryBytes(columnCount: number): number {
  return ENTRY_HEADER_BYTES + columnCount * 8;
}

type Strings = Pick<OperatorContext, 'step' | 'strings'>;

/** @param entries Codes of `strings`; overwritten. */
export function writeEntries(
  entries: Uint8Array,
  columns: readonly ColumnSchema[],
  { strings }: Strings,
): Uint8Array {
  const texts: string[] = [];
  const numbers = new Map<number, number>();
  translate(entries, columns, (code) => {
    let number = numbers.get(code);
    if (number === undefined) {
      number = texts.length;
      texts.push(strings.text(code));
      numbers.set(code, number);
    }
    return number;
  });
  return writeSections(titleOf(columns), [
    { name: 'texts', bytes: new TextEncoder().encode(JSON.stringify(texts)) },
    { name: 'entries', bytes: entries },
  ]);
}

/** Entries with codes of `strings`, to which texts are added where it lacks them. */
export function readEntries(
  table: Uint8Array,
  columns: readonly ColumnSchema[],
  { step, strings }: Strings,
): Uint8Array {
  const { title, sections } = readSections(table);
  if (title !== titleOf(columns)) {
    throw new EngineError(
      'config/invalid',
      `step "${step}": cannot go on from a state of columns ${title}, got ${titleOf(columns)}`,
    );
  }
  const [texts, entries] = sections;
  const words = JSON.parse(new TextDecoder().decode(texts!.bytes)) as string[];
  const codes = words.map((text) => strings.intern(text));
  // A copy that starts at an even address.
  const aligned = new Uint8Array(entries!.bytes);
  translate(aligned, columns, (number) => codes[number]!);
  return aligned;
}

function titleOf(columns: readonly ColumnSchema[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}

/** Replaces every code of a string that is not null. */
function translate(
  entries: Uint8Array,
  columns: readonly ColumnSchema[],
  map: (code: number) => number,
): void {
  const entryWords = entryBytes(columns.length) / 4;
  const words = new Uint32Array(entries.buffer, entries.byteOffset, entries.length / 4);
  for (const [index, { type }] of columns.entries()) {
    if (type !== 'string') continue;
    for (let at = (ENTRY_HEADER_BYTES + index * 8) / 4; at < words.length; at += entryWords) {
      if (words[at] !== STRING_NULL) words[at] = map(words[at]!);
    }
  }
}
