/**
 * Far from the median of the window, in median distances from it: as `zscore_detector`, but what
 * was unusual before does not hide what is unusual now (Iglewicz, Hoaglin 1993).
 */

import { defineDetector } from '../detectors/define-detector.ts';
import { beyond, input, positive, side, windowFields } from '../detectors/detector-fields.ts';

export const robustZscoreDetector = defineDetector({
  name: 'robust_zscore_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports values that are many median deviations from the median of those before.',
  fields: {
    value: input('close', 'What is watched'),
    ...windowFields('20 rows'),
    threshold: positive({ doc: 'Robust z-score beyond which a value is an anomaly.' }).default(3.5),
    side: side(),
  },
  types: ['outlier'],
  rules: ({ value, threshold, side, ...window }) => [
    {
      type: 'outlier',
      when: beyond(`robust_zscore(${value})`, threshold, side),
      value,
      score: `robust_zscore(${value})`,
      baseline: `median(${value})`,
      threshold,
      details: { mad: `mad(${value})` },
      window,
    },
  ],
  examples: [
    {
      title: 'The second of two spikes is seen like the first',
      config: { value: 'price', over: '5 rows' },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | AAPL   | 101
        09:30:02   | AAPL   | 102
        09:30:03   | AAPL   | 103
        09:30:04   | AAPL   | 104
        09:30:05   | AAPL   | 122
        09:30:06   | AAPL   | 123
      `,
      output: `
        event_time | symbol | type    | detector      | value | baseline | score | threshold
        09:30:05   | AAPL   | outlier | robust_zscore | 122   | 102      | 13.49 | 3.5
        09:30:06   | AAPL   | outlier | robust_zscore | 123   | 103      | 13.49 | 3.5
      `,
    },
  ],
});
