import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Market, type TradeColumns } from './market.ts';
import { type MarketConfig, MINUTE_NS, SECOND_NS } from './market-config.ts';
import { type Planting, plantings } from './planting.ts';

const CONFIG: MarketConfig = {
  seed: 7,
  symbolCount: 20,
  start: 1_772_461_800_000_000_000n, // 2026-03-02T14:30:00Z
  sessionSeconds: 4 * 3600,
  sessionCount: 1,
  tradeCount: 400_000,
  anomalies: {
    bad_print: 3,
    gap: 3,
    price_spike: 3,
    stuck_price: 3,
    volatility_burst: 3,
    volume_surge: 3,
  },
  outOfOrder: 0.02,
  delayNs: SECOND_NS,
  late: 0.001,
  lateNs: 120 * SECOND_NS,
};
const SMALL: MarketConfig = { ...CONFIG, sessionSeconds: 900, tradeCount: 5000 };

interface Trades extends TradeColumns {
  readonly rowCount: number;
}

/** The whole market, asked for in pieces of these sizes, over and over. */
function generate(config: MarketConfig, sizes: readonly number[] = [4096]): Trades {
  const market = new Market(config);
  const all = columnsOf(config.tradeCount);
  let rowCount = 0;
  for (let i = 0; ; i++) {
    const size = sizes[i % sizes.length]!;
    const piece = columnsOf(size);
    const rows = market.fill(piece, size, Number.POSITIVE_INFINITY);
    for (const name of Object.keys(piece) as (keyof TradeColumns)[]) {
      const width = name === 'eventTime' || name === 'sequence' ? 2 : 1;
      all[name].set(piece[name].subarray(0, rows * width), rowCount * width);
    }
    rowCount += rows;
    if (rows < size) return { ...all, rowCount };
  }
}

function columnsOf(rows: number): TradeColumns {
  return {
    eventTime: new Int32Array(2 * rows),
    symbol: new Uint32Array(rows),
    price: new Float64Array(rows),
    size: new Float64Array(rows),
    venue: new Uint32Array(rows),
    sequence: new Int32Array(2 * rows),
  };
}

function hash(trades: Trades): string {
  const digest = createHash('sha256');
  for (const name of ['eventTime', 'symbol', 'price', 'size', 'venue', 'sequence'] as const) {
    digest.update(new Uint8Array(trades[name].buffer));
  }
  return digest.digest('hex').slice(0, 16);
}

/** Nanoseconds after the start, by row. */
function timesOf({ eventTime, rowCount }: Trades, { start }: MarketConfig): Float64Array {
  const times = new BigInt64Array(eventTime.buffer, 0, rowCount);
  return Float64Array.from(times, (time) => Number(time - start));
}

test('the rows of a seed never change', () => {
  // A change here is a change of every generated market: it belongs into the changelog.
  assert.equal(hash(generate(SMALL)), 'e8a0d893eb571aca');
});

test('rows do not depend on how many are asked for at a time', () => {
  const expected = hash(generate(SMALL));
  for (const sizes of [[1], [7], [5000], [5001]]) {
    assert.equal(hash(generate(SMALL, sizes)), expected, `pieces of ${sizes[0]}`);
  }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (sizes) => {
      assert.equal(hash(generate(SMALL, sizes)), expected);
    }),
    { numRuns: 20 },
  );
});

test('rows do not depend on the clock that paces them', () => {
  const expected = generate(SMALL);
  const market = new Market(SMALL);
  const all = columnsOf(SMALL.tradeCount);
  let rows = 0;
  for (let untilNs = 0; rows < SMALL.tradeCount; untilNs += 7.3 * SECOND_NS) {
    const piece = columnsOf(1000);
    const made = market.fill(piece, 1000, untilNs);
    all.sequence.set(piece.sequence.subarray(0, 2 * made), 2 * rows);
    rows += made;
    assert(market.nextArrivalNs() > untilNs);
  }
  assert.deepEqual(all.sequence, expected.sequence);
});

test('another seed is another market', () => {
  assert.notEqual(hash(generate({ ...SMALL, seed: 8 })), hash(generate(SMALL)));
});

