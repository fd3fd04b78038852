/**
 * A string column of one batch whose texts are (nearly) all different. Its dictionary is its own
 * and goes with the batch, so that such texts do not pile up in the slot's.
 */

import type { Column, Dictionary } from '../../engine/contract/batch.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';

class BatchDictionary implements Dictionary {
  readonly #codes = new Map<string, number>();
  readonly #texts: string[] = [];

  get size(): number {
    return this.#texts.length;
  }

  text(code: number): string {
    return this.#texts[code]!;
  }

  codeOf(text: string): number {
    return this.#codes.get(text) ?? -1;
  }

  intern(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    this.#codes.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }
}

/** The texts as a column in the batch arena. */
export function textColumn(memory: LinearMemory, texts: readonly string[]): Column {
  const dictionary = new BatchDictionary();
  const codes = texts.map((text) => dictionary.intern(text));
  const pointer = memory.arena.allocate(codes.length * 4);
  memory.u32(pointer, codes.length).set(codes);
  return { type: 'string', pointer, dictionary };
}
