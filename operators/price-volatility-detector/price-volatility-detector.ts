/** Bars that moved far from open to close. */

import { barReturnRule } from '../detectors/bar-return-rule.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive, side } from '../detectors/detector-fields.ts';

export const priceVolatilityDetector = defineDetector({
  name: 'price_volatility_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports bars whose price moved by more than some percent from open to close.',
  fields: {
    open: input('open', 'First price of a bar'),
    close: input('close', 'Last price of a bar'),
    threshold_pct: positive({ doc: 'Percent of the open beyond which a move counts.' }).default(5),
    side: side(),
  },
  types: ['price_volatility'],
  rules: (config) => [barReturnRule('price_volatility', config)],
  examples: [
    {
      title: 'Bars that moved more than five percent',
      config: {},
      input: `
        event_time | symbol | open | close
        09:30      | AAPL   | 100  | 104
        09:31      | AAPL   | 100  | 90
        09:32      | AAPL   |      | 90
        09:32      | IBM    | 0    | 90
      `,
      output: `
        event_time | type             | value | baseline | score | threshold | severity | confidence
        09:31      | price_volatility | -10   |          | -10   | 5         | high     | 0.75
      `,
    },
  ],
});
