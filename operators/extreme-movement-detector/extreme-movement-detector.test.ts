import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { extremeMovementDetector } from './extreme-movement-detector.ts';

test('equals derive and threshold', () => {
  assertEqualsSteps({
    rows: `
      event_time | symbol | open | close
      09:30      | A      | 100  | 108
      09:31      | A      | 100  | 108.5
      09:32      | A      | -10  | -20
      09:33      | A      | 0    | 1
      09:33      | B      | 100  | 50
    `,
    detector: extremeMovementDetector,
    config: {},
    steps: [
      { type: 'derive', columns: { move: '(close - open) / abs(open) * 100' } },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'extreme_movement', detector: 'extreme_movement', when: 'abs(move) > 8' },
            ...{ value: 'move', score: 'move', details: { open: 'open', close: 'close' } },
          },
        ],
        severity: { medium: (8 * 4) / 3, high: (8 * 5) / 3 },
      },
    ],
    found: 3,
  });
});
