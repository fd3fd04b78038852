import { test } from 'node:test';
import { operatorCompliance } from '../../engine/testing/operator-compliance.ts';
import { assertEqualsSteps } from '../../operators/detectors/detector-steps.oracle.ts';
import { vwapDetector } from './vwap-detector.ts';

operatorCompliance(vwapDetector);

test('equals rolling and threshold', () => {
  assertEqualsSteps({
    rows: `
      event_time | symbol | price | size
      09:30      | A      | 100   | 300
      09:31      | A      | 102   | 100
      09:32      | A      |       | 100
      09:33      | B      | 102   | 0
      09:34      | A      | 90    | 100
    `,
    detector: vwapDetector,
    config: { over: '2 rows', min_rows: 1, side: 'below' },
    steps: [
      {
        ...{ type: 'rolling', over: '2 rows', min_rows: 1, exclude_current: true },
        columns: { usual: 'vwap(price, size)', volume: 'sum(size)' },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'vwap_deviation', detector: 'vwap', value: 'price', baseline: 'usual' },
            score: '(price - usual) / usual * 100',
            when: '(price - usual) / usual * 100 < -1',
            details: { volume: 'volume' },
          },
        ],
        severity: { medium: 4 / 3, high: 5 / 3 },
      },
    ],
    found: 1,
  });
});
