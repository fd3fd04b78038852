/**
 * Adds the rows of batches to records, by the fused kernel of bars or column by column, and merges
 * records.
 *
 * A batch is taken in stretches: kernels stop where memory is full (it grows, and they go on) and
 * at awkward rows, which the operator must handle itself before it lets them go on after.
 */

import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import { compileExpression, compileToFloat64 } from '../../engine/expression/compile-expression.ts';
import {
  type WindowBarsExports,
  type WindowColumnsExports,
  type WindowRowsExports,
  windowBars,
  windowColumns,
  windowRows,
} from '../../wasm/host/window-kernels.ts';
import {
  RECORD_ROWS,
  STATE,
  STOPPED_FULL,
  type WindowStore,
} from '../../wasm/host/window-store.ts';
import type { Accumulator, ArgumentColumn } from './argument-columns.ts';
import type { RecordLayout } from './record-layout.ts';

/** Finds or makes the records of rows: `assignRows` of window-rows, or that of sessions. */
export type AssignRows = (
  state: number,
  from: number,
  to: number,
  keys: number,
  times: number,
  watermarks: number,
  list: number,
) => number;

/** The batch at hand: addresses of its columns and of scratch beside it. */
export interface RowsAtHand {
  readonly rowCount: number;
  readonly keys: Pointer;
  readonly times: Pointer;
  /** 0 where no row is below its watermark. */
  readonly watermarks: Pointer;
  /** u32[rowCount]: record of each row. */
  readonly list: Pointer;
  /** Argument columns; for bars the price and the size (0 where there is none). */
  readonly values: readonly Pointer[];
}

export class RowAccumulator {
  readonly layout: RecordLayout;
  readonly #store: WindowStore;
  readonly #context: OperatorContext;
  readonly #assign: AssignRows;
  readonly #grow: () => void;
  readonly #bars: WindowBarsExports;
  readonly #kernels: WindowColumnsExports;
  readonly #rows: WindowRowsExports;
  readonly #arguments: readonly ((batch: Batch) => Pointer)[];
  readonly #key: number;
  readonly #time: number;

  constructor(
    layout: RecordLayout,
    store: WindowStore,
    context: OperatorContext,
    assign: AssignRows,
    grow: () => void,
  ) {
    this.layout = layout;
    this.#store = store;
    this.#context = context;
    this.#assign = assign;
    this.#grow = grow;
    this.#bars = windowBars(context.kernels);
    this.#kernels = windowColumns(context.kernels);
    this.#rows = windowRows(context.kernels);
    const { input } = context;
    this.#key = columnIndex(input, input.key);
    this.#time = columnIndex(input, input.time);
    const { bar, columns } = layout;
    // The product of a bar is not computed as a column.
    const needed = bar === undefined ? columns : columns.slice(0, 2);
    this.#arguments = needed.map((column) => compileArgument(column, context));
  }

