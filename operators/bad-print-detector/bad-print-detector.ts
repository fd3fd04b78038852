/** Declaration of the `bad_print_detector`; the operator is next door. */

import {
  type ConfigOf,
  duration,
  type Fields,
  integer,
  number,
} from '../../engine/contract/fields.ts';
import { anomalyType } from '../anomalies/anomaly-fields.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { input, positive } from '../detectors/detector-fields.ts';
import { BadPrintOperator } from './bad-print-operator.ts';
import { levelNumbers } from './price-level.ts';

const fields = {
  price: input('price', 'Price of a trade'),
  window: integer({
    doc: 'Prices that the level is made of; a tenth at either end is left out.',
    minimum: 5,
    maximum: 1000,
  }).default(60),
  deviations: number({ doc: 'Standard deviations off the level beyond which a price is doubted,' })
    .min(0)
    .max(1e6)
    .default(3),
  min_pct: positive({ doc: 'plus this many percent of it.' }).max(1000).default(1),
  confirm: integer({
    doc:
      'Doubted prices in a row that confirm each other: the market has moved. A price not ' +
      'doubted before that makes those that wait bad prints.',
    minimum: 2,
    maximum: 100,
  }).default(5),
  within: duration({
    doc: 'How long a doubted price waits at most; it was a move of the market if none followed.',
  }).default('5m'),
  min_rows: integer({
    doc: 'Prices of a level before one is doubted.',
    minimum: 5,
    maximum: 1000,
  }).default(20),
  decimal_type: anomalyType(
    'Type of the bad prints that are ten, a hundred or more times the level, or such a part of ' +
      'it, within 5 %: their decimal point is misplaced. By default that of the others.',
  ).optional(),
  ...keyedFields('bad_print', 'brownlees_gallo', { medium: 3, high: 10 }),
} satisfies Fields;

export type Config = ConfigOf<typeof fields>;

export const badPrintDetector = defineKeyedDetector({
  name: 'bad_print_detector',
  summary: 'Makes an anomaly row of a price that is far off and from which the market comes back.',
  fields,
  constraints: [
    {
      at: ['min_rows'],
      violated: ({ min_rows, window }) =>
        min_rows > window ? `must not exceed window, which is ${window}` : undefined,
    },
  ],
  inputs: ['price'],
  types: ({ anomaly_type, decimal_type }) => [anomaly_type, decimal_type ?? anomaly_type],
  state: 'The last prices that were believed, and those that wait.',
  recordNumbers: levelNumbers,
  guarantees: {
    order: 'Anomalies come when they are certain, up to `confirm` rows or `within` later.',
    lateness: 'A late row is neither judged nor learnt.',
    backPressure: 'Holds the watermark back to the oldest price that waits.',
  },
  examples: [
    {
      title: 'a misplaced decimal point is a bad print, a fall that stays is none',
      config: { window: 5, min_rows: 5, confirm: 3 },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100.0
        09:30:01   | AAPL   | 100.1
        09:30:02   | AAPL   | 100.0
        09:30:03   | AAPL   | 99.9
        09:30:04   | AAPL   | 100.0
        09:30:05   | AAPL   | 10.0
        09:30:06   | AAPL   | 100.1
        09:30:07   | AAPL   | 90.0
        09:30:08   | AAPL   | 90.1
        09:30:09   | AAPL   | 90.0
        09:30:10   | AAPL   | 90.1
      `,
      output: `
        event_time | symbol | type      | detector        | value | baseline | score | direction
        09:30:05   | AAPL   | bad_print | brownlees_gallo | 10    | 100      | -90   | down
      `,
    },
    {
      title: 'misplaced decimal points have a type of their own',
      config: { window: 5, min_rows: 5, decimal_type: 'misplaced_decimal' },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100.0
        09:30:01   | AAPL   | 100.1
        09:30:02   | AAPL   | 100.0
        09:30:03   | AAPL   | 99.9
        09:30:04   | AAPL   | 100.0
        09:30:05   | AAPL   | 10001
        09:30:06   | AAPL   | 60.0
        09:30:07   | AAPL   | 9.7
        09:30:08   | AAPL   | 100.1
      `,
      output: `
        event_time | symbol | type              | value | baseline
        09:30:05   | AAPL   | misplaced_decimal | 10001 | 100
        09:30:06   | AAPL   | bad_print         | 60    | 100
        09:30:07   | AAPL   | misplaced_decimal | 9.7   | 100
      `,
    },
  ],
  open: (config, context, state) => new BadPrintOperator(config as Config, context, state),
});
