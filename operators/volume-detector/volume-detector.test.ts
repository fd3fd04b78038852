import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { volumeDetector } from './volume-detector.ts';

test('equals rolling and threshold', () => {
  assertEqualsSteps({
    rows: `
      event_time | symbol | volume:int64
      09:30      | A      | 100
      09:31      | A      | 110
      09:32      | A      | 99
      09:33      | A      | 0
      09:34      | A      | 100
      09:35      | A      | 900
      09:35      | B      | 900
    `,
    detector: volumeDetector,
    config: { over: '3 rows', threshold: 1.1, exclude_current: false },
    steps: [
      {
        ...{ type: 'rolling', over: '3 rows' },
        columns: {
          change: 'pct_change(volume) * 100',
          z: 'zscore(pct_change(volume) * 100)',
          usual: 'mean(pct_change(volume) * 100)',
          deviation: 'stddev(pct_change(volume) * 100)',
        },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'volume_spike', detector: 'volume', when: 'abs(z) > 1.1', score: 'z' },
            ...{ value: 'change', baseline: 'usual' },
            details: { deviation: 'deviation', volume: 'volume' },
          },
        ],
        severity: { medium: 4.4 / 3, high: 5.5 / 3 },
      },
    ],
    found: 2,
  });
});
