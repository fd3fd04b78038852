/** The loops of rolling-kernel.c in plain JavaScript: the sum of the absolute results of each. */

export type RollingLoop = (
  prices: Float64Array,
  codes: Uint32Array,
  symbols: number,
  window: number,
) => number;

function total(results: Float64Array): number {
  let sum = 0;
  for (const result of results) if (!Number.isNaN(result)) sum += Math.abs(result);
  return sum;
}

function score(prices: Float64Array, codes: Uint32Array, symbols: number, window: number): number {
  const rings = new Float64Array(symbols * window);
  const counts = new Uint32Array(symbols);
  const heads = new Uint32Array(symbols);
  const means = new Float64Array(symbols);
  const squares = new Float64Array(symbols);
  const out = new Float64Array(prices.length);
  for (let i = 0; i < prices.length; i++) {
    const code = codes[i]!;
    const ring = code * window;
    const x = prices[i]!;
    if (counts[code]! < window) {
      out[i] = Number.NaN;
      rings[ring + counts[code]!++] = x;
      const step = x - means[code]!;
      means[code]! += step / counts[code]!;
      squares[code]! += step * (x - means[code]!);
      continue;
    }
    const head = heads[code]!;
    const mean = means[code]!;
    const variance = squares[code]! / (window - 1);
    out[i] = variance > 0 ? (x - mean) / Math.sqrt(variance) : Number.NaN;
    const old = rings[ring + head]!;
    const step = x - old;
    const next = mean + step / window;
    squares[code]! += step * (x - next + old - mean);
    means[code] = next;
    rings[ring + head] = x;
    heads[code] = head + 1 === window ? 0 : head + 1;
  }
  return total(out);
}

function below(values: Float64Array, start: number, count: number, x: number): number {
  let low = start;
  let high = start + count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function median(prices: Float64Array, codes: Uint32Array, symbols: number, window: number): number {
  const rings = new Float64Array(symbols * window);
  const sorted = new Float64Array(symbols * window);
  const counts = new Uint32Array(symbols);
  const heads = new Uint32Array(symbols);
  const out = new Float64Array(prices.length);
  for (let i = 0; i < prices.length; i++) {
    const code = codes[i]!;
    const start = code * window;
    const x = prices[i]!;
    let count = counts[code]!;
    if (count === window) {
      const head = heads[code]!;
      const place = below(sorted, start, count, rings[start + head]!);
      sorted.copyWithin(place, place + 1, start + count);
      count--;
      rings[start + head] = x;
      heads[code] = head + 1 === window ? 0 : head + 1;
    } else {
      rings[start + counts[code]!++] = x;
    }
    const place = below(sorted, start, count, x);
    sorted.copyWithin(place + 1, place, start + count);
    sorted[place] = x;
    const [a, b] = [start + ((window - 1) >> 1), start + (window >> 1)];
    out[i] = counts[code]! < window ? Number.NaN : (sorted[a]! + sorted[b]!) / 2;
  }
  return total(out);
}

function ewm(prices: Float64Array, codes: Uint32Array, symbols: number): number {
  const alpha = 0.1;
  const counts = new Uint32Array(symbols);
  const means = new Float64Array(symbols);
  const variances = new Float64Array(symbols);
  const out = new Float64Array(prices.length);
  for (let i = 0; i < prices.length; i++) {
    const code = codes[i]!;
    const x = prices[i]!;
    if (counts[code]!++ === 0) {
      out[i] = Number.NaN;
      means[code] = x;
      continue;
    }
    const step = x - means[code]!;
    const variance = variances[code]!;
    out[i] = variance > 0 ? step / Math.sqrt(variance) : Number.NaN;
    means[code]! += alpha * step;
    variances[code] = (1 - alpha) * (variance + alpha * step * step);
  }
  return total(out);
}

export const javascriptLoops = { score, median, ewm } satisfies Readonly<
  Record<string, RollingLoop>
>;
