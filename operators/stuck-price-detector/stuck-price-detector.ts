/**
 * Prices that stand still though there is trade: a feed that repeats its last value. A real market
 * of the same price for long has few trades, or hits it now and then from elsewhere.
 */

import { type ConfigOf, duration, type Fields, integer } from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { input } from '../detectors/detector-fields.ts';
import { KeyedDetector } from '../detectors/keyed-detector.ts';

const fields = {
  price: input('price', 'What must not stand still'),
  size: input('size', 'What was traded'),
  rows: integer({
    doc:
      'Rows of one and the same price, all of them traded, that make a stuck price. The row that ' +
      'completes them is the anomaly, then one for each time their number has doubled.',
    minimum: 2,
    maximum: 1_000_000_000,
  }).default(20),
  at_least: duration({
    doc: 'How long the price must have stood besides: a burst of trades at one price is common.',
  }).default('1m'),
  ...keyedFields('stuck_price', 'stuck_price', { medium: 50, high: 200 }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const PRICE = 0;
const RUN = 1;
const SINCE = 2;
const NEXT = 3;
const RECORD_NUMBERS = 4;

class StuckPriceDetector extends KeyedDetector {
  readonly #rows: number;
  readonly #seconds: number;
  readonly #found: FoundAnomalies;

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { anomaly_type: type, detector, rows, at_least, severity } = config;
    const found = new FoundAnomalies({
      ...{ type, detector, details: ['rows', 'seconds'] },
      rule: `the same price for ${rows} rows and ${at_least}`,
    });
    const inputs = [config.price, config.size];
    super({ inputs, recordNumbers: RECORD_NUMBERS, found: [found], severity }, context, state);
    this.#rows = rows;
    this.#seconds = Number(durationNs(at_least)) / 1e9;
    this.#found = found;
  }

  protected judge(
    row: number,
    [prices, sizes]: readonly Float64Array[],
    records: Float64Array,
    at: number,
    time: number,
  ): void {
    const price = prices![row]!;
    // Rows without trade, or without a price, say nothing.
    if (!Number.isFinite(price) || !(sizes![row]! > 0)) return;
    if (records[at + RUN] === 0 || records[at + PRICE] !== price) {
      records[at + PRICE] = price;
      records[at + RUN] = 1;
      records[at + SINCE] = time;
      records[at + NEXT] = this.#rows;
      return;
    }
    const run = ++records[at + RUN]!;
    const seconds = time - records[at + SINCE]!;
    if (run < records[at + NEXT]! || seconds < this.#seconds) return;
    records[at + NEXT] = 2 * run;
    const found = { value: price, baseline: Number.NaN, score: run, threshold: this.#rows };
    this.#found.add(row, { ...found, details: [run, seconds] });
  }
}

export const stuckPriceDetector = defineKeyedDetector({
  name: 'stuck_price_detector',
  summary: 'Makes an anomaly row where a price stands still though there is trade.',
  fields,
  inputs: ['price', 'size'],
  state: 'The price of the last trade, since when and how often it has been the same.',
  recordNumbers: () => RECORD_NUMBERS,
  examples: [
    {
      title: 'a feed that repeats a price',
      config: { rows: 3, at_least: '0s' },
      input: `
        event_time | symbol | price | size
        09:30:00   | AAPL   | 100   | 10
        09:30:01   | AAPL   | 101   | 10
        09:30:02   | AAPL   | 101   | 0
        09:30:03   | AAPL   | 101   | 20
        09:30:04   | AAPL   | 101   | 10
        09:30:05   | AAPL   | 101   | 10
        09:30:06   | AAPL   | 102   | 10
      `,
      output: `
        event_time | symbol | type        | value | score | threshold
        09:30:04   | AAPL   | stuck_price | 101   | 3     | 3
      `,
    },
  ],
  open: (config, context, state) => new StuckPriceDetector(config as Config, context, state),
});
