/**
 * A control chart of exponentially weighted mean and deviation: as `zscore_detector`, but what is
 * long ago counts less and less, and a symbol costs three numbers instead of a window.
 */

import { integer } from '../../engine/contract/fields.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { beyond, input, positive, side } from '../detectors/detector-fields.ts';

const SPAN_MAX = 1_000_000;

export const ewmZscoreDetector = defineDetector({
  name: 'ewm_zscore_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports values that are many decaying standard deviations from the decaying mean.',
  fields: {
    value: input('close', 'What is watched'),
    span: integer({
      doc: 'Values that the past weighs as much as: each new one weighs 2 / (span + 1).',
      ...{ minimum: 2, maximum: SPAN_MAX, examples: [100] },
    }).default(100),
    min_rows: integer({
      doc: 'Values that a symbol must have had; by default as many as the span.',
      ...{ minimum: 2, maximum: SPAN_MAX },
    }).optional(),
    clamp: positive({
      doc:
        'Standard deviations that a value moves the baseline by at most, so that an anomaly does ' +
        'not spoil it. The explanation has no baseline then.',
      examples: [5],
    }).optional(),
    threshold: positive({ doc: 'Standard deviations beyond which a value counts.' }).default(4),
    side: side(),
  },
  types: ['outlier'],
  rules: ({ value, span, min_rows = span, clamp, threshold, side }) => {
    const weights = `span => ${span}, min_rows => ${min_rows}`;
    const clamped = clamp === undefined ? '' : `, clamp => ${clamp}`;
    const score = `ewm_zscore(${value}, ${weights}${clamped})`;
    const before = `${weights}, exclude_current => true`;
    const mean = `ewm_mean(${value}, ${before})`;
    const deviation = `ewm_stddev(${value}, ${before}, bias => true)`;
    return [
      {
        ...{ type: 'outlier', when: beyond(score, threshold, side), value, score, threshold },
        ...(clamp === undefined ? { baseline: mean, details: { deviation } } : {}),
        window: { over: `${span} rows`, exclude_current: true },
      },
    ];
  },
  examples: [
    {
      title: 'A price far from its decaying mean',
      config: { value: 'price', span: 3 },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | AAPL   | 102
        09:30:02   | AAPL   | 101
        09:30:03   | AAPL   | 106
        09:30:04   | AAPL   | 104
      `,
      output: `
        event_time | symbol | type    | detector   | value | baseline | score | threshold
        09:30:03   | AAPL   | outlier | ewm_zscore | 106   | 101      | 7.0710678118654755 | 4
      `,
    },
  ],
});
