/**
 * Arrow arrays to the declared types of columns, a slice at a time. The buffers of the slice are
 * copied into linear memory, where kernels do the work; no value passes through JavaScript, but
 * decimals that no exact division reaches and texts that are new.
 *
 *   declared    from
 *   float64     integers, floats, decimals, booleans
 *   int64       integers, decimals without a fraction, booleans
 *   timestamp   timestamps and dates of any unit, integers (epochs), texts
 *   string      texts, bytes (as UTF-8), integers (as decimals)
 *   boolean     booleans, integers 0 and 1
 *
 * A dictionary array of any of them counts as its values, and an array of nulls as anything.
 */

import { type ColumnType, elementBytes } from '../../engine/contract/schema.ts';
import {
  type ArrowExports,
  arrowKernels,
  KIND_BYTES,
  NUMBER_KINDS,
} from '../../wasm/host/arrow.ts';
import { INTERNER_FULL, Interner, type InternerExports } from '../../wasm/host/interner.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import { type ArrowArray, type ArrowField, moduleBytes } from './arrow-array.ts';
import { decimalFormat, decimalText, timeUnitNs } from './arrow-format.ts';
import { type ColumnStore, growDictionary } from './column-store.ts';
import type { FileColumn, TimeUnitNs } from './decoder.ts';

/** Texts are read in steps of 8 bytes. */
const TEXT_SLACK_BYTES = 8;
const EXACT_POWER_MAX = 22;
const INTEGER_KIND_MAX = 7;
const BYTE_KIND = 1;

/** Rows `from` to `from + count` of an array. */
interface Slice {
  readonly array: ArrowArray;
  readonly from: number;
  readonly count: number;
}

/** Where a slice goes: `count` elements of the type, and u8 flags of as many rows, zero before. */
export interface CastTarget {
  readonly column: FileColumn;
  readonly interner: Interner | undefined;
  readonly out: number;
  readonly flags: number;
}

interface Bits {
  readonly pointer: number;
  readonly shift: number;
}

/** Codes of the decimal spellings of integers: a table from integers beside that of the texts. */
interface IntegerTexts {
  readonly integers: Interner;
  /** Code in the column's dictionary of each integer. */
  readonly codes: number[];
}

export class ArrowCast {
  readonly #store: ColumnStore;
  readonly #memory: LinearMemory;
  readonly #exports: ArrowExports;
  readonly #timeUnit: TimeUnitNs;
  readonly #integerTexts = new Map<Interner, IntegerTexts>();

  constructor(store: ColumnStore, timeUnit: TimeUnitNs) {
    this.#store = store;
    this.#memory = store.kernels.memory;
    this.#exports = arrowKernels(store.kernels);
    this.#timeUnit = timeUnit;
  }

  /**
   * Converts a slice. Rows that cannot be taken are flagged. Uses the arena, which the caller
   * resets. The array is one that `canCast`.
   * @returns False where the array is damaged: an index of a dictionary leads nowhere.
   */
  cast(array: ArrowArray, from: number, count: number, target: CastTarget): boolean {
    const slice = { array, from: array.offset + from, count };
    const { type, isRequired } = target.column;
    if (array.dictionary !== undefined) {
      if (!this.#castDictionary(slice, array.dictionary, target)) return false;
    } else if (type === 'float64') this.#toFloats(slice, target);
    else if (type === 'int64') this.#toIntegers(slice, target);
    else if (type === 'timestamp') this.#toTimes(slice, target);
    else if (type === 'boolean') this.#toBooleans(slice, target);
    else this.#toTexts(slice, target);
    const bits = this.#validity(slice);
    const width = elementBytes(type);
    if (bits.pointer !== 0) {
      this.#exports.putNulls(
        bits.pointer,
        bits.shift,
        count,
        width,
        type === 'float64' ? 1 : 0,
        target.out,
        target.flags,
        isRequired ? 1 : 0,
      );
    }
    // A dictionary may hold a null, which no bitmap of the rows tells.
    if (isRequired && type === 'string') {
      this.#exports.flagNullCodes(target.out, count, target.flags);
    } else if (isRequired && type === 'timestamp') {
      this.#exports.flagNullTimes(target.out, count, target.flags);
    }
    return true;
  }

