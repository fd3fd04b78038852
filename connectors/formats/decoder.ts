/**
 * What the decoders of all formats have in common: the columns they are asked for, the rows they
 * give, and how they speak of what they could not read.
 */

import type { ColumnVector, RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { EngineError, type ErrorCode } from '../../engine/contract/error.ts';
import { didYouMean } from '../../engine/contract/problem.ts';
import type { ColumnType } from '../../engine/contract/schema.ts';

/** A column to read. */
export interface FileColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Name of the column in the file, or its 1-based position in a file without a header. */
  readonly from: string | number;
  /** A row in which it is null is rejected. */
  readonly isRequired: boolean;
  /** How a csv file writes it, where that is Databento's way. */
  readonly encoding?: CellEncoding | undefined;
}

/**
 * Databento's ways to write a cell, each with a number that means that there is none: a price in
 * billionths or with a point, a time, a size of 32 bits, a count of 64.
 */
export type CellEncoding = 'price' | 'time' | 'size' | 'count';

/** Nanoseconds of the unit of epochs; 0n tells the unit by the magnitude of each value. */
export type TimeUnitNs = bigint;

export interface DecodedRows {
  readonly rowCount: number;
  readonly columns: readonly ColumnVector[];
  readonly rejected: readonly RejectedRow[];
}

/** Reads one unit: a file, or a row group of one. */
export interface Decoder {
  /**
   * The next rows, at least one or at least one rejected; undefined at the end. Their arrays hold
   * until the next call. Throws where the input is damaged, after every row before the damage has
   * been returned.
   */
  next(): Promise<DecodedRows | undefined>;
  /** Bytes of the file read so far. */
  readonly bytesRead: number;
  /** Where in the unit the last row returned ends. */
  position(): SplitPosition;
  /** Figures for the summary, which add up over the units of a reader; read before `close`. */
  metrics?(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** Rejected rows that a batch carries at most, so that a file of nothing else stays bounded. */
export const REJECTED_ROWS_MAX = 1024;

const RAW_BYTES_MAX = 4096;
const QUOTED_CHARS_MAX = 80;

/** The text of a rejected row, cut. */
export function rawText(bytes: Uint8Array): string {
  const cut = bytes.length <= RAW_BYTES_MAX ? bytes : bytes.subarray(0, RAW_BYTES_MAX);
  const text = Buffer.from(cut.buffer, cut.byteOffset, cut.length).toString('utf8');
  // A character that was cut in two has become a replacement character.
  return cut === bytes ? text : text.replace(/\ufffd$/, '');
}

/** A value as a message quotes it. */
export function quoted(text: string): string {
  const cut = text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text;
  return JSON.stringify(cut);
}

const EXPECTED: Readonly<Record<ColumnType, string>> = {
  float64: 'a number',
  int64: 'a whole number',
  timestamp: 'a time such as 2013-10-07T13:30:00Z or an epoch',
  string: 'a text',
  boolean: 'true or false',
};

/** `price: "abc", expected a number`. */
export function badValue(column: FileColumn, found: string): string {
  return `${column.name}: ${found}, expected ${EXPECTED[column.type]}`;
}

export function outOfRange(column: FileColumn, found: string): string {
  const expected =
    column.type === 'timestamp'
      ? 'a time from 1678-01-01 to 2262-01-01'
      : 'a whole number of 64 bits';
  return `${column.name}: ${found}, expected ${expected}`;
}

const NAMES_SHOWN = 40;

/** The column that a file lacks, and what it has instead. */
export function missingColumn(
  path: string,
  what: 'header' | 'columns',
  { from }: FileColumn,
  found: readonly string[],
): EngineError {
  const shown = found.slice(0, NAMES_SHOWN).join(', ');
  const more = found.length > NAMES_SHOWN ? `, … (${found.length})` : '';
  const guess = typeof from === 'string' ? didYouMean(from, found) : undefined;
  const list = what === 'header' ? `its header is ${shown}${more}` : `it has ${shown}${more}`;
  return new EngineError(
    'source/format',
    `cannot read ${path}: no column ${JSON.stringify(from)}; ${list}${guess ? `; ${guess}` : ''}`,
  );
}

/** The column that a file has twice, at these 0-based positions. */
export function ambiguousColumn(
  path: string,
  what: 'header' | 'columns',
  { from }: FileColumn,
  first: number,
  second: number,
): EngineError {
  const name = JSON.stringify(from);
  const where = what === 'header' ? 'its header has' : 'it has';
  return new EngineError(
    'source/format',
    `cannot read ${path}: ${where} two columns ${name}, at positions ${first + 1} and ` +
      `${second + 1}; rename one of them`,
  );
}

/** What was thrown, to be thrown again later. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The same failure, said with more words. */
export function addToMessage(error: Error, words: string): Error {
  if (!(error instanceof EngineError)) return error;
  return new EngineError(error.code, `${error.message}${words}`, { cause: error.cause });
}

/** A column of more different texts than a dictionary holds. */
export function dictionaryFull({ name }: FileColumn, count: number): EngineError {
  return new EngineError(
    'source/dictionary-full',
    `cannot read on: column ${name} has more than ${count} different texts, too many for a ` +
      'string column',
  );
}

const CODES: Readonly<Record<string, { code: ErrorCode; words: string }>> = {
  ENOENT: { code: 'source/not-found', words: 'there is no such file' },
  EACCES: { code: 'source/unreadable', words: 'permission denied' },
  EPERM: { code: 'source/unreadable', words: 'permission denied' },
  EISDIR: { code: 'source/unreadable', words: 'it is a folder' },
};

/** A failure of the file system. */
export function unreadable(path: string, cause: unknown): EngineError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const known = CODES[code ?? ''] ?? { code: 'source/unreadable', words: message };
  return new EngineError(known.code, `cannot read ${path}: ${known.words}`, { cause });
}
