/**
 * One-second bars over trades in time order in plain JavaScript: over typed arrays, and over an
 * array of objects. Like bar-kernel.c they know nothing of nulls, disorder or watermarks.
 */

import type { TradeRow } from './trade-rows.ts';

const WINDOW_NS = 1_000_000_000n;
const WINDOW_MS = 1000;

/** Bars of all symbols; `volatility` is NaN for a bar of one trade. */
export interface BarColumns {
  bars: number;
  readonly symbol: Uint32Array;
  readonly start: BigInt64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  readonly vwap: Float64Array;
  readonly trades: Float64Array;
  readonly volatility: Float64Array;
}

export interface TradeArrays {
  readonly times: BigInt64Array;
  readonly symbols: Uint32Array;
  readonly prices: Float64Array;
  readonly sizes: Float64Array;
}

/** @param capacity Bars that there is room for. */
export function barColumns(capacity: number): BarColumns {
  const column = (): Float64Array => new Float64Array(capacity);
  return {
    bars: 0,
    symbol: new Uint32Array(capacity),
    start: new BigInt64Array(capacity),
    ...{ open: column(), high: column(), low: column(), close: column(), volume: column() },
    ...{ vwap: column(), trades: column(), volatility: column() },
  };
}

/** Open bars are the rows of typed arrays, one a symbol; all of a window close together. */
export function barsOfColumns(
  { times, symbols, prices, sizes }: TradeArrays,
  symbolCount: number,
  out: BarColumns,
): void {
  const column = (): Float64Array => new Float64Array(symbolCount);
  const [open, high, low, close, volume] = [column(), column(), column(), column(), column()];
  const [notional, sum, squares] = [column(), column(), column()];
  const trades = new Uint32Array(symbolCount);
  out.bars = 0;
  const closeWindow = (start: bigint): void => {
    for (let code = 0; code < symbolCount; code++) {
      const n = trades[code]!;
      if (n === 0) continue;
      const at = out.bars++;
      const variance = (squares[code]! - (sum[code]! * sum[code]!) / n) / (n - 1);
      out.symbol[at] = code;
      out.start[at] = start;
      out.open[at] = open[code]!;
      out.high[at] = high[code]!;
      out.low[at] = low[code]!;
      out.close[at] = close[code]!;
      out.volume[at] = volume[code]!;
      out.vwap[at] = notional[code]! / volume[code]!;
      out.trades[at] = n;
      out.volatility[at] = n < 2 ? Number.NaN : Math.sqrt(Math.max(0, variance));
      trades[code] = 0;
    }
  };
  for (let from = 0; from < times.length; ) {
    const start = times[from]! - (times[from]! % WINDOW_NS);
    const to = firstAtOrAfter(times, start + WINDOW_NS, from);
    for (let row = from; row < to; row++) {
      const code = symbols[row]!;
      const price = prices[row]!;
      const size = sizes[row]!;
      if (trades[code]!++ === 0) {
        open[code] = high[code] = low[code] = close[code] = price;
        volume[code] = size;
        notional[code] = price * size;
        sum[code] = squares[code] = 0;
        continue;
      }
      const deviation = price - open[code]!;
      sum[code]! += deviation;
      squares[code]! += deviation * deviation;
      if (price > high[code]!) high[code] = price;
      if (price < low[code]!) low[code] = price;
      close[code] = price;
      volume[code]! += size;
      notional[code]! += price * size;
    }
    closeWindow(start);
    from = to;
  }
}

/** Times rise, so that a bisection finds the end of a window: no BigInt is made for each trade. */
function firstAtOrAfter(times: BigInt64Array, end: bigint, from: number): number {
  let [low, high] = [from, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < end) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface BarRow {
  readonly symbol: string;
  readonly start: number;
  readonly open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  trades: number;
  vwap: number;
  volatility: number;
}

/** An object a trade, an object a bar, a Map from symbol to the bar that is open. */
export function barsOfRows(rows: readonly TradeRow[]): readonly BarRow[] {
  const done: BarRow[] = [];
  const open = new Map<string, BarRow & { notional: number; prices: number[] }>();
  for (const { time, symbol, price, size } of rows) {
    const start = time - (time % WINDOW_MS);
    let bar = open.get(symbol);
    if (bar === undefined || bar.start !== start) {
      if (bar !== undefined) done.push(finished(bar));
      bar = {
        ...{ symbol, start, open: price, high: price, low: price, close: price },
        ...{ volume: 0, trades: 0, vwap: 0, volatility: Number.NaN, notional: 0, prices: [] },
      };
      open.set(symbol, bar);
    }
    bar.high = Math.max(bar.high, price);
    bar.low = Math.min(bar.low, price);
    bar.close = price;
    bar.volume += size;
    bar.trades++;
    bar.notional += price * size;
    bar.prices.push(price);
  }
  for (const bar of open.values()) done.push(finished(bar));
  return done;
}

function finished({
  notional,
  prices,
  ...bar
}: BarRow & { readonly notional: number; readonly prices: readonly number[] }): BarRow {
  const mean = prices.reduce((sum, price) => sum + price, 0) / prices.length;
  const squares = prices.reduce((sum, price) => sum + (price - mean) ** 2, 0);
  const volatility = prices.length < 2 ? Number.NaN : Math.sqrt(squares / (prices.length - 1));
  return { ...bar, vwap: notional / bar.volume, volatility };
}

export interface BarTotals {
  readonly bars: number;
  readonly checksum: number;
}

/** The sum of bar-kernel.c over all bars. */
export function totalsOfRows(bars: readonly BarRow[]): BarTotals {
  let checksum = 0;
  for (const bar of bars) {
    checksum += bar.open + bar.high + bar.low + bar.close + bar.volume / 1e3 + bar.vwap;
    checksum += bar.trades + (Number.isNaN(bar.volatility) ? 0 : bar.volatility);
  }
  return { bars: bars.length, checksum };
}

export function totalsOfColumns(out: BarColumns): BarTotals {
  const { bars, open, high, low, close, volume, vwap, trades, volatility } = out;
  let checksum = 0;
  for (let i = 0; i < bars; i++) {
    checksum += open[i]! + high[i]! + low[i]! + close[i]! + volume[i]! / 1e3 + vwap[i]!;
    checksum += trades[i]! + (Number.isNaN(volatility[i]!) ? 0 : volatility[i]!);
  }
  return { bars, checksum };
}
