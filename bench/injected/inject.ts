/**
 * Puts anomalies of known kinds into real trades.
 *
 *   spike      1 to 3 trades in a row, 0.5 to 5 % off, up or down
 *   decimal    1 trade at a tenth of its price
 *   stuck      for 2 to 5 minutes every trade has the price of the first, at least 30 of them
 *   volume     for 1 to 2 minutes every trade is 8 to 25 times its size
 *   duplicate  a trade is sent again 50 ms to 2 s later, as it was
 *   late       a trade arrives 0.2 to 10 s behind its time, behind at least one other
 *   gap        1 to 50 trades are missing
 *   silent     for 2 to 5 minutes all trades are missing, at least 30 of them
 *
 * Where a range spans more than twice its start it is drawn so that every octave is as likely as
 * every other: small ones are more frequent, as they are harder. Usual moves from one trade to the
 * next are 0.1 % at most (999 of 1,000 of them), and a price that stands still for its own reasons
 * does so for up to 90 s in a busy stock.
 *
 * Each symbol has its anomalies in slots of the regular session that do not overlap, less its first
 * and last five minutes, in random order and with random time between them. A slot without trades
 * enough for its kind has no anomaly.
 */

import { type Random, randomFrom } from './random.ts';

export interface Trade {
  readonly symbol: string;
  /** Nanoseconds. */
  readonly time: bigint;
  readonly price: number;
  readonly size: number;
  /** Counts the trades of a symbol. */
  readonly sequence: number;
  /** The other columns, as they were read. */
  readonly rest: string;
}

export type Kind =
  | 'spike'
  | 'decimal'
  | 'stuck'
  | 'volume'
  | 'duplicate'
  | 'late'
  | 'gap'
  | 'silent';

/** Where an anomaly lies, both ends within it, and what a detector should call it. */
export interface InjectedLabel {
  readonly kind: Kind;
  readonly type: string;
  readonly symbol: string;
  readonly start: bigint;
  readonly end: bigint;
}

export interface Injected {
  /** In the order in which they arrive. */
  readonly trades: readonly Trade[];
  /** By symbol, in the order of their starts. */
  readonly labels: readonly InjectedLabel[];
}

/** The stretch of time to inject into, in nanoseconds. */
export interface Stretch {
  readonly start: bigint;
  readonly end: bigint;
}

const MINUTE_S = 60;
const EDGE_S = 5 * MINUTE_S;
const SECOND_NS = 1_000_000_000n;

/** How many of a kind each symbol has, and how much time one takes up. */
const PLAN: Readonly<Record<Kind, { readonly count: number; readonly slotSeconds: number }>> = {
  spike: { count: 30, slotSeconds: MINUTE_S },
  decimal: { count: 30, slotSeconds: MINUTE_S },
  duplicate: { count: 20, slotSeconds: MINUTE_S },
  late: { count: 20, slotSeconds: MINUTE_S },
  gap: { count: 10, slotSeconds: MINUTE_S },
  stuck: { count: 10, slotSeconds: 6 * MINUTE_S },
  silent: { count: 6, slotSeconds: 6 * MINUTE_S },
  volume: { count: 8, slotSeconds: 4.5 * MINUTE_S },
};

/** Of less nothing could be told. */
const ROWS_MIN = 30;

/** A trade that may still change. */
interface Draft {
  symbol: string;
  time: bigint;
  price: number;
  size: number;
  sequence: number;
  rest: string;
  arrival: bigint;
  isMissing: boolean;
}

/** The trades of a slot, which an injector may change, and whom it tells. */
interface Slot {
  readonly random: Random;
  /** In the order of time. */
  readonly trades: readonly Draft[];
  readonly stretch: Stretch;
  readonly label: (type: string, start: bigint, end: bigint) => void;
  /** Sends a trade once more. */
  readonly repeat: (trade: Draft, arrival: bigint) => void;
}

