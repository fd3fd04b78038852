/**
 * `tick_rule`: was a trade bought or sold? The classic test: 1 where the price is above the last
 * different price of the symbol, -1 where it is below.
 *
 * State: last price and last direction of each key, NaN before there is one; 16 bytes a key.
 *
 * Lee, Ready: Inferring Trade Direction from Intraday Data, Journal of Finance 46(2), 1991.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import { type ConfigOf, column } from '../../engine/contract/fields.ts';
import {
  type Collector,
  defineOperator,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import type { EventTime } from '../../engine/contract/time.ts';

const fields = {
  price: column({ doc: 'Column of trade prices.', examples: ['price'] }).default('price'),
};
type Config = ConfigOf<typeof fields>;

const BYTES_A_KEY = 16;

class TickRule implements Operator {
  readonly #context: OperatorContext;
  readonly #price: number;
  readonly #key: number;
  /** f64[2 * keys]: last price and last direction of each key, in turns. */
  #lastTicks = 0;
  #keys = 0;

  constructor({ price }: Config, context: OperatorContext, state?: StateTables) {
    this.#context = context;
    this.#price = columnIndex(context.input, price);
    this.#key = columnIndex(context.input, context.input.key);
    const saved = state?.['last_ticks'];
    if (saved === undefined) return;
    this.#grow(saved.length / BYTES_A_KEY);
    context.memory.bytes(this.#lastTicks, saved.length).set(saved);
  }

  process(batch: Batch, collector: Collector): void {
    const { memory, keys } = this.#context;
    const { rowCount, columns } = batch;
    // Everything that may grow the memory comes before the first view of it.
    this.#grow(keys.size);
    const pointer = memory.arena.allocate(rowCount * 8);
    const prices = memory.f64(columns[this.#price]!.pointer, rowCount);
    const codes = memory.u32(columns[this.#key]!.pointer, rowCount);
    const directions = memory.f64(pointer, rowCount);
    const last = memory.f64(this.#lastTicks, 2 * this.#keys);
    for (let row = 0; row < rowCount; row++) {
      const at = 2 * codes[row]!;
      const price = prices[row]!;
      // A null price is NaN: both comparisons are false, and the last direction stands.
      if (price > last[at]!) last[at + 1] = 1;
      else if (price < last[at]!) last[at + 1] = -1;
      if (!Number.isNaN(price)) last[at] = price;
      directions[row] = last[at + 1]!;
    }
    collector.emit({ ...batch, columns: [...columns, { type: 'float64', pointer }] });
  }

  advance(watermark: EventTime): EventTime {
    return watermark;
  }

  snapshot(): StateTables {
    const bytes = this.#context.memory.bytes(this.#lastTicks, this.#keys * BYTES_A_KEY);
    return { last_ticks: bytes.slice() };
  }

  dispose(): void {
    this.#context.memory.free(this.#lastTicks);
    this.#lastTicks = 0;
    this.#keys = 0;
  }

  #grow(keys: number): void {
    const { memory } = this.#context;
    if (keys <= this.#keys) return;
    const used = this.#keys * BYTES_A_KEY;
    if (used === 0 || keys * BYTES_A_KEY > memory.capacity(this.#lastTicks)) {
      this.#lastTicks = memory.reallocate(this.#lastTicks, used, keys * BYTES_A_KEY);
    }
    memory.f64(this.#lastTicks, 2 * keys).fill(Number.NaN, 2 * this.#keys);
    this.#keys = keys;
  }
}

export const tickRule: OperatorDefinition = defineOperator({
  name: 'tick_rule',
  since: '0.1.0',
  stability: 'experimental',
  summary: 'Tells from its price whether a trade was bought (1) or sold (-1).',
  guarantees: {
    order: 'Rows come out in the order in which they came in.',
    lateness: 'A late row is judged like any other, by the row before it in arrival order.',
    backPressure: 'Keeps no rows back.',
  },
  fields,
  constraints: [],
  plan: ({ price }, input, report) => {
    if (input.columns[columnIndex(input, price)]?.type !== 'float64') {
      report({
        path: ['price'],
        code: 'config/column-type',
        message: `${price}: expected a float64 column of the input`,
      });
    }
    if (columnIndex(input, 'direction') >= 0) {
      report({
        path: ['price'],
        code: 'config/duplicate-column',
        message: 'the input already has a column direction',
      });
    }
    return {
      main: { ...input, columns: [...input.columns, { name: 'direction', type: 'float64' }] },
    };
  },
  state: {
    version: 1,
    scope: 'keyed',
    tables: { last_ticks: 'Last price and direction of each key.' },
    bytesPerKey: () => ({ key: BYTES_A_KEY, parts: [] }),
  },
  metrics: {},
  examples: [
    {
      title: 'two symbols',
      config: {},
      input: `
        event_time | symbol | price
        09:30:00   | SPY    | 100
        09:30:01   | SPY    | 101
        09:30:02   | IBM    | 50
        09:30:03   | SPY    | 101
        09:30:04   | SPY    | 99`,
      output: `
        event_time | symbol | direction
        09:30:00   | SPY    |
        09:30:01   | SPY    | 1
        09:30:02   | IBM    |
        09:30:03   | SPY    | 1
        09:30:04   | SPY    | -1`,
    },
  ],
  open: (config, context, state) => new TickRule(config, context, state),
});
