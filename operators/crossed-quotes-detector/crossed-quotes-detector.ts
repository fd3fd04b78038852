/**
 * Quotes that cross (bid above ask) or lock (bid at ask) for longer than it takes the venues to
 * settle it: somebody's quote is stale, or the feed is.
 *
 * A state begins with the first quote in it. It is reported once, by the first row that finds it at
 * least `lasting` old; that row may also be the one that ends it.
 */

import { type ConfigOf, duration, type Fields, flag } from '../../engine/contract/fields.ts';
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
  lasting: duration({
    doc: 'How long quotes must be crossed or locked, in event time, before they are reported.',
    examples: ['100ms', '1s'],
  }).default('1s'),
  locked: flag({ doc: 'Whether a bid that equals the ask is reported, too.' }).default(false),
  ...detectorFields,
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

/** 0 apart, 1 locked, 2 crossed. */
const STATE = 0;
const SINCE = 1;
const IS_REPORTED = 2;
const BID = 3;
const ASK = 4;
const RECORD_NUMBERS = 5;
const PRICE_MAX = 1e150;

class CrossedQuotesDetector extends KeyedDetector {
  readonly #seconds: number;
  readonly #reportsLocked: boolean;
  readonly #crossed: FoundAnomalies;
  readonly #locked: FoundAnomalies;

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { detector, severity, lasting } = config;
    const details = ['seconds'];
    const of = (type: string, rule: string): FoundAnomalies =>
      new FoundAnomalies({ type, detector, rule: `${rule} for ${lasting}`, details });
    const found = [of('crossed_quotes', 'bid > ask'), of('locked_quotes', 'bid = ask')] as const;
    const inputs = [config.bid, config.ask];
    super({ inputs, recordNumbers: RECORD_NUMBERS, found, severity }, context, state);
    this.#seconds = Number(durationNs(lasting)) / 1e9;
    this.#reportsLocked = config.locked;
    [this.#crossed, this.#locked] = found;
  }

  protected judge(
    row: number,
    [bids, asks]: readonly Float64Array[],
    records: Float64Array,
    at: number,
    time: number,
  ): void {
    const bid = bids![row]!;
    const ask = asks![row]!;
    const isQuoted = bid > 0 && bid <= PRICE_MAX && ask > 0 && ask <= PRICE_MAX;
    const next = !isQuoted ? 0 : bid > ask ? 2 : bid === ask ? 1 : 0;
    if (next === records[at + STATE]) this.#report(row, records, at, time, bid, ask);
    else {
      this.#report(row, records, at, time, records[at + BID]!, records[at + ASK]!);
      records[at + STATE] = next;
      records[at + SINCE] = time;
      records[at + IS_REPORTED] = 0;
      this.#report(row, records, at, time, bid, ask);
    }
    records[at + BID] = bid;
    records[at + ASK] = ask;
  }

  /** Reports the state at hand with these quotes, if it is due. */
  #report(
    row: number,
    records: Float64Array,
    at: number,
    time: number,
    bid: number,
    ask: number,
  ): void {
    const state = records[at + STATE]!;
    if (state === 0 || records[at + IS_REPORTED] === 1) return;
    const seconds = time - records[at + SINCE]!;
    if (seconds < this.#seconds || (state === 1 && !this.#reportsLocked)) return;
    records[at + IS_REPORTED] = 1;
    // In basis points of the ask.
    const found = { value: bid, baseline: ask, score: (bid / ask - 1) * 1e4, details: [seconds] };
    const which = state === 2 ? this.#crossed : this.#locked;
    which.add(row, { ...found, threshold: 0, confidence: 1 });
  }
}

export const crossedQuotesDetector = defineKeyedDetector({
  name: 'crossed_quotes_detector',
  summary: 'Makes an anomaly row where the best bid stays above the best ask.',
  fields,
  types: ['crossed_quotes', 'locked_quotes'],
  inputs: ['bid', 'ask'],
  state: 'The last quotes, whether and since when they are crossed or locked.',
  recordNumbers: () => RECORD_NUMBERS,
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
  ],
  open: (config, context, state) => new CrossedQuotesDetector(config as Config, context, state),
});
