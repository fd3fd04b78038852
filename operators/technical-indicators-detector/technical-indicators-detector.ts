/**
 * Two classic indicators as detectors: the relative strength index beyond its limits, and prices
 * outside of the Bollinger bands. Both look at the row itself too, as the indicators do.
 */

import { choice, integer, number } from '../../engine/contract/fields.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive } from '../detectors/detector-fields.ts';
import type { DetectorRule } from '../detectors/detector-stages.ts';

const LENGTH = { minimum: 2, maximum: 100_000 };

const index = (doc: string): ReturnType<typeof number> =>
  number({ doc }).min(0, { error: 'expected 0 to 100' }).max(100, { error: 'expected 0 to 100' });

/** Limits of the index lie 20 to both sides of 50 where they are 70 and 30: a score of 1. */
const INDEX_UNIT = 20;

export const technicalIndicatorsDetector = defineDetector({
  name: 'technical_indicators_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports prices that the relative strength index or the Bollinger bands call extreme.',
  fields: {
    close: input('close', 'Price of a row'),
    rsi_rows: integer({ doc: 'Changes that the index is made of.', ...LENGTH }).default(14),
    rsi_method: choice(['wilder', 'cutler', 'ewm'], {
      doc: 'How the index smooths: see `rsi` of `rolling`.',
    }).default('cutler'),
    overbought: index('An index above this is an anomaly.').default(70),
    oversold: index('An index below this is an anomaly.').default(30),
    bollinger_rows: integer({ doc: 'Rows that the bands are made of.', ...LENGTH }).default(20),
    bollinger_k: positive({ doc: 'Standard deviations from the mean to a band.' }).default(2),
    bollinger_ddof: integer({
      doc: 'Whether the deviation is that of the population (0) or of a sample (1).',
      ...{ minimum: 0, maximum: 1 },
    }).default(0),
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
  types: ['rsi_overbought', 'rsi_oversold', 'bollinger_breach_upper', 'bollinger_breach_lower'],
  rules: (config) => [...indexRules(config), ...bandRules(config)],
  examples: [
    {
      title: 'Nothing but rises, then a fall through the lower band',
      config: { rsi_rows: 3, bollinger_rows: 4, bollinger_k: 1.4 },
      input: `
        event_time | symbol | close
        09:30      | AAPL   | 100
        09:31      | AAPL   | 101
        09:32      | AAPL   | 102
        09:33      | AAPL   | 103
        09:34      | AAPL   | 90
      `,
      output: `
        event_time | type                   | value | baseline | score             | threshold
        09:33      | rsi_overbought         | 100   | 50       | 2.5               | 1
        09:34      | rsi_oversold           | 13.333333333333334 | 50 | -1.8333333333333333 | 1
        09:34      | bollinger_breach_lower | 90    | 99       | -0.3162326606420658| 0
      `,
    },
  ],
});

interface IndexConfig {
  readonly close: string;
  readonly rsi_rows: number;
  readonly rsi_method: string;
  readonly overbought: number;
  readonly oversold: number;
}

function indexRules(config: IndexConfig): readonly DetectorRule[] {
  const { close, rsi_rows, rsi_method, overbought, oversold } = config;
  const rsi = `rsi(${close}, ${rsi_rows}, '${rsi_method}')`;
  const common = {
    value: rsi,
    score: `(${rsi} - 50) / ${INDEX_UNIT}`,
    baseline: '50',
    details: { close },
    window: { over: `${rsi_rows} rows`, exclude_current: false },
  };
  return [
    {
      ...common,
      type: 'rsi_overbought',
      when: `${rsi} > ${overbought}`,
      threshold: (overbought - 50) / INDEX_UNIT,
    },
    {
      ...common,
      type: 'rsi_oversold',
      when: `${rsi} < ${oversold}`,
      threshold: (50 - oversold) / INDEX_UNIT,
    },
  ];
}

interface BandConfig {
  readonly close: string;
  readonly bollinger_rows: number;
  readonly bollinger_k: number;
  readonly bollinger_ddof: number;
}

/** The score is the distance beyond the band, in deviations. */
function bandRules(config: BandConfig): readonly DetectorRule[] {
  const { close, bollinger_rows, bollinger_k: k, bollinger_ddof: ddof } = config;
  const deviation = ddof === 1 ? `stddev(${close})` : `stddev_pop(${close})`;
  const upper = `bollinger_upper(${close}, ${k}, ${ddof})`;
  const lower = `bollinger_lower(${close}, ${k}, ${ddof})`;
  const rule = (type: string, when: string, band: string): DetectorRule => {
    const score = `(${close} - ${band}) / ${deviation}`;
    return {
      ...{ type, when, value: close, score, baseline: `mean(${close})`, threshold: 0 },
      confidence: `1 - pow(2, -1 - abs(${score}) / ${k})`,
      details: { upper, lower, deviation },
      severity: { medium: 0.5, high: 1 },
      window: { over: `${bollinger_rows} rows`, exclude_current: false },
    };
  };
  return [
    rule('bollinger_breach_upper', `${close} > ${upper}`, upper),
    rule('bollinger_breach_lower', `${close} < ${lower}`, lower),
  ];
}
