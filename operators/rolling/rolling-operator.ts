/** A rolling step at work: a window for each series, in the order of the program. */

import type { Batch, Column, Pointer } from '../../engine/contract/batch.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { type ExpressionValue, type Extent, parseExtent } from '../../engine/contract/fields.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import type { EventTime } from '../../engine/contract/time.ts';
import { compileExpression, compileToFloat64 } from '../../engine/expression/compile-expression.ts';
import {
  type Aggregate,
  type LagOutput,
  type RollingRows,
  type RollingSpec,
  RollingWindow,
} from '../../wasm/host/rolling.ts';
import {
  type LocalExpression,
  planProgram,
  type RollingCall,
  type RollingProgram,
  type Series,
} from './rolling-program.ts';
import { readSections, type Section, writeSections } from '../snapshots/sections.ts';

export interface RollingConfig {
  readonly over: string;
  readonly exclude_current: boolean;
  readonly min_rows?: number | undefined;
  readonly columns: Readonly<Record<string, ExpressionValue>>;
}

interface OpenSeries {
  readonly plan: Series;
  /** Name of its section of a snapshot. */
  readonly section: string;
  readonly window: RollingWindow;
  /** Values of the series at each row of a batch. */
  readonly valuesOf: (batch: Batch) => Pointer;
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
    this.#program = planProgram(config.columns, input, ({ message }) => {
      throw new TypeError(`step "${context.step}": ${message}`);
    });
    const { series, calls, columns } = this.#program;
    this.#series = series.map((plan) => {
      const spec = windowSpec(config, plan, calls);
      return {
        plan,
        section: sectionName(plan, spec),
        window: new RollingWindow(kernels, spec),
        valuesOf:
          plan.kind === 'aggregate'
            ? compileToFloat64(plan.expression, plan.schema, context)
            : pointerOf(compileExpression(plan.expression, plan.schema, context)),
      };
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
      const { over } = this.#config;
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

  #run({ plan, window, valuesOf }: OpenSeries, batch: Batch, results: Column[]): void {
    const { rowCount } = batch;
    const values = valuesOf(withResults(batch, plan, results));
    const rows: RollingRows = {
      rowCount,
      keys: batch.columns[this.#keyColumn]!.pointer,
      values,
      times: batch.columns[this.#timeColumn]!.pointer,
      rowWatermarks: batch.rowWatermarks,
    };
    const aggregates: Partial<Record<Aggregate, Pointer>> = {};
    const lags: LagOutput[] = [];
    for (const position of plan.calls) {
      const call = this.#program.calls[position]!;
      const pointer = this.#context.memory.arena.allocate(rowCount * 8);
      results[position] = { type: call.type, pointer };
      if (call.kind === 'aggregate') aggregates[call.aggregate] = pointer;
      else lags.push({ kind: call.lag, distance: call.distance, pointer });
    }
    window.resize(this.#context.keys.size);
    if (plan.kind === 'aggregate') window.aggregate(rows, aggregates);
    else window.lag(rows, lags);
  }

  advance(watermark: EventTime): EventTime {
    for (const { window } of this.#series) window.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    const sections = this.#series.map(
      ({ section, window }): Section => ({ name: section, bytes: window.snapshot() }),
    );
    return { windows: writeSections(this.#config.over, sections) };
  }

  #restore(state: StateTables): void {
    const { title, sections } = readSections(state['windows']!);
    const { over } = this.#config;
    if (title !== over) {
      this.dispose();
      throw new EngineError(
        'config/invalid',
        `step "${this.#context.step}": cannot go on from a state of over: ${title}, got ${over}`,
      );
    }
    for (const { section, window } of this.#series) {
      const found = sections.find(({ name }) => name === section);
      if (found !== undefined) window.restore(found.bytes, this.#context.keys.size);
    }
  }

  dispose(): void {
    for (const { window } of this.#series) window.dispose();
  }
}

/** Lags over rows keep as many values as they look back, so another distance is another state. */
function sectionName({ kind, text }: Series, { rows }: RollingSpec): string {
  return kind === 'aggregate' ? `aggregate ${text}` : `lag ${rows ?? ''} ${text}`;
}

function pointerOf(evaluate: (batch: Batch) => Column): (batch: Batch) => Pointer {
  return (batch) => evaluate(batch).pointer;
}

function withResults(batch: Batch, { inputs }: LocalExpression, results: Column[]): Batch {
  if (inputs.length === 0) return batch;
  return { ...batch, columns: [...batch.columns, ...inputs.map((input) => results[input]!)] };
}

function windowSpec(
  config: RollingConfig,
  series: Series,
  calls: readonly RollingCall[],
): RollingSpec {
  const extent = parseExtent(config.over)!;
  const own = series.calls.map((position) => calls[position]!);
  const distances = own.map((call) => (call.kind === 'lag' ? call.distance : 0));
  const rows = 'rows' in extent ? extent.rows : undefined;
  return {
    rows: rows !== undefined && series.kind === 'lag' ? Math.max(...distances) : rows,
    durationNs: 'durationNs' in extent ? extent.durationNs : undefined,
    minRows: config.min_rows ?? defaultMinRows(extent),
    excludeCurrent: config.exclude_current,
    aggregates: own.flatMap((call) => (call.kind === 'aggregate' ? [call.aggregate] : [])),
    isInteger: series.type === 'int64' || series.type === 'timestamp',
  };
}

/** A window of rows is complete when it is full; a window of time, whatever it holds. */
export function defaultMinRows(extent: Extent): number {
  return 'rows' in extent ? extent.rows : 1;
}
