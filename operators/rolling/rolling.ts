/** Declaration of the `rolling` operator; docs of the functions are in the field `columns`. */

import type { ConfigOf, Fields } from '../../engine/contract/fields.ts';
import { expressions, extent, flag, integer, parseExtent } from '../../engine/contract/fields.ts';
import type { Constraint, OperatorDefinition } from '../../engine/contract/operator.ts';
import { defineOperator } from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import type { ColumnSchema, Schema } from '../../engine/contract/schema.ts';
import { RollingOperator } from './rolling-operator.ts';
import { ROLLING_FUNCTIONS } from './rolling-functions.ts';
import { rollingStateSize } from './rolling-state-size.ts';
import { planProgram } from './rolling-program.ts';
import { overProblem, ROWS_MAX } from './window-limits.ts';

const FUNCTION_LIST = Object.values(ROLLING_FUNCTIONS)
  .map(({ usage }) => `\`${usage}\``)
  .join(', ');

const fields = {
  over: extent({
    doc:
      'How far the window of a key reaches. `20 rows` are the last 20 values in the order of ' +
      'arrival, and nulls do not enter the window: each expression has a window of its own, of ' +
      'its last 20 values that are not null. A duration `d` covers what has arrived with an ' +
      'event time in (t - d, t] for a row at t; a late row sees nothing before its watermark ' +
      'less `d`, because that may be forgotten. A call may have a window of its own: ' +
      "`mean(close, over => '50 rows')`, also with `exclude_current` and `min_rows`. " +
      'Required where a call looks at the window of the step.',
    examples: ['20 rows', '1h'],
  }).optional(),
  exclude_current: flag({
    doc: 'Whether the window of a row ends before that row, as a baseline to compare it with.',
  }).default(false),
  min_rows: integer({
    doc:
      'Values a window must hold for a result other than count, which is null with fewer. By ' +
      'default a window of rows must be full, and a duration must hold 1.',
    minimum: 1,
    maximum: ROWS_MAX,
    examples: [5],
  }).optional(),
  columns: expressions({
    doc:
      'New columns, added after those of the input: expressions over these functions, which ' +
      '[rolling functions](rolling-functions.md) defines: ' +
      `${FUNCTION_LIST}. ` +
      'Calls may be nested: `zscore(pct_change(volume))`. A result that is not finite is null.',
    examples: [{ z_return: 'zscore(return_pct)', momentum: 'close - mean(close)' }],
  }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const constraints: readonly Constraint<Config>[] = [
  {
    at: ['over'],
    violated: ({ over }) => (over === undefined ? undefined : overProblem(over)),
  },
  {
    at: ['min_rows'],
    violated: ({ over, min_rows }) => {
      if (over === undefined) return undefined;
      const window = parseExtent(over)!;
      if (!('rows' in window) || min_rows === undefined || min_rows <= window.rows)
        return undefined;
      return `must not exceed the window of ${over}, got ${min_rows}`;
    },
  },
  {
    at: ['columns'],
    violated: ({ columns }) =>
      Object.keys(columns).length === 0 ? 'must name at least one column' : undefined,
  },
];

function plan(config: Config, input: Schema, report: Report): { readonly main: Schema } {
  if (input.revises === true) {
    report({
      path: ['input'],
      code: 'config/revised-input',
      message:
        'the input states rows again with a higher revision, so the window would count them twice',
      help: 'set emit: final on the window that this step reads',
    });
  }
  const { columns } = planProgram(config, input, report);
  const taken = new Set(input.columns.map(({ name }) => name));
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const added = Object.keys(config.columns)
    .filter((name) => !taken.has(name))
    // After a problem the type is a guess, so that the steps behind can be checked too.
    .map((name): ColumnSchema => ({ name, type: types.get(name) ?? 'float64' }));
  return { main: { ...input, columns: [...input.columns, ...added] } };
}

export const rolling: OperatorDefinition = defineOperator({
  name: 'rolling',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Adds statistics of the last rows of each key, or of a duration, to every row.',
  guarantees: {
    order: 'Rows leave in the order in which they came.',
    lateness:
      'Late rows pass, with what is still known about their time: a window of rows takes them as ' +
      'they arrive, a duration at their place in time.',
    backPressure: 'Works in the same turn; holds no rows back.',
  },
  fields,
  constraints,
  plan,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      windows: 'The values (and times) in the window of each expression and key, by expression.',
    },
    bytesPerKey: rollingStateSize,
  },
  metrics: {},
  examples: [
    {
      title: 'how unusual a price is, against the three before',
      config: {
        over: '3 rows',
        exclude_current: true,
        columns: { z_price: 'zscore(price)', baseline: 'mean(price)' },
      },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | AAPL   | 101
        09:30:01   | MSFT   | 50
        09:30:02   | AAPL   | 102
        09:30:03   | AAPL   |
        09:30:04   | AAPL   | 105
        09:30:05   | AAPL   | 102`,
      output: `
        event_time | symbol | price | z_price             | baseline
        09:30:00   | AAPL   | 100   |                     |
        09:30:01   | AAPL   | 101   |                     |
        09:30:01   | MSFT   | 50    |                     |
        09:30:02   | AAPL   | 102   |                     |
        09:30:03   | AAPL   |       |                     | 101
        09:30:04   | AAPL   | 105   | 4                   | 101
        09:30:05   | AAPL   | 102   | -0.3202563076101743 | 102.66666666666667`,
    },
    {
      title: 'trades and volume of the last two seconds, with a row out of order',
      config: {
        over: '2s',
        columns: { trades_2s: 'count()', volume_2s: 'sum(size)', share: 'size / sum(size)' },
      },
      input: `
        event_time | symbol | size
        09:30:00   | AAPL   | 10
        09:30:01   | AAPL   | 30
        09:30:03   | AAPL   | 50
        09:30:02   | AAPL   | 20
        09:30:03.5 | AAPL   | 30`,
      output: `
        event_time | symbol | trades_2s:int64 | volume_2s | share
        09:30:00   | AAPL   | 1               | 10        | 1
        09:30:01   | AAPL   | 2               | 40        | 0.75
        09:30:03   | AAPL   | 1               | 50        | 1
        09:30:02   | AAPL   | 1               | 20        | 1
        09:30:03.5 | AAPL   | 3               | 100       | 0.3`,
    },
    {
      title: 'changes from row to row, and how unusual the last one is',
      config: {
        over: '2 rows',
        columns: {
          gap: 'delta(sequence)',
          waited: 'delta(event_time)',
          change: 'pct_change(price)',
          widest: 'max(pct_change(price)) - min(pct_change(price))',
        },
      },
      input: `
        event_time | symbol | price | sequence:int64
        09:30:00   | AAPL   | 100   | 1
        09:30:01.5 | AAPL   | 110   | 2
        09:30:02   | AAPL   | 99    | 5`,
      output: `
        event_time | symbol | gap | waited | change | widest
        09:30:00   | AAPL   |     |        |        |
        09:30:01.5 | AAPL   | 1   | 1.5    | 0.1    |
        09:30:02   | AAPL   | 3   | 0.5    | -0.1   | 0.2`,
    },
  ],
  open: (config, context, state) => new RollingOperator(config, context, state),
});
