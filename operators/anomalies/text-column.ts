/**
 * The texts of a string column of one batch that are (nearly) all different. The dictionary is the
 * column's own and goes with the batch, so that such texts do not pile up in the slot's.
 *
 * A dictionary has each text once. Where texts may repeat, a number that follows from the text is
 * given with it: only texts with the same number are compared, so that no text has to be hashed.
 */

import type { Dictionary } from '../../engine/contract/batch.ts';

export class BatchTexts implements Dictionary {
  readonly #texts: string[] = [];
  #codes: Map<string, number> | undefined;

  get size(): number {
    return this.#texts.length;
  }

  text(code: number): string {
    return this.#texts[code]!;
  }

  /** Only for a condition on such texts further on, which is rare. */
  codeOf(text: string): number {
    this.#codes ??= new Map(this.#texts.map((each, code) => [each, code]));
    return this.#codes.get(text) ?? -1;
  }

  /** Code of a text that is not there yet. */
  add(text: string): number {
    return this.#texts.push(text) - 1;
  }
}

/** Gives out codes of texts that may repeat. One serves all batches: its table is used again. */
export class RepeatFinder {
  /** Code + 1 of the texts in the dictionary at hand, or 0; open addressing, one step at a time. */
  #places = new Int32Array(64);
  /** Hash of each text, by its code. */
  #hashes = new Int32Array(32);
  #mask = 0;

  /** Begins a batch of at most so many texts. */
  start(textsMax: number): void {
    const size = 2 ** (33 - Math.clz32(textsMax));
    this.#mask = size - 1;
    if (size <= this.#places.length) {
      this.#places.fill(0, 0, size);
      return;
    }
    this.#places = new Int32Array(size);
    this.#hashes = new Int32Array(size / 2);
  }

  /** Code of the text, which is added where it is new. Equal texts have equal hashes. */
  intern(texts: BatchTexts, text: string, hash: number): number {
    let place = hash & this.#mask;
    for (let next = this.#places[place]!; next > 0; next = this.#places[place]!) {
      if (this.#hashes[next - 1] === hash && texts.text(next - 1) === text) return next - 1;
      place = (place + 1) & this.#mask;
    }
    const code = texts.add(text);
    this.#places[place] = code + 1;
    this.#hashes[code] = hash;
    return code;
  }
}
