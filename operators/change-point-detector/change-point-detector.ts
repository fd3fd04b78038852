/**
 * Changes of level, by Page and Hinkley: how far the sum of deviations from the mean so far has
 * risen above its lowest point, or fallen below its highest. A single spike adds little, a small
 * shift that stays adds up.
 *
 *   mean, deviation   of all values since the last change, by Welford
 *   z = (value - mean) / deviation, of the values before, clipped at `clip`
 *   up = max(0, up + z - drift),  down = max(0, down - z - drift)
 *   a change is up > threshold, or down > threshold
 *
 * After a change all begins anew, so that the new level is learnt and not reported for ever.
 */

import { type ConfigOf, type Fields, integer } from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import { FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { input, positive } from '../detectors/detector-fields.ts';
import { KeyedDetector } from '../detectors/keyed-detector.ts';

const fields = {
  value: input('price', 'What may change its level'),
  threshold: positive({
    doc:
      'How far deviations must add up, in standard deviations: a shift by two of them is found ' +
      'after some threshold / (2 - drift) rows.',
  }).default(20),
  drift: positive({
    doc: 'What is taken off each deviation, so that noise does not add up; half the least shift.',
  }).default(0.5),
  clip: positive({
    doc: 'Deviations count for no more than this, so that no spike is a change.',
  }).default(4),
  min_rows: integer({
    doc: 'Rows that a level is learnt from before a change of it is looked for.',
    minimum: 2,
    maximum: 1_000_000_000,
  }).default(30),
  ...keyedFields('change_point', 'page_hinkley', { medium: 30, high: 60 }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const COUNT = 0;
const MEAN = 1;
const SQUARES = 2;
const UP = 3;
const DOWN = 4;
/** Rows since `up`, and `down`, was last 0: where the change began. */
const UP_ROWS = 5;
const DOWN_ROWS = 6;
const RECORD_NUMBERS = 7;
/** Squares of larger numbers, and their sums, would not be finite. */
const VALUE_MAX = 1e140;

class ChangePointDetector extends KeyedDetector {
  readonly #config: Config;
  readonly #found: FoundAnomalies;

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { anomaly_type: type, detector, severity, value } = config;
    const found = new FoundAnomalies({
      ...{ type, detector, details: ['rows_since_change', 'deviation', 'rows_before'] },
      rule: `deviations of ${value} add up to more than ${config.threshold}`,
    });
    super(
      { inputs: [value], recordNumbers: RECORD_NUMBERS, found: [found], severity },
      context,
      state,
    );
    this.#config = config;
    this.#found = found;
  }

  protected judge(
    row: number,
    [values]: readonly Float64Array[],
    records: Float64Array,
    at: number,
  ): void {
    const value = values![row]!;
    if (!(Math.abs(value) <= VALUE_MAX)) return;
    const { min_rows, drift, clip, threshold } = this.#config;
    const count = records[at + COUNT]!;
    if (count >= min_rows) {
      const deviation = Math.sqrt(records[at + SQUARES]! / (count - 1));
      const off = value - records[at + MEAN]!;
      // A level without any noise is left by whatever differs from it.
      const z = deviation > 0 ? off / deviation : off === 0 ? 0 : Math.sign(off) * clip;
      const step = Math.max(-clip, Math.min(clip, z));
      const up = Math.max(0, records[at + UP]! + step - drift);
      const down = Math.max(0, records[at + DOWN]! - step - drift);
      records[at + UP_ROWS] = up > 0 ? records[at + UP_ROWS]! + 1 : 0;
      records[at + DOWN_ROWS] = down > 0 ? records[at + DOWN_ROWS]! + 1 : 0;
      records[at + UP] = up;
      records[at + DOWN] = down;
      if (up > threshold || down > threshold) {
        const since = records[at + (up > threshold ? UP_ROWS : DOWN_ROWS)]!;
        this.#found.add(row, {
          ...{ value, baseline: records[at + MEAN]!, threshold },
          score: up > threshold ? up : -down,
          details: [since, deviation, count - since],
        });
        records.fill(0, at, at + RECORD_NUMBERS);
      }
    }
    const next = ++records[at + COUNT]!;
    const off = value - records[at + MEAN]!;
    records[at + MEAN]! += off / next;
    records[at + SQUARES]! += off * (value - records[at + MEAN]!);
  }
}

export const changePointDetector = defineKeyedDetector({
  name: 'change_point_detector',
  summary: 'Makes an anomaly row where the level of a number has changed for good.',
  fields,
  inputs: ['value'],
  state: 'Mean and spread of the level at hand, and how far deviations have added up.',
  recordNumbers: () => RECORD_NUMBERS,
  examples: [
    {
      title: 'a level that is left for good, after a spike that is none',
      config: { min_rows: 4, threshold: 6 },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 1.0
        09:30:01   | AAPL   | 1.2
        09:30:02   | AAPL   | 0.8
        09:30:03   | AAPL   | 1.0
        09:30:04   | AAPL   | 3.0
        09:30:05   | AAPL   | 1.0
        09:30:06   | AAPL   | 1.0
        09:30:07   | AAPL   | 4.0
        09:30:08   | AAPL   | 4.1
        09:30:09   | AAPL   | 4.0
        09:30:10   | AAPL   | 4.1
        09:30:11   | AAPL   | 4.0
      `,
      output: `
        event_time | symbol | type         | detector     | value | direction | threshold
        09:30:08   | AAPL   | change_point | page_hinkley | 4.1   | up        | 6
      `,
    },
  ],
  open: (config, context, state) => new ChangePointDetector(config as Config, context, state),
});
