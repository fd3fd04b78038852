/**
 * The loop of hopping.c in plain JavaScript, over typed arrays and over objects: a ring of panes of
 * each symbol, merged for each window.
 */

import type { TradeArrays } from './bar-loops.ts';
import type { TradeRow } from './trade-rows.ts';

export interface WindowTotals {
  readonly windows: number;
  readonly checksum: number;
}

const FIELDS = 8;
const [OPEN, HIGH, LOW, CLOSE, VOLUME, NOTIONAL, MEAN, SQUARES] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const OUTPUTS = 7;

/** Rings of panes, eight numbers each, and what has come out. */
class PaneRings {
  readonly #symbols: number;
  readonly #panes: number;
  readonly #values: Float64Array;
  readonly #trades: Uint32Array;
  readonly #index: Int32Array;
  readonly #all = new Float64Array(FIELDS);
  #out: Float64Array;
  #outTrades: Uint32Array;
  windows = 0;

  constructor(symbols: number, panes: number) {
    this.#symbols = symbols;
    this.#panes = panes;
    this.#values = new Float64Array(symbols * panes * FIELDS);
    this.#trades = new Uint32Array(symbols * panes);
    this.#index = new Int32Array(symbols * panes).fill(-1);
    this.#out = new Float64Array(1024 * OUTPUTS);
    this.#outTrades = new Uint32Array(1024);
  }

  /** @param current Number of the pane, from 0. */
  add(symbol: number, current: number, price: number, size: number): void {
    const pane = symbol * this.#panes + (current % this.#panes);
    const values = this.#values;
    const at = pane * FIELDS;
    if (this.#index[pane] !== current) {
      this.#index[pane] = current;
      this.#trades[pane] = 1;
      values[at + OPEN] = values[at + HIGH] = values[at + LOW] = values[at + CLOSE] = price;
      values[at + VOLUME] = size;
      values[at + NOTIONAL] = price * size;
      values[at + MEAN] = price;
      values[at + SQUARES] = 0;
      return;
    }
    const trades = ++this.#trades[pane]!;
    const step = price - values[at + MEAN]!;
    const mean = values[at + MEAN]! + step / trades;
    values[at + MEAN] = mean;
    values[at + SQUARES]! += step * (price - mean);
    if (price > values[at + HIGH]!) values[at + HIGH] = price;
    if (price < values[at + LOW]!) values[at + LOW] = price;
    values[at + CLOSE] = price;
    values[at + VOLUME]! += size;
    values[at + NOTIONAL]! += price * size;
  }

