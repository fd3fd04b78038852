/**
 * The trades of a generated market, in the order in which they arrive.
 *
 * Each second has its number of trades (intraday.ts), each trade a symbol drawn by its share. A
 * symbol's price is a random walk in time, so that quiet symbols move as much as busy ones; its
 * variance follows a GARCH(1,1) from minute to minute, so that quiet and wild times come in runs.
 * What is seen is the walk plus half a spread, in cents. Planted anomalies lie over the walk and do
 * not feed back into it.
 *
 * Everything depends on the configuration only: on no clock, and not on how many rows are asked for
 * at a time. Cost: 100 to 150 ns a row, whatever the number of symbols.
 */

import { HeldRows, type MarketRow } from './held-rows.ts';
import { type SessionShape, sessionShape } from './intraday.ts';
import { type MarketConfig, MINUTE_NS, SECOND_NS, sessionOffsets } from './market-config.ts';
import { Overlays } from './overlays.ts';
import { plantings } from './planting.ts';
import { Random } from './random.ts';
import { makeSymbols, SymbolPicker, VENUES } from './symbols.ts';

/** Columns to fill: as many elements as rows are wanted, twice as many of the 64-bit halves. */
export interface TradeColumns {
  readonly eventTime: Int32Array;
  readonly symbol: Uint32Array;
  readonly price: Float64Array;
  readonly size: Float64Array;
  readonly venue: Uint32Array;
  readonly sequence: Int32Array;
}

/** GARCH(1,1) of the variance relative to the usual one; its mean is 1. */
const GARCH_BASE = 0.05;
const GARCH_RETURN = 0.1;
const GARCH_MEMORY = 0.85;
const VARIANCE_MAX = 4;

const LOT = 100;
/** Lots of a trade: mostly one, sometimes many. */
const LOTS = [
  1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 8, 10, 10, 12, 15, 20, 1, 2, 1,
  3,
];
/** Half a spread, relative to the price, and at least half a cent. */
const HALF_SPREAD = 0.00008;

const U32 = 0x1_0000_0000;

