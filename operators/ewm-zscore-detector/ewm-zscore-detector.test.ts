import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { ewmZscoreDetector } from './ewm-zscore-detector.ts';

const ROWS = `
  event_time | symbol | close
  09:30      | A      | 10
  09:31      | A      | 11
  09:32      | A      | 10
  09:33      | A      | 20
  09:33      | B      | 5
  09:34      | A      |
  09:35      | A      | 0
`;

test('equals rolling and threshold', () => {
  for (const clamp of [undefined, 3]) {
    const weights = 'span => 4, min_rows => 2';
    const clamped = clamp === undefined ? '' : ', clamp => 3';
    const before = `${weights}, exclude_current => true`;
    assertEqualsSteps({
      rows: ROWS,
      detector: ewmZscoreDetector,
      config: { span: 4, min_rows: 2, threshold: 1.5, ...(clamp === undefined ? {} : { clamp }) },
      steps: [
        {
          ...{ type: 'rolling', over: '1 row' },
          columns: {
            z: `ewm_zscore(close, ${weights}${clamped})`,
            usual: `ewm_mean(close, ${before})`,
            deviation: `ewm_stddev(close, ${before}, bias => true)`,
          },
        },
        {
          type: 'threshold',
          rules: [
            {
              ...{ type: 'outlier', detector: 'ewm_zscore', when: 'abs(z) > 1.5', score: 'z' },
              value: 'close',
              ...(clamp === undefined
                ? { baseline: 'usual', details: { deviation: 'deviation' } }
                : {}),
            },
          ],
          severity: { medium: 2, high: 2.5 },
        },
      ],
      found: 2,
    });
  }
});
