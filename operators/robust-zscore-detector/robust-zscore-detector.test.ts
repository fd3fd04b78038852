import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { robustZscoreDetector } from './robust-zscore-detector.ts';

test('equals rolling and threshold', () => {
  assertEqualsSteps({
    rows: `
      event_time | symbol | close
      09:30      | A      | 10
      09:31      | A      | 10
      09:32      | A      | 11
      09:33      | A      | 30
      09:34      | A      | 11
      09:35      | A      | -20
      09:35      | B      | -20
    `,
    detector: robustZscoreDetector,
    config: { over: '3 rows', threshold: 2, side: 'above' },
    steps: [
      {
        ...{ type: 'rolling', over: '3 rows', exclude_current: true },
        columns: { z: 'robust_zscore(close)', usual: 'median(close)', spread: 'mad(close)' },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'outlier', detector: 'robust_zscore', when: 'z > 2', value: 'close' },
            ...{ score: 'z', baseline: 'usual', threshold: 2, details: { mad: 'spread' } },
          },
        ],
        severity: { medium: 8 / 3, high: 10 / 3 },
      },
    ],
    found: 1,
  });
});
