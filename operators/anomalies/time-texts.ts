/**
 * Times as texts, from the two words of an i64 of nanoseconds, so that no BigInt is made for them.
 *
 * Anomalies come in bursts that share their times (all windows that end together), so the latest
 * ones are remembered: a time that meets another in its place is written anew.
 */

import { formatTime } from '../../engine/contract/time.ts';

const PLACE_BITS = 8;
const PLACES = 2 ** PLACE_BITS;
const NS_PER_SECOND = 1_000_000_000;
const SECONDS_PER_DAY = 86_400;
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));

/** The i64 of a low and a high word, each signed. */
export function int64Of(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

export class TimeTexts {
  readonly #low = new Int32Array(PLACES);
  readonly #high = new Int32Array(PLACES);
  /** '' where it has not been asked for. */
  readonly #decimals = new Array<string>(PLACES).fill('');
  readonly #isos = new Array<string>(PLACES).fill('');
  #day = -1;
  /** `2013-10-07T` of the day. */
  #date = '';
  /** Of the last `split`, for a time that is not negative. */
  #seconds = 0;
  #nanoseconds = 0;

  /** Nanoseconds as a whole number, such as `1704187800000000000`. */
  decimal(low: number, high: number): string {
    const place = this.#placeOf(low, high);
    const known = this.#decimals[place]!;
    if (known !== '') return known;
    const text = this.#writeDecimal(low, high);
    this.#decimals[place] = text;
    return text;
  }

  /** The same as `formatTime`. */
  iso(low: number, high: number): string {
    const place = this.#placeOf(low, high);
    const known = this.#isos[place]!;
    if (known !== '') return known;
    const text = this.#writeIso(low, high);
    this.#isos[place] = text;
    return text;
  }

  /** The place of the time, cleared where another one had it. */
  #placeOf(low: number, high: number): number {
    const place = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> (32 - PLACE_BITS);
    if (this.#low[place] !== low || this.#high[place] !== high) {
      this.#low[place] = low;
      this.#high[place] = high;
      this.#decimals[place] = '';
      this.#isos[place] = '';
    }
    return place;
  }

  #writeDecimal(low: number, high: number): string {
    if (high < 0) return int64Of(low, high).toString();
    this.#split(low, high);
    if (this.#seconds === 0) return String(this.#nanoseconds);
    return this.#seconds + nineDigits(this.#nanoseconds);
  }

  #writeIso(low: number, high: number): string {
    if (high < 0) return formatTime(int64Of(low, high));
    this.#split(low, high);
    const day = Math.floor(this.#seconds / SECONDS_PER_DAY);
    if (day !== this.#day) {
      this.#day = day;
      this.#date = new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, 11);
    }
    const second = this.#seconds - day * SECONDS_PER_DAY;
    const hours = TWO_DIGITS[Math.floor(second / 3600)]!;
    const minutes = TWO_DIGITS[Math.floor(second / 60) % 60]!;
    const whole = `${this.#date}${hours}:${minutes}:${TWO_DIGITS[second % 60]!}`;
    if (this.#nanoseconds === 0) return `${whole}Z`;
    return `${whole}.${nineDigits(this.#nanoseconds).replace(/0+$/, '')}Z`;
  }

  /** Long division by 1e9 in three digits of 32, 16 and 16 bits: each step is exact in a double. */
  #split(low: number, high: number): void {
    const upper = Math.floor(high / NS_PER_SECOND);
    const second = (high - upper * NS_PER_SECOND) * 65_536 + (low >>> 16);
    const middle = Math.floor(second / NS_PER_SECOND);
    const third = (second - middle * NS_PER_SECOND) * 65_536 + (low & 0xffff);
    const lower = Math.floor(third / NS_PER_SECOND);
    this.#seconds = (upper * 65_536 + middle) * 65_536 + lower;
    this.#nanoseconds = third - lower * NS_PER_SECOND;
  }
}

function nineDigits(nanoseconds: number): string {
  return nanoseconds === 0 ? '000000000' : String(nanoseconds).padStart(9, '0');
}
