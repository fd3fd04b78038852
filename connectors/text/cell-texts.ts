/**
 * Columns as texts, a function a column: `texts(row)`, or undefined where the row is null.
 *
 * Times are ISO 8601 with all nine digits of a second, so that they sort as texts and every row has
 * the same format. Numbers have the shortest form that reads back as the same double.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { BOOLEAN_NULL, INT64_NULL, STRING_NULL } from '../../engine/contract/schema.ts';

export type CellTexts = (row: number) => string | undefined;

/** How a format writes what formats write differently. */
export interface TextStyle {
  readonly quote: (text: string) => string;
  /** Around a time. */
  readonly timeQuote: '' | '"';
  /** Around `Infinity` and `-Infinity`. */
  readonly infinityQuote: '' | '"';
}

export function cellTexts(column: ColumnVector, style: TextStyle): CellTexts {
  switch (column.type) {
    case 'float64': {
      const { values } = column;
      return (row) => numberText(values[row]!, style.infinityQuote);
    }
    case 'int64': {
      const { values } = column;
      return (row) => (values[row] === INT64_NULL ? undefined : String(values[row]));
    }
    case 'timestamp':
      return timeTexts(column.values, style.timeQuote);
    case 'boolean': {
      const { values } = column;
      return (row) => (values[row] === BOOLEAN_NULL ? undefined : String(values[row] === 1));
    }
    case 'string':
      return dictionaryTexts(column.codes, column.dictionary, style.quote);
  }
}

function numberText(value: number, infinityQuote: string): string | undefined {
  if (value !== value) return undefined;
  // Readers of JSON take -0 for an integer, which has no sign.
  if (Object.is(value, -0)) return '-0.0';
  if (Number.isFinite(value)) return String(value);
  return `${infinityQuote}${value}${infinityQuote}`;
}

/** Quotes each text of the dictionary once. */
function dictionaryTexts(
  codes: Uint32Array,
  dictionary: readonly string[],
  quote: (text: string) => string,
): CellTexts {
  const quoted: (string | undefined)[] = [];
  return (row) => {
    const code = codes[row]!;
    if (code === STRING_NULL) return undefined;
    return (quoted[code] ??= quote(dictionary[code]!));
  };
}

const SECOND_NS = 1_000_000_000n;

/** Neighbouring rows are mostly of one second, whose text is made once. */
function timeTexts(values: BigInt64Array, quote: string): CellTexts {
  let start = INT64_NULL;
  let prefix = '';
  return (row) => {
    const time = values[row]!;
    if (time === INT64_NULL) return undefined;
    let fraction = time - start;
    if (prefix === '' || fraction < 0n || fraction >= SECOND_NS) {
      const remainder = time % SECOND_NS;
      start = time - remainder - (remainder < 0n ? SECOND_NS : 0n);
      fraction = time - start;
      prefix = quote + new Date(Number(start / 1_000_000n)).toISOString().slice(0, 19);
    }
    return `${prefix}.${String(fraction).padStart(9, '0')}Z${quote}`;
  };
}
