/**
 * The texts of anomalies: ids and explanations, and the window that stands in the latter.
 *
 * Times are read as pairs of words, so that no BigInt is made for them.
 */

import { type AnomalyBlock, LONG, SHORT } from './anomaly-block.ts';
import { type AnomalyIdentity, NO_REVISION_HIGH, NO_REVISION_LOW } from './anomaly-counts.ts';
import type { AnomalyIds } from './anomaly-ids.ts';
import { type Explanation, hashNumber, hashWord, windowJson } from './explanation.ts';
import { BatchTexts, RepeatFinder } from './text-column.ts';
import type { TimeTexts } from './time-texts.ts';

/** What of a rule is in its texts. */
export interface TextRule {
  readonly explanation: Explanation;
  /** Numbers that only the explanation has, one for each row that the rule has found. */
  readonly details: readonly { readonly values: Float64Array }[];
  /** Of the type, for ids. */
  readonly typeCode: number;
}

/** Which of the columns the input has. */
export interface OptionalColumns {
  readonly start: boolean;
  readonly end: boolean;
  readonly revision: boolean;
}

export interface Texts {
  readonly ids: BatchTexts;
  readonly explanations: BatchTexts;
}

/** Words of INT64_MIN, which is null. */
const NULL_LOW = 0;
const NULL_HIGH = -(2 ** 31);

export class AnomalyTexts {
  readonly #ids: AnomalyIds;
  readonly #times: TimeTexts;
  readonly #has: OptionalColumns;
  readonly #repeats = new RepeatFinder();
  /** Filled anew for each anomaly. */
  readonly #identity = {
    key: 0,
    type: 0,
    timeLow: 0,
    timeHigh: 0,
    revisionLow: NO_REVISION_LOW,
    revisionHigh: NO_REVISION_HIGH,
  } satisfies AnomalyIdentity;

  constructor(ids: AnomalyIds, times: TimeTexts, has: OptionalColumns) {
    this.#ids = ids;
    this.#times = times;
    this.#has = has;
  }

  /**
   * Writes the codes of both texts, and the time of the row where a window has no start or end.
   * @param rules Rule of each anomaly.
   */
  write(block: AnomalyBlock, rules: readonly TextRule[], hasRowWatermarks: boolean): Texts {
    const { codes, count } = block;
    const ids = new BatchTexts();
    const explanations = new BatchTexts();
    this.#repeats.start(count);
    for (let i = 0; i < count; i++) {
      const rule = rules[i]!;
      this.#identify(block, i, rule);
      const isLate = hasRowWatermarks && isBefore(block, LONG.time, LONG.rowWatermark, i);
      codes[SHORT.id * count + i] = ids.add(this.#ids.next(this.#identity, isLate));
      codes[SHORT.explanation * count + i] = this.#explain(block, i, rule, explanations);
    }
    return { ids, explanations };
  }

  #identify({ codes, words, count }: AnomalyBlock, i: number, { typeCode }: TextRule): void {
    const identity = this.#identity;
    identity.key = codes[SHORT.key * count + i]!;
    identity.type = typeCode;
    const time = 2 * (LONG.time * count + i);
    identity.timeLow = words[time]!;
    identity.timeHigh = words[time + 1]!;
    if (!this.#has.revision) return;
    const revision = 2 * (LONG.revision * count + i);
    identity.revisionLow = words[revision]!;
    identity.revisionHigh = words[revision + 1]!;
  }

  /** Code of the explanation. */
  #explain(block: AnomalyBlock, i: number, rule: TextRule, texts: BatchTexts): number {
    const { numbers, codes, words, count } = block;
    const value = numbers[LONG.value * count + i]!;
    const score = numbers[LONG.score * count + i]!;
    const baseline = numbers[LONG.baseline * count + i]!;
    let hash = hashNumber(hashNumber(hashNumber(0, value), score), baseline);
    let window = 'null';
    const hasStart = this.#has.start && orTime(block, LONG.start, i);
    const hasEnd = this.#has.end && orTime(block, LONG.end, i);
    if (hasStart && hasEnd) {
      const start = 2 * (LONG.start * count + i);
      const end = 2 * (LONG.end * count + i);
      window = windowJson(
        this.#times.iso(words[start]!, words[start + 1]!),
        this.#times.iso(words[end]!, words[end + 1]!),
      );
      hash = hashWord(hashWord(hash, words[start]!), words[start + 1]!);
    }
    const found = codes[SHORT.found * count + i]!;
    for (const { values } of rule.details) hash = hashNumber(hash, values[found]!);
    const threshold = numbers[LONG.threshold * count + i]!;
    const { explanation, details } = rule;
    const text = explanation.text(value, score, baseline, window, details, found, threshold);
    return this.#repeats.intern(texts, text, hash);
  }
}

/** Whether the i-th value is not null; where it is, it becomes the time of the row. */
function orTime({ words, count }: AnomalyBlock, column: number, i: number): boolean {
  const at = 2 * (column * count + i);
  if (words[at] !== NULL_LOW || words[at + 1] !== NULL_HIGH) return true;
  const time = 2 * (LONG.time * count + i);
  words[at] = words[time]!;
  words[at + 1] = words[time + 1]!;
  return false;
}

/** Whether the i-th value of column a is below that of column b. */
function isBefore({ words, count }: AnomalyBlock, a: number, b: number, i: number): boolean {
  const first = 2 * (a * count + i);
  const second = 2 * (b * count + i);
  const high = words[first + 1]!;
  const otherHigh = words[second + 1]!;
  if (high !== otherHigh) return high < otherHigh;
  return words[first]! >>> 0 < words[second]! >>> 0;
}
