/**
 * The record of a window: which accumulators it has, where, and how each result is read from them.
 *
 * Two layouts. That of market-data bars is fixed, and rows are added to it by one fused kernel; any
 * other is made for the calls at hand, and rows are added by one kernel an accumulator. Both give
 * the same bits, and everything else (merging, emission, snapshots) knows no difference.
 */

import { HEADER_BYTES, RECORD_ROWS } from '../../wasm/host/window-store.ts';
import { type AccumulatorKind, AGGREGATES } from './aggregate-functions.ts';
import { type BarShape, barShape } from './bar-shape.ts';
import { type Accumulator, type ArgumentColumn, columnOf, sameColumn } from './argument-columns.ts';
import type { AggregateCall } from './plan-aggregates.ts';

export interface RecordLayout {
  /** Set where the fused kernel adds the rows. */
  readonly bar: BarShape | undefined;
  readonly columns: readonly ArgumentColumn[];
  readonly accumulators: readonly Accumulator[];
  /** Bytes of a record, a multiple of 16. */
  readonly bytes: number;
  /** Field of the u32 rows it was stated with and the u32 revision; 0 where there is none. */
  readonly stated: number;
}

export interface LayoutOptions {
  /** Bytes before the accumulators; bars need those of the header alone. */
  readonly headBytes?: number;
  /** Whether records may be stated several times. */
  readonly isRevised: boolean;
  /** False keeps the fused kernel out, for tests of the other. */
  readonly allowBars?: boolean;
}

const BYTES: Readonly<Record<AccumulatorKind, number>> = {
  ends: 32,
  moments: 32,
  extremes: 16,
  sum: 8,
  nulls: 4,
};
const STATED_BYTES = 8;

export function layoutRecord(
  calls: readonly AggregateCall[],
  { headBytes = HEADER_BYTES, isRevised, allowBars = true }: LayoutOptions,
): RecordLayout {
  const isPlainHead = headBytes === HEADER_BYTES;
  const bar = allowBars && isPlainHead ? barShape(calls) : undefined;
  const { columns, accumulators, bytes } = bar ?? layoutAccumulators(calls, headBytes);
  const stated = isRevised ? roundUp(bytes, STATED_BYTES) : 0;
  return {
    bar,
    columns,
    accumulators,
    bytes: roundUp(isRevised ? stated + STATED_BYTES : bytes, 16),
    stated,
  };
}

/** One accumulator for each kind and column that the calls need, large ones first. */
function layoutAccumulators(
  calls: readonly AggregateCall[],
  headBytes: number,
): Pick<RecordLayout, 'columns' | 'accumulators' | 'bytes'> {
  const columns: ArgumentColumn[] = [];
  const needs = new Map<string, { kind: AccumulatorKind; column: number }>();
  const need = (kind: AccumulatorKind, column: number): void => {
    needs.set(`${kind} ${column}`, { kind, column });
  };
  for (const call of calls) {
    const wanted = columnOf(call);
    if (wanted === undefined) continue;
    let column = columns.findIndex((each) => sameColumn(each, wanted));
    if (column < 0) column = columns.push(wanted) - 1;
    const kind = AGGREGATES[call.name].keeps;
    need(kind, column);
    // A sum alone does not tell whether there was a value.
    if (kind === 'sum') need('nulls', column);
  }
  let bytes = headBytes;
  const accumulators: Accumulator[] = [];
  for (const kind of ['ends', 'moments', 'extremes', 'sum', 'nulls'] as const) {
    for (const { column } of [...needs.values()].filter((each) => each.kind === kind)) {
      // The third word of moments is theirs to use.
      const counter = kind === 'moments' ? bytes + 8 : 0;
      accumulators.push({ kind, column, field: bytes, counter });
      bytes += BYTES[kind];
    }
  }
  return { columns, accumulators, bytes: roundUp(bytes, 8) };
}

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

/** A record without values, stated with this revision. Its header is zero. */
export function templateOf(layout: RecordLayout, revision: number): Uint8Array {
  const template = new Uint8Array(layout.bytes);
  const view = new DataView(template.buffer);
  const int64Max = 2n ** 63n - 1n;
  const int64Min = -(2n ** 63n);
  for (const { kind, column, field } of layout.accumulators) {
    const isInteger = layout.columns[column]!.representation === 'i64';
    if (kind === 'extremes') {
      if (isInteger) {
        view.setBigInt64(field, int64Max, true);
        view.setBigInt64(field + 8, int64Min, true);
      } else {
        view.setFloat64(field, Infinity, true);
        view.setFloat64(field + 8, Infinity, true);
      }
    } else if (kind === 'ends') {
      for (const at of [field, field + 16]) {
        if (isInteger) view.setBigInt64(at, int64Min, true);
        else view.setFloat64(at, Number.NaN, true);
      }
      view.setBigInt64(field + 8, int64Max, true);
      view.setBigInt64(field + 24, int64Min, true);
    }
  }
  if (layout.stated !== 0) view.setInt32(layout.stated + 4, revision, true);
  return template;
}

/** Where the number of values of a column stands. */
export interface Counter {
  readonly field: number;
  /** Whether it counts the nulls instead. */
  readonly areNulls: boolean;
}

/** The accumulator of this kind for the column of a call. */
export function accumulatorOf(
  layout: RecordLayout,
  call: AggregateCall,
  kind: AccumulatorKind,
): Accumulator | undefined {
  const wanted = columnOf(call);
  if (wanted === undefined) return undefined;
  return layout.accumulators.find(
    (each) => each.kind === kind && sameColumn(layout.columns[each.column]!, wanted),
  );
}

/** Where the number of values of the call's column stands; the rows, for `count()`. */
export function counterOf(layout: RecordLayout, call: AggregateCall): Counter {
  if (call.argument === undefined) return { field: RECORD_ROWS, areNulls: false };
  const nulls = accumulatorOf(layout, call, 'nulls');
  if (nulls !== undefined) return { field: nulls.field, areNulls: true };
  return { field: accumulatorOf(layout, call, 'moments')!.counter, areNulls: false };
}
