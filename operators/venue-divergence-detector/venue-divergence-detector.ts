/**
 * The price of one venue against those of the others. Each venue's price is kept with its time; one
 * that is too old says nothing. A venue is off when its price is farther than `threshold_pct` from
 * the median of the others, and is reported once it has been so for `lasting`.
 */

import { type ConfigOf, duration, expressions, type Fields } from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { positive } from '../detectors/detector-fields.ts';
import { KeyedDetector } from '../detectors/keyed-detector.ts';

const VENUES_MAX = 64;

const fields = {
  prices: expressions({
    doc:
      'The price of each venue, by name: an expression that is null in rows of other venues. ' +
      'Rows may also carry the prices of several venues side by side.',
    examples: [
      {
        nasdaq: "case when venue = 'Q' then price end",
        nyse: "case when venue = 'N' then price end",
      },
    ],
  }),
  threshold_pct: positive({ doc: 'Percent off the median of the others.' }).max(1e6).default(1),
  lasting: duration({
    doc: 'How long a venue must be off, in event time, before it is reported.',
  }).default('1s'),
  max_age: duration({ doc: 'A price older than this is not compared.' }).default('10s'),
  ...keyedFields('venue_divergence', 'venue_divergence', { medium: 2, high: 5 }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

/** Record of a venue. A price of 0 is none. */
const PRICE = 0;
const TIME = 1;
const IS_OFF = 2;
const SINCE = 3;
const IS_REPORTED = 4;
const VENUE_NUMBERS = 5;
const PRICE_MAX = 1e150;

class VenueDivergenceDetector extends KeyedDetector {
  readonly #config: Config;
  readonly #lasting: number;
  readonly #age: number;
  readonly #found: readonly FoundAnomalies[];
  readonly #others: Float64Array;

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { prices, anomaly_type: type, detector, severity, threshold_pct } = config;
    const found = Object.keys(prices).map((venue) => {
      const rule = `${venue} is ${threshold_pct} % off the median of the others`;
      return new FoundAnomalies({ type, detector, rule, details: ['seconds', 'other_venues'] });
    });
    const inputs = Object.values(prices);
    super({ inputs, recordNumbers: numbersOf(config), found, severity }, context, state);
    this.#config = config;
    this.#lasting = Number(durationNs(config.lasting)) / 1e9;
    this.#age = Number(durationNs(config.max_age)) / 1e9;
    this.#found = found;
    this.#others = new Float64Array(found.length);
  }

  protected judge(
    row: number,
    inputs: readonly Float64Array[],
    records: Float64Array,
    at: number,
    time: number,
  ): void {
    let isNew = false;
    for (let venue = 0; venue < inputs.length; venue++) {
      const price = inputs[venue]![row]!;
      if (!(price > 0 && price <= PRICE_MAX)) continue;
      records[at + venue * VENUE_NUMBERS + PRICE] = price;
      records[at + venue * VENUE_NUMBERS + TIME] = time;
      isNew = true;
    }
    if (!isNew) return;
    for (let venue = 0; venue < inputs.length; venue++) {
      this.#compare(row, venue, records, at, time);
    }
  }

  #compare(row: number, venue: number, records: Float64Array, at: number, time: number): void {
    const own = at + venue * VENUE_NUMBERS;
    const price = records[own + PRICE]!;
    const count = this.#collect(venue, records, at, time);
    const isFresh = price > 0 && Math.abs(time - records[own + TIME]!) <= this.#age;
    const middle = this.#others.subarray(0, count).sort();
    const baseline = (middle[(count - 1) >> 1]! + middle[count >> 1]!) / 2;
    const score = (price / baseline - 1) * 100;
    const { threshold_pct: threshold } = this.#config;
    if (count === 0 || !isFresh || !(Math.abs(score) > threshold) || !Number.isFinite(score)) {
      records[own + IS_OFF] = 0;
      return;
    }
    if (records[own + IS_OFF] === 0) {
      records[own + IS_OFF] = 1;
      records[own + SINCE] = time;
      records[own + IS_REPORTED] = 0;
    }
    const seconds = time - records[own + SINCE]!;
    if (records[own + IS_REPORTED] === 1 || seconds < this.#lasting) return;
    records[own + IS_REPORTED] = 1;
    const found = { value: price, baseline, score, threshold, details: [seconds, count] };
    this.#found[venue]!.add(row, found);
  }

  /** Fresh prices of the other venues. */
  #collect(venue: number, records: Float64Array, at: number, time: number): number {
    let count = 0;
    for (let other = 0; other < this.#found.length; other++) {
      const from = at + other * VENUE_NUMBERS;
      if (other === venue || records[from + PRICE] === 0) continue;
      if (Math.abs(time - records[from + TIME]!) > this.#age) continue;
      this.#others[count++] = records[from + PRICE]!;
    }
    return count;
  }
}

function numbersOf({ prices }: Pick<Config, 'prices'>): number {
  return Object.keys(prices).length * VENUE_NUMBERS;
}

export const venueDivergenceDetector = defineKeyedDetector({
  name: 'venue_divergence_detector',
  summary: 'Makes an anomaly row where the price of a venue stays off those of the others.',
  fields,
  constraints: [
    {
      at: ['prices'],
      violated: ({ prices }) => {
        const count = Object.keys(prices).length;
        if (count < 2) return 'must name at least two venues';
        return count > VENUES_MAX ? `must not name more than ${VENUES_MAX}` : undefined;
      },
    },
  ],
  inputs: ['prices'],
  state: 'The last price of each venue, and since when it has been off.',
  recordNumbers: numbersOf,
  examples: [
    {
      title: 'one of three venues stays behind; an old price is not compared',
      config: { prices: { a: 'open', b: 'high', c: 'low' }, lasting: '2s' },
      input: `
        event_time | symbol | open | high | low
        09:30:00   | BTC    | 100  |      |
        09:30:01   | BTC    |      | 100  |
        09:30:02   | BTC    |      |      | 100
        09:30:03   | BTC    | 102  | 102  |
        09:30:04   | BTC    |      | 102  |
        09:30:05   | BTC    | 102  |      |
        09:30:06   | BTC    | 102  |      |
        09:30:30   | BTC    | 110  |      |
      `,
      output: `
        event_time | symbol | type             | value | baseline | direction
        09:30:05   | BTC    | venue_divergence | 100   | 102      | down
      `,
    },
  ],
  open: (config, context, state) => new VenueDivergenceDetector(config as Config, context, state),
});
