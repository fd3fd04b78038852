/**
 * Collects the rows that leave a slot for one sink, as typed arrays, until they are worth a message.
 *
 * String columns get a small dictionary for each message, so that a sink needs no memory of earlier
 * ones: `key` columns translate the task's codes, others the slot's.
 */

import type { Batch, Column, ColumnBatch, ColumnVector, Dictionary } from '../contract/batch.ts';
import { STRING_NULL, type Schema } from '../contract/schema.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';

const ROWS_START = 1024;

type Values = Float64Array | BigInt64Array | Uint8Array | Uint32Array;

/** Codes of one message's dictionary, handed out in order of appearance. */
class MessageDictionary {
  texts: string[] = [];
  #codes = new Map<string, number>();
  /** For each dictionary met in this message: its code to ours, or -1. */
  #maps = new Map<Dictionary, Int32Array>();

  translate(codes: Uint32Array, dictionary: Dictionary, target: Uint32Array, at: number): void {
    let map = this.#maps.get(dictionary);
    if (map === undefined || map.length < dictionary.size) {
      const grown = new Int32Array(dictionary.size).fill(-1);
      if (map !== undefined) grown.set(map);
      map = grown;
      this.#maps.set(dictionary, map);
    }
    for (let row = 0; row < codes.length; row++) {
      const code = codes[row]!;
      if (code === STRING_NULL) {
        target[at + row] = STRING_NULL;
        continue;
      }
      let own = map[code]!;
      if (own < 0) {
        own = this.#intern(dictionary.text(code));
        map[code] = own;
      }
      target[at + row] = own;
    }
  }

  #intern(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const code = this.texts.length;
    this.texts.push(text);
    this.#codes.set(text, code);
    return code;
  }
}

export class OutputBuffer {
  readonly #schema: Schema;
  readonly #memory: LinearMemory;
  #rows = 0;
  #capacity = 0;
  #values: Values[] = [];
  #dictionaries: (MessageDictionary | undefined)[] = [];

  constructor(schema: Schema, memory: LinearMemory) {
    this.#schema = schema;
    this.#memory = memory;
    this.#clear();
  }

  get rowCount(): number {
    return this.#rows;
  }

  append(batch: Batch): void {
    this.#reserve(this.#rows + batch.rowCount);
    for (const [index, column] of batch.columns.entries()) {
      this.#appendColumn(index, column, batch.rowCount);
    }
    this.#rows += batch.rowCount;
  }

  /** Everything collected, in arrays of its own, or undefined where there is nothing. */
  take(): ColumnBatch | undefined {
    if (this.#rows === 0) return undefined;
    const rowCount = this.#rows;
    const columns = this.#schema.columns.map(({ type }, index): ColumnVector => {
      const values = this.#values[index]!;
      const exact = values.length === rowCount ? values : values.slice(0, rowCount);
      if (type === 'string') {
        const dictionary = this.#dictionaries[index]!.texts;
        return { type, codes: exact as Uint32Array, dictionary };
      }
      return { type, values: exact } as ColumnVector;
    });
    this.#clear();
    return { rowCount, columns };
  }

  #appendColumn(index: number, column: Column, rows: number): void {
    const target = this.#values[index]!;
    const at = this.#rows;
    const { type, pointer } = column;
    if (type === 'float64') (target as Float64Array).set(this.#memory.f64(pointer, rows), at);
    else if (type === 'boolean') (target as Uint8Array).set(this.#memory.bytes(pointer, rows), at);
    else if (type === 'string') {
      const codes = this.#memory.u32(pointer, rows);
      const dictionary = this.#dictionaries[index]!;
      dictionary.translate(codes, column.dictionary!, target as Uint32Array, at);
    } else (target as BigInt64Array).set(this.#memory.i64(pointer, rows), at);
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.max(rows, this.#capacity * 2, ROWS_START);
    this.#values = this.#schema.columns.map(({ type }, index) => {
      const grown = newValues(type, this.#capacity);
      const old = this.#values[index];
      if (old !== undefined) (grown as Uint8Array).set(old as Uint8Array);
      return grown;
    });
  }

  #clear(): void {
    this.#rows = 0;
    this.#capacity = 0;
    this.#values = [];
    this.#dictionaries = this.#schema.columns.map(({ type }) =>
      type === 'string' ? new MessageDictionary() : undefined,
    );
  }
}

function newValues(type: Schema['columns'][number]['type'], length: number): Values {
  if (type === 'float64') return new Float64Array(length);
  if (type === 'boolean') return new Uint8Array(length);
  if (type === 'string') return new Uint32Array(length);
  return new BigInt64Array(length);
}

/** The buffers of a batch, for the transfer to another thread. */
export function buffersOf(batch: ColumnBatch): ArrayBuffer[] {
  return batch.columns.map(
    (column) =>
      (column.type === 'string' ? column.codes.buffer : column.values.buffer) as ArrayBuffer,
  );
}
