/** For tests: messages of JSON, read in the way of a stream's reader by a decoder or its oracle. */

import assert from 'node:assert/strict';
import type { ColumnVector } from '../../engine/contract/batch.ts';
import { STRING_NULL } from '../../engine/contract/schema.ts';
import { JsonColumns } from '../formats/json-columns.ts';
import type { JsonMessages } from './json-messages.ts';
import { type MessageColumn, type MessageDecoder, UndecodableMessage } from './message-decoder.ts';
import { ValueDecoder } from './value-decoder.ts';

export interface Message {
  readonly payload: Uint8Array;
  readonly subject: string;
}

const column = (
  name: string,
  type: MessageColumn['type'],
  { from = name, isRequired = false, token = 0 }: Partial<MessageColumn> = {},
): MessageColumn => ({ name, type, from, isRequired, token });

export const COLUMNS: readonly MessageColumn[] = [
  column('symbol', 'string', { isRequired: true, token: 2 }),
  column('event_time', 'timestamp', { from: 'T', isRequired: true }),
  column('price', 'float64'),
  column('n', 'int64'),
  column('ok', 'boolean'),
  column('nested', 'float64', { from: 'data.p' }),
  column('venue', 'string', { from: 'a_long_name_of_a_venue' }),
  // A member of the name of the column that the subject gives.
  column('again', 'string', { from: 'symbol' }),
];

/** Bits of a value, so that -0 and 0 differ. */
function valueAt(vector: ColumnVector, row: number): unknown {
  if (vector.type === 'string') {
    const code = vector.codes[row]!;
    // Dictionaries of a column store are UTF-8, which has no halves of surrogate pairs.
    return code === STRING_NULL ? null : Buffer.from(vector.dictionary[code]!).toString('utf8');
  }
  if (vector.type !== 'float64') return vector.values[row];
  return new BigUint64Array(vector.values.slice(row, row + 1).buffer)[0];
}

/** What becomes of each message: its rows, and those rejected, in order. */
interface Outcome {
  readonly rows: unknown[];
  readonly rejected: unknown[];
}
type Found = Outcome[];

export class Reading {
  readonly found: Found;
  /** Of each message opened the number of rows, then of each part its place and the rows kept. */
  readonly parts: number[][] = [];
  readonly #decoder: MessageDecoder;
  readonly #rowsMax: number;
  /** Message of each row of the batch. */
  #owners: number[] = [];

  constructor(decoder: MessageDecoder, rowsMax: number, messages: readonly Message[]) {
    this.#decoder = decoder;
    this.#rowsMax = rowsMax;
    this.found = messages.map(() => ({ rows: [], rejected: [] }));
  }

  flush(): void {
    const columns = this.#decoder.take(this.#owners.length);
    for (const [row, message] of this.#owners.entries()) {
      this.found[message]!.rows.push(columns.map((vector) => valueAt(vector, row)));
    }
    this.#owners = [];
  }

  scanned(first: number, count: number): void {
    for (let i = 0; i < count; i++) this.#owners.push(first + i);
  }

  get rows(): number {
    return this.#owners.length;
  }

  /** Reads a message in parts, from the row on with which a run resumes. */
  open(index: number, { payload, subject }: Message, first = 0): void {
    try {
      const rows = this.#decoder.open(payload, subject);
      this.parts.push([rows]);
      for (let from = Math.min(first, rows); from < rows; ) {
        if (this.rows === this.#rowsMax) this.flush();
        const count = Math.min(rows - from, this.#rowsMax - this.rows);
        const kept = this.#decoder.convert(from, count, this.rows, (reason, raw) => {
          this.found[index]!.rejected.push([reason, raw]);
        });
        this.parts.push([from, count, kept]);
        for (let i = 0; i < kept; i++) this.#owners.push(index);
        from += count;
      }
    } catch (error) {
      if (!(error instanceof UndecodableMessage)) throw error;
      this.found[index]!.rejected.push([error.message]);
    }
  }
}

export function expected(messages: readonly Message[]): Found {
  const decoder = new ValueDecoder('json', COLUMNS, new JsonColumns(COLUMNS, 64, 0n));
  const reading = new Reading(decoder, 64, messages);
  for (const [index, message] of messages.entries()) reading.open(index, message);
  reading.flush();
  return reading.found;
}

export function scanned(
  decoder: JsonMessages,
  rowsMax: number,
  messages: readonly Message[],
): Found {
  const { scanner } = decoder;
  const reading = new Reading(decoder, rowsMax, messages);
  scanner.load(messages);
  for (let next = 0; next < messages.length; ) {
    if (reading.rows === rowsMax) reading.flush();
    const stop = scanner.scan(next, reading.rows);
    assert.ok(stop >= next);
    reading.scanned(next, stop - next);
    if (stop === next) reading.open(next, messages[next]!);
    next = Math.max(stop, next + 1);
  }
  reading.flush();
  return reading.found;
}
