/**
 * The symbols of a generated market: names, what they cost, how much they move and how often they
 * trade. A few are busy and many quiet: the share of the `n`th falls like 1 / (n + 2).
 */

import { Random } from './random.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const NAME_COUNT = 26 ** 4;
/** Has no factor in common with NAME_COUNT, so that no name comes twice. */
const NAME_STEP = 182_939;
const NAME_START = 31_337;

/** Four letters, the same for a rank in every market. */
export function symbolName(rank: number): string {
  let code = (NAME_START + rank * NAME_STEP) % NAME_COUNT;
  let name = '';
  for (let i = 0; i < 4; i++) {
    name += LETTERS[code % 26];
    code = Math.floor(code / 26);
  }
  return name;
}

export const VENUES: readonly string[] = ['XNAS', 'XNYS', 'ARCX', 'BATS', 'EDGX', 'IEXG'];

export interface Symbols {
  readonly names: readonly string[];
  /** Share of all trades, f64[symbols], falling. */
  readonly share: Float64Array;
  /** First price, f64[symbols]. */
  readonly price: Float64Array;
  /** Standard deviation of the return of a usual minute, f64[symbols]. */
  readonly sigma: Float64Array;
}

const PRICE_MIN = 30;
const PRICE_MAX = 400;
const SIGMA_MIN = 0.0005;
const SIGMA_MAX = 0.0012;

export function makeSymbols(count: number, seed: number): Symbols {
  const random = new Random(seed, 1);
  const share = new Float64Array(count);
  const price = new Float64Array(count);
  const sigma = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank++) {
    share[rank] = 1 / (rank + 2);
    total += share[rank]!;
    const height = random.unit();
    price[rank] = PRICE_MIN + (PRICE_MAX - PRICE_MIN) * height * height;
    sigma[rank] = random.between(SIGMA_MIN, SIGMA_MAX);
  }
  for (let rank = 0; rank < count; rank++) share[rank]! /= total;
  const names = Array.from({ length: count }, (_, rank) => symbolName(rank));
  return { names, share, price, sigma };
}

/**
 * Draws a symbol by its share in constant time (Walker's alias method, built as Vose did): cell `i`
 * stands for symbol `i` below its limit and for `alias[i]` above.
 */
export class SymbolPicker {
  readonly #limit: Float64Array;
  readonly #alias: Uint32Array;
  readonly #scale: number;

  constructor(share: Float64Array) {
    const count = share.length;
    this.#limit = new Float64Array(count).fill(1);
    this.#alias = Uint32Array.from(share, (_, i) => i);
    this.#scale = count / 0x1_0000_0000;
    const rest = share.map((each) => each * count);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < count; i++) (rest[i]! < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.at(-1)!;
      this.#limit[less] = rest[less]!;
      this.#alias[less] = more;
      rest[more]! -= 1 - rest[less]!;
      if (rest[more]! < 1) small.push(large.pop()!);
    }
  }

  /** @param u32 A random whole number below 2^32. */
  pick(u32: number): number {
    const scaled = u32 * this.#scale;
    const cell = Math.floor(scaled);
    return scaled - cell < this.#limit[cell]! ? cell : this.#alias[cell]!;
  }
}
