/** Trades as most JavaScript holds them: an array of objects, in time order. */

import type { TradesInMemory } from './operator-run.ts';

export interface TradeRow {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly symbol: string;
  readonly price: number;
  readonly size: number;
}

/** The first `count` trades. */
export function tradeRows(trades: TradesInMemory, count: number): TradeRow[] {
  const { memory, keys } = trades;
  const times = memory.i64(trades.times, count);
  const codes = memory.u32(trades.symbols, count);
  const prices = memory.f64(trades.prices, count);
  const sizes = memory.f64(trades.sizes, count);
  return Array.from({ length: count }, (_, i) => ({
    time: Number(times[i]! / 1000n) / 1000,
    symbol: keys.text(codes[i]!),
    price: prices[i]!,
    size: sizes[i]!,
  }));
}
