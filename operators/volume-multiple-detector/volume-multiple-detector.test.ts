import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { volumeMultipleDetector } from './volume-multiple-detector.ts';

test('equals rolling and threshold', () => {
  for (const usual of ['mean', 'median']) {
    assertEqualsSteps({
      rows: `
      event_time | symbol | volume
      09:30      | A      | 100
      09:31      | A      | 110
      09:32      | A      | 400
      09:33      | A      | 0
      09:34      | A      | 900
      09:35      | B      | 900
    `,
      detector: volumeMultipleDetector,
      config: {
        over: '3 rows',
        min_rows: 2,
        multiple: 2.5,
        usual,
        severity: { medium: 3, high: 4 },
      },
      steps: [
        {
          ...{ type: 'rolling', over: '3 rows', min_rows: 2, exclude_current: true },
          columns: { usual: `${usual}(volume)` },
        },
        {
          type: 'threshold',
          rules: [
            {
              ...{ type: 'volume_spike', detector: 'volume_multiple', value: 'volume' },
              when: 'usual > 0 and volume > 2.5 * usual',
              ...{ score: 'volume / usual', baseline: 'usual', threshold: 2.5 },
            },
          ],
          severity: { medium: 3, high: 4 },
        },
      ],
      found: 2,
    });
  }
});
