/** Jumps between bars: the open against the close of the bar before. */

import { defineDetector } from '../detectors/define-detector.ts';
import { beyond, input, positive, side } from '../detectors/detector-fields.ts';

export const priceGapDetector = defineDetector({
  name: 'price_gap_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports bars that open some percent away from where the bar before them closed.',
  fields: {
    open: input('open', 'First price of a bar'),
    close: input('close', 'Last price of a bar'),
    threshold_pct: positive({ doc: 'Percent of the close beyond which a gap counts.' }).default(2),
    side: side(),
  },
  types: ['price_gap'],
  rules: ({ open, close, threshold_pct, side }) => {
    const before = `lag(${close})`;
    const gap = `(${open} - ${before}) / abs(${before}) * 100`;
    return [
      {
        type: 'price_gap',
        when: beyond(gap, threshold_pct, side),
        value: gap,
        score: gap,
        threshold: threshold_pct,
        details: { open, previous_close: before },
        window: { over: '1 row', exclude_current: true },
      },
    ];
  },
  examples: [
    {
      title: 'Opens more than two percent from the last close',
      config: {},
      input: `
        event_time | symbol | open | close
        09:30      | AAPL   | 100  | 100
        09:31      | AAPL   | 101  | 50
        09:31      | IBM    | 10   | 10
        09:32      | AAPL   | 55   | 56
        09:33      | AAPL   |      | 57
        09:34      | AAPL   | 57   | 57
      `,
      output: `
        event_time | type      | value | score | threshold | severity | direction
        09:32      | price_gap | 10    | 10    | 2         | high     | up
      `,
    },
  ],
});
