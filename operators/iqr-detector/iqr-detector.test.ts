import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { iqrDetector } from './iqr-detector.ts';

const ROWS = `
  event_time | symbol | close
  09:30      | A      | 10
  09:31      | A      | 10
  09:32      | A      | 11
  09:33      | A      | 13
  09:34      | A      | 30
  09:35      | A      | -20
  09:35      | B      | -20
`;

test('equals rolling and threshold', () => {
  for (const [side, when] of [
    ['both', 'range > 0 and (close > upper or close < lower)'],
    ['above', 'range > 0 and close > upper'],
    ['below', 'range > 0 and close < lower'],
  ] as const) {
    const score =
      'case when close > upper then (close - upper) / range ' +
      'when close < lower then (close - lower) / range end';
    assertEqualsSteps({
      rows: ROWS,
      detector: iqrDetector,
      config: { over: '4 rows', multiplier: 2, side },
      steps: [
        {
          ...{ type: 'rolling', over: '4 rows', exclude_current: true },
          columns: {
            usual: 'quantile(close, 0.5)',
            range: 'iqr(close)',
            lower: 'quantile(close, 0.25) - 2 * iqr(close)',
            upper: 'quantile(close, 0.75) + 2 * iqr(close)',
          },
        },
        {
          type: 'threshold',
          rules: [
            {
              ...{ type: 'outlier', detector: 'iqr', when, value: 'close', score },
              ...{ baseline: 'usual', threshold: 0 },
              confidence: `1 - pow(2, -1 - abs(${score}) / 2)`,
              details: { lower: 'lower', upper: 'upper', iqr: 'range' },
            },
          ],
          severity: { medium: 1, high: 2 },
        },
      ],
      found: 1,
    });
  }
});
