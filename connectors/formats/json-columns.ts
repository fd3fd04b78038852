/**
 * Columns filled from JavaScript values, one row after another. A value that does not fit its
 * column is not an exception but a reason, because the row is rejected and reading goes on.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { BOOLEAN_NULL, INT64_NULL, STRING_NULL } from '../../engine/contract/schema.ts';
import {
  booleanOfText,
  floatOfText,
  integerOfText,
  OUT_OF_RANGE,
  timeOfText,
} from './cell-text.ts';
import { TEXTS_MAX } from '../../wasm/host/interner.ts';
import {
  badValue,
  dictionaryFull,
  type FileColumn,
  outOfRange,
  quoted,
  type TimeUnitNs,
} from './decoder.ts';

/** Where the values of one column go; codes of texts stay the same for the life of the reader. */
interface Sink {
  readonly column: FileColumn;
  readonly vector: ColumnVector;
  readonly codes: Map<string, number>;
  readonly texts: string[];
}

export class JsonColumns {
  readonly rowsMax: number;
  readonly columns: readonly FileColumn[];
  readonly #sinks: readonly Sink[];
  readonly #timeUnit: TimeUnitNs;
  readonly #textsMax: number;

  constructor(
    columns: readonly FileColumn[],
    rowsMax: number,
    timeUnit: TimeUnitNs,
    textsMax = TEXTS_MAX,
  ) {
    this.rowsMax = rowsMax;
    this.columns = columns;
    this.#timeUnit = timeUnit;
    this.#textsMax = textsMax;
    this.#sinks = columns.map((column) => {
      const texts: string[] = [];
      return { column, texts, codes: new Map(), vector: roomFor(column, rowsMax, texts) };
    });
  }

  /** Writes one value; the reason where it cannot. */
  put(index: number, row: number, value: unknown): string | undefined {
    const sink = this.#sinks[index]!;
    if (value === null || value === undefined || value === '') {
      if (sink.column.type !== 'string' || value !== '') return putNull(sink, row, value);
    }
    const { vector, column } = sink;
    if (vector.type === 'float64') {
      const number = typeof value === 'number' ? value : floatOfText(textOf(value));
      if (number === undefined) return badValue(column, spell(value));
      vector.values[row] = number;
    } else if (vector.type === 'string') {
      const text = typeof value === 'boolean' ? String(value) : untrimmed(value);
      if (text === undefined) return badValue(column, spell(value));
      vector.codes[row] = this.#codeOf(sink, text);
    } else if (vector.type === 'boolean') {
      const truth = typeof value === 'boolean' ? value : booleanOfText(textOf(value));
      if (truth === undefined) return badValue(column, spell(value));
      vector.values[row] = truth ? 1 : 0;
    } else {
      const text = textOf(value);
      const number =
        vector.type === 'int64' ? integerOfText(text) : timeOfText(text, this.#timeUnit);
      if (number === undefined) return badValue(column, spell(value));
      if (number === OUT_OF_RANGE) return outOfRange(column, spell(value));
      vector.values[row] = number;
    }
    return undefined;
  }

  #codeOf({ column, codes, texts }: Sink, text: string): number {
    let code = codes.get(text);
    if (code === undefined) {
      code = texts.length;
      if (code >= this.#textsMax) throw dictionaryFull(column, code);
      texts.push(text);
      codes.set(text, code);
    }
    return code;
  }

  /** The columns where they lie: what stands in them changes with the next `put`. */
  get vectors(): readonly ColumnVector[] {
    return this.#sinks.map(({ vector }) => vector);
  }

  /** The first rows, as arrays of their own. */
  take(rowCount: number): ColumnVector[] {
    return this.#sinks.map(({ vector, texts }) => {
      if (vector.type === 'string') {
        return { type: 'string', codes: vector.codes.slice(0, rowCount), dictionary: texts };
      }
      return { ...vector, values: vector.values.slice(0, rowCount) } as ColumnVector;
    });
  }
}

function roomFor({ type }: FileColumn, rows: number, dictionary: string[]): ColumnVector {
  if (type === 'float64') return { type, values: new Float64Array(rows) };
  if (type === 'boolean') return { type, values: new Uint8Array(rows) };
  if (type === 'string') return { type, codes: new Uint32Array(rows), dictionary };
  return { type, values: new BigInt64Array(rows) };
}

function putNull({ column, vector }: Sink, row: number, value: unknown): string | undefined {
  if (column.isRequired) return badValue(column, value === '' ? 'empty' : spell(value));
  if (vector.type === 'float64') vector.values[row] = Number.NaN;
  else if (vector.type === 'string') vector.codes[row] = STRING_NULL;
  else if (vector.type === 'boolean') vector.values[row] = BOOLEAN_NULL;
  else vector.values[row] = INT64_NULL;
  return undefined;
}

function spell(value: unknown): string {
  if (value === undefined) return 'missing';
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value).slice(0, 80);
}

function textOf(value: unknown): string {
  return untrimmed(value)?.trim() ?? '';
}

/** A number as its shortest text, so that 1381152600.1 means exactly that many seconds. */
function untrimmed(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return undefined;
  const isWhole = Number.isInteger(value) && Math.abs(value) < 1e21;
  return isWhole ? BigInt(value).toString() : String(value);
}
