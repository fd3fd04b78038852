/**
 * Explanations: what led to an anomaly, as JSON.
 *
 *     {"rule":"abs(z) > 3","observed":0.5,"score":-4,"threshold":3,"baseline":null,
 *      "window":{"start":"2013-10-07T13:30:00Z","end":"2013-10-07T13:35:00Z"}}    (on one line)
 *
 * They are what `JSON.stringify` makes of such an object, put together from fragments that a rule
 * writes once, so that an anomaly costs the texts of its own numbers.
 */

/** A number as JSON has it: what is not finite is null. */
export function jsonNumber(value: number): string {
  return Number.isFinite(value) ? `${value}` : 'null';
}

export class Explanation {
  readonly #head: string;
  readonly #up: string;
  readonly #down: string;
  readonly #hasBaseline: boolean;

  /** @param when The condition, as the user wrote it. */
  constructor(when: string, limits: { up: number; down: number }, hasBaseline: boolean) {
    this.#head = `{"rule":${JSON.stringify(when)},"observed":`;
    this.#hasBaseline = hasBaseline;
    const afterScore = (limit: number): string =>
      `,"threshold":${jsonNumber(limit)},"baseline":${hasBaseline ? '' : 'null,"window":'}`;
    this.#up = afterScore(limits.up);
    this.#down = afterScore(limits.down);
  }

  /** @param window As `windowJson` writes it. */
  text(observed: number, score: number, baseline: number, window: string): string {
    const start = `${this.#head}${jsonNumber(observed)},"score":${jsonNumber(score)}`;
    const limit = score < 0 ? this.#down : this.#up;
    if (!this.#hasBaseline) return `${start}${limit}${window}}`;
    return `${start}${limit}${jsonNumber(baseline)},"window":${window}}`;
  }
}

/** @param start ISO time, as is `end`. */
export function windowJson(start: string, end: string): string {
  return `{"start":"${start}","end":"${end}"}`;
}

const numbers = new Float64Array(1);
const words = new Int32Array(numbers.buffer);

/** Goes on with a hash. Numbers of one text (0 and -0, all that are not finite) go on alike. */
export function hashNumber(hash: number, value: number): number {
  numbers[0] = Number.isFinite(value) ? value + 0 : 0;
  return hashWord(hashWord(hash, words[0]!), words[1]!);
}

export function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
