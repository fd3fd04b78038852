/** The rows of a batch as messages: subject, payload, and what tells the row from others. */

import type { ColumnBatch, ColumnVector } from '../../engine/contract/batch.ts';
import { columnIndex, INT64_NULL, type Schema, STRING_NULL } from '../../engine/contract/schema.ts';
import { formatTime } from '../../engine/contract/time.ts';
import { pack } from '../../engine/contract/message-pack.ts';
import { ndjsonFormat } from '../text/ndjson-format.ts';
import { rowCell } from './message-encoder.ts';
import { fillSubject } from './subject-template.ts';

export interface RowMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Values of the id columns, joined; empty without any. */
  readonly key: string;
}

export interface RowFormat {
  readonly schema: Schema;
  readonly subject: string;
  readonly format: 'json' | 'msgpack';
  readonly id: readonly string[];
}

export function* rowMessages(format: RowFormat, batch: ColumnBatch): Iterable<RowMessage> {
  const { schema, subject, id } = format;
  const columnOf = (name: string): ColumnVector => batch.columns[columnIndex(schema, name)]!;
  const payloadOf = payloads(format, batch);
  const ids = id.map(columnOf);
  for (let row = 0; row < batch.rowCount; row++) {
    yield {
      subject: fillSubject(subject, (name) => cellText(columnOf(name), row)),
      payload: payloadOf(row),
      key: ids.map((column) => escapeKey(cellText(column, row))).join('/'),
    };
  }
}

function payloads({ schema, format }: RowFormat, batch: ColumnBatch): (row: number) => Uint8Array {
  if (format === 'json') {
    const line = ndjsonFormat(schema).lines(batch);
    return (row) => Buffer.from(line(row));
  }
  return (row) => {
    const members = schema.columns.map(({ name }, index) => [
      name,
      rowCell(batch.columns[index]!, row),
    ]);
    return pack(Object.fromEntries(members));
  };
}

/** A value as subjects and ids show it; `null` where it is none. */
function cellText(column: ColumnVector, row: number): string {
  if (column.type === 'string') {
    const code = column.codes[row]!;
    return code === STRING_NULL ? 'null' : column.dictionary[code]!;
  }
  const value = column.values[row]!;
  if (column.type === 'timestamp' && value !== INT64_NULL) return formatTime(value as bigint);
  return String(rowCell(column, row));
}

/** Two rows of different values shall not have the same id. Headers take no line ends. */
function escapeKey(text: string): string {
  return /^[\w.:+-]*$/.test(text) ? text : encodeURIComponent(text);
}
