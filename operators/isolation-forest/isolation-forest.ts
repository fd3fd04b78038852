/** Declaration of the `isolation_forest` operator; the operator is next door. */

import {
  choice,
  type ConfigOf,
  expression,
  expressions,
  type Fields,
  flag,
  integer,
  number,
  path,
  text,
  z,
} from '../../engine/contract/fields.ts';
import {
  type Constraint,
  defineOperator,
  type OperatorDefinition,
  type Outputs,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type Schema } from '../../engine/contract/schema.ts';
import { type StateSize, sumOfSizes } from '../../engine/contract/state-size.ts';
import { planExpression } from '../../engine/expression/plan-expression.ts';
import { FEATURES_MAX, SAMPLE_ROWS_MAX } from '../../wasm/host/forest-trees.ts';
import {
  ANOMALY_METRICS,
  ANOMALY_TABLES,
  anomalySchema,
  anomalyStateSize,
} from '../anomalies/anomaly.ts';
import { IsolationForestOperator } from './isolation-forest-operator.ts';

/** Rows of all samples of a forest: 256 MiB of trees. */
const SAMPLED_ROWS_MAX = 1 << 25;
/** Numbers of a reservoir: 128 MiB. */
const RESERVOIR_NUMBERS_MAX = 1 << 24;
const SCORE_COLUMN = 'anomaly_score';
const TYPE_NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;

const fields = {
  features: expressions({
    doc:
      'What a row is judged by: numbers by name, each an expression over the columns of the row. ' +
      'A row with a feature that is null, or beyond the range of single precision, is not scored ' +
      'and not learnt from. A feature that never changes tells nothing.',
    examples: [{ return_pct: 'return_pct', volume: 'log(volume)' }],
  }),
  scope: choice(['symbol', 'partition'], {
    doc:
      'Whether each symbol has a forest of its own, or all symbols of a partition share one, ' +
      'which then depends on the number of partitions.',
  }).default('symbol'),
  model: path({
    doc:
      'Model file, made by `tidemark train`: one forest for all symbols, which stays as it is. ' +
      'Without it, forests are grown from the stream, again and again.',
    examples: ['models/trades.json'],
  }).optional(),
  trees: integer({ doc: 'Trees of a forest.', minimum: 1, maximum: 10_000 }).default(100),
  sample_size: integer({
    doc: 'Rows that each tree is grown from, drawn without replacement; all where there are fewer.',
    minimum: 2,
    maximum: SAMPLE_ROWS_MAX,
  }).default(256),
  contamination: number({
    doc:
      'Share of the rows that a forest is grown from that its limit lets be anomalies. Without ' +
      'it, and without a threshold, the limit is a score of 0.5.',
    examples: [0.01],
  })
    .min(0, { error: 'expected a number from 0 to 0.5' })
    .max(0.5, { error: 'expected a number from 0 to 0.5' })
    .optional(),
  threshold: number({
    doc: 'A row whose score is above this is an anomaly. Scores go from 0 to 1.',
    examples: [0.65],
  })
    .min(0, { error: 'expected a number from 0 to 1' })
    .max(1, { error: 'expected a number from 0 to 1' })
    .optional(),
  reservoir: integer({
    doc: 'Rows that are kept, of each symbol or partition, to grow the next forest from.',
    minimum: 2,
    maximum: RESERVOIR_NUMBERS_MAX,
  }).default(1024),
  keep: choice(['latest', 'uniform'], {
    doc: 'Which rows are kept: the latest, or a uniform sample of all there were.',
  }).default('latest'),
  min_rows: integer({
    doc: 'Rows after which the first forest is grown; no row before is scored.',
    minimum: 2,
    maximum: 1_000_000_000,
  }).default(256),
  refit_every: integer({
    doc:
      'Rows after which a new forest takes the place of the last. Growing one of 100 trees takes ' +
      'some 2 ms, so each row bears a share of that.',
    minimum: 1,
    maximum: 1_000_000_000,
  }).default(1000),
  seed: integer({
    doc: 'With the same seed the same rows make the same forests.',
    minimum: 0,
    maximum: 2 ** 31 - 1,
  }).default(0),
  standardize: flag({
    doc:
      'Whether features are compared as (value - mean) / deviation of the rows that the forest ' +
      'is grown from. Forests do not mind, but they compare in single precision, in which prices ' +
      'of 1,000,000,000 differ by 64.',
  }).default(true),
  anomaly_type: text({ doc: 'Type of the anomalies; part of their ids.' })
    .regex(TYPE_NAME, { error: 'expected a word of letters, digits, _ . and -' })
    .default('isolation_forest'),
  value: expression({ doc: 'What was observed. By default the first feature.' }).optional(),
  baseline: expression({
    doc:
      'What was to be expected; whether the value is above it is the direction. By default, for ' +
      'the first feature, its mean over the rows that the forest was grown from.',
  }).optional(),
  severity: z
    .strictObject({
      medium: number({ doc: 'A score above this is of medium severity.' }),
      high: number({ doc: 'A score above this is of high severity.' }),
    })
    .default({ medium: 0.6, high: 0.7 })
    .meta({
      description: 'Limits of the score. At or below both, the severity is low.',
      examples: [{ medium: 0.6, high: 0.7 }],
    }),
} satisfies Fields;

