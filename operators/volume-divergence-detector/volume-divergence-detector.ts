/**
 * Prices that go one way while volume goes the other: their changes are correlated negatively, and
 * so are their trends over the window. A row is reported for as long as that holds.
 */

import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive, windowFields } from '../detectors/detector-fields.ts';

export const volumeDivergenceDetector = defineDetector({
  name: 'volume_divergence_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports prices whose trend is not borne out by that of the volume.',
  fields: {
    close: input('close', 'Price of a row'),
    volume: input('volume', 'Volume of a row'),
    ...windowFields('20 rows', false),
    threshold: positive({
      doc: 'Negative correlation of the changes beyond which trends that differ are an anomaly.',
    })
      .max(1, { error: 'expected a number above 0 and at most 1' })
      .default(0.5),
  },
  types: ['volume_price_divergence'],
  rules: ({ close, volume, threshold, ...window }) => {
    const correlation = `correlation(pct_change(${close}), pct_change(${volume}))`;
    const [price, traded] = [`slope(${close})`, `slope(${volume})`];
    return [
      {
        type: 'volume_price_divergence',
        // At a null the window is that of the rows before, which has been judged.
        when:
          `${correlation} < ${-threshold} and sign(${price}) * sign(${traded}) < 0 ` +
          `and ${close} is not null and ${volume} is not null`,
        value: correlation,
        score: correlation,
        direction: price,
        threshold,
        details: { price_trend: price, volume_trend: traded, close, volume },
        window,
      },
    ];
  },
  examples: [
    {
      title: 'A price that rises the more the less is traded',
      config: { over: '4 rows' },
      input: `
        event_time | symbol | close | volume
        09:30      | AAPL   | 100   | 1000
        09:31      | AAPL   | 101   | 900
        09:32      | AAPL   | 103   | 700
        09:33      | AAPL   | 104   | 650
        09:34      | AAPL   | 107   | 400
      `,
      output: `
        event_time | type                    | direction | threshold
        09:34      | volume_price_divergence | up        | 0.5
      `,
    },
  ],
});
