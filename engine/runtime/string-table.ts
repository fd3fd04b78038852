/** A growing dictionary: the keys of a task, or the texts of a slot. */

import type { StringTable } from '../contract/batch.ts';

export class GrowingStringTable implements StringTable {
  readonly #texts: string[] = [];
  readonly #codes = new Map<string, number>();

  get size(): number {
    return this.#texts.length;
  }

  text(code: number): string {
    return this.#texts[code]!;
  }

  /** In the order of their codes. */
  texts(): string[] {
    return [...this.#texts];
  }

  codeOf(text: string): number {
    return this.#codes.get(text) ?? -1;
  }

  intern(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const code = this.#texts.length;
    this.#texts.push(text);
    this.#codes.set(text, code);
    return code;
  }
}
