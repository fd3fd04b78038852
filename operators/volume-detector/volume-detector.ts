/**
 * Unusual changes of volume: the z-score of the change in percent. A volume behind one of 0 has no
 * change, and stays out of the window.
 */

import { defineDetector } from '../detectors/define-detector.ts';
import { beyond, input, positive, side, windowFields } from '../detectors/detector-fields.ts';

export const volumeDetector = defineDetector({
  name: 'volume_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports changes of volume that are unusual among those before.',
  fields: {
    volume: input('volume', 'Volume of a row'),
    ...windowFields('20 rows'),
    threshold: positive({
      doc: 'Standard deviations beyond which a change is an anomaly.',
    }).default(3),
    side: side(),
  },
  types: ['volume_spike'],
  rules: ({ volume, threshold, side, ...window }) => {
    const change = `pct_change(${volume}) * 100`;
    return [
      {
        type: 'volume_spike',
        when: beyond(`zscore(${change})`, threshold, side),
        value: change,
        score: `zscore(${change})`,
        baseline: `mean(${change})`,
        threshold,
        details: { deviation: `stddev(${change})`, volume },
        window,
      },
    ];
  },
  examples: [
    {
      title: 'Three times the volume, where changes are small',
      config: { over: '3 rows' },
      input: `
        event_time | symbol | volume
        09:30      | AAPL   | 1000
        09:31      | AAPL   | 1100
        09:32      | AAPL   | 990
        09:33      | AAPL   | 1089
        09:34      | AAPL   | 3267
      `,
      output: `
        event_time | type         | value | detector | direction | threshold
        09:34      | volume_spike | 200   | volume   | up        | 3
      `,
    },
  ],
});
