import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { priceGapDetector } from './price-gap-detector.ts';

test('equals rolling and threshold', () => {
  assertEqualsSteps({
    rows: `
      event_time | symbol | open | close
      09:30      | A      | 100  | 100
      09:31      | A      | 103  |
      09:32      | A      | 98   | -10
      09:33      | A      | -9   | 0
      09:34      | A      | 5    | 5
      09:34      | B      | 100  | 50
    `,
    detector: priceGapDetector,
    config: {},
    steps: [
      {
        ...{ type: 'rolling', over: '5 rows' },
        columns: {
          previous_close: 'lag(close)',
          gap: '(open - lag(close)) / abs(lag(close)) * 100',
        },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'price_gap', detector: 'price_gap', when: 'abs(gap) > 2' },
            ...{ value: 'gap', score: 'gap' },
            details: { open: 'open', previous_close: 'previous_close' },
          },
        ],
        severity: { medium: 8 / 3, high: 10 / 3 },
      },
    ],
    found: 2,
  });
});
