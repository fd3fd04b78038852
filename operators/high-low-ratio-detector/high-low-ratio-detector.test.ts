import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { highLowRatioDetector } from './high-low-ratio-detector.ts';

test('equals derive and threshold', () => {
  for (const of of ['low', 'close']) {
    assertEqualsSteps({
      rows: `
        event_time | symbol | high | low | close
        09:30      | A      | 110  | 100 | 105
        09:31      | A      | 112  | 100 | 101
        09:32      | A      | 10   | -5  | -1
        09:33      | A      | 10   | 0   | 0
        09:33      | B      | 300  | 100 | 50
      `,
      detector: highLowRatioDetector,
      config: { of },
      steps: [
        {
          type: 'derive',
          columns: { reach: `case when ${of} > 0 then (high - low) / ${of} * 100 end` },
        },
        {
          type: 'threshold',
          rules: [
            {
              ...{ type: 'high_low_ratio', detector: 'high_low_ratio', when: 'reach > 10' },
              ...{ value: 'reach', score: 'reach', details: { high: 'high', low: 'low' } },
            },
          ],
          severity: { medium: 40 / 3, high: 50 / 3 },
        },
      ],
      found: 2,
    });
  }
});
