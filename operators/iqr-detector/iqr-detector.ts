/**
 * Values outside of the fences around the quartiles (Tukey). Where the quartiles are equal there
 * are no fences and no anomalies.
 */

import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive, type Side, side, windowFields } from '../detectors/detector-fields.ts';

export const iqrDetector = defineDetector({
  name: 'iqr_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports values outside of fences around the quartiles of those before.',
  fields: {
    value: input('close', 'What is watched'),
    ...windowFields('20 rows'),
    multiplier: positive({
      doc: 'Distance of a fence from its quartile, in distances of the quartiles.',
      examples: [1.5, 3],
    }).default(1.5),
    side: side(),
  },
  types: ['outlier'],
  rules: ({ value, multiplier, side, ...window }) => {
    const iqr = `iqr(${value})`;
    const lower = `quantile(${value}, 0.25) - ${multiplier} * ${iqr}`;
    const upper = `quantile(${value}, 0.75) + ${multiplier} * ${iqr}`;
    const [above, below] = [`${value} - (${upper})`, `${value} - (${lower})`];
    /** How far beyond the fence, in distances of the quartiles; null between the fences. */
    const score = `case when ${above} > 0 then (${above}) / ${iqr}
      when ${below} < 0 then (${below}) / ${iqr} end`;
    return [
      {
        type: 'outlier',
        when: `${iqr} > 0 and (${outside(above, below, side)})`,
        value,
        score,
        baseline: `quantile(${value}, 0.5)`,
        threshold: 0,
        // Half at the fence, as with the scores that are compared with a threshold.
        confidence: `1 - pow(2, -1 - abs(${score}) / ${multiplier})`,
        // Twice as far from the quartile as the fence is what Tukey calls far out.
        severity: { medium: multiplier / 2, high: multiplier },
        details: { lower, upper, iqr },
        window,
      },
    ];
  },
  examples: [
    {
      title: 'Beyond the fences of the four values before',
      config: { value: 'price', over: '4 rows' },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 1
        09:30:01   | AAPL   | 2
        09:30:02   | AAPL   | 3
        09:30:03   | AAPL   | 4
        09:30:04   | AAPL   | 9.25
        09:30:05   | AAPL   | 7
        09:30:05   | IBM    | 70
      `,
      output: `
        event_time | symbol | type    | detector | value | baseline | score | threshold | severity
        09:30:04   | AAPL   | outlier | iqr      | 9.25  | 2.5      | 2.5   | 0         | high
      `,
    },
  ],
});

function outside(above: string, below: string, side: Side): string {
  if (side === 'above') return `${above} > 0`;
  return side === 'below' ? `${below} < 0` : `${above} > 0 or ${below} < 0`;
}