  /** Computes the arguments, and makes room in the arena for the records and the late rows. */
  begin(batch: Batch): RowsAtHand {
    const { arena } = this.#context.memory;
    const { rowCount, columns, rowWatermarks } = batch;
    this.#store.set(STATE.lateCount, 0);
    this.#store.set(STATE.lateRows, rowWatermarks === 0 ? 0 : arena.allocate(rowCount * 4));
    return {
      rowCount,
      keys: columns[this.#key]!.pointer,
      times: columns[this.#time]!.pointer,
      watermarks: rowWatermarks,
      list: this.layout.bar === undefined ? arena.allocate(rowCount * 4) : 0,
      values: this.#arguments.map((evaluate) => evaluate(batch)),
    };
  }

  /** Adds rows from `from` on; returns the awkward row it got to, or their number. */
  add(rows: RowsAtHand, from: number): number {
    const store = this.#store;
    let row = from;
    while (row < rows.rowCount) {
      store.set(STATE.stopped, 0);
      row = this.layout.bar === undefined ? this.#addColumns(rows, row) : this.#addBars(rows, row);
      if (row === rows.rowCount) break;
      if (store.get(STATE.stopped) !== STOPPED_FULL) return row;
      this.#grow();
    }
    return rows.rowCount;
  }

  /** The record of one row, which is made where there is none. */
  recordOf({ keys, times }: RowsAtHand, row: number): number {
    const store = this.#store;
    for (;;) {
      const record = this.#rows.recordOfRow(store.state, row, keys, times);
      if (record !== 0) return record;
      this.#grow();
    }
  }

  /** Adds one row to a given record, whatever its window. */
  addTo(record: number, rows: RowsAtHand, row: number): void {
    const { records } = this.#store;
    if (this.layout.bar !== undefined) {
      const [price, size = 0] = rows.values;
      this.#bars.addBarTo(records, record, row, rows.times, price!, size);
      return;
    }
    this.#context.memory.u32(rows.list + row * 4, 1)[0] = record;
    this.#accumulate(rows, row, row + 1);
  }

  /** Merges records into others: `count` pairs of offsets, in their order. */
  merge(targets: Pointer, sources: Pointer, count: number): void {
    if (count === 0) return;
    const { records } = this.#store;
    const kernels = this.#kernels;
    kernels.mergeCounts(records, targets, sources, count, RECORD_ROWS);
    for (const { kind, column, field, counter } of this.layout.accumulators) {
      const isInteger = this.layout.columns[column]!.representation === 'i64';
      if (kind === 'moments') {
        kernels.mergeMoments(records, targets, sources, count, field, counter);
      } else {
        const merge = {
          sum: kernels.mergeSums,
          nulls: kernels.mergeCounts,
          ends: kernels.mergeEnds,
          extremes: isInteger ? kernels.mergeExtremesI64 : kernels.mergeExtremes,
        }[kind];
        merge(records, targets, sources, count, field);
      }
    }
  }

  #addBars(rows: RowsAtHand, from: number): number {
    const { state } = this.#store;
    const bars = this.#bars;
    const { rowCount: to, keys, times, watermarks } = rows;
    const [price, size] = rows.values as [Pointer, Pointer | undefined];
    if (size === undefined) {
      return watermarks === 0
        ? bars.addPrices(state, from, to, keys, times, price)
        : bars.addPricesBelowWatermark(state, from, to, keys, times, watermarks, price);
    }
    return watermarks === 0
      ? bars.addBars(state, from, to, keys, times, price, size)
      : bars.addBarsBelowWatermark(state, from, to, keys, times, watermarks, price, size);
  }

  #addColumns(rows: RowsAtHand, from: number): number {
    const { keys, times, watermarks, list } = rows;
    const { state } = this.#store;
    const to = this.#assign(state, from, rows.rowCount, keys, times, watermarks, list);
    this.#accumulate(rows, from, to);
    return to;
  }

  #accumulate(rows: RowsAtHand, from: number, to: number): void {
    if (from === to) return;
    const { records } = this.#store;
    this.#kernels.addRows(records, rows.list, from, to, RECORD_ROWS);
    for (const accumulator of this.layout.accumulators) {
      this.#accumulateColumn(accumulator, rows, from, to);
    }
  }

  #accumulateColumn(
    { kind, column, field, counter }: Accumulator,
    { list, times, values: columns }: RowsAtHand,
    from: number,
    to: number,
  ): void {
    const kernels = this.#kernels;
    const { records } = this.#store;
    const { representation } = this.layout.columns[column]!;
    const isInteger = representation === 'i64';
    const values = columns[column]!;
    switch (kind) {
      case 'moments':
        kernels.addMoments(records, list, from, to, values, field, counter);
        return;
      case 'ends':
        if (isInteger) kernels.addEndsI64(records, list, from, to, values, field, times);
        else kernels.addEnds(records, list, from, to, values, field, times);
        return;
      case 'extremes':
        if (isInteger) kernels.addExtremesI64(records, list, from, to, values, field);
        else kernels.addExtremes(records, list, from, to, values, field);
        return;
      case 'sum':
        kernels.addSums(records, list, from, to, values, field);
        return;
      case 'nulls': {
        const suffix = { f64: 'F64', i64: 'I64', u32: 'U32', u8: 'U8' } as const;
        kernels[`addNulls${suffix[representation]}`](records, list, from, to, values, field);
      }
    }
  }
}

function compileArgument(
  { argument, representation }: ArgumentColumn,
  context: OperatorContext,
): (batch: Batch) => Pointer {
  const { expression } = argument;
  if (representation === 'f64') return compileToFloat64(expression, context.input, context);
  const evaluate = compileExpression(expression, context.input, context);
  return (batch) => evaluate(batch).pointer;
}