export type Config = ConfigOf<typeof fields>;

const constraints: readonly Constraint<Config>[] = [
  {
    at: ['features'],
    violated: ({ features }) => {
      const count = Object.keys(features).length;
      if (count === 0) return 'must name at least one feature';
      return count > FEATURES_MAX ? `must not name more than ${FEATURES_MAX}` : undefined;
    },
  },
  {
    at: ['threshold'],
    violated: ({ threshold, contamination }) =>
      threshold !== undefined && contamination !== undefined
        ? 'does not go together with contamination: each says where anomalies begin'
        : undefined,
  },
  {
    at: ['trees'],
    violated: ({ trees, sample_size }) =>
      trees * sample_size > SAMPLED_ROWS_MAX
        ? `times sample_size must not exceed ${SAMPLED_ROWS_MAX} rows, got ${trees * sample_size}`
        : undefined,
  },
  {
    at: ['reservoir'],
    violated: ({ reservoir, features }) => {
      const numbers = reservoir * Object.keys(features).length;
      return numbers > RESERVOIR_NUMBERS_MAX
        ? `times the features must not exceed ${RESERVOIR_NUMBERS_MAX} numbers, got ${numbers}`
        : undefined;
    },
  },
  {
    at: ['severity', 'high'],
    violated: ({ severity }) =>
      severity.high < severity.medium ? 'must not be below medium' : undefined,
  },
];

function plan(config: Config, input: Schema, report: Report): Outputs {
  if (input.revises === true) {
    report({
      path: ['input'],
      code: 'config/revised-input',
      message:
        'the input states rows again with a higher revision, so forests would learn them twice',
      help: 'set emit: final on the window that this step reads',
    });
  }
  for (const [name, value] of Object.entries(config.features)) {
    planExpression(value, input, 'number', ['features', name], report);
  }
  for (const field of ['value', 'baseline'] as const) {
    const given = config[field];
    if (given !== undefined) planExpression(given, input, 'number', [field], report);
  }
  const columns = [...input.columns];
  if (columnIndex(input, SCORE_COLUMN) < 0) columns.push({ name: SCORE_COLUMN, type: 'float64' });
  else {
    report({
      path: ['features'],
      target: 'key',
      code: 'config/duplicate-column',
      message: `the input has a column ${SCORE_COLUMN}, which the output scores adds`,
      help: 'give that column another name',
    });
  }
  return {
    main: anomalySchema(input, ['features'], report),
    scores: { ...input, columns },
  };
}

