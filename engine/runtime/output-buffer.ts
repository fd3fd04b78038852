/**
 * Collects the rows that leave a slot for one sink, in linear memory, until they are worth a
 * message; then all columns go out in one buffer.
 *
 * String columns get a dictionary for each message, so that a sink needs no memory of earlier ones.
 * A column whose texts repeat (keys, words) holds codes of the slot's table meanwhile; one whose
 * texts belong to the batch (ids, explanations) keeps the texts themselves, in order.
 */

import type {
  Batch,
  Column,
  ColumnBatch,
  ColumnVector,
  Dictionary,
  Pointer,
  StringTable,
} from '../contract/batch.ts';
import { elementBytes, STRING_NULL, type Schema } from '../contract/schema.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import type { RouterExports } from '../../wasm/host/router.ts';

const ROWS_START = 1024;

/** What the buffers of a slot share. */
export interface OutputSurroundings {
  readonly memory: LinearMemory;
  readonly kernels: RouterExports;
  /** Texts of the slot. */
  readonly strings: StringTable;
  /** Codes of the slot for the codes of a task's keys; undefined for any other dictionary. */
  readonly keyCodes: (dictionary: Dictionary) => Pointer | undefined;
}

interface BufferedColumn {
  readonly width: 1 | 4 | 8;
  pointer: Pointer;
  /** Texts of this message, for a column that has its own. */
  texts: string[];
  isOwn: boolean;
}

export class OutputBuffer {
  readonly #schema: Schema;
  readonly #shared: OutputSurroundings;
  readonly #columns: BufferedColumn[];
  #rows = 0;
  #capacity = 0;

  constructor(schema: Schema, shared: OutputSurroundings) {
    this.#schema = schema;
    this.#shared = shared;
    this.#columns = schema.columns.map(({ type }) => ({
      width: elementBytes(type),
      pointer: 0,
      texts: [],
      isOwn: false,
    }));
  }

  get rowCount(): number {
    return this.#rows;
  }

  append(batch: Batch): void {
    this.#reserve(this.#rows + batch.rowCount);
    const { memory } = this.#shared;
    for (const [index, source] of batch.columns.entries()) {
      const { width, pointer } = this.#columns[index]!;
      const target = pointer + this.#rows * width;
      // A view for each column: the translation of the one before may have grown the memory.
      const bytes = new Uint8Array(memory.memory.buffer);
      bytes.copyWithin(target, source.pointer, source.pointer + batch.rowCount * width);
      if (source.type === 'string') this.#translate(index, source, target, batch.rowCount);
    }
    this.#rows += batch.rowCount;
  }

  /** Everything collected, in one buffer of its own, or undefined where there is nothing. */
  take(): ColumnBatch | undefined {
    if (this.#rows === 0) return undefined;
    const rowCount = this.#rows;
    const { memory } = this.#shared;
    const offsets: number[] = [];
    let total = 0;
    for (const { width } of this.#columns) {
      offsets.push(total);
      total += (rowCount * width + 7) & ~7;
    }
    const buffer = new ArrayBuffer(total);
    const columns = this.#schema.columns.map(({ type }, index): ColumnVector => {
      const column = this.#columns[index]!;
      const bytes = rowCount * column.width;
      new Uint8Array(buffer, offsets[index], bytes).set(memory.bytes(column.pointer, bytes));
      const at = offsets[index]!;
      if (type === 'string') {
        const codes = new Uint32Array(buffer, at, rowCount);
        return { type, codes, dictionary: this.#takeTexts(column, codes) };
      }
      if (type === 'float64') return { type, values: new Float64Array(buffer, at, rowCount) };
      if (type === 'boolean') return { type, values: new Uint8Array(buffer, at, rowCount) };
      return { type, values: new BigInt64Array(buffer, at, rowCount) };
    });
    this.#rows = 0;
    return { rowCount, columns };
  }

  /** Turns the codes of a batch, already copied to `target`, into those of this buffer. */
  #translate(index: number, source: Column, target: Pointer, rows: number): void {
    const { memory, kernels, strings, keyCodes } = this.#shared;
    const column = this.#columns[index]!;
    const dictionary = source.dictionary!;
    const keys = dictionary === strings ? undefined : keyCodes(dictionary);
    const isOwn = dictionary !== strings && keys === undefined;
    if (this.#rows === 0) column.isOwn = isOwn;
    if (isOwn === column.isOwn) {
      if (keys !== undefined) kernels.remapCodes(target, rows, keys);
      else if (isOwn) appendTexts(column.texts, memory.u32(target, rows), dictionary);
      return;
    }
    // Both kinds in one message, which no operator makes today: the rarer case pays for the texts.
    const codes = memory.u32(target, rows);
    if (column.isOwn) appendTexts(column.texts, codes, dictionary);
    else for (const [row, code] of codes.entries()) codes[row] = intern(strings, dictionary, code);
  }

  /** The dictionary of the message; for shared texts, codes become those of the texts in use. */
  #takeTexts(column: BufferedColumn, codes: Uint32Array): readonly string[] {
    const texts = column.texts;
    column.texts = [];
    if (column.isOwn) return texts;
    const { strings } = this.#shared;
    const own = new Int32Array(strings.size).fill(-1);
    for (let row = 0; row < codes.length; row++) {
      const code = codes[row]!;
      if (code === STRING_NULL) continue;
      if (own[code]! < 0) own[code] = texts.push(strings.text(code)) - 1;
      codes[row] = own[code]!;
    }
    return texts;
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.max(rows, this.#capacity * 2, ROWS_START);
    const { memory } = this.#shared;
    for (const column of this.#columns) {
      const keep = this.#rows * column.width;
      column.pointer = memory.reallocate(column.pointer, keep, this.#capacity * column.width);
    }
  }
}

/** Gives each row a text of its own. */
function appendTexts(texts: string[], codes: Uint32Array, dictionary: Dictionary): void {
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code !== STRING_NULL) codes[row] = texts.push(dictionary.text(code)) - 1;
  }
}

function intern(strings: StringTable, dictionary: Dictionary, code: number): number {
  return code === STRING_NULL ? STRING_NULL : strings.intern(dictionary.text(code));
}

/** The buffers of a batch, each once, for the transfer to another thread. */
export function buffersOf(batch: ColumnBatch): ArrayBuffer[] {
  const buffers = batch.columns.map(
    (column) => (column.type === 'string' ? column.codes : column.values).buffer as ArrayBuffer,
  );
  return [...new Set(buffers)];
}