export class Market {
  readonly names: readonly string[];
  readonly #config: MarketConfig;
  readonly #random: Random;
  readonly #picker: SymbolPicker;
  readonly #overlays: Overlays;
  readonly #held = new HeldRows();
  readonly #offsets: readonly number[];
  readonly #startLow: number;
  readonly #startHigh: number;
  // Of each symbol: price of the walk, that at the start of its minute, time of its last trade,
  // its last minute, usual deviation a minute, deviation now, variance relative to the usual one,
  // share of its trades (of 256) that are twice as large.
  readonly #walk: Float64Array;
  readonly #minuteOpen: Float64Array;
  readonly #lastNs: Float64Array;
  readonly #minute: Int32Array;
  readonly #sigma: Float64Array;
  readonly #deviation: Float64Array;
  readonly #variance: Float64Array;
  readonly #doubled: Uint8Array;
  // Where in the market the next trade is.
  #session = -1;
  #shape: SessionShape = {
    tradesOfSecond: new Uint32Array(0),
    volatilityOfMinute: new Float64Array(0),
  };
  #second = -1;
  #secondTrades = 0;
  #secondTrade = 0;
  #secondNs = 0;
  #sequence = 0;
  /** The next trade by event time, where `#hasNext`. */
  readonly #next: MarketRow = { timeNs: 0, symbol: 0, price: 0, size: 0, venue: 0, sequence: 0 };
  #hasNext = false;
  readonly #taken: MarketRow = { ...this.#next };
  readonly #lateBelow: number;
  readonly #delayedBelow: number;

  constructor(config: MarketConfig) {
    const symbols = makeSymbols(config.symbolCount, config.seed);
    this.names = symbols.names;
    this.#config = config;
    this.#random = new Random(config.seed, 3);
    this.#picker = new SymbolPicker(symbols.share);
    this.#overlays = new Overlays(plantings(config), symbols.share, config.seed);
    this.#offsets = sessionOffsets(config);
    const start = new Int32Array(BigInt64Array.of(config.start).buffer);
    this.#startLow = start[0]! >>> 0;
    this.#startHigh = start[1]!;
    this.#walk = symbols.price.slice();
    this.#minuteOpen = symbols.price.slice();
    this.#lastNs = new Float64Array(config.symbolCount);
    this.#minute = new Int32Array(config.symbolCount).fill(-1);
    this.#sigma = symbols.sigma;
    this.#deviation = new Float64Array(config.symbolCount);
    this.#variance = new Float64Array(config.symbolCount).fill(1);
    this.#doubled = new Uint8Array(config.symbolCount);
    this.#lateBelow = config.late * U32;
    this.#delayedBelow = (config.late + config.outOfOrder) * U32;
  }

  /** When the next row arrives, in nanoseconds after the start; infinite at the end. */
  nextArrivalNs(): number {
    if (!this.#hasNext) this.#generate();
    return Math.min(
      this.#held.nextArrivalNs,
      this.#hasNext ? this.#next.timeNs : Number.POSITIVE_INFINITY,
    );
  }

  /**
   * Writes the rows that arrive next, at most `rows`, and none that arrives after `untilNs`.
   * @returns Number of rows written; fewer than `rows` only where none is left (or due).
   */
  fill(columns: TradeColumns, rows: number, untilNs: number): number {
    for (let row = 0; row < rows; row++) {
      if (!this.#advance(untilNs)) return row;
      // What has been delayed and is due goes first.
      if (this.#held.nextArrivalNs <= (this.#hasNext ? this.#next.timeNs : Infinity)) {
        this.#held.take(this.#taken);
        this.#put(columns, row, this.#taken);
      } else {
        this.#put(columns, row, this.#next);
        this.#hasNext = false;
      }
    }
    return rows;
  }

  /** Makes the next row to arrive known; false where none arrives up to `untilNs`. */
  #advance(untilNs: number): boolean {
    for (;;) {
      if (!this.#hasNext) this.#generate();
      const nextNs = this.#hasNext ? this.#next.timeNs : Number.POSITIVE_INFINITY;
      const heldNs = this.#held.nextArrivalNs;
      const arrivalNs = heldNs <= nextNs ? heldNs : nextNs;
      if (arrivalNs > untilNs || arrivalNs === Number.POSITIVE_INFINITY) return false;
      if (heldNs <= nextNs) return true;
      const delayNs = this.#delayOfNext;
      if (delayNs === 0) return true;
      this.#held.add(nextNs + delayNs, this.#next);
      this.#hasNext = false;
    }
  }

  #delayOfNext = 0;

  #put(columns: TradeColumns, row: number, from: Readonly<MarketRow>): void {
    const low = (from.timeNs % U32) + this.#startLow;
    columns.eventTime[2 * row] = low;
    columns.eventTime[2 * row + 1] =
      this.#startHigh + Math.floor(from.timeNs / U32) + (low >= U32 ? 1 : 0);
    columns.symbol[row] = from.symbol;
    columns.price[row] = from.price;
    columns.size[row] = from.size;
    columns.venue[row] = from.venue;
    columns.sequence[2 * row] = from.sequence;
    columns.sequence[2 * row + 1] = Math.floor(from.sequence / U32);
  }

  /** The next trade by event time into `#next`; leaves `#hasNext` false at the end. */
  #generate(): void {
    while (this.#secondTrade === this.#secondTrades) if (!this.#nextSecond()) return;
    const random = this.#random;
    const overlays = this.#overlays;
    const part = (this.#secondTrade++ + random.unit()) / this.#secondTrades;
    const timeNs = this.#secondNs + Math.floor(part * SECOND_NS);
    let symbol = this.#picker.pick(random.u32());
    if (overlays.hasSurges) symbol = overlays.surgeOr(symbol, random.u32());
    const minute = Math.floor(this.#second / 60);
    if (this.#minute[symbol] !== minute) this.#startMinute(symbol, minute, timeNs);
    const elapsed = (timeNs - this.#lastNs[symbol]!) / MINUTE_NS;
    this.#lastNs[symbol] = timeNs;
    const walk =
      this.#walk[symbol]! * (1 + this.#deviation[symbol]! * Math.sqrt(elapsed) * random.normal());
    this.#walk[symbol] = walk;
    const bits = random.u32();
    const half = Math.max(0.006, walk * HALF_SPREAD);
    let price = walk + ((bits & 1) === 0 ? half : -half);
    let lots = LOTS[(bits >>> 1) & 31]!;
    if (((bits >>> 6) & 255) < this.#doubled[symbol]!) lots *= 2;
    let isPlain = true;
    if (overlays.isOn(symbol)) {
      price = overlays.price(symbol, timeNs, price);
      lots = Math.round(lots * overlays.lots(symbol));
      isPlain = !overlays.isBadPrint;
    }
    const next = this.#next;
    next.timeNs = timeNs;
    next.symbol = symbol;
    next.price = Math.max(1, Math.round(price * 100)) / 100;
    next.size = lots * LOT;
    next.venue = (((bits >>> 14) & 0xffff) * VENUES.length) >>> 16;
    next.sequence = ++this.#sequence;
    this.#hasNext = true;
    // A single wrong price that came too late for its bar would be no anomaly in it.
    this.#delayOfNext = isPlain ? this.#drawDelay() : 0;
  }

  #drawDelay(): number {
    const draw = this.#random.u32();
    if (draw >= this.#delayedBelow) return 0;
    const { lateNs, delayNs } = this.#config;
    const part = this.#random.unit();
    return Math.floor(draw < this.#lateBelow ? lateNs * (1 + part) : delayNs * part) + 1;
  }

  #nextSecond(): boolean {
    this.#second++;
    const { sessionSeconds, sessionCount } = this.#config;
    if (this.#second >= this.#shape.tradesOfSecond.length) {
      if (this.#session + 1 >= sessionCount) {
        this.#second--;
        return false;
      }
      this.#startSession(sessionSeconds);
    }
    this.#secondNs = this.#offsets[this.#session]! + this.#second * SECOND_NS;
    this.#secondTrades = this.#shape.tradesOfSecond[this.#second]!;
    this.#secondTrade = 0;
    this.#overlays.advance(this.#secondNs, this.#walk, this.#minuteOpen);
    return true;
  }

  #startSession(seconds: number): void {
    const session = ++this.#session;
    const { tradeCount, sessionCount, seed } = this.#config;
    const upTo = (count: number): number => Math.floor((tradeCount * count) / sessionCount);
    this.#shape = sessionShape(seed, session, seconds, upTo(session + 1) - upTo(session));
    this.#second = 0;
    // The night does not move prices.
    this.#minute.fill(-1);
    this.#lastNs.fill(this.#offsets[session]!);
  }

  /** The first trade of a symbol in a minute: its volatility now, and its activity. */
  #startMinute(symbol: number, minute: number, timeNs: number): void {
    const last = this.#minute[symbol]!;
    const sigma = this.#sigma[symbol]!;
    let variance = this.#variance[symbol]!;
    if (last >= 0) {
      const usual = sigma * this.#shape.volatilityOfMinute[last]!;
      const move = (this.#walk[symbol]! / this.#minuteOpen[symbol]! - 1) / usual;
      variance = GARCH_BASE + GARCH_RETURN * move * move + GARCH_MEMORY * variance;
      variance = Math.min(VARIANCE_MAX, variance);
    } else {
      this.#lastNs[symbol] = Math.max(this.#lastNs[symbol]!, timeNs - MINUTE_NS);
    }
    this.#variance[symbol] = variance;
    this.#minuteOpen[symbol] = this.#walk[symbol]!;
    this.#minute[symbol] = minute;
    this.#deviation[symbol] = sigma * this.#shape.volatilityOfMinute[minute]! * Math.sqrt(variance);
    this.#doubled[symbol] = this.#random.u32() & 127;
  }
}
