/**
 * One operator over the trades of W1 that lie in its linear memory already: what the operator costs
 * by itself, without reading, routing and copying.
 */

import type { Batch, Column } from '../../engine/contract/batch.ts';
import type { Collector, OperatorDefinition } from '../../engine/contract/operator.ts';
import { TextTable } from '../../engine/testing/rows.ts';
import { planOperator } from '../../engine/testing/harness.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { END_OF_TIME } from '../../engine/contract/time.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import { LinearMemory } from '../../wasm/host/linear-memory.ts';
import { symbolTexts, TradeGenerator, tradeColumns, type W1, W1_SCHEMA } from './w1.ts';

export class TradesInMemory {
  readonly w1: W1;
  readonly memory = new LinearMemory();
  readonly kernels = new Kernels(this.memory);
  readonly times: number;
  readonly symbols: number;
  readonly prices: number;
  readonly sizes: number;
  readonly keys: TextTable;

  constructor(w1: W1) {
    this.w1 = w1;
    const { memory } = this;
    const { rows } = w1;
    this.times = memory.allocate(rows * 8);
    this.symbols = memory.allocate(rows * 4);
    this.prices = memory.allocate(rows * 8);
    this.sizes = memory.allocate(rows * 8);
    this.keys = new TextTable(symbolTexts(w1.symbols));
    const chunk = tradeColumns(65_536);
    const generator = new TradeGenerator(w1);
    let row = 0;
    for (let count = generator.fill(chunk, 65_536); count > 0; ) {
      memory.i64(this.times + row * 8, count).set(chunk.eventTime.subarray(0, count));
      memory.u32(this.symbols + row * 4, count).set(chunk.symbol.subarray(0, count));
      memory.f64(this.prices + row * 8, count).set(chunk.price.subarray(0, count));
      memory.f64(this.sizes + row * 8, count).set(chunk.size.subarray(0, count));
      row += count;
      count = generator.fill(chunk, 65_536);
    }
  }

  /**
   * Runs the operator over all trades and the end of time; the watermark moves once a batch.
   * @param names Further names of columns, for operators that look for bars or quotes.
   */
  run(
    definition: OperatorDefinition,
    config: unknown,
    batchRows: number,
    collector: Collector,
    names: Readonly<Record<string, 'price' | 'size' | 'symbol'>> = {},
  ): void {
    const { memory, kernels, keys, w1 } = this;
    const places = Object.values(names).map((name) =>
      W1_SCHEMA.columns.findIndex((column) => column.name === name),
    );
    const more = Object.keys(names).map((name, i) => ({
      name,
      type: W1_SCHEMA.columns[places[i]!]!.type,
    }));
    const input: Schema = { ...W1_SCHEMA, columns: [...W1_SCHEMA.columns, ...more] };
    const planned = planOperator(definition, config, input);
    if (planned.problems.length > 0) throw new TypeError(JSON.stringify(planned.problems));
    const operator = definition.open(planned.config as Readonly<Record<string, unknown>>, {
      input,
      outputs: planned.outputs!,
      memory,
      kernels,
      keys,
      strings: new TextTable(),
      step: definition.name,
      countRows: () => undefined,
      count: () => undefined,
    });
    memory.arena.reset();
    for (let from = 0; from < w1.rows; from += batchRows) {
      const count = Math.min(batchRows, w1.rows - from);
      const batch = this.#batch(from, count);
      const columns = [...batch.columns, ...places.map((place) => batch.columns[place]!)];
      operator.process({ ...batch, columns }, collector);
      memory.arena.reset();
      operator.advance(memory.i64(this.times + (from + count - 1) * 8, 1)[0]!, collector);
      memory.arena.reset();
    }
    operator.advance(END_OF_TIME, collector);
    memory.arena.reset();
    operator.dispose();
  }

  #batch(from: number, rowCount: number): Batch {
    const columns: Column[] = [
      { type: 'timestamp', pointer: this.times + from * 8 },
      { type: 'string', pointer: this.symbols + from * 4, dictionary: this.keys },
      { type: 'float64', pointer: this.prices + from * 8 },
      { type: 'float64', pointer: this.sizes + from * 8 },
    ];
    return { rowCount, columns, rowWatermarks: 0, origin: 0 };
  }
}
