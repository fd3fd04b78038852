import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { bollingerDetector } from './bollinger-detector.ts';

test('equals rolling and threshold', () => {
  for (const ddof of [0, 1]) {
    assertEqualsSteps({
      rows: `
        event_time | symbol | close
        09:30      | A      | 100
        09:31      | A      | 101
        09:32      | A      | 102
        09:33      | A      | 117
        09:33      | B      | 107
        09:34      | A      | 80
        09:35      | A      |
        09:36      | A      | 70
      `,
      detector: bollingerDetector,
      config: { over: '4 rows', k: 1.2, ddof },
      steps: [
        {
          ...{ type: 'rolling', over: '4 rows' },
          columns: {
            usual: 'mean(close)',
            deviation: ddof === 0 ? 'stddev_pop(close)' : 'stddev(close)',
            upper: `bollinger_upper(close, 1.2, ${ddof})`,
            lower: `bollinger_lower(close, 1.2, ${ddof})`,
          },
        },
        {
          type: 'threshold',
          rules: ['upper', 'lower'].map((side) => {
            const score = `(close - ${side}) / deviation`;
            return {
              ...{ type: `bollinger_breach_${side}`, detector: 'bollinger', score },
              when: side === 'upper' ? 'close - upper > 0' : 'lower - close > 0',
              ...{ value: 'close', baseline: 'usual', threshold: 0 },
              confidence: `1 - pow(2, -1 - abs(${score}) / 1.2)`,
              details: { upper: 'upper', lower: 'lower', deviation: 'deviation' },
            };
          }),
          severity: { medium: 0.5, high: 1 },
        },
      ],
      found: 1,
    });
  }
});
