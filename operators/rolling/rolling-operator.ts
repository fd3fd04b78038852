/** A rolling step at work: a window for each series, in the order of the program. */

import type { Batch, Column, Pointer } from '../../engine/contract/batch.ts';
import { EngineError } from '../../engine/contract/error.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import type { EventTime } from '../../engine/contract/time.ts';
import { compileExpression } from '../../engine/expression/compile-expression.ts';
import type { RollingRows, RollingState } from '../../wasm/host/rolling-state.ts';
import { readSections, type Section, writeSections } from '../snapshots/sections.ts';
import { openSeries } from './open-series.ts';
import {
  type LocalExpression,
  planProgram,
  type RollingConfig,
  type RollingProgram,
  type Series,
} from './rolling-program.ts';

interface OpenSeries {
  readonly plan: Series;
  /** Name of its section of a snapshot. */
  readonly section: string;
  readonly state: RollingState;
  /** Values of each operand at each row of a batch. */
  readonly valuesOf: readonly ((batch: Batch) => Pointer)[];
}

export class RollingOperator implements Operator {
  readonly #config: RollingConfig;
  readonly #context: OperatorContext;
  readonly #program: RollingProgram;
  readonly #series: readonly OpenSeries[];
  readonly #columns: readonly ((batch: Batch) => Column)[];
  readonly #keyColumn: number;
  readonly #timeColumn: number;

  constructor(config: RollingConfig, context: OperatorContext, state: StateTables | undefined) {
    this.#config = config;
    this.#context = context;
    const { input, kernels } = context;
    this.#keyColumn = columnIndex(input, input.key);
    this.#timeColumn = columnIndex(input, input.time);
    this.#program = planProgram(config, input, ({ message }) => {
      throw new TypeError(`step "${context.step}": ${message}`);
    });
    const { series, calls, columns } = this.#program;
    this.#series = series.map((plan) => {
      const own = plan.calls.map((position) => calls[position]!);
      return { plan, ...openSeries(kernels, plan, own, context) };
    });
    this.#columns = columns.map((column) =>
      compileExpression(column.expression, column.schema, context),
    );
    if (state !== undefined) this.#restore(state);
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount === 0) return;
    const results: Column[] = [];
    try {
      for (const series of this.#series) this.#run(series, batch, results);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const { over = 'the windows' } = this.#config;
      throw new EngineError(
        'memory/exhausted',
        `step "${this.#context.step}": the values of ${over} of ${this.#context.keys.size} keys ` +
          'do not fit into the 4 GiB of a slot, expected a shorter window or more slots',
        { cause: error },
      );
    }
    const added = this.#program.columns.map((column, i) =>
      this.#columns[i]!(withResults(batch, column, results)),
    );
    collector.emit({ ...batch, columns: [...batch.columns, ...added] });
  }

  #run({ plan, state, valuesOf }: OpenSeries, batch: Batch, results: Column[]): void {
    const { rowCount } = batch;
    const rows: RollingRows = {
      rowCount,
      keys: batch.columns[this.#keyColumn]!.pointer,
      values: valuesOf.map((of, i) => of(withResults(batch, plan.operands[i]!, results))),
      times: batch.columns[this.#timeColumn]!.pointer,
      rowWatermarks: batch.rowWatermarks,
    };
    const outputs = plan.calls.map((position) => {
      const call = this.#program.calls[position]!;
      const pointer = this.#context.memory.arena.allocate(rowCount * 8);
      results[position] = { type: call.type, pointer };
      return { name: call.output, arguments: call.arguments, pointer };
    });
    state.resize(this.#context.keys.size);
    state.run(rows, outputs);
  }

  advance(watermark: EventTime): EventTime {
    for (const { state } of this.#series) state.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    const sections = this.#series.map(
      ({ section, state }): Section => ({ name: section, bytes: state.snapshot() }),
    );
    return { windows: writeSections(this.#config.over ?? '', sections) };
  }

  #restore(state: StateTables): void {
    const { title, sections } = readSections(state['windows']!);
    const { over = '' } = this.#config;
    if (title !== over) {
      this.dispose();
      throw new EngineError(
        'config/invalid',
        `step "${this.#context.step}": cannot go on from a state of over: ${title}, got ${over}`,
      );
    }
    for (const { section, state: own } of this.#series) {
      const found = sections.find(({ name }) => name === section);
      if (found !== undefined) own.restore(found.bytes, this.#context.keys.size);
    }
  }

  dispose(): void {
    for (const { state } of this.#series) state.dispose();
  }
}

function withResults(batch: Batch, { inputs }: LocalExpression, results: Column[]): Batch {
  if (inputs.length === 0) return batch;
  return { ...batch, columns: [...batch.columns, ...inputs.map((input) => results[input]!)] };
}
