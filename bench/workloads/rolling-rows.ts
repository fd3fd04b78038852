/**
 * Rolling statistics by symbol as one writes them first: an object a row, the last values of each
 * symbol in an array, each statistic from scratch. The sum of the absolute results of each.
 */

import type { TradeRow } from './trade-rows.ts';

export type RollingRows = (rows: readonly TradeRow[], window: number) => number;

type Statistic = (previous: number[], price: number) => number | undefined;

/** @param isCurrentIn The value at hand is one of the window's. */
function overWindows(
  rows: readonly TradeRow[],
  window: number,
  isCurrentIn: boolean,
  statistic: Statistic,
): number {
  const windows = new Map<string, number[]>();
  let sum = 0;
  for (const { symbol, price } of rows) {
    let previous = windows.get(symbol);
    if (previous === undefined) {
      previous = [];
      windows.set(symbol, previous);
    }
    if (isCurrentIn) take(previous, price, window);
    if (previous.length === window) sum += Math.abs(statistic(previous, price) ?? 0);
    if (!isCurrentIn) take(previous, price, window);
  }
  return sum;
}

function take(values: number[], value: number, window: number): void {
  values.push(value);
  if (values.length > window) values.shift();
}

function score(rows: readonly TradeRow[], window: number): number {
  return overWindows(rows, window, false, (previous, price) => {
    const mean = previous.reduce((sum, value) => sum + value, 0) / window;
    const squares = previous.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / (window - 1));
    return deviation > 0 ? (price - mean) / deviation : undefined;
  });
}

function median(rows: readonly TradeRow[], window: number): number {
  return overWindows(rows, window, true, (previous) => {
    const sorted = previous.toSorted((a, b) => a - b);
    return (sorted[(window - 1) >> 1]! + sorted[window >> 1]!) / 2;
  });
}

function ewm(rows: readonly TradeRow[]): number {
  const alpha = 0.1;
  const states = new Map<string, { mean: number; variance: number }>();
  let sum = 0;
  for (const { symbol, price } of rows) {
    const state = states.get(symbol);
    if (state === undefined) {
      states.set(symbol, { mean: price, variance: 0 });
      continue;
    }
    const step = price - state.mean;
    if (state.variance > 0) sum += Math.abs(step / Math.sqrt(state.variance));
    state.mean += alpha * step;
    state.variance = (1 - alpha) * (state.variance + alpha * step * step);
  }
  return sum;
}

export const rollingRows = { score, median, ewm } satisfies Readonly<Record<string, RollingRows>>;