/** A forest of a partition is not counted: it is one, however many keys there are. */
function stateSize(config: Config): StateSize {
  const { features, trees, sample_size, reservoir, scope, model } = config;
  const anomalies = anomalyStateSize([config.anomaly_type]);
  if (scope === 'partition' || model !== undefined) return anomalies;
  const width = Object.keys(features).length;
  const nodes = trees * (2 * Math.min(sample_size, reservoir) - 1);
  return sumOfSizes([
    anomalies,
    {
      // Sections and their names, the generator, shift, scale and mean of each feature.
      key: 150 + 24 * width + 8 * trees,
      parts: [
        { bytes: 8 * width, each: 'row kept for the next forest', atMost: reservoir },
        { bytes: 18, each: 'node of a tree', atMost: nodes },
      ],
    },
  ]);
}

export const isolationForest: OperatorDefinition = defineOperator({
  name: 'isolation_forest',
  since: '0.1.0',
  stability: 'experimental',
  summary:
    'Makes an anomaly row of each row that random trees tell from the others in few questions.',
  guarantees: {
    order: 'Anomalies come in the order of their rows; the output `scores` has every row.',
    lateness:
      'A late row is judged and learnt like any other; its anomalies have ids of their own.',
    backPressure: 'Holds no rows back; growing a forest takes a few milliseconds.',
  },
  fields,
  constraints,
  plan,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      ...ANOMALY_TABLES,
      forests: 'The trees of each symbol or partition, the rows kept for the next, and its seed.',
    },
    bytesPerKey: stateSize,
  },
  metrics: {
    ...ANOMALY_METRICS,
    unscored_rows_total: { unit: 'rows', doc: 'Rows with a feature that is no number.' },
    unready_rows_total: { unit: 'rows', doc: 'Rows that came before the first forest.' },
    refits_total: { unit: 'forests', doc: 'Forests grown.' },
  },
  examples: [
    {
      title: 'A trade unlike the eight before the forest was grown',
      config: {
        features: { price: 'price', size: 'log(size)' },
        min_rows: 8,
        threshold: 0.62,
      },
      input: `
        event_time | symbol | price | size
        09:30:00   | AAPL   | 100.0 | 100
        09:30:01   | AAPL   | 100.1 | 200
        09:30:02   | AAPL   | 100.2 | 100
        09:30:03   | AAPL   | 100.1 | 300
        09:30:04   | AAPL   | 100.0 | 200
        09:30:05   | AAPL   |       | 100
        09:30:06   | AAPL   | 99.9  | 100
        09:30:07   | AAPL   | 100.0 | 200
        09:30:08   | AAPL   | 100.1 | 100
        09:30:09   | AAPL   | 100.1 | 200
        09:30:10   | AAPL   | 104.0 | 5000
        09:30:11   | IBM    | 180.0 | 100
      `,
      output: `
        event_time | symbol | type             | detector         | value | direction
        09:30:10   | AAPL   | isolation_forest | isolation_forest | 104   | up
      `,
    },
    {
      title: 'Forests that follow the market: grown anew every third row, from the last six',
      config: {
        features: { price: 'price' },
        trees: 50,
        contamination: 0.3,
        reservoir: 6,
        min_rows: 6,
        refit_every: 3,
        baseline: '100',
      },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | AAPL   | 101
        09:30:02   | AAPL   | 102
        09:30:03   | AAPL   | 101
        09:30:04   | AAPL   | 100
        09:30:05   | AAPL   | 101
        09:30:06   | AAPL   | 101
        09:30:07   | AAPL   | 140
        09:30:08   | AAPL   | 101
        09:30:09   | AAPL   | 101
      `,
      output: `
        event_time | symbol | value | baseline | direction
        09:30:07   | AAPL   | 140   | 100      | up
      `,
    },
  ],
  open: (config, context, state) => new IsolationForestOperator(config, context, state),
});