  /** The windows that end with pane `last`. */
  emit(last: number): void {
    const all = this.#all;
    for (let symbol = 0; symbol < this.#symbols; symbol++) {
      let trades = 0;
      for (let index = Math.max(0, last - this.#panes + 1); index <= last; index++) {
        const pane = symbol * this.#panes + (index % this.#panes);
        if (this.#index[pane] === index) trades = this.#merge(all, trades, pane);
      }
      if (trades > 0) this.#write(all, trades);
    }
  }

  #merge(all: Float64Array, trades: number, pane: number): number {
    const values = this.#values;
    const at = pane * FIELDS;
    const more = this.#trades[pane]!;
    if (trades === 0) {
      for (let field = 0; field < FIELDS; field++) all[field] = values[at + field]!;
      return more;
    }
    const sum = trades + more;
    const step = values[at + MEAN]! - all[MEAN]!;
    all[SQUARES]! += values[at + SQUARES]! + (step * step * trades * more) / sum;
    all[MEAN]! += (step * more) / sum;
    if (values[at + HIGH]! > all[HIGH]!) all[HIGH] = values[at + HIGH]!;
    if (values[at + LOW]! < all[LOW]!) all[LOW] = values[at + LOW]!;
    all[CLOSE] = values[at + CLOSE]!;
    all[VOLUME]! += values[at + VOLUME]!;
    all[NOTIONAL]! += values[at + NOTIONAL]!;
    return sum;
  }

  #write(all: Float64Array, trades: number): void {
    if (this.windows === this.#outTrades.length) {
      const grown = new Float64Array(this.#out.length * 2);
      grown.set(this.#out);
      const counts = new Uint32Array(this.#outTrades.length * 2);
      counts.set(this.#outTrades);
      [this.#out, this.#outTrades] = [grown, counts];
    }
    const out = this.#out;
    const at = this.windows * OUTPUTS;
    out[at] = all[OPEN]!;
    out[at + 1] = all[HIGH]!;
    out[at + 2] = all[LOW]!;
    out[at + 3] = all[CLOSE]!;
    out[at + 4] = all[VOLUME]!;
    out[at + 5] = all[NOTIONAL]! / all[VOLUME]!;
    out[at + 6] = trades < 2 ? Number.NaN : Math.sqrt(all[SQUARES]! / (trades - 1));
    this.#outTrades[this.windows++] = trades;
  }

  totals(): WindowTotals {
    let checksum = 0;
    for (let window = 0; window < this.windows; window++) {
      const [open, high, low, close, volume, vwap, volatility] = this.#out.subarray(
        window * OUTPUTS,
        (window + 1) * OUTPUTS,
      );
      checksum += open! + high! + low! + close! + volume! / 1e3 + vwap!;
      checksum += this.#outTrades[window]! + (Number.isNaN(volatility!) ? 0 : volatility!);
    }
    return { windows: this.windows, checksum };
  }
}

export function windowsOfColumns(
  { times, symbols, prices, sizes }: TradeArrays,
  symbolCount: number,
  slideNs: bigint,
  panes: number,
): PaneRings {
  const rings = new PaneRings(symbolCount, panes);
  const first = times[0]! - (times[0]! % slideNs);
  const slide = Number(slideNs);
  let current = 0;
  let next = slide;
  for (let row = 0; row < times.length; row++) {
    // Relative to the first, a time is small enough for a number.
    const time = Number(times[row]! - first);
    for (; time >= next; next += slide) rings.emit(current++);
    rings.add(symbols[row]!, current, prices[row]!, sizes[row]!);
  }
  for (const end = current + panes; current < end; current++) rings.emit(current);
  return rings;
}

interface Pane {
  readonly index: number;
  readonly open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  notional: number;
  readonly prices: number[];
}

type WindowRow = Readonly<Record<'open' | 'high' | 'low' | 'close', number>> &
  Readonly<Record<'volume' | 'vwap' | 'trades' | 'volatility', number>>;

/** A Map from symbol to the panes that a window may still need. */
export function windowsOfRows(
  rows: readonly TradeRow[],
  slideMs: number,
  panes: number,
): readonly WindowRow[] {
  const bySymbol = new Map<string, Pane[]>();
  const done: WindowRow[] = [];
  const emit = (last: number): void => {
    for (const recent of bySymbol.values()) {
      while (recent.length > 0 && recent[0]!.index <= last - panes) recent.shift();
      if (recent.length > 0) done.push(windowOf(recent));
    }
  };
  let current = Math.floor(rows[0]!.time / slideMs);
  for (const { time, symbol, price, size } of rows) {
    for (; time >= (current + 1) * slideMs; current++) emit(current);
    let recent = bySymbol.get(symbol);
    if (recent === undefined) bySymbol.set(symbol, (recent = []));
    let pane = recent.at(-1);
    if (pane === undefined || pane.index !== current) {
      const prices = { open: price, high: price, low: price, close: price, prices: [] };
      pane = { index: current, ...prices, volume: 0, notional: 0 };
      recent.push(pane);
    }
    pane.high = Math.max(pane.high, price);
    pane.low = Math.min(pane.low, price);
    pane.close = price;
    pane.volume += size;
    pane.notional += price * size;
    pane.prices.push(price);
  }
  for (const end = current + panes; current < end; current++) emit(current);
  return done;
}

function windowOf(panes: readonly Pane[]): WindowRow {
  const prices = panes.flatMap((pane) => pane.prices);
  const mean = prices.reduce((sum, price) => sum + price, 0) / prices.length;
  const squares = prices.reduce((sum, price) => sum + (price - mean) ** 2, 0);
  const volume = panes.reduce((sum, pane) => sum + pane.volume, 0);
  return {
    open: panes[0]!.open,
    high: Math.max(...panes.map(({ high }) => high)),
    low: Math.min(...panes.map(({ low }) => low)),
    close: panes.at(-1)!.close,
    volume,
    vwap: panes.reduce((sum, pane) => sum + pane.notional, 0) / volume,
    trades: prices.length,
    volatility: prices.length < 2 ? Number.NaN : Math.sqrt(squares / (prices.length - 1)),
  };
}

export function totalsOfWindowRows(windows: readonly WindowRow[]): WindowTotals {
  let checksum = 0;
  for (const each of windows) {
    checksum += each.open + each.high + each.low + each.close + each.volume / 1e3 + each.vwap;
    checksum += each.trades + (Number.isNaN(each.volatility) ? 0 : each.volatility);
  }
  return { windows: windows.length, checksum };
}
