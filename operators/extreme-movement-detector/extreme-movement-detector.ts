/** Bars that moved very far from open to close: the second limit above `price_volatility`. */

import { barReturnRule } from '../detectors/bar-return-rule.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive, side } from '../detectors/detector-fields.ts';

export const extremeMovementDetector = defineDetector({
  name: 'extreme_movement_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports bars whose price moved by an extreme number of percent from open to close.',
  fields: {
    open: input('open', 'First price of a bar'),
    close: input('close', 'Last price of a bar'),
    threshold_pct: positive({ doc: 'Percent of the open beyond which a move counts.' }).default(8),
    side: side(),
  },
  types: ['extreme_movement'],
  rules: (config) => [barReturnRule('extreme_movement', config)],
  examples: [
    {
      title: 'Bars that rose by more than eight percent',
      config: { side: 'above' },
      input: `
        event_time | symbol | open | close
        09:30      | AAPL   | 100  | 107
        09:31      | AAPL   | 100  | 112
        09:32      | AAPL   | 100  | 80
      `,
      output: `
        event_time | type             | value | threshold | severity | direction
        09:31      | extreme_movement | 12    | 8         | medium   | up
      `,
    },
  ],
});
