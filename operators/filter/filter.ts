/**
 * Filter: the rows for which a condition is true. Where it is null the row does not pass, as in
 * SQL.
 */

import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import { type ConfigOf, expression, type Fields } from '../../engine/contract/fields.ts';
import {
  type Collector,
  defineOperator,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
} from '../../engine/contract/operator.ts';
import { compileToMask } from '../../engine/expression/compile-expression.ts';
import { parseAccepted, planExpression } from '../../engine/expression/plan-expression.ts';
import { filterRows } from '../../engine/expression/select-rows.ts';

const fields = {
  where: expression({
    doc: 'Condition that a row must meet to pass. A row for which it is null does not pass.',
    examples: ["price > 0 and symbol <> 'TEST'"],
  }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

class Filter implements Operator {
  readonly #context: OperatorContext;
  readonly #mask: (batch: Batch) => Pointer;

  constructor({ where }: Config, context: OperatorContext) {
    this.#context = context;
    this.#mask = compileToMask(parseAccepted(where), context.input, context);
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount === 0) return;
    const passed = filterRows(batch, this.#mask(batch), this.#context);
    if (passed.rowCount > 0) collector.emit(passed);
  }

  advance(watermark: bigint): bigint {
    return watermark;
  }

  snapshot(): Record<string, Uint8Array> {
    return {};
  }

  dispose(): void {}
}

export const filter: OperatorDefinition = defineOperator({
  name: 'filter',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Passes on the rows that meet a condition.',
  guarantees: {
    order: 'Rows keep their order.',
    lateness: 'Late rows pass like any other.',
    backPressure: 'Holds no rows back.',
  },
  fields,
  constraints: [],
  plan: ({ where }, input, report) => {
    planExpression(where, input, 'condition', ['where'], report);
    return { main: input };
  },
  state: { version: 1, scope: 'none', tables: {} },
  metrics: {},
  examples: [
    {
      title: 'Trades of one symbol with a price',
      config: { where: "symbol = 'AAPL' and price > 0" },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | IBM    | 50
        09:30:02   | AAPL   | 0
        09:30:03   | AAPL   |
        09:30:04   | AAPL   | 101
      `,
      output: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:04   | AAPL   | 101
      `,
    },
  ],
  open: (config, context) => new Filter(config, context),
});
