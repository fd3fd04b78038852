/**
 * The level of prices of one key, and the prices that are waiting to be believed or not: the filter
 * of Brownlees and Gallo, looking back only, with what comes after as the judge.
 *
 *   a price is doubted    |price - trimmed mean| > deviations * trimmed deviation + min_pct
 *                         of the last `window` prices that were believed
 *   it was a bad print    if a price that is not doubted follows before `confirm` doubted ones
 *   the market moved      if `confirm` prices in a row are doubted, or none follows for a while:
 *                         they are the new level
 *
 * A record of numbers: count, place of the next price, number that wait, the prices, then those
 * that wait: time (high and low word), price, mean, limit.
 */

export interface LevelConfig {
  readonly window: number;
  readonly deviations: number;
  readonly min_pct: number;
  readonly confirm: number;
  readonly min_rows: number;
}

const COUNT = 0;
const NEXT = 1;
const WAITING = 2;
const PRICES = 3;
const WAITING_NUMBERS = 5;
/** Part of the prices that is left out at either end. */
const TRIM = 0.1;

export function levelNumbers({ window, confirm }: LevelConfig): number {
  return PRICES + window + confirm * WAITING_NUMBERS;
}

/** A price that waits. */
export interface Doubted {
  readonly high: number;
  readonly low: number;
  readonly price: number;
  /** Trimmed mean of the prices before. */
  readonly mean: number;
  /** How far from the mean is still believed. */
  readonly limit: number;
}

export class PriceLevel {
  readonly #config: LevelConfig;
  readonly #sorted: Float64Array;
  #mean = 0;
  #limit = 0;

  constructor(config: LevelConfig) {
    this.#config = config;
    this.#sorted = new Float64Array(config.window);
  }

  waiting(records: Float64Array, at: number): number {
    return records[at + WAITING]!;
  }

  waitingAt(records: Float64Array, at: number, index: number): Doubted {
    const from = this.#waitingFrom(at) + index * WAITING_NUMBERS;
    return {
      high: records[from]!,
      low: records[from + 1]!,
      price: records[from + 2]!,
      mean: records[from + 3]!,
      limit: records[from + 4]!,
    };
  }

  /** Whether the price is doubted; remembers mean and limit for `wait`. */
  doubts(records: Float64Array, at: number, price: number): boolean {
    const { window, min_rows, min_pct, deviations } = this.#config;
    const count = records[at + COUNT]!;
    if (count < min_rows) return false;
    const last = records[at + PRICES + ((records[at + NEXT]! + window - 1) % window)]!;
    const isNear = Math.abs(price - last) <= (min_pct / 100) * last;
    // Nearly every price; one near the last may be doubted only while others wait.
    if (isNear && records[at + WAITING] === 0) return false;
    const held = Math.min(count, window);
    for (let i = 0; i < held; i++) this.#sorted[i] = records[at + PRICES + i]!;
    const sorted = this.#sorted.subarray(0, held).sort();
    const trim = Math.floor(held * TRIM);
    const kept = held - 2 * trim;
    let sum = 0;
    for (let i = trim; i < held - trim; i++) sum += sorted[i]! - sorted[trim]!;
    const mean = sorted[trim]! + sum / kept;
    let squares = 0;
    for (let i = trim; i < held - trim; i++) squares += (sorted[i]! - mean) ** 2;
    this.#mean = mean;
    this.#limit = deviations * Math.sqrt(squares / (kept - 1)) + (min_pct / 100) * mean;
    return !isNear && Math.abs(price - mean) > this.#limit;
  }

  believe(records: Float64Array, at: number, price: number): void {
    records[at + PRICES + records[at + NEXT]!] = price;
    records[at + NEXT] = (records[at + NEXT]! + 1) % this.#config.window;
    records[at + COUNT]!++;
  }

  /** Adds the price that was doubted last. Returns whether as many wait as confirm each other. */
  wait(records: Float64Array, at: number, price: number, high: number, low: number): boolean {
    const index = records[at + WAITING]!++;
    const from = this.#waitingFrom(at) + index * WAITING_NUMBERS;
    records[from] = high;
    records[from + 1] = low;
    records[from + 2] = price;
    records[from + 3] = this.#mean;
    records[from + 4] = this.#limit;
    return index + 1 === this.#config.confirm;
  }

  forget(records: Float64Array, at: number): void {
    records[at + WAITING] = 0;
  }

  /** The prices that wait are the new level. */
  move(records: Float64Array, at: number): void {
    const count = records[at + WAITING]!;
    records[at + COUNT] = 0;
    records[at + NEXT] = 0;
    records[at + WAITING] = 0;
    for (let i = 0; i < count; i++) {
      const from = this.#waitingFrom(at) + i * WAITING_NUMBERS;
      this.believe(records, at, records[from + 2]!);
    }
  }

  #waitingFrom(at: number): number {
    return at + PRICES + this.#config.window;
  }
}
