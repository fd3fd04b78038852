/**
 * W1 in plain JavaScript over typed arrays, on one thread: what somebody would write by hand, for
 * this one pipeline, without an engine. Trades come in time order and none is late, so a window is
 * complete when the next one begins.
 */

import type { ColumnBatch } from '../../engine/contract/batch.ts';

const WINDOW_NS = 1_000_000_000n;
const PREVIOUS = 20;

/** Bars with their z-scores; null is NaN. In the order of windows, then of symbol codes. */
export interface Scores {
  readonly rowCount: number;
  readonly symbol: Uint32Array;
  /** Seconds since the epoch. */
  readonly windowStart: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  readonly trades: Float64Array;
  readonly vwap: Float64Array;
  readonly volatility: Float64Array;
  readonly return_pct: Float64Array;
  readonly z_return: Float64Array;
  readonly z_volume: Float64Array;
}

export const SCORE_COLUMNS = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'trades',
  'vwap',
  'volatility',
  'return_pct',
  'z_return',
  'z_volume',
] as const;

/** Open windows, one for each symbol. */
interface Open {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  readonly notional: Float64Array;
  readonly trades: Uint32Array;
  readonly mean: Float64Array;
  readonly squares: Float64Array;
}

/** The last 20 values of each symbol, in a ring. */
class PreviousValues {
  readonly #values: Float64Array;

  constructor(symbols: number) {
    this.#values = new Float64Array(symbols * PREVIOUS);
  }

  /** z-score of the value against the 20 before it, `seen` of which exist; then takes it in. */
  score(code: number, seen: number, value: number): number {
    const values = this.#values;
    const base = code * PREVIOUS;
    let score = Number.NaN;
    if (seen >= PREVIOUS) {
      let sum = 0;
      for (let i = 0; i < PREVIOUS; i++) sum += values[base + i]!;
      const mean = sum / PREVIOUS;
      let squares = 0;
      for (let i = 0; i < PREVIOUS; i++) squares += (values[base + i]! - mean) ** 2;
      const deviation = Math.sqrt(squares / (PREVIOUS - 1));
      if (deviation > 0) score = (value - mean) / deviation;
    }
    values[base + (seen % PREVIOUS)] = value;
    return score;
  }
}

/** How many bars the trades can make at most: one a trade, one a symbol and window. */
function scoresOf(capacity: number): Scores {
  const column = (): Float64Array => new Float64Array(capacity);
  const columns = Object.fromEntries(SCORE_COLUMNS.map((name) => [name, column()]));
  return {
    rowCount: 0,
    symbol: new Uint32Array(capacity),
    windowStart: column(),
    ...(columns as Omit<Scores, 'rowCount' | 'symbol' | 'windowStart'>),
  };
}

export function runJavaScript(
  batches: Iterable<ColumnBatch>,
  symbols: number,
  capacity: number,
): Scores {
  const column = (): Float64Array => new Float64Array(symbols);
  const open: Open = {
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
    notional: column(),
    trades: new Uint32Array(symbols),
    mean: column(),
    squares: column(),
  };
  const scores = scoresOf(capacity);
  const seen = new Uint32Array(symbols);
  const returns = new PreviousValues(symbols);
  const volumes = new PreviousValues(symbols);
  let rowCount = 0;
  let windowEnd = -(2n ** 63n);

  const close = (): void => {
    const start = Number(windowEnd / WINDOW_NS) - 1;
    for (let code = 0; code < symbols; code++) {
      if (open.trades[code] === 0) continue;
      closeBar(open, code, scores, rowCount);
      scores.symbol[rowCount] = code;
      scores.windowStart[rowCount] = start;
      const bars = seen[code]!;
      scores.z_return[rowCount] = returns.score(code, bars, scores.return_pct[rowCount]!);
      scores.z_volume[rowCount] = volumes.score(code, bars, scores.volume[rowCount]!);
      seen[code] = bars + 1;
      rowCount++;
    }
    open.trades.fill(0);
  };

  for (const batch of batches) {
    const [time, symbol, price, size] = batch.columns;
    if (time?.type !== 'timestamp' || symbol?.type !== 'string') throw new TypeError('not W1');
    if (price?.type !== 'float64' || size?.type !== 'float64') throw new TypeError('not W1');
    let from = 0;
    while (from < batch.rowCount) {
      if (time.values[from]! >= windowEnd) {
        close();
        windowEnd = (time.values[from]! / WINDOW_NS + 1n) * WINDOW_NS;
      }
      const to = firstAtOrAfter(time.values, windowEnd, from, batch.rowCount);
      addTrades(open, symbol.codes, price.values, size.values, from, to);
      from = to;
    }
  }
  close();
  return { ...scores, rowCount };
}

/** Index of the first time that is at or after `end`: times rise, so a bisection finds it. */
function firstAtOrAfter(times: BigInt64Array, end: bigint, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < end) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addTrades(
  bars: Open,
  codes: Uint32Array,
  prices: Float64Array,
  sizes: Float64Array,
  from: number,
  to: number,
): void {
  const { open, high, low, close, volume, notional, trades, mean, squares } = bars;
  for (let row = from; row < to; row++) {
    const code = codes[row]!;
    const price = prices[row]!;
    const size = sizes[row]!;
    const count = trades[code]! + 1;
    trades[code] = count;
    close[code] = price;
    if (count === 1) {
      open[code] = price;
      high[code] = price;
      low[code] = price;
      volume[code] = size;
      notional[code] = price * size;
      mean[code] = price;
      squares[code] = 0;
      continue;
    }
    if (price > high[code]!) high[code] = price;
    if (price < low[code]!) low[code] = price;
    volume[code] = volume[code]! + size;
    notional[code] = notional[code]! + price * size;
    const delta = price - mean[code]!;
    mean[code] = mean[code]! + delta / count;
    squares[code] = squares[code]! + delta * (price - mean[code]!);
  }
}

function closeBar(bars: Open, code: number, scores: Scores, row: number): void {
  const count = bars.trades[code]!;
  const open = bars.open[code]!;
  const close = bars.close[code]!;
  scores.open[row] = open;
  scores.high[row] = bars.high[code]!;
  scores.low[row] = bars.low[code]!;
  scores.close[row] = close;
  scores.volume[row] = bars.volume[code]!;
  scores.trades[row] = count;
  scores.vwap[row] = bars.notional[code]! / bars.volume[code]!;
  scores.volatility[row] = count > 1 ? Math.sqrt(bars.squares[code]! / (count - 1)) : Number.NaN;
  scores.return_pct[row] = ((close - open) / open) * 100;
}
