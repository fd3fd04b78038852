/**
 * The router: splits the rows of source batches by partition, so that each slot gets one buffer in
 * which the rows of each of its partitions lie together, in arrival order.
 *
 *   source batch   S A S B A …           columns as the reader made them
 *   routed         | A A | S S | B |     per slot: its partitions' rows, column by column
 *
 * It runs where the decoding runs (a reader thread, or the main thread for cheap sources) and has
 * a dictionary of its own for each string column; slots are told of new texts, in order, with the
 * next batch. Cost: two copies and one pass a column, about 10 ns a trade.
 */

import type { ColumnBatch, ColumnVector } from '../contract/batch.ts';
import type { WatermarkScope } from '../contract/connector.ts';
import { partitionOf } from '../contract/hash.ts';
import { columnIndex, elementBytes, type Schema } from '../contract/schema.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import { type RouterExports, routerKernels, scatter } from '../../wasm/host/router.ts';
import { GrowingStringTable } from './string-table.ts';
import type { TimeRange, TimeRanges } from './watermark-tracker.ts';

/** Buffers that wait to be used again. */
const SPENT_BUFFERS_MAX = 32;
/** Sizes are rounded up, so that a buffer fits the next batch too. */
const BUFFER_STEP_BYTES = 1 << 16;

/** Rows of one slot: the columns of the source's schema, each 8-byte aligned. */
export interface RoutedRows {
  readonly rowCount: number;
  /** Bytes of the buffer that count; it may be longer, having been used before. */
  readonly byteCount: number;
  /** Rows of the slot's `i`-th partition are `starts[i]` to `starts[i + 1] - 1`. */
  readonly starts: Uint32Array;
  readonly buffer: ArrayBuffer;
  /** Byte offset of each column; one more at the end for the peaks where `hasPeaks`. */
  readonly columnOffsets: readonly number[];
  /**
   * The batch is out of order by more than the watermark allows: the largest event time before
   * each row follows, within the batch or within the row's partition.
   */
  readonly hasPeaks: boolean;
}

export interface NewTexts {
  /** Position of the string column in the schema. */
  readonly column: number;
  /** Code of the first of them. */
  readonly from: number;
  readonly texts: readonly string[];
}

export interface RoutedBatch {
  readonly rowCount: number;
  /** Of the whole batch, or of each partition, as the scope of the watermark asks. */
  readonly times: TimeRanges;
  readonly newTexts: readonly NewTexts[];
  /** One a slot; undefined where the slot has no rows in this batch. */
  readonly slots: readonly (RoutedRows | undefined)[];
}

/** Partitions of a slot: every `slots`-th one, so that neighbours in number spread out. */
export function partitionsOfSlot(slot: number, slots: number, partitions: number): number[] {
  const own: number[] = [];
  for (let partition = slot; partition < partitions; partition += slots) own.push(partition);
  return own;
}

interface TextColumn {
  readonly index: number;
  readonly table: GrowingStringTable;
  readonly maps: WeakMap<readonly string[], DictionaryMap>;
  announced: number;
}

/** Codes of this router for the codes of one dictionary instance, as far as it has been seen. */
interface DictionaryMap {
  readonly codes: number[];
  /** Each code so far stands for itself, as it does while one reader has one growing dictionary. */
  isIdentity: boolean;
}

export class Router {
  readonly #schema: Schema;
  readonly #partitions: number;
  readonly #slots: number;
  readonly #delayNs: bigint;
  readonly #scope: WatermarkScope;
  readonly #kernels = new Kernels();
  readonly #exports: RouterExports;
  readonly #keyIndex: number;
  readonly #timeIndex: number;
  readonly #texts: TextColumn[] = [];
  /** u16 rank of the partition of each key code. */
  #orders = 0;
  #ordersKnown = 0;
  /** Rank of each partition: slots one after the other, partitions ascending within. */
  readonly #rankOf: Uint16Array;
  readonly #partitionOfRank: number[] = [];
  readonly #rankStartOfSlot: number[] = [0];
  readonly #spent: ArrayBuffer[] = [];

