/** Prices far from the volume-weighted average of the window, in percent of it. */

import { defineDetector } from '../../operators/detectors/define-detector.ts';
import {
  beyond,
  input,
  positive,
  side,
  windowFields,
} from '../../operators/detectors/detector-fields.ts';

export const vwapDetector = defineDetector({
  name: 'vwap_detector',
  since: '0.1.0',
  stability: 'experimental',
  summary: 'Reports prices that are some percent away from the rolling VWAP.',
  fields: {
    price: input('price', 'Price of a trade'),
    size: input('size', 'Size of a trade'),
    ...windowFields('5m'),
    threshold_pct: positive({ doc: 'Percent of the VWAP beyond which a price counts.' }).default(1),
    side: side(),
  },
  types: ['vwap_deviation'],
  rules: ({ price, size, threshold_pct, side, ...window }) => {
    const vwap = `vwap(${price}, ${size})`;
    const deviation = `(${price} - ${vwap}) / ${vwap} * 100`;
    return [
      {
        type: 'vwap_deviation',
        when: beyond(deviation, threshold_pct, side),
        value: price,
        score: deviation,
        baseline: vwap,
        threshold: threshold_pct,
        details: { volume: `sum(${size})` },
        window,
      },
    ];
  },
  examples: [
    {
      title: 'A trade two percent above those of the last minute',
      config: { over: '1m' },
      input: `
        event_time | symbol | price | size
        09:30:00   | SPY    | 100   | 300
        09:30:10   | SPY    | 102   | 100
        09:30:20   | SPY    | 103.5 | 100
        09:32:00   | SPY    | 110   | 100
      `,
      output: `
        event_time | symbol | type           | value | baseline | score | threshold | severity
        09:30:10   | SPY    | vwap_deviation | 102   | 100      | 2     | 1         | high
        09:30:20   | SPY    | vwap_deviation | 103.5 | 100.5    | 2.985074626865672 | 1 | high
      `,
    },
  ],
});
