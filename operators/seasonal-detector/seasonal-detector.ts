/**
 * A value against the same time of day of the days before. Each key has a bucket for each stretch
 * of the day, with a decaying mean and variance of what it held; a row is judged by its bucket as
 * it was before the row's own day.
 *
 *   bucket   mean, variance      of the days before (weight 2 / (days + 1) for the latest)
 *            sum, count, day     of the day at hand, taken over when the next one comes
 *            days                how many the mean is made of
 */

import { type ConfigOf, duration, type Fields, integer } from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { input, positive, side } from '../detectors/detector-fields.ts';
import { KeyedDetector } from '../detectors/keyed-detector.ts';

const DAY_SECONDS = 86_400;
const BUCKETS_MAX = 1440;

const fields = {
  value: input('volume', 'What has its hours'),
  bucket: duration({
    doc: 'Length of a stretch of the day, from midnight UTC; it divides a day.',
    examples: ['5m', '1h'],
  }).default('5m'),
  days: integer({
    doc: 'How many days the usual is made of: the weight of the latest is 2 / (days + 1).',
    minimum: 1,
    maximum: 10_000,
  }).default(20),
  min_days: integer({
    doc: 'Days that a stretch must have had before a row of it is judged.',
    minimum: 2,
    maximum: 10_000,
  }).default(5),
  threshold: positive({ doc: 'Standard deviations beyond which a row is an anomaly.' }).default(4),
  side: side(),
  ...keyedFields('seasonal_deviation', 'seasonal', { medium: 6, high: 10 }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const MEAN = 0;
const VARIANCE = 1;
const SUM = 2;
const COUNT = 3;
/** Number of the day at hand, plus 1e6 so that none is 0. */
const DAY = 4;
const DAYS = 5;
const BUCKET_NUMBERS = 6;
const DAY_OFFSET = 1e6;
/** Squares of larger numbers, and their sums, would not be finite. */
const VALUE_MAX = 1e140;

class SeasonalDetector extends KeyedDetector {
  readonly #config: Config;
  readonly #seconds: number;
  readonly #found: FoundAnomalies;

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { anomaly_type: type, detector, severity, value, days } = config;
    const found = new FoundAnomalies({
      ...{ type, detector, details: ['deviation', 'days', 'bucket_start_seconds'] },
      rule: `${value} is more than ${config.threshold} deviations off its time of day`,
      history: { over: `${days} days, ${config.bucket} of each`, exclude_current: true },
    });
    const recordNumbers = numbersOf(config);
    super({ inputs: [value], recordNumbers, found: [found], severity }, context, state);
    this.#config = config;
    this.#seconds = Number(durationNs(config.bucket)) / 1e9;
    this.#found = found;
  }

  protected judge(
    row: number,
    [values]: readonly Float64Array[],
    records: Float64Array,
    start: number,
    time: number,
  ): void {
    const value = values![row]!;
    if (!(Math.abs(value) <= VALUE_MAX)) return;
    const day = Math.floor(time / DAY_SECONDS);
    const number = Math.floor((time - day * DAY_SECONDS) / this.#seconds);
    const at = start + number * BUCKET_NUMBERS;
    if (day + DAY_OFFSET > records[at + DAY]!) this.#close(records, at, day + DAY_OFFSET);
    const { min_days, threshold, side: which } = this.#config;
    const days = records[at + DAYS]!;
    const deviation = Math.sqrt(records[at + VARIANCE]!);
    if (days >= min_days && deviation > 0) {
      const baseline = records[at + MEAN]!;
      const score = (value - baseline) / deviation;
      const isOff = which === 'below' ? score < -threshold : score > threshold;
      if ((isOff || (which === 'both' && score < -threshold)) && Number.isFinite(score)) {
        const details = [deviation, days, number * this.#seconds];
        this.#found.add(row, { value, baseline, score, threshold, details });
      }
    }
    records[at + SUM]! += value;
    records[at + COUNT]!++;
  }

  /** Takes the day at hand over into the usual, by its mean, and begins another. */
  #close(records: Float64Array, at: number, day: number): void {
    const count = records[at + COUNT]!;
    if (count > 0) {
      const days = ++records[at + DAYS]!;
      const weight = Math.max(2 / (this.#config.days + 1), 1 / days);
      const off = records[at + SUM]! / count - records[at + MEAN]!;
      records[at + MEAN]! += weight * off;
      records[at + VARIANCE] = (1 - weight) * (records[at + VARIANCE]! + weight * off * off);
    }
    records[at + DAY] = day;
    records[at + SUM] = 0;
    records[at + COUNT] = 0;
  }
}

function numbersOf({ bucket }: Pick<Config, 'bucket'>): number {
  const seconds = Number(durationNs(bucket)) / 1e9;
  return Math.ceil(DAY_SECONDS / seconds) * BUCKET_NUMBERS;
}

export const seasonalDetector = defineKeyedDetector({
  name: 'seasonal_detector',
  summary: 'Makes an anomaly row of a value that is unusual for its time of day.',
  fields,
  constraints: [
    {
      at: ['bucket'],
      violated: ({ bucket }) => {
        const length = durationNs(bucket);
        if (length === 0n || durationNs('24h') % length !== 0n) return 'must divide a day';
        const count = durationNs('24h') / length;
        return count > BigInt(BUCKETS_MAX) ? 'must be at least 1m' : undefined;
      },
    },
  ],
  inputs: ['value'],
  state: 'Decaying mean and variance of each stretch of the day, and the sum of the day at hand.',
  recordNumbers: numbersOf,
  examples: [
    {
      title: 'volume that is common at the open, but not at noon',
      config: { bucket: '1h', min_days: 3, threshold: 3, side: 'above' },
      input: `
        event_time           | symbol | volume
        2024-01-02T14:30:00Z | AAPL   | 1000
        2024-01-02T17:30:00Z | AAPL   | 100
        2024-01-03T14:30:00Z | AAPL   | 1100
        2024-01-03T17:30:00Z | AAPL   | 120
        2024-01-04T14:30:00Z | AAPL   | 900
        2024-01-04T17:30:00Z | AAPL   | 90
        2024-01-05T14:30:00Z | AAPL   | 1100
        2024-01-05T17:30:00Z | AAPL   | 1000
      `,
      output: `
        event_time           | symbol | type               | value | direction
        2024-01-05T17:30:00Z | AAPL   | seasonal_deviation | 1000  | up
      `,
    },
  ],
  open: (config, context, state) => new SeasonalDetector(config as Config, context, state),
});
