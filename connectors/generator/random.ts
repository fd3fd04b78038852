/**
 * A small random generator: xoshiro128** by Blackman and Vigna (2018), seeded by splitmix32.
 *
 * 32-bit arithmetic only, so that the same seed gives the same numbers on every machine.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param stream Streams of one seed are independent of each other. */
  constructor(seed: number, stream: number) {
    let state =
      Math.imul(seed ^ (seed / 0x1_0000_0000), 0x9e37_79b9) ^ Math.imul(stream, 0x85eb_ca6b);
    const next = (): number => {
      state = (state + 0x9e37_79b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
  }

  /** A whole number from 0 to 2^32 - 1. */
  u32(): number {
    const scaled = Math.imul(this.#b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** From 0 to below 1. */
  unit(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** From `low` to below `high`. */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** Nearly normal, mean 0, variance 1, never beyond 3.47: the sum of four 16-bit numbers. */
  normal(): number {
    const a = this.u32();
    const b = this.u32();
    const sum = (a >>> 16) + (a & 0xffff) + (b >>> 16) + (b & 0xffff);
    return (sum - 131_070) / 37_837.2;
  }
}