  constructor(
    schema: Schema,
    partitions: number,
    slots: number,
    watermark: { readonly maxOutOfOrdernessNs: bigint; readonly scope: WatermarkScope },
  ) {
    this.#schema = schema;
    this.#partitions = partitions;
    this.#slots = slots;
    this.#delayNs = watermark.maxOutOfOrdernessNs;
    this.#scope = watermark.scope;
    this.#exports = routerKernels(this.#kernels);
    this.#keyIndex = columnIndex(schema, schema.key);
    this.#timeIndex = columnIndex(schema, schema.time);
    schema.columns.forEach((column, index) => {
      if (column.type !== 'string') return;
      this.#texts.push({
        index,
        table: new GrowingStringTable(),
        maps: new WeakMap(),
        announced: 0,
      });
    });
    this.#rankOf = new Uint16Array(partitions);
    let rank = 0;
    for (let slot = 0; slot < slots; slot++) {
      for (const partition of partitionsOfSlot(slot, slots, partitions)) {
        this.#rankOf[partition] = rank++;
        this.#partitionOfRank.push(partition);
      }
      this.#rankStartOfSlot.push(rank);
    }
  }

  route(batch: ColumnBatch): RoutedBatch {
    const { memory } = this.#kernels;
    memory.arena.reset();
    const rows = batch.rowCount;
    const pointers = batch.columns.map((column, index) => this.#copyIn(column, index, rows));
    this.#mapKeys();

    const counts = memory.arena.allocate((this.#partitions + 1) * 4);
    const cursors = memory.arena.allocate((this.#partitions + 1) * 4);
    const targets = memory.arena.allocate(rows * 4);
    const keys = pointers[this.#keyIndex]!;
    const times = pointers[this.#timeIndex]!;
    this.#exports.countRanks(keys, this.#orders, rows, counts, this.#partitions);
    const starts = memory.u32(counts, this.#partitions + 1).slice();
    memory.u32(cursors, starts.length).set(starts);
    this.#exports.placeRows(keys, this.#orders, rows, cursors, targets);
    const whole = this.#scope === 'split' ? this.#timeRange(times, rows) : undefined;
    if (whole?.isDisordered === true) {
      const peaks = memory.arena.allocate(rows * 8);
      this.#exports.peaksBefore(times, rows, peaks);
      pointers.push(peaks);
    }
    const sorted = pointers.map((pointer, index) => {
      const width = this.#columnBytes(index);
      const output = memory.arena.allocate(rows * width);
      scatter(this.#exports, width, pointer, targets, rows, output);
      return output;
    });
    const ranges = whole === undefined ? this.#partitionTimes(starts, sorted) : [whole];
    const hasPeaks = sorted.length > this.#schema.columns.length;
    return {
      rowCount: rows,
      times: ranges,
      newTexts: this.#takeNewTexts(),
      slots: Array.from({ length: this.#slots }, (_, slot) =>
        this.#copyOut(slot, starts, sorted, hasPeaks),
      ),
    };
  }

  #timeRange(times: number, rows: number): TimeRange & { readonly isDisordered: boolean } {
    const { memory } = this.#kernels;
    const range = memory.arena.allocate(24);
    this.#exports.timeRange(times, rows, range);
    const [smallest, largest, lag] = memory.i64(range, 3);
    return { smallest: smallest!, largest: largest!, isDisordered: lag! > this.#delayNs };
  }

  /** Event times of each partition; adds the peaks to the sorted columns where they are needed. */
  #partitionTimes(starts: Uint32Array, sorted: number[]): TimeRanges {
    const { memory } = this.#kernels;
    const times = sorted[this.#timeIndex]!;
    const ranges = new Array<TimeRange | undefined>(this.#partitions).fill(undefined);
    let isDisordered = false;
    for (const [rank, partition] of this.#partitionOfRank.entries()) {
      const rows = starts[rank + 1]! - starts[rank]!;
      if (rows === 0) continue;
      const { smallest, largest, ...own } = this.#timeRange(times + starts[rank]! * 8, rows);
      ranges[partition] = { smallest, largest };
      isDisordered ||= own.isDisordered;
    }
    if (!isDisordered) return ranges;
    const peaks = memory.arena.allocate(starts.at(-1)! * 8);
    for (const rank of this.#partitionOfRank.keys()) {
      const from = starts[rank]! * 8;
      this.#exports.peaksBefore(times + from, starts[rank + 1]! - starts[rank]!, peaks + from);
    }
    sorted.push(peaks);
    return ranges;
  }

  /** Bytes of an element of a column; the one behind the last holds peaks. */
  #columnBytes(index: number): 1 | 4 | 8 {
    const column = this.#schema.columns[index];
    return column === undefined ? 8 : elementBytes(column.type);
  }

  #copyIn(column: ColumnVector, index: number, rows: number): number {
    const { memory } = this.#kernels;
    if (column.type !== 'string') {
      const { buffer, byteOffset, BYTES_PER_ELEMENT } = column.values;
      const pointer = memory.arena.allocate(rows * BYTES_PER_ELEMENT);
      const source = new Uint8Array(buffer, byteOffset, rows * BYTES_PER_ELEMENT);
      memory.bytes(pointer, source.length).set(source);
      return pointer;
    }
    const pointer = memory.arena.allocate(rows * 4);
    memory.u32(pointer, rows).set(column.codes.subarray(0, rows));
    const map = this.#mapDictionary(index, column.dictionary);
    if (map !== undefined) {
      const mapPointer = memory.arena.allocate(map.length * 4);
      memory.u32(mapPointer, map.length).set(map);
      this.#exports.remapCodes(pointer, rows, mapPointer);
    }
    return pointer;
  }

  /** Router codes of the dictionary's codes, or undefined where they are the same. */
  #mapDictionary(index: number, dictionary: readonly string[]): readonly number[] | undefined {
    const column = this.#texts.find((candidate) => candidate.index === index)!;
    let map = column.maps.get(dictionary);
    if (map === undefined) {
      map = { codes: [], isIdentity: true };
      column.maps.set(dictionary, map);
    }
    for (let code = map.codes.length; code < dictionary.length; code++) {
      const own = column.table.intern(dictionary[code]!);
      map.codes.push(own);
      map.isIdentity &&= own === code;
    }
    return map.isIdentity ? undefined : map.codes;
  }

  /** Extends the ranks to the keys that are new since the last batch. */
  #mapKeys(): void {
    const { memory } = this.#kernels;
    const { table } = this.#texts.find((column) => column.index === this.#keyIndex)!;
    if (table.size === this.#ordersKnown) return;
    if (this.#orders === 0 || memory.capacity(this.#orders) < table.size * 2) {
      this.#orders = memory.reallocate(this.#orders, this.#ordersKnown * 2, table.size * 4);
    }
    const orders = new Uint16Array(memory.memory.buffer, this.#orders, table.size);
    for (let code = this.#ordersKnown; code < table.size; code++) {
      orders[code] = this.#rankOf[partitionOf(table.text(code), this.#partitions)]!;
    }
    this.#ordersKnown = table.size;
  }

  #takeNewTexts(): NewTexts[] {
    const all: NewTexts[] = [];
    for (const column of this.#texts) {
      const from = column.announced;
      if (column.table.size === from) continue;
      const texts = Array.from({ length: column.table.size - from }, (_, i) =>
        column.table.text(from + i),
      );
      all.push({ column: column.index, from, texts });
      column.announced = column.table.size;
    }
    return all;
  }

  #copyOut(
    slot: number,
    starts: Uint32Array,
    sorted: readonly number[],
    hasPeaks: boolean,
  ): RoutedRows | undefined {
    const first = this.#rankStartOfSlot[slot]!;
    const last = this.#rankStartOfSlot[slot + 1]!;
    const from = starts[first]!;
    const rowCount = starts[last]! - from;
    if (rowCount === 0) return undefined;
    const columnOffsets: number[] = [];
    let bytes = 0;
    for (const index of sorted.keys()) {
      columnOffsets.push(bytes);
      bytes += (rowCount * this.#columnBytes(index) + 7) & ~7;
    }
    const buffer = this.#buffer(bytes);
    for (const [index, pointer] of sorted.entries()) {
      const width = this.#columnBytes(index);
      const target = new Uint8Array(buffer, columnOffsets[index], rowCount * width);
      target.set(this.#kernels.memory.bytes(pointer + from * width, rowCount * width));
    }
    const ownStarts = starts.slice(first, last + 1).map((start) => start - from);
    return { rowCount, byteCount: bytes, starts: ownStarts, buffer, columnOffsets, hasPeaks };
  }

  /** A buffer that has done its work and may be used again. */
  recycle(buffer: ArrayBuffer): void {
    if (this.#spent.length < SPENT_BUFFERS_MAX) this.#spent.push(buffer);
  }

  #buffer(bytes: number): ArrayBuffer {
    const index = this.#spent.findIndex(({ byteLength }) => byteLength >= bytes);
    if (index >= 0) return this.#spent.splice(index, 1)[0]!;
    // None is large enough: the smallest ones would only fill the list.
    this.#spent.length = 0;
    return new ArrayBuffer(Math.ceil(bytes / BUFFER_STEP_BYTES) * BUFFER_STEP_BYTES);
  }
}
