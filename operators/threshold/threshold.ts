/**
 * Threshold: rules over scores that make anomaly rows. What runs them is shared with detectors.
 */

import type { OperatorDefinition } from '../../engine/contract/operator.ts';
import { defineOperator } from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import {
  type ConfigOf,
  expression,
  expressions,
  type Fields,
  number,
  text,
  z,
} from '../../engine/contract/fields.ts';
import { planExpression } from '../../engine/expression/plan-expression.ts';
import { anomalyType, severityConstraints, severityLimits } from '../anomalies/anomaly-fields.ts';
import {
  ANOMALY_METRICS,
  ANOMALY_TABLES,
  anomalySchema,
  anomalyStateSize,
} from '../anomalies/anomaly.ts';
import { RulesOperator } from '../anomalies/rules-operator.ts';

const rule = z.strictObject({
  type: anomalyType('Type of the anomaly; part of its id.'),
  when: expression({
    doc: 'Condition under which a row is an anomaly.',
    examples: ['abs(z_return) > 3'],
  }),
  value: expression({ doc: 'What was observed.', examples: ['return_pct'] }),
  score: expression({
    doc: 'How unusual it is; its sign is the direction.',
    examples: ['z_return'],
  }),
  baseline: expression({ doc: 'What was to be expected.', examples: ['mean_return'] }).optional(),
  detector: text({ doc: 'Name of the method; `threshold` if not given.' }).min(1).optional(),
  confidence: expression({
    doc: 'Confidence, cut to the range from 0 to 1, in place of the one computed from the score.',
  }).optional(),
  threshold: number({
    doc: 'What the absolute score is compared with, where the condition does not say it of it.',
  }).optional(),
  direction: expression({
    doc: 'Its sign is the direction, in place of that of the score.',
    examples: ['return_pct'],
  }).optional(),
  details: expressions({
    doc: 'Further numbers for the explanation.',
    examples: [{ deviation: 'deviation_20', close: 'close' }],
  }).optional(),
});

export const fields = {
  rules: z
    .array(rule, { error: 'expected a list of rules' })
    .min(1, { error: 'expected at least one rule' })
    .meta({
      description: 'What is an anomaly. A row makes one anomaly for each rule it meets.',
      examples: [[{ type: 'price_spike', when: 'abs(z) > 3', value: 'return_pct', score: 'z' }]],
    }),
  severity: severityLimits.default({ medium: 4, high: 5 }).meta({
    description: 'Limits of the absolute score. At or below both, the severity is low.',
    examples: [{ medium: 4, high: 5 }],
  }),
} satisfies Fields;

export type Config = ConfigOf<typeof fields>;

function planAnomalies({ rules }: Config, input: Schema, report: Report): Schema {
  for (const [index, { when, details = {}, ...rule }] of rules.entries()) {
    const at = (...field: string[]): (string | number)[] => ['rules', index, ...field];
    planExpression(when, input, 'condition', at('when'), report);
    for (const field of ['value', 'score', 'baseline', 'confidence', 'direction'] as const) {
      const given = rule[field];
      if (given !== undefined) planExpression(given, input, 'number', at(field), report);
    }
    for (const [name, given] of Object.entries(details)) {
      planExpression(given, input, 'number', at('details', name), report);
    }
  }
  return anomalySchema(input, ['rules'], report);
}

export const threshold: OperatorDefinition = defineOperator({
  name: 'threshold',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Makes an anomaly row of each row that meets a rule.',
  guarantees: {
    order: 'Anomalies come in the order of their rows, those of one row in the order of the rules.',
    lateness: 'A late row is judged like any other; its anomalies have ids of their own.',
    backPressure: 'Holds no rows back.',
  },
  fields,
  constraints: severityConstraints,
  plan: (config, input, report) => ({ main: planAnomalies(config, input, report) }),
  state: {
    version: 1,
    scope: 'keyed',
    tables: ANOMALY_TABLES,
    bytesPerKey: ({ rules }) => anomalyStateSize(rules.map(({ type }) => type)),
  },
  metrics: ANOMALY_METRICS,
  examples: [
    {
      title: 'Returns and volumes far from usual',
      config: {
        rules: [
          {
            type: 'price_spike',
            when: 'abs(z_return) > 3',
            value: 'return_pct',
            score: 'z_return',
          },
          { type: 'volume_surge', when: 'z_volume > 3', value: 'volume', score: 'z_volume' },
        ],
        severity: { medium: 4, high: 5 },
      },
      input: `
        event_time | symbol | return_pct | z_return | volume | z_volume
        09:30      | AAPL   | 0.1        | 0.2      | 1000   | 0.1
        09:35      | AAPL   | -2.5       | -6       | 9000   | 4.5
        09:35      | IBM    | 0.2        |          | 500    | 3
        09:40      | IBM    | 1.5        | 3.1      | 100    | -3.5
      `,
      output: `
        event_time | symbol | type         | value | score | threshold | severity | direction
        09:35      | AAPL   | price_spike  | -2.5  | -6    | 3         | high     | down
        09:35      | AAPL   | volume_surge | 9000  | 4.5   | 3         | medium   | up
        09:40      | IBM    | price_spike  | 1.5   | 3.1   | 3         | low      | up
      `,
    },
    {
      title: 'A jump in price from one trade to the next',
      config: {
        rules: [
          {
            type: 'price_jump',
            when: 'price / previous > 1.1',
            value: 'price',
            score: 'price / previous',
            baseline: 'previous',
            detector: 'ratio',
            details: { change: 'price - previous' },
            confidence: '0.5 + price / previous / 4',
          },
        ],
      },
      input: `
        event_time | symbol | price | previous
        09:30:00   | AAPL   | 100   |
        09:30:00   | AAPL   | 120   | 100
        09:30:00   | AAPL   | 180   | 120
        09:30:01   | AAPL   | 540   | 180
      `,
      output: `
        anomaly_id:string | detector | value | baseline | score | threshold | confidence
        step/AAPL/1704187800000000000/price_jump   | ratio | 120 | 100 | 1.2 | 1.1 | 0.8
        step/AAPL/1704187800000000000/price_jump/2 | ratio | 180 | 120 | 1.5 | 1.1 | 0.875
        step/AAPL/1704187801000000000/price_jump   | ratio | 540 | 180 | 3   | 1.1 | 1
      `,
    },
  ],
  open: (config, context, state) => new RulesOperator(config, context, state),
});
