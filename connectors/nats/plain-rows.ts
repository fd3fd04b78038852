/**
 * Rows of a plain Arrow stream into a column store: numbers are copied as they are, texts become
 * codes in kernels. A few microseconds a message, and two copies of its bytes.
 */

import type { ColumnType } from '../../engine/contract/schema.ts';
import { elementBytes } from '../../engine/contract/schema.ts';
import { arrowKernels, NUMBER_KINDS } from '../../wasm/host/arrow.ts';
import { type ColumnStore, growDictionary, type StoreColumn } from '../formats/column-store.ts';
import type { Extent, PlainKind, PlainStream, PlainTexts } from './arrow-layout.ts';

/** Texts are read in steps of 8 bytes. */
const TEXT_SLACK_BYTES = 8;
const INT32_KIND = NUMBER_KINDS['i']!;

const KINDS: Readonly<Record<ColumnType, PlainKind | undefined>> = {
  float64: 'float64',
  int64: 'int64',
  timestamp: 'timestamp',
  string: 'text',
  boolean: undefined,
};

/** Position of each column among the fields; undefined where one is not read as it stands. */
export function plainIndices(
  { fields }: PlainStream,
  columns: readonly { readonly from: string | number; readonly type: ColumnType }[],
): readonly number[] | undefined {
  const indices: number[] = [];
  for (const { from, type } of columns) {
    const index = fields.findIndex(({ name }) => name === from);
    const isTwin = fields.some(({ name }, other) => name === from && other !== index);
    if (index < 0 || isTwin || fields[index]!.kind !== KINDS[type]) return undefined;
    indices.push(index);
  }
  return indices;
}

export interface PlainSlice {
  readonly stream: PlainStream;
  readonly bytes: Buffer;
  /** Record batch, and rows `from` to `from + count` of it. */
  readonly records: number;
  readonly from: number;
  readonly count: number;
  /** Rows of the store before them. */
  readonly at: number;
}

/**
 * Copies one column of a slice. Uses the arena, which the caller resets.
 * @returns False where the values are not what they should be: nothing of the slice counts then.
 */
export function copyPlain(
  store: ColumnStore,
  column: StoreColumn,
  field: number,
  slice: PlainSlice,
): boolean {
  const { stream, bytes, records, from, count, at } = slice;
  const { memory } = store.kernels;
  const width = elementBytes(column.type);
  const out = column.values + at * width;
  const [values, texts] = stream.records[records]!.buffers[field]!;
  if (column.type !== 'string') {
    const start = values!.start + from * width;
    if ((from + count) * width > values!.length) return false;
    memory.bytes(out, count * width).set(bytes.subarray(start, start + count * width));
    return column.type !== 'timestamp' || !column.isRequired || hasTimes(store, out, count);
  }
  const { dictionary } = stream.fields[field]!;
  if (dictionary === undefined) {
    const rowCount = stream.records[records]!.rowCount;
    const all: PlainTexts = { count: rowCount, offsets: values!, data: texts! };
    return internTexts(store, column, bytes, all, from, count, out);
  }
  const entries = stream.dictionaries.get(dictionary);
  if (entries === undefined || (from + count) * 4 > values!.length) return false;
  const table = memory.arena.allocate(Math.max(4, entries.count * 4));
  if (!internTexts(store, column, bytes, entries, 0, entries.count, table)) return false;
  const indices = copy(store, bytes, { start: values!.start + from * 4, length: count * 4 });
  const kernels = arrowKernels(store.kernels);
  return kernels.gather(INT32_KIND, indices, 0, 0, count, table, entries.count, 4, out) !== 0;
}

/** No row is without its time. */
function hasTimes(store: ColumnStore, times: number, count: number): boolean {
  const { memory } = store.kernels;
  const kernels = arrowKernels(store.kernels);
  const flags = memory.arena.allocate(2 * count);
  memory.bytes(flags, 2 * count).fill(0);
  kernels.flagNullTimes(times, count, flags);
  return kernels.mergeFlags(flags, count, flags + count) === 0;
}

function internTexts(
  store: ColumnStore,
  column: StoreColumn,
  bytes: Buffer,
  texts: PlainTexts,
  from: number,
  count: number,
  out: number,
): boolean {
  if (count === 0) return true;
  if ((from + count + 1) * 4 > texts.offsets.length) return false;
  const { memory } = store.kernels;
  const start = texts.offsets.start + from * 4;
  const offsets = copy(store, bytes, { start, length: (count + 1) * 4 });
  const ends = memory.u32(offsets, count + 1);
  const first = ends[0]!;
  // Offsets that fall or lead out of the data would make the kernel read elsewhere.
  for (let i = 0; i < count; i++) if (ends[i]! > ends[i + 1]!) return false;
  const length = ends[count]! - first;
  if (ends[count]! > texts.data.length) return false;
  const data = copy(store, bytes, { start: texts.data.start + first, length });
  const kernels = arrowKernels(store.kernels);
  const { interner } = column;
  const run = (row: number): number =>
    kernels.internTexts(interner!.state, offsets, 0, BigInt(first), data, 0, 0, row, count, out);
  for (let row = run(0); row < count; row = run(row)) {
    interner!.absorb();
    growDictionary(column, interner!);
  }
  return true;
}

function copy({ kernels }: ColumnStore, bytes: Buffer, { start, length }: Extent): number {
  const pointer = kernels.memory.arena.allocate(length + TEXT_SLACK_BYTES);
  kernels.memory.bytes(pointer, length).set(bytes.subarray(start, start + length));
  return pointer;
}
