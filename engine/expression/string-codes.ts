/**
 * Codes of one dictionary in another. Tables grow with their dictionary and are kept between
 * batches, so a text is looked up once, not once a row or a batch.
 */

import type { Dictionary } from '../contract/batch.ts';

/** A code that no dictionary gives: equal to no text, and not null. */
export const CODE_OF_NO_TEXT = 0xffff_fffe;

interface CodeTable {
  codes: Uint32Array;
  size: number;
  /** Codes of the source whose texts the target did not have. */
  missing: number[];
  readonly target: Dictionary;
  targetSize: number;
}

export class StringCodes {
  /** The source is the weak key: a dictionary of one batch takes its table with it. */
  readonly #tables = new WeakMap<Dictionary, CodeTable>();

  /**
   * For each code of `source` the code of the same text in `target`, or CODE_OF_NO_TEXT.
   * @param codeOf How the target is asked: its `codeOf`, or its `intern`.
   */
  table(source: Dictionary, target: Dictionary, codeOf: (text: string) => number): Uint32Array {
    let table = this.#tables.get(source);
    if (table === undefined || table.target !== target) {
      table = { codes: new Uint32Array(16), size: 0, missing: [], target, targetSize: 0 };
      this.#tables.set(source, table);
    }
    const sought = table.targetSize === target.size ? [] : table.missing;
    if (sought.length > 0) table.missing = [];
    for (const code of sought) this.#look(table, source, code, codeOf);
    if (table.codes.length < source.size) {
      const larger = new Uint32Array(2 * source.size);
      larger.set(table.codes);
      table.codes = larger;
    }
    for (; table.size < source.size; table.size++) this.#look(table, source, table.size, codeOf);
    table.targetSize = target.size;
    return table.codes.subarray(0, source.size);
  }

  #look(
    table: CodeTable,
    source: Dictionary,
    code: number,
    codeOf: (text: string) => number,
  ): void {
    const found = codeOf(source.text(code));
    table.codes[code] = found < 0 ? CODE_OF_NO_TEXT : found;
    if (found < 0) table.missing.push(code);
  }
}
