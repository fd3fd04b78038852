/**
 * Messages of JSON or MessagePack: one row as an object, several as an array of objects, or (JSON)
 * an object a line. Values go straight into columns; what does not fit rejects its row alone.
 *
 * JSON numbers are doubles to JavaScript, which would round a nanosecond epoch; where a message has
 * an integer of 16 digits or more, such integers are made texts first, and read as such.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { unpack } from '../../engine/contract/message-pack.ts';
import { rawText } from '../formats/decoder.ts';
import type { JsonColumns } from '../formats/json-columns.ts';
import {
  looksLike,
  type MessageColumn,
  type MessageDecoder,
  type RejectRow,
  tokenOf,
  UndecodableMessage,
} from './message-decoder.ts';

/** A line of a message that is no JSON. */
class BadLine {
  readonly reason: string;
  readonly text: string;

  constructor(reason: string, text: string) {
    this.reason = reason;
    this.text = text;
  }
}

type Members = Readonly<Record<string, unknown>>;
/** Rows of a payload; throws where there are none. */
export type ReadValues = (payload: Uint8Array) => readonly unknown[];

const LONG_INTEGER = /\d{16}/;
/** A string, which is passed over, or a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const WHOLE = /^-?\d{16,}$/;

function parseJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  return JSON.parse(text.replace(TOKEN, (token) => (WHOLE.test(token) ? `"${token}"` : token)));
}

export const jsonValues: ReadValues = (payload) => {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8');
  try {
    const value = parseJson(text);
    return Array.isArray(value) ? value : [value];
  } catch (error) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length < 2) throw error;
    const values = lines.map(lineValue);
    if (values.every((value) => value instanceof BadLine)) throw error;
    return values;
  }
};

/** The value of one row's text. */
export function lineValue(line: string): unknown {
  try {
    return parseJson(line);
  } catch (error) {
    return new BadLine(`no JSON: ${(error as Error).message}`, line);
  }
}

export const messagePackValues: ReadValues = (payload) => {
  const value = unpack(payload);
  return Array.isArray(value) ? value : [value];
};

/** How a column's value is found in a row. */
interface Lookup {
  readonly name: string;
  /** Where there is no member of the name: along its dots. */
  readonly path: readonly string[];
  readonly token: number;
}

export class ValueDecoder implements MessageDecoder {
  readonly #format: 'json' | 'msgpack';
  readonly #columns: JsonColumns;
  readonly #lookups: readonly Lookup[];
  readonly #read: ReadValues;
  #rows: readonly unknown[] = [];
  #subject = '';

  constructor(format: 'json' | 'msgpack', columns: readonly MessageColumn[], store: JsonColumns) {
    this.#format = format;
    this.#columns = store;
    this.#read = format === 'json' ? jsonValues : messagePackValues;
    this.#lookups = columns.map(({ from, token }) => {
      const name = String(from);
      return { name, path: name.split('.'), token };
    });
  }

  open(payload: Uint8Array, subject: string): number {
    this.#subject = subject;
    this.#rows = [];
    try {
      this.#rows = this.#read(payload);
    } catch (error) {
      const what = this.#format === 'json' ? 'JSON' : 'MessagePack';
      throw new UndecodableMessage(
        `no ${what}: ${(error as Error).message}; ${looksLike(payload)}`,
      );
    }
    return this.#rows.length;
  }

  /** Takes rows that have been read already, in place of a message. */
  openValues(rows: readonly unknown[], subject: string): void {
    this.#rows = rows;
    this.#subject = subject;
  }

  convert(from: number, count: number, at: number, reject: RejectRow): number {
    let kept = 0;
    for (let row = from; row < from + count; row++) {
      const reason = this.#put(this.#rows[row], at + kept);
      if (reason === undefined) kept++;
      else reject(reason, textOf(this.#rows[row]));
    }
    return kept;
  }

  #put(row: unknown, at: number): string | undefined {
    if (row instanceof BadLine) return row.reason;
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      return 'not an object, expected an object a row';
    }
    for (let index = 0; index < this.#lookups.length; index++) {
      const { name, path, token } = this.#lookups[index]!;
      const value =
        token === 0 ? memberAt(row as Members, name, path) : tokenOf(this.#subject, token);
      const reason = this.#columns.put(index, at, plain(value));
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  take(rowCount: number): ColumnVector[] {
    return this.#columns.take(rowCount);
  }
}

function memberAt(row: Members, name: string, path: readonly string[]): unknown {
  const own = row[name];
  if (own !== undefined && Object.hasOwn(row, name)) return own;
  if (path.length === 1) return undefined;
  let value: unknown = row;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Members)[step];
  }
  return value;
}

/** MessagePack knows more kinds of value than JSON. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Date ? value.toISOString() : value;
}

function textOf(row: unknown): string {
  if (row instanceof BadLine) return rawText(Buffer.from(row.text));
  const text = JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return rawText(Buffer.from(text ?? String(row)));
}
