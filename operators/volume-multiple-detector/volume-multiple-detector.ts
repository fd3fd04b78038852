/** Volumes that are a multiple of the usual. */

import { choice } from '../../engine/contract/fields.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive, windowFields } from '../detectors/detector-fields.ts';

export const volumeMultipleDetector = defineDetector({
  name: 'volume_multiple_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports volumes that are more than some times the mean or median of those before.',
  fields: {
    volume: input('volume', 'Volume of a row'),
    ...windowFields('20 rows'),
    multiple: positive({
      doc: 'Times the usual volume beyond which a volume is an anomaly.',
    }).default(3),
    usual: choice(['mean', 'median'], {
      doc: 'What of the window is the usual volume. Spikes hardly move a median.',
    }).default('mean'),
  },
  types: ['volume_spike'],
  rules: ({ volume, multiple, usual, ...window }) => {
    const baseline = `${usual}(${volume})`;
    return [
      {
        type: 'volume_spike',
        // The difference, because it is null where the volume is infinite.
        when: `${baseline} > 0 and ${volume} - ${multiple} * ${baseline} > 0`,
        value: volume,
        score: `${volume} / ${baseline}`,
        baseline,
        threshold: multiple,
        window,
      },
    ];
  },
  examples: [
    {
      title: 'More than three times the last two volumes',
      config: { over: '2 rows' },
      input: `
        event_time | symbol | volume
        09:30      | AAPL   | 100
        09:31      | AAPL   | 300
        09:32      | AAPL   | 600
        09:33      | AAPL   | 1800
        09:33      | IBM    | 9000
      `,
      output: `
        event_time | type         | value | baseline | score | threshold | severity
        09:33      | volume_spike | 1800  | 450      | 4     | 3         | low
      `,
    },
  ],
});
