/**
 * Explanations: what led to an anomaly, as JSON.
 *
 *     {"rule":"abs(zscore(close)) > 3","observed":9.5,"score":-4,"threshold":3,"baseline":10,
 *      "window":{"start":"2013-10-07T13:30:00Z","end":"2013-10-07T13:35:00Z"},
 *      "over":"20 rows","exclude_current":true,"details":{"deviation":0.125}}     (on one line)
 *
 * `window` is that of the row, null where it has none; `over` and `exclude_current` say which rows
 * the baseline was made of, and stand only where a detector knows; so do `by`, texts that say what
 * of the key it is about, and `details`, further numbers by name. All detectors write this and
 * nothing else, so that one reader serves them all.
 *
 * They are what `JSON.stringify` makes of such an object, put together from fragments that a rule
 * writes once, so that an anomaly costs the texts of its own numbers.
 */

/** A number as JSON has it: what is not finite is null. */
export function jsonNumber(value: number): string {
  return Number.isFinite(value) ? `${value}` : 'null';
}

/** What of an explanation is the same for all anomalies of a rule. */
export interface ExplanationFrame {
  /** The condition, as the user knows it. */
  readonly rule: string;
  /** Of |score|; undefined where each anomaly has a threshold of its own. */
  readonly limits?: { readonly up: number; readonly down: number } | undefined;
  readonly hasBaseline: boolean;
  /** Which rows the baseline is made of. */
  readonly history?: Readonly<{ over: string; exclude_current: boolean }> | undefined;
  /** What of a key the anomaly is of, by the names of columns: its venue, say. */
  readonly by?: Readonly<Record<string, string>> | undefined;
  /** Names of further numbers. */
  readonly details?: readonly string[] | undefined;
}

export class Explanation {
  readonly #head: string;
  readonly #hasLimits: boolean;
  readonly #up: string;
  readonly #down: string;
  readonly #hasBaseline: boolean;
  /** What stands between the window and the first detail, or the end. */
  readonly #tail: string;
  /** `"name":` of each detail, with what parts it from the one before. */
  readonly #details: readonly string[];

  constructor({ rule, limits, hasBaseline, history, by, details = [] }: ExplanationFrame) {
    this.#head = `{"rule":${JSON.stringify(rule)},"observed":`;
    this.#hasBaseline = hasBaseline;
    this.#hasLimits = limits !== undefined;
    this.#up = this.#afterScore(limits?.up ?? Number.NaN);
    this.#down = this.#afterScore(limits?.down ?? Number.NaN);
    const known = history === undefined ? '' : `,${JSON.stringify(history).slice(1, -1)}`;
    const of = by === undefined ? '' : `,"by":${JSON.stringify(by)}`;
    this.#tail = `${known}${of}${details.length === 0 ? '}' : ',"details":{'}`;
    this.#details = details.map((name, i) => `${i === 0 ? '' : ','}${JSON.stringify(name)}:`);
  }

  /**
   * @param window As `windowJson` writes it.
   * @param details Columns of the further numbers, of which this anomaly has the ones at `index`.
   * @param threshold Of this anomaly, where there are no limits.
   */
  text(
    observed: number,
    score: number,
    baseline: number,
    window: string,
    details: readonly { readonly values: Float64Array }[] = [],
    index = 0,
    threshold = Number.NaN,
  ): string {
    const start = `${this.#head}${jsonNumber(observed)},"score":${jsonNumber(score)}`;
    const fixed = score < 0 ? this.#down : this.#up;
    const limit = this.#hasLimits ? fixed : this.#afterScore(threshold);
    const known = this.#hasBaseline ? `${jsonNumber(baseline)},"window":${window}` : window;
    let text = `${start}${limit}${known}${this.#tail}`;
    if (this.#details.length === 0) return text;
    for (let i = 0; i < this.#details.length; i++) {
      text += `${this.#details[i]!}${jsonNumber(details[i]!.values[index]!)}`;
    }
    return `${text}}}`;
  }

  #afterScore(limit: number): string {
    const next = this.#hasBaseline ? '' : 'null,"window":';
    return `,"threshold":${jsonNumber(limit)},"baseline":${next}`;
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
