/**
 * Records to output batches: key, window_start, window_end, (revision,) aggregates.
 *
 * Rows are gathered into chunks in the arena, column by column, straight from the records; a chunk
 * that is full, or the last one, has its expressions computed and goes on.
 */

import type { Batch, Column, Pointer } from '../../engine/contract/batch.ts';
import type { Collector, OperatorContext } from '../../engine/contract/operator.ts';
import { elementBytes } from '../../engine/contract/schema.ts';
import { compileExpression } from '../../engine/expression/compile-expression.ts';
import { type WindowEmitExports, windowEmit } from '../../wasm/host/window-kernels.ts';
import type { WindowStore } from '../../wasm/host/window-store.ts';
import type { AggregateCall, AggregateOutput, AggregatePlan } from './plan-aggregates.ts';
import { accumulatorOf, counterOf, type RecordLayout } from './record-layout.ts';

/** Rows of an output batch at most: 12 columns of them are less than a second-level cache. */
export const CHUNK_ROWS = 8192;

/** Writes one column of results for the listed records. */
type EmitColumn = (records: number, list: Pointer, count: number, out: Pointer) => void;

/** Writes the bounds of the windows of the listed records, i64[count] each. */
export type EmitBounds = (
  kernels: WindowEmitExports,
  list: Pointer,
  count: number,
  starts: Pointer,
  ends: Pointer,
) => void;

interface Chunk {
  readonly mark: { readonly chunk: number; readonly used: number };
  readonly keys: Pointer;
  readonly starts: Pointer;
  readonly ends: Pointer;
  readonly revisions: Pointer;
  /** One for each call. */
  readonly results: readonly Pointer[];
  rowCount: number;
}

export class WindowOutput {
  readonly #store: WindowStore;
  readonly #context: OperatorContext;
  readonly #kernels: WindowEmitExports;
  readonly #emitBounds: EmitBounds;
  readonly #stated: number;
  readonly #calls: readonly AggregateCall[];
  readonly #emit: readonly EmitColumn[];
  readonly #outputs: readonly ((results: readonly Column[], rowCount: number) => Column)[];
  #chunk: Chunk | undefined;

  constructor(
    plan: AggregatePlan,
    layout: RecordLayout,
    store: WindowStore,
    context: OperatorContext,
    emitBounds: EmitBounds,
  ) {
    this.#store = store;
    this.#context = context;
    this.#kernels = windowEmit(context.kernels);
    this.#emitBounds = emitBounds;
    this.#stated = layout.stated;
    this.#calls = plan.calls;
    this.#emit = plan.calls.map((call) => emitterOf(call, layout, this.#kernels));
    this.#outputs = plan.outputs.map((output) => evaluatorOf(output, context));
  }

