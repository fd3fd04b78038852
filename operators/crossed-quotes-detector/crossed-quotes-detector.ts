/**
 * Quotes that cross (bid above ask) or lock (bid at ask) for longer than it takes the venues to
 * settle it: somebody's quote is stale, or the feed is.
 *
 * With `by`, each row is the quote of a venue, and the best of those that are not older than
 * `max_age` count: the highest bid and the lowest ask. A quote that grows too old ends a state by
 * itself, at its moment, whenever the next row comes.
 *
 * A state begins with the quote that makes it. It is reported once, by the first row that finds it
 * at least `lasting` old, or to have been; that row may also be the one that ends it.
 *
 * Cost: a look at the quotes of all venues a row; at all pairs of them while quotes are crossed.
 */

import {
  column,
  type ConfigOf,
  duration,
  type Fields,
  flag,
} from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { input } from '../detectors/detector-fields.ts';
import { KeyedDetector } from '../detectors/keyed-detector.ts';

const { anomaly_type: _type, ...detectorFields } = keyedFields('crossed_quotes', 'crossed_quotes', {
  medium: 10,
  high: 50,
});

const fields = {
  bid: input('bid', 'Best bid'),
  ask: input('ask', 'Best ask'),
  by: column({
    doc:
      'Column of the venues, texts or whole numbers: rows are then their own quotes, and the ' +
      'best of each symbol are compared. A quote without a bid or an ask has none any more.',
    examples: ['venue'],
  }).optional(),
  max_age: duration({
    doc:
      'Quotes older than this, in event time, do not count: of a venue that has fallen silent. ' +
      'By default a quote counts until the next one of its venue.',
    examples: ['10s', '1m'],
  }).optional(),
  lasting: duration({
    doc: 'How long quotes must be crossed or locked, in event time, before they are reported.',
    examples: ['100ms', '1s'],
  }).default('1s'),
  locked: flag({ doc: 'Whether a bid that equals the ask is reported, too.' }).default(false),
  ...detectorFields,
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

/** What a key has: 0 apart, 1 locked, 2 crossed; since when; the best quotes, and their venues. */
const STATE = 0;
const SINCE = 1;
const IS_REPORTED = 2;
const BID = 3;
const ASK = 4;
const BID_GROUP = 5;
const ASK_GROUP = 6;
/** The latest time of a row, once there was one. */
const NOW = 7;
const IS_STARTED = 8;
const KEY_NUMBERS = 9;
/** The quote of a venue; 0 where there is none. */
const OWN_BID = 0;
const OWN_ASK = 1;
const OWN_TIME = 2;
const HAS_QUOTED = 3;
const GROUP_NUMBERS = 4;

const [LOCKED, CROSSED] = [1, 2];
const PRICE_MAX = 1e150;

interface Best {
  bid: number;
  ask: number;
  bidGroup: number;
  askGroup: number;
}

class CrossedQuotesDetector extends KeyedDetector {
  readonly #config: Config;
  readonly #seconds: number;
  readonly #age: number;
  readonly #found = new Map<string, FoundAnomalies>();
  readonly #best: Best = { bid: 0, ask: 0, bidGroup: 0, askGroup: 0 };

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { bid, ask, by, severity, lasting, max_age } = config;
    const records = { recordNumbers: KEY_NUMBERS, by, groupNumbers: GROUP_NUMBERS };
    super({ inputs: [bid, ask], ...records, found: [], severity }, context, state);
    this.#config = config;
    this.#seconds = Number(durationNs(lasting)) / 1e9;
    this.#age =
      max_age === undefined ? Number.POSITIVE_INFINITY : Number(durationNs(max_age)) / 1e9;
  }

  protected judge(
    row: number,
    [bids, asks]: readonly Float64Array[],
    records: Float64Array,
    at: number,
    time: number,
    group: number,
  ): void {
    const own = at + KEY_NUMBERS + group * GROUP_NUMBERS;
    // Behind a newer quote of its venue, it says nothing.
    if (records[own + HAS_QUOTED] === 1 && time < records[own + OWN_TIME]!) return;
    const isFirst = records[at + IS_STARTED] === 0;
    const now = isFirst ? time : Math.max(time, records[at + NOW]!);
    records[at + IS_STARTED] = 1;
    records[at + NOW] = now;
    if (this.#age !== Number.POSITIVE_INFINITY) this.#settle(row, records, at, now);
    records[own + OWN_BID] = priceOf(bids![row]!);
    records[own + OWN_ASK] = priceOf(asks![row]!);
    records[own + OWN_TIME] = time;
    records[own + HAS_QUOTED] = 1;
    this.#find(records, at, now);
    const next = stateOf(this.#best);
    if (next !== records[at + STATE]) {
      this.#report(row, records, at, now);
      records[at + STATE] = next;
      records[at + SINCE] = now;
      records[at + IS_REPORTED] = 0;
    }
    this.#keep(records, at);
    this.#report(row, records, at, now);
  }

  /** Ends the states that have ended because quotes grew too old, before this moment. */
  #settle(row: number, records: Float64Array, at: number, now: number): void {
    while (records[at + STATE] !== 0) {
      const end = this.#endOf(records, at, records[at + STATE]!);
      if (end >= now) return;
      this.#report(row, records, at, end);
      this.#find(records, at, end, false);
      records[at + STATE] = stateOf(this.#best);
      records[at + SINCE] = end;
      records[at + IS_REPORTED] = 0;
      this.#keep(records, at);
    }
  }

  /** Until when two quotes make this state, the last moment within it. */
  #endOf(records: Float64Array, at: number, state: number): number {
    let end = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.groups.count; i++) {
      const bidder = at + KEY_NUMBERS + i * GROUP_NUMBERS;
      const bid = records[bidder + OWN_BID]!;
      if (bid === 0) continue;
      for (let j = 0; j < this.groups.count; j++) {
        const asker = at + KEY_NUMBERS + j * GROUP_NUMBERS;
        const ask = records[asker + OWN_ASK]!;
        if (ask === 0 || !(state === CROSSED ? bid > ask : bid >= ask)) continue;
        const older = Math.min(records[bidder + OWN_TIME]!, records[asker + OWN_TIME]!);
        end = Math.max(end, older + this.#age);
      }
    }
    return end;
  }

  /** The best quotes at a moment, or just after it. */
  #find(records: Float64Array, at: number, moment: number, isWithin = true): void {
    const best = this.#best;
    best.bid = 0;
    best.ask = Number.POSITIVE_INFINITY;
    for (let group = 0; group < this.groups.count; group++) {
      const own = at + KEY_NUMBERS + group * GROUP_NUMBERS;
      const until = records[own + OWN_TIME]! + this.#age;
      if (isWithin ? until < moment : until <= moment) continue;
      const [bid, ask] = [records[own + OWN_BID]!, records[own + OWN_ASK]!];
      if (bid > best.bid || (bid === best.bid && this.#isBefore(group, best.bidGroup))) {
        best.bid = bid;
        best.bidGroup = group;
      }
      if (ask === 0) continue;
      if (ask < best.ask || (ask === best.ask && this.#isBefore(group, best.askGroup))) {
        best.ask = ask;
        best.askGroup = group;
      }
    }
  }

  /** By their texts: the numbers of groups hang on what other symbols have had. */
  #isBefore(group: number, other: number): boolean {
    return this.groups.text(group) < this.groups.text(other);
  }

  #keep(records: Float64Array, at: number): void {
    const { bid, ask, bidGroup, askGroup } = this.#best;
    records[at + BID] = bid;
    records[at + ASK] = ask;
    records[at + BID_GROUP] = bidGroup;
    records[at + ASK_GROUP] = askGroup;
  }

  /** Reports the state at hand, if at this moment it is due. */
  #report(row: number, records: Float64Array, at: number, moment: number): void {
    const state = records[at + STATE]!;
    if (state === 0 || records[at + IS_REPORTED] === 1) return;
    const seconds = moment - records[at + SINCE]!;
    if (seconds < this.#seconds || (state === LOCKED && !this.#config.locked)) return;
    records[at + IS_REPORTED] = 1;
    const [bid, ask] = [records[at + BID]!, records[at + ASK]!];
    // In basis points of the ask.
    const found = { value: bid, baseline: ask, score: (bid / ask - 1) * 1e4, details: [seconds] };
    const which = this.#foundOf(state, records[at + BID_GROUP]!, records[at + ASK_GROUP]!);
    which.add(row, { ...found, threshold: 0, confidence: 1 });
  }

  #foundOf(state: number, bidGroup: number, askGroup: number): FoundAnomalies {
    const name = `${state} ${bidGroup} ${askGroup}`;
    let found = this.#found.get(name);
    if (found === undefined) {
      const { detector, lasting, by } = this.#config;
      const [bid, ask] = [this.groups.text(bidGroup), this.groups.text(askGroup)];
      found = new FoundAnomalies({
        type: state === CROSSED ? 'crossed_quotes' : 'locked_quotes',
        ...{ detector, details: ['seconds'], by: by === undefined ? undefined : { bid, ask } },
        rule: `${state === CROSSED ? 'bid > ask' : 'bid = ask'} for ${lasting}`,
        order: JSON.stringify([CROSSED - state, bid, ask]),
      });
      this.#found.set(name, found);
      this.addFound(found);
    }
    return found;
  }
}

