import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { volumeDivergenceDetector } from './volume-divergence-detector.ts';

test('equals rolling and threshold', () => {
  assertEqualsSteps({
    rows: `
      event_time | symbol | close | volume
      09:30      | A      | 100   | 1000
      09:31      | A      | 101   | 900
      09:32      | A      | 103   | 700
      09:33      | A      | 104   | 650
      09:33      | B      | 104   | 650
      09:34      | A      | 107   | 400
      09:35      | A      |       | 300
      09:36      | A      | 90    | 900
      09:37      | A      | 80    | 2000
    `,
    detector: volumeDivergenceDetector,
    config: { over: '3 rows', threshold: 0.3 },
    steps: [
      {
        ...{ type: 'rolling', over: '3 rows' },
        columns: {
          r: 'correlation(pct_change(close), pct_change(volume))',
          price: 'slope(close)',
          traded: 'slope(volume)',
        },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'volume_price_divergence', detector: 'volume_divergence' },
            when:
              'r < -0.3 and close is not null and volume is not null and ' +
              '(price > 0 and traded < 0 or price < 0 and traded > 0)',
            ...{ value: 'r', score: 'r', direction: 'price', threshold: 0.3 },
            details: {
              ...{ price_trend: 'price', volume_trend: 'traded' },
              ...{ close: 'close', volume: 'volume' },
            },
          },
        ],
        severity: { medium: (0.3 * 4) / 3, high: (0.3 * 5) / 3 },
      },
    ],
    found: 2,
  });
});