test('every trade comes once, within the session, with price, size and venue', () => {
  const trades = generate(CONFIG);
  assert.equal(trades.rowCount, CONFIG.tradeCount);
  const sequences = new BigInt64Array(trades.sequence.buffer).toSorted();
  assert(sequences.every((sequence, i) => sequence === BigInt(i + 1)));
  const times = timesOf(trades, CONFIG);
  assert(times.every((time) => time >= 0 && time < CONFIG.sessionSeconds * SECOND_NS));
  assert(trades.price.every((price) => price > 0 && price === Math.round(price * 100) / 100));
  assert(trades.size.every((size) => size > 0 && size % 100 === 0));
  assert(trades.venue.every((venue) => venue < 6));
  const bySequence = Array.from(times.keys()).sort(
    (a, b) => trades.sequence[2 * a]! - trades.sequence[2 * b]!,
  );
  assert(bySequence.every((row, i) => i === 0 || times[bySequence[i - 1]!]! <= times[row]!));
});

test('the shares of rows that are out of order and late are as asked for', () => {
  const times = timesOf(generate(CONFIG), CONFIG);
  let latest = 0;
  let behind = 0;
  let late = 0;
  let latestBy = 0;
  for (const time of times) {
    const by = latest - time;
    if (by > 0) behind++;
    if (by > CONFIG.delayNs) late++;
    latestBy = Math.max(latestBy, by);
    latest = Math.max(latest, time);
  }
  assert(latestBy <= 2 * CONFIG.lateNs + SECOND_NS);
  assert(latestBy > CONFIG.lateNs);
  const expected = CONFIG.tradeCount * CONFIG.late;
  assert(Math.abs(late - expected) < 0.2 * expected, `${late} late rows`);
  const lateOrBehind = CONFIG.tradeCount * (CONFIG.late + CONFIG.outOfOrder);
  assert(behind > 0.9 * lateOrBehind && behind < 1.1 * lateOrBehind, `${behind} rows behind`);
  const orderly = timesOf(generate({ ...SMALL, outOfOrder: 0, late: 0 }), SMALL);
  assert(orderly.every((time, i) => i === 0 || orderly[i - 1]! <= time));
});

