/** Far from the mean of the window, in standard deviations of a sample. */

import { input, positive, beyond, side, windowFields } from '../detectors/detector-fields.ts';
import { defineDetector } from '../detectors/define-detector.ts';

export const zscoreDetector = defineDetector({
  name: 'zscore_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports values that are many standard deviations from the mean of those before.',
  fields: {
    value: input('close', 'What is watched'),
    ...windowFields('20 rows'),
    threshold: positive({ doc: 'Standard deviations beyond which a value is an anomaly.' }).default(
      3,
    ),
    side: side(),
  },
  types: ['outlier'],
  rules: ({ value, threshold, side, ...window }) => [
    {
      type: 'outlier',
      when: beyond(`zscore(${value})`, threshold, side),
      value,
      score: `zscore(${value})`,
      baseline: `mean(${value})`,
      threshold,
      details: { deviation: `stddev(${value})` },
      window,
    },
  ],
  examples: [
    {
      title: 'A price far from the three before it',
      config: { value: 'price', over: '3 rows', threshold: 3 },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | AAPL   | 101
        09:30:02   | AAPL   | 102
        09:30:03   | IBM    | 50
        09:30:04   | AAPL   | 105
        09:30:05   | AAPL   | 103
      `,
      output: `
        event_time | symbol | type    | detector | value | baseline | score | threshold | severity
        09:30:04   | AAPL   | outlier | zscore   | 105   | 101      | 4     | 3         | low
      `,
    },
    {
      title: 'Falls of the price that are unusual among the changes of the last minute',
      config: { value: 'pct_change(price) * 100', over: '1m', min_rows: 3, side: 'below' },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:10   | AAPL   | 101
        09:30:20   | AAPL   | 100
        09:30:30   | AAPL   | 101
        09:30:40   | AAPL   | 90
        09:30:50   | AAPL   | 110
      `,
      output: `
        event_time | symbol | type    | direction | threshold
        09:30:40   | AAPL   | outlier | down      | 3
      `,
    },
  ],
});
