/** Declaration of the `classify_bars` operator; the operator is next door. */

import { type ConfigOf, type Fields, flag, integer, path } from '../../engine/contract/fields.ts';
import {
  type Constraint,
  defineOperator,
  type OperatorDefinition,
  type Outputs,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type ColumnSchema, type Schema } from '../../engine/contract/schema.ts';
import { sumOfSizes } from '../../engine/contract/state-size.ts';
import { planExpression } from '../../engine/expression/plan-expression.ts';
import {
  ANOMALY_METRICS,
  ANOMALY_TABLES,
  anomalySchema,
  anomalyStateSize,
} from '../anomalies/anomaly.ts';
import { severityConstraints, severityLimits } from '../anomalies/anomaly-fields.ts';
import { input, positive } from '../detectors/detector-fields.ts';
import { ClassifyBarsOperator, CLEAN_COLUMNS, RECORD_BYTES } from './classify-bars-operator.ts';

const fields = {
  open: input('open', 'First price of a bar'),
  high: input('high', 'Highest price of a bar'),
  low: input('low', 'Lowest price of a bar'),
  close: input('close', 'Last price of a bar'),
  volume: input('volume', 'Shares traded in a bar'),
  splits: path({
    doc:
      'CSV file of known splits with the columns symbol, date (of the first day at the new ' +
      'price) and factor (new shares for an old one: 2, or 0.05). A split is applied to the ' +
      'first bar from its date on whose open is nearer to the new level than to the old one, ' +
      'within five days; prices that are adjusted already stay as they are.',
    examples: ['data/splits.csv'],
  }).optional(),
  ratios: flag({
    doc:
      'Whether splits that no file tells of are recognised: open / previous close is the ratio ' +
      'of a split, the bar closes at the new level, the jump is large for this market, and no ' +
      'more is traded than usual.',
  }).default(true),
  tolerance_pct: positive({
    doc:
      'Percent by which the open may be off the ratio of a split. For ratios beyond 1.4 it grows ' +
      'with their logarithm, as the market moves overnight, too.',
  }).default(2),
  print_pct: positive({
    doc:
      'Percent beyond which a wick, or an opening print from which the bar comes back, is a bad ' +
      'print, if it is also beyond `range_multiple`. It takes more where more is traded.',
  }).default(20),
  range_multiple: positive({
    doc:
      'How many times the usual range of the last bars a wick, an opening print or a split must ' +
      'be. In a crash every bar is wide, and none of its prices is doubted.',
  }).default(6),
  volume_limit: positive({
    doc:
      'A multiple of the usual volume above which a jump is traded, and so no split; beyond it, ' +
      'a bad print must be farther off by as much.',
  }).default(3),
  min_rows: integer({
    doc: 'Bars of a symbol before anything but a split of the file is told.',
    minimum: 2,
    maximum: 1_000_000,
  }).default(7),
  severity: severityLimits.default({ medium: 30, high: 60 }).meta({
    description: 'Limits of the absolute score, which is the percentage that a price is off.',
    examples: [{ medium: 30, high: 60 }],
  }),
} satisfies Fields;

export type Config = ConfigOf<typeof fields>;

const ADDED: readonly ColumnSchema[] = [
  { name: 'row_class', type: 'string' },
  ...CLEAN_COLUMNS.map((name) => ({ name, type: 'float64' }) as const),
];

const constraints: readonly Constraint<Config>[] = [
  ...severityConstraints,
  {
    at: ['tolerance_pct'],
    violated: ({ tolerance_pct }) => (tolerance_pct > 10 ? 'must not exceed 10' : undefined),
  },
  ...(['print_pct', 'range_multiple', 'volume_limit'] as const).map((field) => ({
    at: [field],
    violated: (config: Config) => (config[field] > 1e6 ? 'must not exceed 1000000' : undefined),
  })),
];

function plan(config: Config, schema: Schema, report: Report): Outputs {
  if (schema.revises === true) {
    report({
      path: ['input'],
      code: 'config/revised-input',
      message: 'the input states rows again with a higher revision, which would look like new bars',
      help: 'set emit: final on the window that this step reads',
    });
  }
  for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) {
    planExpression(config[name], schema, 'number', [name], report);
  }
  const columns = [...schema.columns];
  for (const column of ADDED) {
    if (columnIndex(schema, column.name) < 0) columns.push(column);
    else {
      report({
        path: ['open'],
        target: 'key',
        code: 'config/duplicate-column',
        message: `the input has a column ${column.name}, which the output adds`,
        help: 'give that column another name',
      });
    }
  }
  return { main: { ...schema, columns }, events: anomalySchema(schema, ['open'], report) };
}

export const classifyBars: OperatorDefinition = defineOperator({
  name: 'classify_bars',
  since: '0.1.0',
  stability: 'experimental',
  summary:
    'Tells splits and bad prints from what the market did, and puts out prices without either.',
  guarantees: {
    order: 'Rows keep their order; a bar is compared with the one of its symbol before it.',
    lateness: 'A late row is taken as the next bar; keep rows in order of time.',
    backPressure: 'Works in the same turn; holds no rows back.',
  },
  fields,
  constraints,
  plan,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      ...ANOMALY_TABLES,
      symbols: 'Last close, usual range and volume, and the product of split factors.',
    },
    bytesPerKey: () =>
      sumOfSizes([
        anomalyStateSize(['corporate_action', 'bad_print']),
        { key: RECORD_BYTES, parts: [] },
      ]),
  },
  metrics: ANOMALY_METRICS,
  examples: [
    {
      title: 'a split of seven for one, and a print that nothing confirms',
      config: { min_rows: 3 },
      input: `
        event_time | symbol | open   | high   | low    | close  | volume
        09:30      | AAPL   | 640    | 645    | 639    | 642    | 1000
        10:30      | AAPL   | 642    | 646    | 641    | 644    | 1200
        11:30      | AAPL   | 644    | 647    | 643    | 645.57 | 900
        12:30      | AAPL   | 92.69  | 93.08  | 92.12  | 92.31  | 7500
        13:30      | AAPL   | 92.31  | 92.9   | 9.2    | 92.6   | 7000
        14:30      | AAPL   | 92.6   | 93     | 92.5   | 92.9   | 7000
      `,
      output: `
        event_time | symbol | row_class        | split_factor | clean_low | clean_close
        09:30      | AAPL   | regular          | 1            | 639       | 642
        10:30      | AAPL   | regular          | 1            | 641       | 644
        11:30      | AAPL   | regular          | 1            | 643       | 645.57
        12:30      | AAPL   | corporate_action | 7            | 644.84    | 646.17
        13:30      | AAPL   | bad_print        | 7            | 646.17    | 648.2
        14:30      | AAPL   | regular          | 7            | 647.5     | 650.3
      `,
      outputs: {
        events: `
          event_time | symbol | type             | value | baseline | direction
          12:30      | AAPL   | corporate_action | 92.69 | 645.57   | down
          13:30      | AAPL   | bad_print        | 9.2   | 92.31    | down
        `,
      },
    },
  ],
  open: (config, context, state) => new ClassifyBarsOperator(config, context, state),
});