const INJECTORS: Readonly<Record<Kind, (slot: Slot) => void>> = {
  spike: ({ random, trades, label }) => {
    const count = random.integer(1, 3);
    if (trades.length < count) return;
    const from = random.integer(0, trades.length - count);
    const factor = 1 + random.sign() * random.logUniform(0.005, 0.05);
    const spike = trades.slice(from, from + count);
    for (const trade of spike) trade.price = Math.round(trade.price * factor * 100) / 100;
    label('price_spike', spike[0]!.time, spike.at(-1)!.time);
  },
  decimal: ({ random, trades, label }) => {
    if (trades.length === 0) return;
    const trade = trades[random.integer(0, trades.length - 1)]!;
    trade.price = Number((trade.price / 10).toFixed(6));
    label('misplaced_decimal', trade.time, trade.time);
  },
  stuck: ({ random, trades: all, stretch, label }) => {
    const trades = part(random, all, stretch, random.uniform(120, 300));
    if (trades.length < ROWS_MIN) return;
    for (const trade of trades) trade.price = trades[0]!.price;
    label('stuck_price', trades[0]!.time, trades.at(-1)!.time);
  },
  volume: ({ random, trades: all, stretch, label }) => {
    const trades = part(random, all, stretch, random.uniform(60, 120));
    if (trades.length === 0) return;
    const factor = random.logUniform(8, 25);
    for (const trade of trades) trade.size = Math.round(trade.size * factor);
    label('volume_surge', trades[0]!.time, trades.at(-1)!.time);
  },
  duplicate: ({ random, trades, label, repeat }) => {
    if (trades.length === 0) return;
    const trade = trades[random.integer(0, trades.length - 1)]!;
    repeat(trade, trade.time + nanoseconds(random.logUniform(0.05, 2)));
    label('duplicate_sequence', trade.time, trade.time);
  },
  late: ({ random, trades, label }) => {
    if (trades.length < 2) return;
    const at = random.integer(0, trades.length - 2);
    const [trade, next] = [trades[at]!, trades[at + 1]!];
    const delayed = trade.time + nanoseconds(random.logUniform(0.2, 10));
    trade.arrival = delayed > next.time ? delayed : next.time + 1n;
    label('out_of_sequence', trade.time, trade.time);
    // Until it arrives it is missing.
    label('sequence_gap', trade.time, next.time);
  },
  gap: ({ random, trades, label }) => {
    if (trades.length < 2) return;
    const count = Math.round(random.logUniform(1, 50));
    const from = random.integer(0, Math.max(0, trades.length - 1 - count));
    const missing = trades.slice(from, Math.min(from + count, trades.length - 1));
    for (const trade of missing) trade.isMissing = true;
    label('sequence_gap', missing[0]!.time, trades[from + missing.length]!.time);
  },
  silent: ({ random, trades: all, stretch, label }) => {
    const trades = part(random, all, stretch, random.uniform(120, 300));
    const next = all[all.indexOf(trades.at(-1)!) + 1];
    if (trades.length < ROWS_MIN || next === undefined) return;
    for (const trade of trades) trade.isMissing = true;
    label('stale_feed', trades[0]!.time, next.time);
    label('sequence_gap', trades[0]!.time, next.time);
  },
};

/** Trades of a stretch of so many seconds within the slot. */
function part(
  random: Random,
  trades: readonly Draft[],
  { start, end }: Stretch,
  seconds: number,
): readonly Draft[] {
  const free = Number(end - start) / 1e9 - seconds;
  const from = start + nanoseconds(random.uniform(0, free));
  const until = from + nanoseconds(seconds);
  return trades.filter(({ time }) => time >= from && time < until);
}

function nanoseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e9));
}

/**
 * @param trades In the order of time.
 * @param session The regular session of their day.
 */
export function inject(trades: readonly Trade[], session: Stretch, seed: number): Injected {
  const drafts = trades.map((trade): Draft => {
    return { ...trade, arrival: trade.time, isMissing: false };
  });
  const repeated: Draft[] = [];
  const labels: InjectedLabel[] = [];
  const bySymbol = grouped(drafts);
  for (const [index, symbol] of [...bySymbol.keys()].sort().entries()) {
    const random = randomFrom(seed * 1000 + index);
    for (const { kind, stretch } of slotsOf(random, session)) {
      const own = between(bySymbol.get(symbol)!, stretch);
      INJECTORS[kind]({
        ...{ random, stretch, trades: own },
        label: (type, start, end) => labels.push({ kind, type, symbol, start, end }),
        repeat: (trade, arrival) => repeated.push({ ...trade, arrival }),
      });
    }
  }
  const arrived = [...drafts, ...repeated].filter(({ isMissing }) => !isMissing);
  // Stable, so that trades of one time keep their order.
  arrived.sort((a, b) => (a.arrival < b.arrival ? -1 : a.arrival > b.arrival ? 1 : 0));
  return {
    trades: arrived.map(({ arrival: _arrival, isMissing: _isMissing, ...trade }) => trade),
    labels,
  };
}

function grouped(drafts: readonly Draft[]): Map<string, Draft[]> {
  const groups = new Map<string, Draft[]>();
  for (const draft of drafts) {
    const group = groups.get(draft.symbol);
    if (group === undefined) groups.set(draft.symbol, [draft]);
    else group.push(draft);
  }
  return groups;
}

/** Slots in order of time: those of all kinds, shuffled, and what time is left spread over them. */
function slotsOf(
  random: Random,
  { start, end }: Stretch,
): { readonly kind: Kind; readonly stretch: Stretch }[] {
  const kinds = Object.entries(PLAN).flatMap(([kind, { count }]) => {
    return new Array<Kind>(count).fill(kind as Kind);
  });
  const shuffled = random.shuffle(kinds);
  const taken = shuffled.reduce((sum, kind) => sum + PLAN[kind].slotSeconds, 0);
  const free = Number((end - start) / SECOND_NS) - 2 * EDGE_S - taken;
  if (free < 0) throw new RangeError('the session is too short for its anomalies');
  const waits = shuffled.map(() => random.uniform(0, free)).sort((a, b) => a - b);
  let used = EDGE_S;
  return shuffled.map((kind, index) => {
    const from = start + nanoseconds(used + waits[index]!);
    used += PLAN[kind].slotSeconds;
    return { kind, stretch: { start: from, end: from + nanoseconds(PLAN[kind].slotSeconds) } };
  });
}

/** Trades of a stretch, by halving. */
function between(trades: readonly Draft[], { start, end }: Stretch): readonly Draft[] {
  const firstAt = (time: bigint): number => {
    let [low, high] = [0, trades.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (trades[middle]!.time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return trades.slice(firstAt(start), firstAt(end));
}
