/**
 * What parts the rows of a key, such as the venue: each text, or whole number, of a column is a
 * group, numbered in the order in which rows first have it. Rows without one are a group as well,
 * whose text is empty.
 */

import type { Batch, Dictionary } from '../../engine/contract/batch.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type Schema, STRING_NULL } from '../../engine/contract/schema.ts';

const UNKNOWN = 0xffff_ffff;
const INT64_NULL_HIGH = -(2 ** 31);

/** Says what is wrong with the column of a field, if anything is. */
export function planGroups(
  name: string | undefined,
  input: Schema,
  field: string,
  report: Report,
): void {
  if (name === undefined) return;
  const type = input.columns[columnIndex(input, name)]?.type;
  if (type === 'string' || type === 'int64') return;
  const columns = input.columns.map((column) => column.name).join(', ');
  if (type === undefined) {
    const message = `there is no column ${name}`;
    report({ path: [field], code: 'config/unknown-column', message, help: `columns: ${columns}` });
    return;
  }
  const message = `${name}: expected a string or int64 column, got one of type ${type}`;
  report({ path: [field], code: 'config/column-type', message });
}

export class RowGroups {
  readonly #context: OperatorContext;
  readonly #column: number;
  readonly #texts: string[] = [];
  readonly #byText = new Map<string, number>();
  readonly #byNumber = new Map<number, number>();
  /** For each code of a dictionary its group, once a row has had it. */
  readonly #byCode = new WeakMap<Dictionary, Uint32Array>();
  #rows = new Uint32Array(256);

  /** @param column Undefined where all rows of a key are one group. */
  constructor(column: string | undefined, context: OperatorContext, state?: Uint8Array) {
    this.#context = context;
    this.#column = column === undefined ? -1 : columnIndex(context.input, column);
    if (column === undefined) this.#group('');
    if (state === undefined) return;
    for (const text of JSON.parse(new TextDecoder().decode(state)) as string[]) this.#group(text);
  }

  get count(): number {
    return this.#texts.length;
  }

  text(group: number): string {
    return this.#texts[group]!;
  }

  /** The group of each row, valid until the next call; groups that are new are counted by then. */
  of(batch: Batch): Uint32Array {
    const { rowCount } = batch;
    if (this.#rows.length < rowCount) this.#rows = new Uint32Array(2 * rowCount);
    if (this.#column < 0) return this.#rows;
    const { type, pointer, dictionary } = batch.columns[this.#column]!;
    const { memory } = this.#context;
    if (dictionary !== undefined) {
      this.#readTexts(memory.u32(pointer, rowCount), dictionary, rowCount);
    } else if (type === 'int64') this.#readNumbers(memory.u32(pointer, 2 * rowCount), rowCount);
    return this.#rows;
  }

  #readTexts(codes: Uint32Array, dictionary: Dictionary, rowCount: number): void {
    let known = this.#byCode.get(dictionary);
    if (known === undefined || known.length < dictionary.size) {
      const larger = new Uint32Array(Math.max(16, 2 * dictionary.size)).fill(UNKNOWN);
      if (known !== undefined) larger.set(known);
      known = larger;
      this.#byCode.set(dictionary, known);
    }
    for (let row = 0; row < rowCount; row++) {
      const code = codes[row]!;
      let group = code === STRING_NULL ? this.#group('') : known[code]!;
      if (group === UNKNOWN) {
        group = this.#group(dictionary.text(code));
        known[code] = group;
      }
      this.#rows[row] = group;
    }
  }

  #readNumbers(words: Uint32Array, rowCount: number): void {
    for (let row = 0; row < rowCount; row++) {
      const high = words[2 * row + 1]! | 0;
      const low = words[2 * row]!;
      const number = high * 2 ** 32 + low;
      let group = this.#byNumber.get(number);
      if (group === undefined) {
        const isNull = high === INT64_NULL_HIGH && low === 0;
        group = this.#group(isNull ? '' : String((BigInt(high) << 32n) | BigInt(low)));
        // Beyond 2^53 several numbers are one.
        if (Number.isSafeInteger(number)) this.#byNumber.set(number, group);
      }
      this.#rows[row] = group;
    }
  }

  #group(text: string): number {
    let group = this.#byText.get(text);
    if (group === undefined) {
      group = this.#texts.push(text) - 1;
      this.#byText.set(text, group);
    }
    return group;
  }

  snapshot(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.#texts));
  }
}
