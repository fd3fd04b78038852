import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { priceVolatilityDetector } from './price-volatility-detector.ts';

test('equals derive and threshold', () => {
  assertEqualsSteps({
    rows: `
      event_time | symbol | open | close
      09:30      | A      | 100  | 105
      09:31      | A      | 100  | 105.5
      09:32      | A      | -10  | -20
      09:33      | A      | 0    | 1
      09:33      | B      | 100  | 50
    `,
    detector: priceVolatilityDetector,
    config: {},
    steps: [
      { type: 'derive', columns: { move: '(close - open) / abs(open) * 100' } },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'price_volatility', detector: 'price_volatility', when: 'abs(move) > 5' },
            ...{ value: 'move', score: 'move', details: { open: 'open', close: 'close' } },
          },
        ],
        severity: { medium: (5 * 4) / 3, high: (5 * 5) / 3 },
      },
    ],
    found: 3,
  });
});
