/** Rows to the payload of a message: the other side of the decoders. */

import type { ColumnBatch, ColumnVector } from '../../engine/contract/batch.ts';
import { pack } from '../../engine/contract/message-pack.ts';
import {
  BOOLEAN_NULL,
  type ColumnSchema,
  INT64_NULL,
  type Schema,
  STRING_NULL,
} from '../../engine/contract/schema.ts';
import type { RowBuffer } from '../parquet/row-buffer.ts';
import { ndjsonFormat } from '../text/ndjson-format.ts';
import type { MessageFormat } from './source-fields.ts';

/** All rows of the buffer as one payload: an object where it is one row, otherwise an array. */
export type EncodeRows = (buffer: RowBuffer) => Uint8Array;

export async function makeEncoder(format: MessageFormat, schema: Schema): Promise<EncodeRows> {
  if (format === 'json') return jsonEncoder(schema);
  if (format === 'msgpack') return messagePackEncoder(schema.columns);
  const { ArrowStreamWriter } = await import('../parquet/arrow-stream.ts');
  const writer = new ArrowStreamWriter(
    schema.columns,
    schema.columns.map(({ type }) => type === 'string'),
  );
  return (buffer) => {
    const [stream] = writer.write(buffer, Math.max(1, buffer.rowCount));
    // Its bytes are used again for the next stream.
    return new Uint8Array(stream!.bytes);
  };
}

function jsonEncoder(schema: Schema): EncodeRows {
  const { lines } = ndjsonFormat(schema);
  return (buffer) => {
    const batch = batchOf(buffer);
    const line = lines(batch);
    if (batch.rowCount === 1) return Buffer.from(line(0));
    const texts = Array.from({ length: batch.rowCount }, (_, row) => line(row));
    return Buffer.from(`[${texts.join(',')}]`);
  };
}

function messagePackEncoder(columns: readonly ColumnSchema[]): EncodeRows {
  return (buffer) => {
    const batch = batchOf(buffer);
    const rows = Array.from({ length: batch.rowCount }, (_, row) => {
      const members: Record<string, unknown> = {};
      for (const [index, { name }] of columns.entries()) {
        members[name] = rowCell(batch.columns[index]!, row);
      }
      return members;
    });
    return pack(rows.length === 1 ? rows[0] : rows);
  };
}

/** A value as plain data; null where it is none. */
export function rowCell(column: ColumnVector, row: number): unknown {
  if (column.type === 'string') {
    const code = column.codes[row]!;
    return code === STRING_NULL ? null : column.dictionary[code];
  }
  const value = column.values[row]!;
  if (column.type === 'boolean') return value === BOOLEAN_NULL ? null : value === 1;
  if (typeof value === 'bigint') return value === INT64_NULL ? null : value;
  return Number.isNaN(value) ? null : value;
}

/** The rows of a buffer as a batch; views, valid until the buffer changes. */
export function batchOf({ columns, rowCount }: RowBuffer): ColumnBatch {
  return {
    rowCount,
    columns: columns.map(({ type, values, texts }): ColumnVector => {
      const part = values.subarray(0, rowCount);
      if (type === 'string') return { type, codes: part as Uint32Array, dictionary: texts };
      return { type, values: part } as ColumnVector;
    }),
  };
}