  /**
   * Puts out the windows of these records. The list, and the records, are read at once.
   * @param list u32[count] of record offsets; it must have been allocated before the chunk was
   *   begun, or not in the arena.
   */
  append(list: Pointer, count: number, collector: Collector): void {
    let done = 0;
    while (done < count) {
      const chunk = (this.#chunk ??= this.#begin());
      const rows = Math.min(count - done, CHUNK_ROWS - chunk.rowCount);
      this.#write(chunk, list + done * 4, rows);
      chunk.rowCount += rows;
      done += rows;
      if (chunk.rowCount === CHUNK_ROWS) this.flush(collector);
    }
  }

  /** Hands on what has been appended, and frees the arena down to where the chunk began. */
  flush(collector: Collector): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#chunk = undefined;
    const { rowCount, results } = chunk;
    const timestamp = (pointer: Pointer): Column => ({ type: 'timestamp', pointer });
    const columns: Column[] = [
      { type: 'string', pointer: chunk.keys, dictionary: this.#context.keys },
      timestamp(chunk.starts),
      timestamp(chunk.ends),
    ];
    if (this.#stated !== 0) columns.push({ type: 'int64', pointer: chunk.revisions });
    const typed = results.map((pointer, i) => ({ type: this.#calls[i]!.type, pointer }));
    for (const evaluate of this.#outputs) columns.push(evaluate(typed, rowCount));
    collector.emit({ rowCount, columns, rowWatermarks: 0, origin: 'none' });
    this.#context.memory.arena.release(chunk.mark);
  }

  #begin(): Chunk {
    const { arena } = this.#context.memory;
    const mark = arena.mark();
    const column = (): Pointer => arena.allocate(CHUNK_ROWS * 8);
    return {
      mark,
      keys: arena.allocate(CHUNK_ROWS * elementBytes('string')),
      starts: column(),
      ends: column(),
      revisions: this.#stated === 0 ? 0 : column(),
      results: this.#calls.map(column),
      rowCount: 0,
    };
  }

  #write(
    { keys, starts, ends, revisions, results, rowCount }: Chunk,
    list: Pointer,
    count: number,
  ): void {
    const kernels = this.#kernels;
    const { records } = this.#store;
    const at = rowCount * 8;
    kernels.emitKeys(records, list, count, keys + rowCount * 4);
    this.#emitBounds(kernels, list, count, starts + at, ends + at);
    if (this.#stated !== 0) {
      kernels.emitCounts(records, list, count, this.#stated + 4, revisions + at);
    }
    for (const [i, emit] of this.#emit.entries()) emit(records, list, count, results[i]! + at);
  }
}

/** The output column over the results of its calls; a bare call is its own column. */
function evaluatorOf(
  { expression, schema, calls }: AggregateOutput,
  context: OperatorContext,
): (results: readonly Column[], rowCount: number) => Column {
  const evaluate = compileExpression(expression, schema, context);
  return (results, rowCount) => {
    const columns = calls.map((call) => results[call]!);
    const batch: Batch = { rowCount, columns, rowWatermarks: 0, origin: 'none' };
    return evaluate(batch);
  };
}

/** How the result of a call is read from records of this layout. */
function emitterOf(
  call: AggregateCall,
  layout: RecordLayout,
  kernels: WindowEmitExports,
): EmitColumn {
  const { name, argument } = call;
  const counter = name === 'count' || name === 'sum' ? counterOf(layout, call) : undefined;
  if (argument === undefined) {
    return (records, list, count, out) =>
      kernels.emitCounts(records, list, count, counter!.field, out);
  }
  const areNulls = counter?.areNulls === true ? 1 : 0;
  if (name === 'count') {
    return (records, list, count, out) =>
      kernels.emitValueCounts(records, list, count, counter!.field, areNulls, out);
  }
  const isInteger = call.type !== 'float64';
  switch (name) {
    case 'sum': {
      const { field } = accumulatorOf(layout, call, 'sum')!;
      return (records, list, count, out) =>
        kernels.emitSums(records, list, count, field, counter!.field, areNulls, out);
    }
    case 'min':
    case 'max': {
      const { field } = accumulatorOf(layout, call, 'extremes')!;
      const emit = isInteger
        ? name === 'min'
          ? kernels.emitMinimaI64
          : kernels.emitField
        : name === 'min'
          ? kernels.emitMinima
          : kernels.emitMaxima;
      const at = isInteger && name === 'max' ? field + 8 : field;
      return (records, list, count, out) => emit(records, list, count, at, out);
    }
    case 'first':
    case 'last': {
      const { field } = accumulatorOf(layout, call, 'ends')!;
      const at = name === 'first' ? field : field + 16;
      return (records, list, count, out) => kernels.emitField(records, list, count, at, out);
    }
    default:
      return momentEmitter(call, layout, kernels);
  }
}

function momentEmitter(
  call: AggregateCall,
  layout: RecordLayout,
  kernels: WindowEmitExports,
): EmitColumn {
  const { field, counter } = accumulatorOf(layout, call, 'moments')!;
  if (call.name === 'mean') {
    return (records, list, count, out) =>
      kernels.emitMeans(records, list, count, field, counter, out);
  }
  const isRoot = call.name === 'stddev' || call.name === 'stddev_pop';
  const emit = isRoot ? kernels.emitDeviations : kernels.emitVariances;
  const taken = call.name === 'variance' || call.name === 'stddev' ? 1 : 0;
  return (records, list, count, out) => emit(records, list, count, field, counter, taken, out);
}
