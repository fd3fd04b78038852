/**
 * Bars that reach far from low to high. A bar whose low (or whatever the percent are of) is not
 * above 0 is no such bar: a ratio of it says nothing.
 */

import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive } from '../detectors/detector-fields.ts';

export const highLowRatioDetector = defineDetector({
  name: 'high_low_ratio_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports bars whose range from low to high is more than some percent.',
  fields: {
    high: input('high', 'Highest price of a bar'),
    low: input('low', 'Lowest price of a bar'),
    of: input('low', 'Price that the percent are of, such as `low` or `close`'),
    threshold_pct: positive({ doc: 'Percent beyond which a range is an anomaly.' }).default(10),
  },
  types: ['high_low_ratio'],
  rules: ({ high, low, of, threshold_pct }) => {
    const ratio = `case when ${of} > 0 then (${high} - ${low}) / ${of} * 100 end`;
    return [
      {
        type: 'high_low_ratio',
        when: `${ratio} > ${threshold_pct}`,
        value: ratio,
        score: ratio,
        threshold: threshold_pct,
        details: { high, low },
      },
    ];
  },
  examples: [
    {
      title: 'Ranges of more than ten percent of the low',
      config: {},
      input: `
        event_time | symbol | high | low
        09:30      | AAPL   | 105  | 100
        09:31      | AAPL   | 120  | 100
        09:32      | AAPL   | 120  | 0
      `,
      output: `
        event_time | type           | value | score | threshold | severity | direction
        09:31      | high_low_ratio | 20    | 20    | 10        | high     | up
      `,
    },
  ],
});