function priceOf(price: number): number {
  return price > 0 && price <= PRICE_MAX ? price : 0;
}

function stateOf({ bid, ask }: Best): number {
  if (bid === 0 || ask === Number.POSITIVE_INFINITY || bid < ask) return 0;
  return bid > ask ? CROSSED : LOCKED;
}

export const crossedQuotesDetector = defineKeyedDetector({
  name: 'crossed_quotes_detector',
  summary: 'Makes an anomaly row where the best bid stays above the best ask.',
  fields,
  types: ['crossed_quotes', 'locked_quotes'],
  inputs: ['bid', 'ask'],
  state: 'The best quotes, whether and since when they are crossed or locked,',
  recordNumbers: () => KEY_NUMBERS,
  by: 'by',
  groupNumbers: GROUP_NUMBERS,
  groupState: 'and the last quote of each venue.',
  stateVersion: 2,
  guarantees: {
    order: 'Anomalies come in the order of their rows.',
    lateness: 'A quote that is behind a newer one of its venue is passed over.',
    backPressure: 'Works in the same turn; holds no rows back.',
  },
  examples: [
    {
      title: 'quotes that stay crossed, and some that do not',
      config: { bid: 'high', ask: 'low', lasting: '1s' },
      input: `
        event_time   | symbol | high | low
        09:30:00     | AAPL   | 99   | 100
        09:30:01     | AAPL   | 101  | 100
        09:30:01.2   | AAPL   | 99   | 100
        09:30:05     | AAPL   | 101  | 100
        09:30:05.5   | AAPL   | 101  | 100
        09:30:06.5   | AAPL   | 102  | 100
        09:30:08     | AAPL   | 102  | 100
      `,
      output: `
        event_time | symbol | type           | value | baseline | score | direction
        09:30:06.5 | AAPL   | crossed_quotes | 102   | 100      | 200   | up
      `,
    },
    {
      title: 'the quote of a venue that has fallen silent does not count for ever',
      config: { bid: 'high', ask: 'low', by: 'venue', max_age: '10s', lasting: '1s' },
      input: `
        event_time | symbol | venue:string | high | low
        09:30:00   | AAPL   | N            | 99   | 100
        09:30:08   | AAPL   | Q            | 101  | 102
        09:30:09   | AAPL   | Q            | 101  | 102
        09:30:30   | AAPL   | Q            | 101  | 102
        09:30:31   | AAPL   | N            | 99   | 100
        09:30:50   | AAPL   | N            | 100  | 101
      `,
      output: `
        event_time | symbol | type           | value | baseline
        09:30:09   | AAPL   | crossed_quotes | 101   | 100
        09:30:50   | AAPL   | crossed_quotes | 101   | 100
      `,
    },
  ],
  open: (config, context, state) => new CrossedQuotesDetector(config as Config, context, state),
});
