import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { movingAverageDetector } from './moving-average-detector.ts';

const ROWS = `
  event_time | symbol | close
  09:30      | A      | 10
  09:31      | A      | 10
  09:32      | A      | 12
  09:32      | B      | 7
  09:33      | A      | -5
`;

test('equals rolling and threshold', () => {
  for (const [exclude_current, side, when] of [
    [true, 'both', 'abs(off) > 5'],
    [false, 'below', 'off < -5'],
  ] as const) {
    assertEqualsSteps({
      rows: ROWS,
      detector: movingAverageDetector,
      config: { over: '2 rows', exclude_current, side },
      steps: [
        {
          ...{ type: 'rolling', over: '2 rows', exclude_current },
          columns: { usual: 'mean(close)', off: '(close - mean(close)) / abs(mean(close)) * 100' },
        },
        {
          type: 'threshold',
          rules: [
            {
              ...{ type: 'trend_deviation', detector: 'moving_average', when, value: 'close' },
              ...{ score: 'off / 5', threshold: 1, baseline: 'usual' },
              details: { deviation_pct: 'off' },
            },
          ],
          severity: { medium: 4 / 3, high: 5 / 3 },
        },
      ],
      found: 1,
    });
  }
});
