/** Declaration of the `stale_feed_detector`; the operator is next door. */

import {
  choice,
  type ConfigOf,
  duration,
  type Fields,
  integer,
  number,
} from '../../engine/contract/fields.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { positive } from '../detectors/detector-fields.ts';
import { RECORD_NUMBERS, StaleFeedOperator } from './stale-feed-operator.ts';

/** Some years: event times and multiples of this add up within 64 bits. */
const SILENCE_MAX = '1000d';

const fields = {
  calendar: choice(['nyse', 'nasdaq', '24x7'], {
    doc:
      'Whose sessions a symbol is expected in. Silence is counted within a session, at the ' +
      'earliest from its opening on. With `24x7` there is but one, which never ends.',
  }).default('nyse'),
  sessions: choice(['regular', 'extended'], {
    doc: 'Whether only the regular session counts, or also the hours before and after it.',
  }).default('regular'),
  quantile: number({
    doc: 'Of the waits of the symbol between two rows of a session: the share that is shorter.',
  })
    .min(0.5)
    .max(1)
    .default(0.999),
  multiple: positive({ doc: 'How many times that wait a silence is.' }).max(1e6).default(2),
  at_least: duration({ doc: 'How long it is at least.' }).default('30s'),
  min_rows: integer({
    doc: 'Waits of a symbol before its silence is judged.',
    minimum: 1,
    maximum: 1_000_000_000,
  }).default(100),
  ...keyedFields('stale_feed', 'stale_feed', { medium: 1.5, high: 7.5 }),
} satisfies Fields;

export type Config = ConfigOf<typeof fields>;

export const staleFeedDetector = defineKeyedDetector({
  name: 'stale_feed_detector',
  summary: 'Makes an anomaly row where no row of a symbol comes for longer than is usual for it.',
  fields,
  constraints: [
    {
      at: ['at_least'],
      violated: ({ at_least }) =>
        durationNs(at_least) > durationNs(SILENCE_MAX)
          ? `must not exceed ${SILENCE_MAX}, got ${at_least}`
          : undefined,
    },
  ],
  inputs: [],
  state: 'When the last row came, what is due, and how many waits were of which length.',
  recordNumbers: () => RECORD_NUMBERS,
  guarantees: {
    order:
      'An anomaly comes when the watermark passes its time, or with the next row of its symbol.',
    lateness: 'A late row is passed over, as is one outside of the sessions.',
    backPressure: 'Works in the same turn; holds no rows back.',
  },
  examples: [
    {
      title: 'a symbol that falls silent, and another whose rows move time on',
      config: { min_rows: 2, at_least: '10s', calendar: '24x7' },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | AAPL   | 100
        09:30:02   | AAPL   | 100
        09:30:03   | IBM    | 180
        09:30:11   | IBM    | 180
        09:30:33   | IBM    | 180
        09:30:34   | AAPL   | 100
      `,
      output: `
        event_time | symbol | type       | value | baseline           | score | severity
        09:30:12   | AAPL   | stale_feed | 10    | 1.024              | 1     | low
        09:30:22   | AAPL   | stale_feed | 20    | 1.024              | 2     | medium
      `,
    },
  ],
  open: (config, context, state) => new StaleFeedOperator(config as Config, context, state),
});
