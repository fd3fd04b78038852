/**
 * A file of JSON objects, one a line.
 *
 * Each line is parsed and its values are put straight into columns. JSON numbers are doubles to
 * JavaScript, which would round a nanosecond epoch or a sequence number above 2^53; where a line
 * has an integer of 16 digits or more, such integers are made texts first, and read as such.
 *
 * This is what JSON lines mean; json-scan.ts reads the plain ones among them faster.
 *
 * A column is read from the member of its name, or, where there is none and the name has dots, from
 * the member they lead to.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { openBytes } from './byte-stream.ts';
import type { Decoder } from './decoder.ts';
import type { JsonColumns } from './json-columns.ts';
import { type LineRows, LinesDecoder, TAKEN } from './lines-decoder.ts';

const LONG_INTEGER = /\d{16}/;
/** A string, which is passed over, or a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const WHOLE = /^-?\d{16,}$/;

function parseLine(line: string): unknown {
  if (!LONG_INTEGER.test(line)) return JSON.parse(line);
  return JSON.parse(line.replace(TOKEN, (token) => (WHOLE.test(token) ? `"${token}"` : token)));
}

type Members = Readonly<Record<string, unknown>>;

function memberAt(row: Members, name: string, path: readonly string[]): unknown {
  if (Object.hasOwn(row, name)) return row[name];
  if (path.length === 1) return undefined;
  let value: unknown = row;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Members)[step];
  }
  return value;
}

/** Opens the file, or the rest of it behind a position that a decoder of it has given. */
export async function openNdjson(
  path: string,
  columns: JsonColumns,
  resumeAt?: SplitPosition,
): Promise<Decoder> {
  const offset = Number(resumeAt?.['byte'] ?? 0);
  const stream = await openBytes(path, offset);
  const lines = new JsonRows(columns);
  return new LinesDecoder(path, stream, lines, offset, Number(resumeAt?.['line'] ?? 1));
}

/** Rows of JSON objects. */
export class JsonRows implements LineRows {
  readonly rowsMax: number;
  readonly #columns: JsonColumns;
  readonly #sources: readonly { readonly name: string; readonly path: readonly string[] }[];

  constructor(columns: JsonColumns) {
    this.rowsMax = columns.rowsMax;
    this.#columns = columns;
    this.#sources = columns.columns.map(({ from }) => {
      const name = String(from);
      return { name, path: name.split('.') };
    });
  }

  read(line: string, row: number): typeof TAKEN | string {
    let members: unknown;
    try {
      members = parseLine(line);
    } catch (error) {
      return `no JSON: ${(error as Error).message}`;
    }
    if (typeof members !== 'object' || members === null || Array.isArray(members)) {
      return 'not an object, expected one a line';
    }
    for (const [index, { name, path }] of this.#sources.entries()) {
      const reason = this.#columns.put(index, row, memberAt(members as Members, name, path));
      if (reason !== undefined) return reason;
    }
    return TAKEN;
  }

  take(rowCount: number): ColumnVector[] {
    return this.#columns.take(rowCount);
  }
}