  #castDictionary(slice: Slice, dictionary: ArrowArray, target: CastTarget): boolean {
    const { length } = dictionary;
    const width = elementBytes(target.column.type);
    const table = this.#memory.arena.allocate(length * width);
    const flags = this.#zeroed(length);
    const column = { ...target.column, isRequired: false };
    if (!this.cast(dictionary, 0, length, { ...target, column, out: table, flags })) return false;
    const kind = NUMBER_KINDS[slice.array.format]!;
    const indices = this.#copyElements(slice, KIND_BYTES[kind]!);
    const { pointer, shift } = this.#validity(slice);
    const into = (from: number, bytes: number, out: number): boolean =>
      this.#exports.gather(kind, indices, pointer, shift, slice.count, from, length, bytes, out) !==
      0;
    return into(table, width, target.out) && into(flags, 1, target.flags);
  }

  #toFloats(slice: Slice, { out }: CastTarget): void {
    const { array, from, count } = slice;
    const kind = NUMBER_KINDS[array.format];
    if (array.format === 'g') {
      // The same elements: one copy, from memory to memory.
      const values = moduleBytes(array.buffers[1]! + from * 8, count * 8);
      this.#memory.bytes(out, count * 8).set(values);
    } else if (kind !== undefined) {
      const values = this.#copyElements(slice, KIND_BYTES[kind]!);
      this.#exports.toFloats(kind, values, count, out);
    } else if (array.format === 'b') {
      this.#exports.toFloats(BYTE_KIND, this.#truths(slice), count, out);
    } else if (array.format !== 'n') this.#decimalsToFloats(slice, out);
  }

  #decimalsToFloats(slice: Slice, out: number): void {
    const { array, from, count } = slice;
    const { scale } = decimalFormat(array.format)!;
    const inexact = this.#zeroed(count);
    const values = this.#copyElements(slice, 16);
    const isExactPower = scale >= 0 && scale <= EXACT_POWER_MAX;
    this.#exports.decimalsToFloats(values, count, isExactPower ? 10 ** scale : 1, out, inexact);
    const floats = this.#memory.f64(out, count);
    const marks = this.#memory.bytes(inexact, count);
    for (let row = 0; row < count; row++) {
      if (marks[row] === 0 && isExactPower) continue;
      floats[row] = Number(decimalText(array, from + row));
    }
  }

  #toIntegers(slice: Slice, { out, flags }: CastTarget): void {
    const { array, count } = slice;
    const kind = NUMBER_KINDS[array.format];
    if (kind !== undefined) {
      const values = this.#copyElements(slice, KIND_BYTES[kind]!);
      this.#exports.toIntegers(kind, values, count, out, flags);
    } else if (array.format === 'b') {
      this.#exports.toIntegers(BYTE_KIND, this.#truths(slice), count, out, flags);
    } else if (array.format !== 'n') {
      this.#exports.decimalsToIntegers(this.#copyElements(slice, 16), count, out, flags);
    }
  }

  #toTimes(slice: Slice, target: CastTarget): void {
    const { format } = slice.array;
    const { out, flags } = target;
    if (NUMBER_KINDS[format] !== undefined) {
      this.#toIntegers(slice, target);
      this.#exports.scaleTimes(out, slice.count, this.#timeUnit, flags);
      return;
    }
    const unit = timeUnitNs(format);
    if (unit !== undefined) {
      const kind = NUMBER_KINDS[format === 'tdD' ? 'i' : 'l']!;
      const values = this.#copyElements(slice, KIND_BYTES[kind]!);
      this.#exports.toIntegers(kind, values, slice.count, out, flags);
      this.#exports.scaleTimes(out, slice.count, unit, flags);
    } else if (format !== 'n') {
      const { offsets, isLarge, first, data } = this.#copyTexts(slice);
      const { pointer, shift } = this.#validity(slice);
      const { count } = slice;
      this.#exports.parseTimes(
        offsets,
        isLarge,
        first,
        data,
        pointer,
        shift,
        this.#timeUnit,
        count,
        out,
        flags,
      );
    }
  }

  #toBooleans(slice: Slice, { out, flags }: CastTarget): void {
    const { array, count } = slice;
    if (array.format === 'b') {
      const { pointer, shift } = this.#copyBits(array.buffers[1]!, slice);
      this.#exports.bitsToBooleans(pointer, shift, count, out);
    } else if (array.format !== 'n') {
      const kind = NUMBER_KINDS[array.format]!;
      const values = this.#copyElements(slice, KIND_BYTES[kind]!);
      const integers = this.#memory.arena.allocate(count * 8);
      this.#exports.toIntegers(kind, values, count, integers, flags);
      this.#exports.integersToBooleans(integers, count, out, flags);
    }
  }

  #toTexts(slice: Slice, target: CastTarget): void {
    const { array, count } = slice;
    const { out, column } = target;
    const interner = target.interner!;
    const { pointer, shift } = this.#validity(slice);
    if (array.format === 'n') return;
    if (NUMBER_KINDS[array.format] !== undefined) {
      this.#integersToTexts(slice, target);
      return;
    }
    let run: (row: number) => number;
    if (array.format.startsWith('v')) {
      const { views, buffers } = this.#copyViews(slice);
      run = (row) =>
        this.#exports.internViews(interner.state, views, buffers, pointer, shift, row, count, out);
    } else {
      const { offsets, isLarge, first, data } = this.#copyTexts(slice);
      run = (row) =>
        this.#exports.internTexts(
          interner.state,
          offsets,
          isLarge,
          first,
          data,
          pointer,
          shift,
          row,
          count,
          out,
        );
    }
    this.#intern(column, interner, count, run);
  }

  /** Runs an interning kernel to the end, growing its table where it stops. */
  #intern(
    column: FileColumn,
    interner: Interner,
    count: number,
    run: (row: number) => number,
  ): void {
    for (let row = run(0); row < count; row = run(row)) {
      interner.absorb();
      growDictionary(column, interner);
    }
  }

  #integersToTexts(slice: Slice, { column, interner, out, flags }: CastTarget): void {
    const { array, count } = slice;
    let table = this.#integerTexts.get(interner!);
    if (table === undefined) {
      const integers = new Interner(this.#store.kernels, {
        decode: (bytes) =>
          new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true).toString(),
      });
      table = { integers, codes: [] };
      this.#integerTexts.set(interner!, table);
    }
    const { integers, codes } = table;
    const kind = NUMBER_KINDS[array.format]!;
    const values = this.#copyElements(slice, KIND_BYTES[kind]!);
    const wide = this.#memory.arena.allocate(count * 8);
    const local = this.#memory.arena.allocate(count * 4);
    this.#exports.toIntegers(kind, values, count, wide, flags);
    const { pointer, shift } = this.#validity(slice);
    this.#intern(column, integers, count, (row) =>
      this.#exports.internIntegers(integers.state, wide, pointer, shift, row, count, local),
    );
    integers.absorb();
    for (const text of integers.texts.slice(codes.length)) {
      codes.push(this.#internText(column, interner!, text));
    }
    const map = this.#memory.arena.allocate(codes.length * 4);
    this.#memory.u32(map, codes.length).set(codes);
    const u32 = NUMBER_KINDS['I']!;
    this.#exports.gather(u32, local, pointer, shift, count, map, codes.length, 4, out);
  }

  #internText(column: FileColumn, interner: Interner, text: string): number {
    const bytes = Buffer.from(text);
    const exports = this.#store.kernels.module<InternerExports>('interner');
    for (;;) {
      const pointer = this.#copy(bytes);
      const code = exports.internText(interner.state, pointer, bytes.length) >>> 0;
      if (code !== INTERNER_FULL) return code;
      interner.absorb();
      growDictionary(column, interner);
    }
  }

  #copy(bytes: Uint8Array): number {
    const pointer = this.#memory.arena.allocate(bytes.length + TEXT_SLACK_BYTES);
    this.#memory.bytes(pointer, bytes.length).set(bytes);
    return pointer;
  }

  #zeroed(bytes: number): number {
    const pointer = this.#memory.arena.allocate(bytes);
    this.#memory.bytes(pointer, bytes).fill(0);
    return pointer;
  }

  #copyElements({ array, from, count }: Slice, width: number): number {
    return this.#copy(moduleBytes(array.buffers[1]! + from * width, count * width));
  }

  #copyBits(address: number, { from, count }: Slice): Bits {
    const shift = from & 7;
    const bytes = moduleBytes(address + (from >> 3), (shift + count + 7) >> 3);
    return { pointer: this.#copy(bytes), shift };
  }

  /** The validity bitmap of a slice; pointer 0 where no row is null. */
  #validity(slice: Slice): Bits {
    const { array, count } = slice;
    if (array.format === 'n') return { pointer: this.#zeroed((count + 7) >> 3), shift: 0 };
    const address = array.buffers[0] ?? 0;
    if (address === 0 || array.nullCount === 0) return { pointer: 0, shift: 0 };
    return this.#copyBits(address, slice);
  }

  /** Booleans of a slice as bytes. */
  #truths(slice: Slice): number {
    const out = this.#memory.arena.allocate(slice.count);
    const { pointer, shift } = this.#copyBits(slice.array.buffers[1]!, slice);
    this.#exports.bitsToBooleans(pointer, shift, slice.count, out);
    return out;
  }

  #copyTexts({ array, from, count }: Slice): {
    offsets: number;
    isLarge: number;
    first: bigint;
    data: number;
  } {
    const isLarge = array.format === 'U' || array.format === 'Z';
    const width = isLarge ? 8 : 4;
    const offsets = moduleBytes(array.buffers[1]! + from * width, (count + 1) * width);
    const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.length);
    const at = (index: number): number =>
      isLarge ? Number(view.getBigInt64(index * 8, true)) : view.getInt32(index * 4, true);
    const first = at(0);
    const data = moduleBytes(array.buffers[2]! + first, at(count) - first);
    return {
      offsets: this.#copy(offsets),
      isLarge: isLarge ? 1 : 0,
      first: BigInt(first),
      data: this.#copy(data),
    };
  }

  /** Views and their data buffers; the last buffer of such an array holds the others' lengths. */
  #copyViews(slice: Slice): { views: number; buffers: number } {
    const { array } = slice;
    const count = array.buffers.length - 3;
    const lengths = moduleBytes(array.buffers.at(-1)!, Math.max(0, count) * 8);
    const view = new DataView(lengths.buffer, lengths.byteOffset, lengths.length);
    const pointers = Array.from({ length: Math.max(0, count) }, (_, index) =>
      this.#copy(moduleBytes(array.buffers[index + 2]!, Number(view.getBigInt64(index * 8, true)))),
    );
    const buffers = this.#copy(new Uint8Array(Uint32Array.from(pointers).buffer));
    return { views: this.#copyElements(slice, 16), buffers };
  }
}

/** May an array of this field become a column of the type? */
export function canCast(field: ArrowField, type: ColumnType): boolean {
  const { format } = field.dictionary ?? field;
  if (format === 'n') return true;
  const kind = NUMBER_KINDS[format];
  const isInteger = kind !== undefined && kind <= INTEGER_KIND_MAX;
  const decimal = decimalFormat(format);
  const isText = /^[uUzZ]$/.test(format);
  if (type === 'float64') return kind !== undefined || format === 'b' || decimal !== undefined;
  if (type === 'int64') return isInteger || format === 'b' || decimal?.scale === 0;
  if (type === 'timestamp') return isInteger || isText || timeUnitNs(format) !== undefined;
  if (type === 'boolean') return isInteger || format === 'b';
  return isText || isInteger || format === 'vu' || format === 'vz';
}
