/**
 * Fixed limits. The score is the value in limits: 1 at the limit, 2 where the value is as far
 * beyond it as the limit is from 0; negative below a lower limit; null where the limit is 0.
 */

import { defineDetector } from '../detectors/define-detector.ts';
import { input } from '../detectors/detector-fields.ts';
import type { DetectorRule } from '../detectors/detector-stages.ts';
import { expression } from '../../engine/contract/fields.ts';

const TYPE = 'outside_limits';

/** @param sign 1 for an upper limit, -1 for a lower one. */
function limitRule(value: string, limit: string, sign: 1 | -1): DetectorRule {
  const excess = sign > 0 ? `${value} - ${limit}` : `${limit} - ${value}`;
  return {
    type: TYPE,
    // The difference, because it is null where the value is infinite.
    when: `${excess} > 0`,
    value,
    score: `${sign} * (1 + (${excess}) / abs(${limit}))`,
    direction: `${value} - ${limit}`,
    baseline: limit,
    threshold: 1,
  };
}

export const limitsDetector = defineDetector({
  name: 'limits_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports values above or below fixed limits.',
  fields: {
    value: input('price', 'What is watched'),
    above: expression({
      doc: 'Values above this are anomalies. It may depend on the row, and so on the symbol.',
      examples: [20_000, "case when symbol = 'SPY' then 50000 else 20000 end"],
    }).optional(),
    below: expression({
      doc: 'Values below this are anomalies.',
      examples: [0.01],
    }).optional(),
  },
  constraints: [
    {
      at: ['above'],
      violated: ({ above, below }) =>
        above === undefined && below === undefined ? 'must be given, or below' : undefined,
    },
  ],
  types: [TYPE],
  rules: ({ value, above, below }) => [
    ...(above === undefined ? [] : [limitRule(value, above, 1)]),
    ...(below === undefined ? [] : [limitRule(value, below, -1)]),
  ],
  examples: [
    {
      title: 'Large trades, by symbol',
      config: {
        value: 'size',
        above: "case when symbol = 'SPY' then 5000 else 1000 end",
        anomaly_type: 'high_volume',
      },
      input: `
        event_time | symbol | size
        09:30      | SPY    | 4000
        09:31      | IBM    | 4000
        09:32      | SPY    | 5001
        09:33      | IBM    | 1000
      `,
      output: `
        event_time | symbol | type        | value | baseline | score  | threshold | severity
        09:31      | IBM    | high_volume | 4000  | 1000     | 4      | 1         | high
        09:32      | SPY    | high_volume | 5001  | 5000     | 1.0002 | 1         | low
      `,
    },
    {
      title: 'Prices that cannot be',
      config: { above: 1000, below: 1 },
      input: `
        event_time | symbol | price
        09:30      | SPY    | 150
        09:31      | SPY    | 0
        09:32      | SPY    | 2000
      `,
      output: `
        event_time | type           | value | baseline | score | direction
        09:31      | outside_limits | 0     | 1        | -2    | down
        09:32      | outside_limits | 2000  | 1000     | 2     | up
      `,
    },
  ],
});
