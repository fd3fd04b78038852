/**
 * Derive: columns computed from the columns of the same row.
 *
 * New columns stand behind those of the input, in the order of the configuration, and each may use
 * those before it. Input columns are passed on as they are, without a copy.
 */

import type { Batch, Column } from '../../engine/contract/batch.ts';
import { type ConfigOf, expressions, type Fields } from '../../engine/contract/fields.ts';
import {
  type Collector,
  defineOperator,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { type ColumnType, columnIndex, type Schema } from '../../engine/contract/schema.ts';
import { compileExpression } from '../../engine/expression/compile-expression.ts';
import { parseAccepted, planExpression } from '../../engine/expression/plan-expression.ts';

const fields = {
  columns: expressions({
    doc: 'New columns and their expressions. A later one may use an earlier one.',
    examples: [{ return_pct: '(close - open) / open * 100' }],
  }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

function withColumn(schema: Schema, name: string, type: ColumnType): Schema {
  return { ...schema, columns: [...schema.columns, { name, type }] };
}

function planColumns({ columns }: Config, input: Schema, report: Report): Schema {
  let schema = input;
  for (const [name, value] of Object.entries(columns)) {
    const at = ['columns', name];
    const planned = planExpression(value, schema, 'any', at, report);
    if (columnIndex(schema, name) >= 0) {
      report({
        path: at,
        target: 'key',
        code: 'config/duplicate-column',
        message: `there is a column ${name} already`,
        help: 'choose another name; derive adds columns and replaces none',
      });
    } else {
      // After a problem the type is a guess, so that the columns behind it can be checked too.
      schema = withColumn(schema, name, planned?.type ?? 'float64');
    }
  }
  return schema;
}

class Derive implements Operator {
  readonly #columns: readonly ((batch: Batch) => Column)[];

  constructor({ columns }: Config, context: OperatorContext) {
    const names = Object.keys(columns);
    const own = context.outputs.main.columns.slice(-names.length);
    let schema = context.input;
    this.#columns = own.map(({ name, type }) => {
      const evaluate = compileExpression(parseAccepted(columns[name]!), schema, context);
      schema = withColumn(schema, name, type);
      return evaluate;
    });
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount === 0) return;
    const columns = [...batch.columns];
    const derived: Batch = { ...batch, columns };
    for (const evaluate of this.#columns) columns.push(evaluate(derived));
    collector.emit(derived);
  }

  advance(watermark: bigint): bigint {
    return watermark;
  }

  snapshot(): Record<string, Uint8Array> {
    return {};
  }

  dispose(): void {}
}

export const derive: OperatorDefinition = defineOperator({
  name: 'derive',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Adds columns that are computed from other columns of the same row.',
  guarantees: {
    order: 'Rows keep their order.',
    lateness: 'Late rows pass like any other.',
    backPressure: 'Holds no rows back.',
  },
  fields,
  constraints: [
    {
      at: ['columns'],
      violated: ({ columns }) =>
        Object.keys(columns).length === 0 ? 'must name at least one column' : undefined,
    },
  ],
  plan: (config, input, report) => ({ main: planColumns(config, input, report) }),
  state: { version: 1, scope: 'none', tables: {} },
  metrics: {},
  examples: [
    {
      title: 'Return of each bar, and its size',
      config: {
        columns: {
          return_pct: '(close - open) / open * 100',
          size: "case when abs(return_pct) > 1 then 'large' else 'small' end",
        },
      },
      input: `
        event_time | symbol | open | close
        09:30      | AAPL   | 100  | 102
        09:30      | IBM    | 50   | 49.9
        09:35      | AAPL   | 0    | 1
        09:40      | AAPL   |      | 1
      `,
      output: `
        event_time | symbol | open | close | return_pct | size:string
        09:30      | AAPL   | 100  | 102   | 2          | large
        09:30      | IBM    | 50   | 49.9  | -0.2       | small
        09:35      | AAPL   | 0    | 1     |            | small
        09:40      | AAPL   |      | 1     |            | small
      `,
    },
    {
      title: 'What a trade was worth',
      config: { columns: { notional: 'price * size' } },
      input: `
        event_time | symbol | price | size
        09:30      | AAPL   | 100.5 | 10
        09:30      | IBM    | 50    |
      `,
      output: `
        event_time | symbol | price | size | notional
        09:30      | AAPL   | 100.5 | 10   | 1005
        09:30      | IBM    | 50    |      |
      `,
    },
  ],
  open: (config, context) => new Derive(config, context),
});
