/**
 * Rows taken out of their batch, for operators that must hold a few of them back: anomalies until
 * the watermark has passed, or the one at the peak of an episode. A row costs an object and a value
 * a column, which is what anomalies can afford and ticks cannot.
 *
 * Texts are kept as texts, so that rows outlive the codes of their slot: a snapshot holds them as
 * they are.
 */

import type { Batch, Column, Dictionary } from '../../engine/contract/batch.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import {
  type ColumnSchema,
  elementBytes,
  INT64_NULL,
  type Schema,
  STRING_NULL,
} from '../../engine/contract/schema.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import { BatchTexts } from '../anomalies/text-column.ts';

/** NaN is a null number; a boolean is 0, 1 or 2; a null of any other type is null. */
export type StoredValue = number | bigint | string | null;

/** By position of the column in the schema. */
export type StoredRow = readonly StoredValue[];

/** The rows of the batch. Texts are shared with the dictionaries of its columns. */
export function readStoredRows(batch: Batch, memory: LinearMemory): StoredRow[] {
  const columns = batch.columns.map((column) => storedColumn(column, batch.rowCount, memory));
  return Array.from({ length: batch.rowCount }, (_, row) => columns.map((values) => values[row]!));
}

function storedColumn(
  { type, pointer, dictionary }: Column,
  rowCount: number,
  memory: LinearMemory,
): readonly StoredValue[] {
  switch (type) {
    case 'float64':
      return Array.from(memory.f64(pointer, rowCount));
    case 'boolean':
      return Array.from(memory.bytes(pointer, rowCount));
    case 'int64':
    case 'timestamp':
      return Array.from(memory.i64(pointer, rowCount), (value) =>
        value === INT64_NULL ? null : value,
      );
    case 'string':
      return Array.from(memory.u32(pointer, rowCount), (code) =>
        code === STRING_NULL ? null : dictionary!.text(code),
      );
  }
}

/** The rows as a batch in the arena, in the order of the columns of the schema. */
export function writeStoredRows(
  rows: readonly StoredRow[],
  schema: Schema,
  { memory, keys }: Pick<OperatorContext, 'memory' | 'keys'>,
): Batch {
  const pointers = schema.columns.map(({ type }) =>
    memory.arena.allocate(Math.max(1, rows.length) * elementBytes(type)),
  );
  const columns = schema.columns.map(({ name, type }, at): Column => {
    const pointer = pointers[at]!;
    const { length } = rows;
    switch (type) {
      case 'float64': {
        const values = memory.f64(pointer, length);
        for (let row = 0; row < length; row++) values[row] = rows[row]![at] as number;
        return { type, pointer };
      }
      case 'boolean': {
        const values = memory.bytes(pointer, length);
        for (let row = 0; row < length; row++) values[row] = rows[row]![at] as number;
        return { type, pointer };
      }
      case 'int64':
      case 'timestamp': {
        const values = memory.i64(pointer, length);
        for (let row = 0; row < length; row++) {
          values[row] = (rows[row]![at] as bigint | null) ?? INT64_NULL;
        }
        return { type, pointer };
      }
      case 'string': {
        const known = name === schema.key ? keys : undefined;
        const dictionary = writeTexts(rows, at, memory.u32(pointer, length), known);
        return { type, pointer, dictionary };
      }
    }
  });
  return { rowCount: rows.length, columns, rowWatermarks: 0, origin: 'none' };
}

/** @param known Of the key column, whose texts it has; other columns get a dictionary. */
function writeTexts(
  rows: readonly StoredRow[],
  at: number,
  codes: Uint32Array,
  known: Dictionary | undefined,
): Dictionary {
  const texts = new BatchTexts();
  const added = new Map<string, number>();
  for (const [row, values] of rows.entries()) {
    const text = values[at] as string | null;
    if (text === null) {
      codes[row] = STRING_NULL;
      continue;
    }
    let code = known === undefined ? added.get(text) : known.codeOf(text);
    if (code === undefined) {
      code = texts.add(text);
      added.set(text, code);
    }
    codes[row] = code;
  }
  return known ?? texts;
}

/** A row as JSON has it: 64-bit integers as texts, and numbers too that JSON has no word for. */
export function rowToJson(row: StoredRow): unknown[] {
  return row.map((value) => {
    if (typeof value === 'bigint') return value.toString();
    const isPlain = typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0));
    return isPlain ? value : Object.is(value, -0) ? '-0' : `${value}`;
  });
}

export function rowFromJson(row: readonly unknown[], columns: readonly ColumnSchema[]): StoredRow {
  return columns.map(({ type }, at): StoredValue => {
    const value = row[at] as string | number | null;
    if (value === null) return null;
    if (type === 'int64' || type === 'timestamp') return BigInt(value);
    return type === 'string' ? value : Number(value);
  });
}
