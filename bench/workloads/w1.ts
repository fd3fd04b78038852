/**
 * Workload W1: trades, generated deterministically, the same whatever the batch size.
 *
 *   event_time  timestamp  100 µs apart, from 2026-01-05T14:30:00Z
 *   symbol      string     S00000 …, the product of two uniforms: a few busy, many quiet
 *   price       float64    a random walk of each symbol in whole cents
 *   size        float64    1 to 1,000, whole
 *
 * 10,000,000 trades of 1,000 symbols span 1,000 s and make about 0.91 million one-second bars.
 */

import type { Schema } from '../../engine/contract/schema.ts';

export interface W1 {
  readonly rows: number;
  readonly symbols: number;
}

export const W1_FULL: W1 = { rows: 10_000_000, symbols: 1_000 };
export const W1_QUICK: W1 = { rows: 500_000, symbols: 1_000 };

export const W1_SCHEMA: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'size', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

export const W1_START_NS = 1_767_623_400_000_000_000n;
export const W1_STEP_NS = 100_000;

/** Four columns of at most `capacity` trades, overwritten by each `fill`. */
export interface TradeColumns {
  readonly eventTime: BigInt64Array;
  readonly symbol: Uint32Array;
  readonly price: Float64Array;
  readonly size: Float64Array;
}

export function symbolTexts(symbols: number): string[] {
  return Array.from({ length: symbols }, (_, code) => `S${String(code).padStart(5, '0')}`);
}

export function tradeColumns(capacity: number): TradeColumns {
  return {
    eventTime: new BigInt64Array(capacity),
    symbol: new Uint32Array(capacity),
    price: new Float64Array(capacity),
    size: new Float64Array(capacity),
  };
}

/** Makes the trades in order; what `fill` returns continues where the last call ended. */
export class TradeGenerator {
  readonly #w1: W1;
  readonly #cents: Int32Array;
  readonly #random = sfc32(0x5eed);
  #row = 0;

  constructor(w1: W1) {
    this.#w1 = w1;
    this.#cents = Int32Array.from(
      { length: w1.symbols },
      (_, code) => 1_000 + ((code * 37) % 49_000),
    );
  }

  /** Writes up to `limit` trades to the start of the columns; returns how many, 0 at the end. */
  fill(columns: TradeColumns, limit: number): number {
    const count = Math.min(limit, this.#w1.rows - this.#row);
    const { eventTime, symbol, price, size } = columns;
    const random = this.#random;
    const cents = this.#cents;
    // The low and high words of the times as f64 pairs would need carries; a BigInt a row is fast
    // enough for what is never timed.
    let time = W1_START_NS + BigInt(this.#row) * BigInt(W1_STEP_NS);
    for (let row = 0; row < count; row++) {
      const code = Math.floor(random() * random() * this.#w1.symbols);
      const moved = cents[code]! + Math.floor(random() * 5) - 2;
      cents[code] = moved < 100 ? 100 : moved;
      eventTime[row] = time;
      symbol[row] = code;
      price[row] = cents[code]! / 100;
      size[row] = 1 + Math.floor(random() * 1_000);
      time += BigInt(W1_STEP_NS);
    }
    this.#row += count;
    return count;
  }
}

/** Small fast counting generator (Chris Doty-Humphrey's sfc32): uniform in [0, 1). */
function sfc32(seed: number): () => number {
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x243f6a88 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 15; round++) next();
  return next;
}
