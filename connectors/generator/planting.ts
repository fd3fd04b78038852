/**
 * Where anomalies are planted, and how strong they are: decided before the first trade, from the
 * configuration alone, so that the labels are known without generating anything.
 *
 * Anomalies of one symbol lie in different five-minute slots, and as far apart as their number
 * allows, because one in the baseline of another hides it. They keep away from the first minutes of
 * a session, in which a detector has no baseline yet, and from symbols that hardly trade. Strengths
 * are in units of the symbol's usual minute: most stand out in one-minute bars, none is absurd.
 */

import type { EventTime } from '../../engine/contract/time.ts';
import {
  ANOMALY_TYPES,
  type AnomalyType,
  type MarketConfig,
  SECOND_NS,
  sessionOffsets,
} from './market-config.ts';
import { Random } from './random.ts';
import { makeSymbols, type Symbols } from './symbols.ts';

/** An anomaly as the market makes it. Times are nanoseconds after the start of the market. */
export interface Planting {
  readonly type: AnomalyType;
  readonly symbol: number;
  readonly startNs: number;
  /** What is labelled ends here. */
  readonly endNs: number;
  /** Relative size: of the price for price anomalies, of the volume for a surge. With its sign. */
  readonly size: number;
}

export interface PlantedAnomaly {
  readonly symbol: string;
  readonly type: AnomalyType;
  readonly start: EventTime;
  /** Exclusive. */
  readonly end: EventTime;
  /** What was done, in words. */
  readonly note: string;
}

const SLOT_SECONDS = 300;
/** Part of a session in which nothing is planted, and its limit. */
const QUIET_SHARE = 0.2;
const QUIET_SECONDS_MAX = 45 * 60;
/** Symbols that trade less often have bars of too few trades. */
const TRADES_A_MINUTE_MIN = 20;
/** Slots between two anomalies of a symbol that are tried for, in this order. */
const DISTANCES = [9, 5, 2, 1];

export function plantings(config: MarketConfig): Planting[] {
  const random = new Random(config.seed, 2);
  const symbols = makeSymbols(config.symbolCount, config.seed);
  const slots = slotStarts(config);
  const eligible = eligibleSymbols(config, symbols);
  const taken = new Map<number, number[]>();
  const planted: Planting[] = [];
  const types = shuffled(
    ANOMALY_TYPES.flatMap((type) => new Array<AnomalyType>(config.anomalies[type]).fill(type)),
    random,
  );
  const order = shuffled(eligible, random);
  for (const [index, type] of types.entries()) {
    const symbol = order[index % order.length]!;
    const used = taken.get(symbol) ?? [];
    const slot = freeSlot(slots.length, used, random);
    if (slot === undefined) continue;
    taken.set(symbol, [...used, slot]);
    planted.push(plantingIn(slots[slot]!, type, symbol, symbols.sigma[symbol]!, random));
  }
  return planted.sort((a, b) => a.startNs - b.startNs || a.symbol - b.symbol);
}

/** The labels of a generated market, by time. */
export function plantedAnomalies(config: MarketConfig): PlantedAnomaly[] {
  const { names } = makeSymbols(config.symbolCount, config.seed);
  return plantings(config).map((planting) => ({
    symbol: names[planting.symbol]!,
    type: planting.type,
    start: config.start + BigInt(planting.startNs),
    end: config.start + BigInt(planting.endNs),
    note: noteOf(planting),
  }));
}

/** Starts of the five-minute slots in which something may be planted. */
function slotStarts(config: MarketConfig): number[] {
  const { sessionSeconds } = config;
  const quiet = Math.min(QUIET_SECONDS_MAX, sessionSeconds * QUIET_SHARE);
  const first = Math.ceil(quiet / SLOT_SECONDS);
  const last = Math.floor(sessionSeconds / SLOT_SECONDS);
  return sessionOffsets(config).flatMap((offset) =>
    Array.from(
      { length: Math.max(0, last - first) },
      (_, slot) => offset + (first + slot) * SLOT_SECONDS * SECOND_NS,
    ),
  );
}

function eligibleSymbols(
  { tradeCount, sessionSeconds, sessionCount }: MarketConfig,
  { share }: Symbols,
) {
  const tradesAMinute = (tradeCount / (sessionSeconds * sessionCount)) * 60;
  const busy = [...share.keys()].filter((i) => share[i]! * tradesAMinute >= TRADES_A_MINUTE_MIN);
  return busy.length > 0 ? busy : [0];
}

function freeSlot(count: number, used: readonly number[], random: Random): number | undefined {
  for (const distance of DISTANCES) {
    const free: number[] = [];
    for (let slot = 0; slot < count; slot++) {
      if (used.every((each) => Math.abs(each - slot) >= distance)) free.push(slot);
    }
    if (free.length > 0) return free[random.below(free.length)];
  }
  return undefined;
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/** All lies within the slot. Starts are whole seconds after its start. */
function plantingIn(
  slotNs: number,
  type: AnomalyType,
  symbol: number,
  sigma: number,
  random: Random,
): Planting {
  const sign = random.below(2) === 0 ? -1 : 1;
  const seconds = (low: number, high: number): number => Math.round(random.between(low, high));
  const make = (afterSeconds: number, lengthSeconds: number, size: number): Planting => {
    const startNs = slotNs + afterSeconds * SECOND_NS;
    return { type, symbol, startNs, endNs: startNs + lengthSeconds * SECOND_NS, size };
  };
  switch (type) {
    case 'price_spike':
      return make(
        60 * seconds(0, 3) + seconds(3, 30),
        seconds(8, 20),
        sign * sigma * random.between(6, 13),
      );
    case 'gap':
      // Between two minutes, so that no trade lies in between in bars of whole minutes.
      return make(60 * seconds(0, 4), 30, sign * sigma * random.between(3, 10));
    case 'volatility_burst':
      return make(seconds(0, 90), seconds(150, 200), sigma * random.between(2, 6));
    case 'stuck_price':
      return make(seconds(0, 40), seconds(200, 250), 0);
    case 'bad_print':
      return make(
        60 * seconds(0, 4) + seconds(3, 25),
        30,
        sign * (0.003 + sigma * random.between(5, 20)),
      );
    case 'volume_surge':
      return make(seconds(0, 120), seconds(120, 170), random.between(4, 10));
  }
}

function noteOf({ type, size, startNs, endNs }: Planting): string {
  const percent = `${(Math.abs(size) * 100).toFixed(2)} %`;
  const seconds = `${(endNs - startNs) / SECOND_NS} s`;
  const isUp = size > 0;
  switch (type) {
    case 'price_spike':
      return `price ${isUp ? 'rises' : 'falls'} ${percent} in ${seconds}`;
    case 'gap':
      return `price opens ${percent} ${isUp ? 'higher' : 'lower'}`;
    case 'volatility_burst':
      return `prices whip by ${percent} for ${seconds}`;
    case 'stuck_price':
      return `price stands still for ${seconds}`;
    case 'bad_print':
      return `one trade ${percent} too ${isUp ? 'high' : 'low'}`;
    case 'volume_surge':
      return `volume ${size.toFixed(1)} times the usual for ${seconds}`;
  }
}