/** Rows of one symbol within a span, by event time, on-time ones only. */
function tradesOf(trades: Trades, times: Float64Array, symbol: number, from: number, to: number) {
  const rows: { time: number; price: number; size: number }[] = [];
  for (let row = 0; row < trades.rowCount; row++) {
    const time = times[row]!;
    if (trades.symbol[row] !== symbol || time < from || time >= to) continue;
    rows.push({ time, price: trades.price[row]!, size: trades.size[row]! });
  }
  return rows.sort((a, b) => a.time - b.time);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

test('a few symbols are busy, the ends of a session are busier than its middle', () => {
  const trades = generate(CONFIG);
  const times = timesOf(trades, CONFIG);
  const counts = new Float64Array(CONFIG.symbolCount);
  const bySixth = new Float64Array(6);
  for (let row = 0; row < trades.rowCount; row++) {
    counts[trades.symbol[row]!]!++;
    bySixth[Math.floor((times[row]! / (CONFIG.sessionSeconds * SECOND_NS)) * 6)]!++;
  }
  assert(counts[0]! > 5 * counts[19]!, `${counts[0]} and ${counts[19]} trades`);
  const middle = Math.max(bySixth[2]!, bySixth[3]!);
  assert(bySixth[0]! > 1.3 * middle && bySixth[5]! > 1.3 * middle, String(bySixth));
});

test('wild minutes come in runs', () => {
  const calm = { ...CONFIG, anomalies: plantNothing() };
  // Over several markets, because one session is short: squares of returns a minute apart agree.
  const correlations = [1, 2, 3, 4, 5, 6].map((seed) => autocorrelation({ ...calm, seed }));
  assert(mean(correlations) > 0.05, String(correlations));
});

function plantNothing(): MarketConfig['anomalies'] {
  return {
    bad_print: 0,
    gap: 0,
    price_spike: 0,
    stuck_price: 0,
    volatility_burst: 0,
    volume_surge: 0,
  };
}

function autocorrelation(config: MarketConfig): number {
  const one = { ...config, symbolCount: 1, tradeCount: 50_000, outOfOrder: 0, late: 0 };
  const trades = generate({ ...one, sessionSeconds: 86_400 });
  const times = timesOf(trades, one);
  const closes: number[] = [];
  for (let row = 0; row < trades.rowCount; row++) {
    closes[Math.floor(times[row]! / MINUTE_NS)] = trades.price[row]!;
  }
  const squares: number[] = [];
  for (let i = 400; i < 1000; i++) squares.push((closes[i]! / closes[i - 1]! - 1) ** 2);
  const middle = mean(squares);
  let product = 0;
  for (let i = 1; i < squares.length; i++) {
    product += (squares[i]! - middle) * (squares[i - 1]! - middle);
  }
  return product / (deviation(squares) ** 2 * squares.length);
}

test('what is planted is there', () => {
  // On time and in order, so that the rows of a span are those of its anomaly.
  const config = { ...CONFIG, outOfOrder: 0, late: 0 };
  const trades = generate(config);
  const times = timesOf(trades, config);
  const planted = plantings(config);
  assert.equal(planted.length, 18);
  for (const planting of planted) checkPlanting(trades, times, planting);
});

function checkPlanting(trades: Trades, times: Float64Array, planting: Planting): void {
  const { type, symbol, startNs, endNs, size } = planting;
  const during = tradesOf(trades, times, symbol, startNs, endNs);
  const before = tradesOf(trades, times, symbol, startNs - 10 * MINUTE_NS, startNs);
  const last = before.at(-1)!.price;
  const prices = during.map(({ price }) => price);
  const usual = deviation(before.slice(-during.length).map(({ price }) => price)) / last;
  const what = `${type} of ${symbol} at ${startNs / MINUTE_NS} min, ${size}`;
  switch (type) {
    case 'stuck_price':
      assert(during.length > 20, what);
      assert.equal(new Set(prices).size, 1, what);
      return;
    case 'gap': {
      const jump = prices[0]! / last - 1;
      assert(Math.abs(jump - size) < Math.abs(size) * 0.4, `${what}: ${jump}`);
      return;
    }
    case 'bad_print': {
      const off = prices.filter(
        (price) => Math.abs(price / last - 1 - size) < Math.abs(size) * 0.4,
      );
      assert.equal(off.length, 1, what);
      return;
    }
    case 'price_spike': {
      const move = prices.at(-1)! / last - 1;
      assert(Math.abs(move - size) < Math.abs(size) * 0.5, `${what}: ${move}`);
      return;
    }
    case 'volatility_burst':
      assert(
        deviation(prices) / last > 2 * usual,
        `${what}: ${deviation(prices) / last}, ${usual}`,
      );
      return;
    case 'volume_surge': {
      const rate = (rows: typeof during, spanNs: number): number =>
        rows.reduce((sum, row) => sum + row.size, 0) / spanNs;
      const factor = rate(during, endNs - startNs) / rate(before, 10 * MINUTE_NS);
      assert(factor > size / 2 && factor < size * 2, `${what}: ${factor}`);
      return;
    }
  }
}

test('sessions follow each other on weekdays, each with its share of the trades', () => {
  // 2026-03-06 is a Friday.
  const config = {
    ...SMALL,
    start: CONFIG.start + 4n * 86_400_000_000_000n,
    sessionCount: 3,
    tradeCount: 10_000,
  };
  const times = timesOf(generate(config), config);
  const perDay = new Map<number, number>();
  for (const time of times) {
    const day = Math.floor(time / (86_400 * SECOND_NS));
    perDay.set(day, (perDay.get(day) ?? 0) + 1);
    assert(time % (86_400 * SECOND_NS) < config.sessionSeconds * SECOND_NS);
  }
  assert.deepEqual(
    [...perDay],
    [
      [0, 3333],
      [3, 3333],
      [4, 3334],
    ],
  );
});
