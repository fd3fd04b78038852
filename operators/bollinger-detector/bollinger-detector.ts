/**
 * Prices outside of the Bollinger bands. The bands include the row itself, as they usually do, so a
 * price among n can be no further than (n - 1) / sqrt(n) deviations from the mean.
 */

import { integer } from '../../engine/contract/fields.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive, windowFields } from '../detectors/detector-fields.ts';
import type { DetectorRule } from '../detectors/detector-stages.ts';

export const bollingerDetector = defineDetector({
  name: 'bollinger_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports prices above the upper or below the lower Bollinger band.',
  fields: {
    close: input('close', 'Price of a row'),
    ...windowFields('20 rows', false),
    k: positive({ doc: 'Standard deviations from the mean to a band.' }).default(2),
    ddof: integer({
      doc: 'Whether the deviation is that of the population (0) or of a sample (1).',
      ...{ minimum: 0, maximum: 1 },
    }).default(0),
  },
  types: ['bollinger_breach_upper', 'bollinger_breach_lower'],
  rules: ({ close, k, ddof, ...window }) => {
    const deviation = ddof === 1 ? `stddev(${close})` : `stddev_pop(${close})`;
    const upper = `bollinger_upper(${close}, ${k}, ${ddof})`;
    const lower = `bollinger_lower(${close}, ${k}, ${ddof})`;
    /** The score is the distance beyond the band, in deviations. */
    const rule = (type: string, excess: string, band: string): DetectorRule => {
      const score = `(${close} - ${band}) / ${deviation}`;
      return {
        // The difference, because it is null where the price is infinite.
        ...{ type, when: `${excess} > 0`, value: close, score, baseline: `mean(${close})` },
        threshold: 0,
        confidence: `1 - pow(2, -1 - abs(${score}) / ${k})`,
        severity: { medium: 0.5, high: 1 },
        details: { upper, lower, deviation },
        window,
      };
    };
    return [
      rule('bollinger_breach_upper', `${close} - ${upper}`, upper),
      rule('bollinger_breach_lower', `${lower} - ${close}`, lower),
    ];
  },
  examples: [
    {
      title: 'A fall through the lower band',
      config: { over: '4 rows', k: 1.4 },
      input: `
        event_time | symbol | close
        09:30      | AAPL   | 100
        09:31      | AAPL   | 101
        09:32      | AAPL   | 102
        09:33      | AAPL   | 103
        09:34      | AAPL   | 90
      `,
      output: `
        event_time | type                   | value | baseline | score               | direction
        09:34      | bollinger_breach_lower | 90    | 99       | -0.3162326606420658 | down
      `,
    },
  ],
});
