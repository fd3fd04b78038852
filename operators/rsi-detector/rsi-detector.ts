/** The relative strength index beyond its limits. It includes the row itself, as it always does. */

import { choice, integer, number } from '../../engine/contract/fields.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { input } from '../detectors/detector-fields.ts';

const index = (doc: string): ReturnType<typeof number> => {
  const error = 'expected a number from 0 to 100';
  return number({ doc }).min(0, { error }).max(100, { error });
};

/** The usual limits, 70 and 30, lie this far to both sides of 50: their score is 1. */
const UNIT = 20;

export const rsiDetector = defineDetector({
  name: 'rsi_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports prices that the relative strength index calls overbought or oversold.',
  fields: {
    close: input('close', 'Price of a row'),
    rows: integer({
      doc: 'Changes that the index is made of.',
      ...{ minimum: 2, maximum: 100_000 },
    }).default(14),
    method: choice(['wilder', 'cutler', 'ewm'], {
      doc: 'How the index smooths: see `rsi` of [rolling](#rolling).',
    }).default('cutler'),
    min_rows: integer({
      doc: 'Prices that a symbol must have had; by default as many as the index needs.',
      ...{ minimum: 1, maximum: 10_000_000, examples: [20] },
    }).optional(),
    overbought: index('An index above this is an anomaly.').default(70),
    oversold: index('An index below this is an anomaly.').default(30),
  },
  constraints: [
    {
      at: ['overbought'],
      violated: ({ overbought }) => (overbought <= 50 ? 'must be above 50' : undefined),
    },
    {
      at: ['oversold'],
      violated: ({ oversold }) => (oversold >= 50 ? 'must be below 50' : undefined),
    },
  ],
  types: ['rsi_overbought', 'rsi_oversold'],
  rules: ({ close, rows, method, min_rows, overbought, oversold }) => {
    const rsi = `rsi(${close}, ${rows}, '${method}')`;
    const seen = `count(${close}, over => '${min_rows} rows') >= ${min_rows}`;
    // At a null the index is that of the prices before, which has been reported.
    const isNew =
      min_rows === undefined ? `${close} is not null` : `${close} is not null and ${seen}`;
    const common = {
      value: rsi,
      score: `(${rsi} - 50) / ${UNIT}`,
      baseline: '50',
      details: { close },
      window: { over: `${rows} rows`, exclude_current: false },
    };
    return [
      {
        ...{ ...common, type: 'rsi_overbought' },
        when: `${rsi} > ${overbought} and ${isNew}`,
        threshold: (overbought - 50) / UNIT,
      },
      {
        ...{ ...common, type: 'rsi_oversold' },
        when: `${rsi} < ${oversold} and ${isNew}`,
        threshold: (50 - oversold) / UNIT,
      },
    ];
  },
  examples: [
    {
      title: 'Nothing but rises, then a fall',
      config: { rows: 3 },
      input: `
        event_time | symbol | close
        09:30      | AAPL   | 100
        09:31      | AAPL   | 101
        09:32      | AAPL   | 102
        09:33      | AAPL   | 103
        09:34      | AAPL   | 93
      `,
      output: `
        event_time | type           | value              | baseline | score | threshold
        09:33      | rsi_overbought | 100                | 50       | 2.5   | 1
        09:34      | rsi_oversold   | 16.666666666666664 | 50       | -1.6666666666666667 | 1
      `,
    },
  ],
});
