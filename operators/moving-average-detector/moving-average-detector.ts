/** Far from the mean of the window, in percent of it. */

import { defineDetector } from '../detectors/define-detector.ts';
import { beyond, input, positive, side, windowFields } from '../detectors/detector-fields.ts';

export const movingAverageDetector = defineDetector({
  name: 'moving_average_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports values that are some percent away from their moving average.',
  fields: {
    value: input('close', 'What is watched'),
    ...windowFields('20 rows'),
    threshold_pct: positive({
      doc: 'Percent of the average beyond which a value is an anomaly. The score is in these.',
      examples: [5],
    }).default(5),
    side: side(),
  },
  types: ['trend_deviation'],
  rules: ({ value, threshold_pct, side, ...window }) => {
    const deviation = `(${value} - mean(${value})) / abs(mean(${value})) * 100`;
    return [
      {
        type: 'trend_deviation',
        when: beyond(deviation, threshold_pct, side),
        value,
        score: `${deviation} / ${threshold_pct}`,
        baseline: `mean(${value})`,
        threshold: 1,
        details: { deviation_pct: deviation },
        window,
      },
    ];
  },
  examples: [
    {
      title: 'More than five percent from the mean of the three before',
      config: { over: '3 rows' },
      input: `
        event_time | symbol | close
        09:30      | AAPL   | 99
        09:31      | AAPL   | 100
        09:32      | AAPL   | 101
        09:33      | AAPL   | 104
        09:34      | AAPL   | 91.5
      `,
      output: `
        event_time | type            | value | baseline           | direction | threshold
        09:34      | trend_deviation | 91.5  | 101.66666666666667 | down      | 1
      `,
    },
  ],
});
