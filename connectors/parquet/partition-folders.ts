/**
 * Which hive folder each row belongs to: `date=2013-10-07/venue=XNAS`.
 *
 * A batch is split by one pass a partition column, over day numbers and dictionary codes, not
 * texts; the name of a folder is made once for each group of rows. A batch whose rows all belong
 * together, as nearly all do that are partitioned by date, is not split at all.
 */

import type { ColumnBatch, ColumnVector } from '../../engine/contract/batch.ts';
import {
  BOOLEAN_NULL,
  columnIndex,
  INT64_NULL,
  type Schema,
  STRING_NULL,
} from '../../engine/contract/schema.ts';
import { words } from './row-buffer.ts';

/** Rows of one batch that go into one folder. */
export interface FolderRows {
  /** Relative to the sink's folder; empty where there are no partition columns. */
  readonly folder: string;
  /** In order; undefined where it is all rows of the batch. */
  readonly rows: Uint32Array | undefined;
}

/** A partition column: what it is called, and where in the batch it comes from. */
export interface PartitionColumn {
  readonly name: string;
  /** `date`: the UTC day of the time column at `index`. */
  readonly kind: 'date' | 'column';
  readonly index: number;
}

/** `date` is the day of the time column unless the rows have a column of that name. */
export function partitionColumns(names: readonly string[], schema: Schema): PartitionColumn[] {
  return names.map((name) => {
    const index = columnIndex(schema, name);
    if (index >= 0) return { name, kind: 'column', index };
    return { name, kind: 'date', index: columnIndex(schema, schema.time) };
  });
}

export function splitByFolder(
  batch: ColumnBatch,
  partitionBy: readonly PartitionColumn[],
): FolderRows[] {
  let groups: FolderRows[] = [{ folder: '', rows: undefined }];
  for (const column of partitionBy) {
    const vector = batch.columns[column.index]!;
    groups = groups.flatMap((group) => splitGroup(batch.rowCount, group, column, vector));
  }
  return groups;
}

function splitGroup(
  rowCount: number,
  { folder, rows }: FolderRows,
  { name, kind }: PartitionColumn,
  vector: ColumnVector,
): FolderRows[] {
  const valueOf = kind === 'date' ? dayOf(vector) : distinctOf(vector);
  const textOf = (value: number | bigint): string => {
    const text = kind === 'date' ? dateText(value as number) : valueText(vector, value);
    return `${escapeSegment(name)}=${text}`;
  };
  const length = rows?.length ?? rowCount;
  const rowAt = (i: number): number => (rows === undefined ? i : rows[i]!);
  const inside = folder === '' ? '' : `${folder}/`;
  const first = valueOf(rowAt(0));
  let same = 1;
  while (same < length && valueOf(rowAt(same)) === first) same++;
  if (same >= length) return [{ folder: inside + textOf(first), rows }];
  const numbers = new Map<number | bigint, number[]>();
  for (let i = 0; i < length; i++) {
    const row = rowAt(i);
    const value = valueOf(row);
    const group = numbers.get(value);
    if (group === undefined) numbers.set(value, [row]);
    else group.push(row);
  }
  return [...numbers].map(([value, group]) => ({
    folder: inside + textOf(value),
    rows: Uint32Array.from(group),
  }));
}

/** Not a day: where the time is null. */
const NO_DAY = Number.NEGATIVE_INFINITY;

/**
 * Days since the Unix epoch of each row. A day is 2^16 times 1,318,359,375 ns, and a time without
 * its low 16 bits is exact as a double.
 */
function dayOf(vector: ColumnVector): (row: number) => number {
  const halves = words((vector as { values: BigInt64Array }).values);
  return (row) => {
    const low = halves[2 * row]!;
    const high = halves[2 * row + 1]!;
    if (low === 0 && high === -0x8000_0000) return NO_DAY;
    return Math.floor((high * 0x1_0000 + (low >>> 16)) / 1_318_359_375);
  };
}

function distinctOf(vector: ColumnVector): (row: number) => number | bigint {
  if (vector.type === 'string') return (row) => vector.codes[row]!;
  return (row) => vector.values[row]!;
}

/** The folder name that stands for null, in Hive and everything that reads its layout. */
const NULL_SEGMENT = '__HIVE_DEFAULT_PARTITION__';

function dateText(day: number): string {
  return day === NO_DAY ? NULL_SEGMENT : new Date(day * 86_400_000).toISOString().slice(0, 10);
}

function valueText(vector: ColumnVector, value: number | bigint): string {
  switch (vector.type) {
    case 'string':
      return value === STRING_NULL
        ? NULL_SEGMENT
        : escapeValue(vector.dictionary[value as number]!);
    case 'boolean':
      return value === BOOLEAN_NULL ? NULL_SEGMENT : String(value === 1);
    default:
      return value === INT64_NULL ? NULL_SEGMENT : String(value);
  }
}

const SPECIAL_CHARACTERS = /[^A-Za-z0-9_.-]/gu;
const encoder = new TextEncoder();

/** DuckDB takes the word null for null, but not when it is written otherwise. */
function escapeValue(text: string): string {
  return /^null$/i.test(text) ? percent(text[0]!) + text.slice(1) : escapeSegment(text);
}

/** A text as part of a folder name: everything that a file system or a glob may mind as `%2F`. */
function escapeSegment(text: string): string {
  return text.replace(SPECIAL_CHARACTERS, percent);
}

function percent(character: string): string {
  const bytes = [...encoder.encode(character)];
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
