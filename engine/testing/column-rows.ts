/** Rows as plain values to typed arrays and back. For tests only: it touches every row. */

import type { ColumnBatch, ColumnVector } from '../contract/batch.ts';
import {
  BOOLEAN_NULL,
  type ColumnSchema,
  INT64_NULL,
  STRING_NULL,
  type Schema,
} from '../contract/schema.ts';
import type { Row, Value } from './table.ts';

export function toColumnBatch(schema: Schema, rows: readonly Row[]): ColumnBatch {
  return { rowCount: rows.length, columns: schema.columns.map((column) => vector(column, rows)) };
}

function vector({ name, type }: ColumnSchema, rows: readonly Row[]): ColumnVector {
  const values = rows.map((row) => row[name] ?? null);
  switch (type) {
    case 'float64':
      return {
        type,
        values: Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value))),
      };
    case 'int64':
    case 'timestamp':
      return {
        type,
        values: BigInt64Array.from(values, (value) =>
          value === null ? INT64_NULL : BigInt(value as bigint | number),
        ),
      };
    case 'boolean':
      return {
        type,
        values: Uint8Array.from(values, (value) => (value === null ? BOOLEAN_NULL : Number(value))),
      };
    case 'string': {
      const dictionary: string[] = [];
      const codes = new Map<string, number>();
      const encoded = Uint32Array.from(values, (value) => {
        if (value === null) return STRING_NULL;
        const text = `${value}`;
        let code = codes.get(text);
        if (code === undefined) {
          code = dictionary.push(text) - 1;
          codes.set(text, code);
        }
        return code;
      });
      return { type, codes: encoded, dictionary };
    }
  }
}

export function toRows(schema: Schema, batch: ColumnBatch): Row[] {
  return Array.from({ length: batch.rowCount }, (_, row) =>
    Object.fromEntries(
      schema.columns.map(({ name }, index) => [name, valueAt(batch.columns[index]!, row)]),
    ),
  );
}

function valueAt(column: ColumnVector, row: number): Value {
  switch (column.type) {
    case 'float64': {
      const value = column.values[row]!;
      return Number.isNaN(value) ? null : value;
    }
    case 'int64':
    case 'timestamp': {
      const value = column.values[row]!;
      return value === INT64_NULL ? null : value;
    }
    case 'boolean': {
      const value = column.values[row]!;
      return value === BOOLEAN_NULL ? null : value === 1;
    }
    case 'string': {
      const code = column.codes[row]!;
      return code === STRING_NULL ? null : column.dictionary[code]!;
    }
  }
}
