/**
 * Rows as plain values to columns in linear memory and back. For tests only: it touches every row.
 */

import assert from 'node:assert/strict';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import type { Batch, Column, Dictionary, StringTable } from '../contract/batch.ts';
import type { ColumnSchema, Schema } from '../contract/schema.ts';
import { BOOLEAN_NULL, elementBytes, INT64_NULL, STRING_NULL } from '../contract/schema.ts';
import type { Row, Value } from './table.ts';

/** A dictionary that grows, in plain JavaScript. */
export class TextTable implements StringTable {
  readonly #texts: string[] = [];
  readonly #codes = new Map<string, number>();

  constructor(texts: Iterable<string> = []) {
    for (const text of texts) this.intern(text);
  }

  get size(): number {
    return this.#texts.length;
  }

  text(code: number): string {
    const text = this.#texts[code];
    if (text === undefined) throw new RangeError(`no text has the code ${code}`);
    return text;
  }

  codeOf(text: string): number {
    return this.#codes.get(text) ?? -1;
  }

  intern(text: string): number {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.#texts.length;
      this.#texts.push(text);
      this.#codes.set(text, code);
    }
    return code;
  }

  texts(): readonly string[] {
    return [...this.#texts];
  }
}

/** Writes one column of the rows into the arena. */
export function writeColumn(
  memory: LinearMemory,
  column: ColumnSchema,
  rows: readonly Row[],
  dictionary: StringTable,
): Column {
  const pointer = memory.arena.allocate(Math.max(1, rows.length) * elementBytes(column.type));
  const values = rows.map((row) => row[column.name] ?? null);
  switch (column.type) {
    case 'float64':
      memory.f64(pointer, rows.length).set(values.map((value) => toFloat(value, column)));
      return { type: column.type, pointer };
    case 'int64':
    case 'timestamp':
      memory.i64(pointer, rows.length).set(values.map((value) => toInt(value, column)));
      return { type: column.type, pointer };
    case 'boolean':
      memory
        .bytes(pointer, rows.length)
        .set(values.map((value) => (value === null ? BOOLEAN_NULL : value === true ? 1 : 0)));
      return { type: column.type, pointer };
    case 'string':
      memory
        .u32(pointer, rows.length)
        .set(values.map((value) => (value === null ? STRING_NULL : dictionary.intern(`${value}`))));
      return { type: column.type, pointer, dictionary };
  }
}

function toFloat(value: Value, { name }: ColumnSchema): number {
  if (value === null) return Number.NaN;
  assert(typeof value === 'number', `${name}: expected a number, got ${String(value)}`);
  return value;
}

function toInt(value: Value, { name }: ColumnSchema): bigint {
  if (value === null) return INT64_NULL;
  assert(
    typeof value === 'bigint' || typeof value === 'number',
    `${name}: expected an integer, got ${String(value)}`,
  );
  return BigInt(value);
}

/** Reads all rows of a batch, checking it against the schema that was promised for it. */
export function readRows(memory: LinearMemory, schema: Schema, batch: Batch): Row[] {
  assert.equal(
    batch.columns.length,
    schema.columns.length,
    'a batch has the columns of its schema',
  );
  const rows: Row[] = Array.from({ length: batch.rowCount }, () => ({}));
  for (const [index, { name, type }] of schema.columns.entries()) {
    const column = batch.columns[index]!;
    assert.equal(column.type, type, `column ${name} has the type of its schema`);
    const values = readColumn(memory, name, column, batch.rowCount);
    for (const [i, row] of rows.entries()) row[name] = values[i]!;
  }
  return rows;
}

function readColumn(memory: LinearMemory, name: string, column: Column, rows: number): Value[] {
  if (rows === 0) return [];
  const { type, pointer } = column;
  assert(pointer > 0 && pointer % elementBytes(type) === 0, `column ${name} is aligned`);
  switch (type) {
    case 'float64':
      return Array.from(memory.f64(pointer, rows), (value) => (Number.isNaN(value) ? null : value));
    case 'int64':
    case 'timestamp':
      return Array.from(memory.i64(pointer, rows), (value) =>
        value === INT64_NULL ? null : value,
      );
    case 'boolean':
      return Array.from(memory.bytes(pointer, rows), (value) => {
        assert(value <= BOOLEAN_NULL, `column ${name}: a boolean is 0, 1 or 2, got ${value}`);
        return value === BOOLEAN_NULL ? null : value === 1;
      });
    case 'string': {
      const dictionary: Dictionary | undefined = column.dictionary;
      assert(dictionary !== undefined, `string column ${name} has a dictionary`);
      return Array.from(memory.u32(pointer, rows), (code) =>
        code === STRING_NULL ? null : dictionary.text(code),
      );
    }
  }
}
