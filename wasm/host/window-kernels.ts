/** Typed views of wasm/assembly/window-*.ts; the layouts stand there. */

import type { Kernels } from './kernels.ts';

/** Adds rows `from` to `to` to their bars; returns the row it got to. */
export interface WindowBarsExports {
  addBars(
    state: number,
    from: number,
    to: number,
    keys: number,
    times: number,
    prices: number,
    sizes: number,
  ): number;
  addBarsBelowWatermark(
    state: number,
    from: number,
    to: number,
    keys: number,
    times: number,
    watermarks: number,
    prices: number,
    sizes: number,
  ): number;
  addPrices(
    state: number,
    from: number,
    to: number,
    keys: number,
    times: number,
    prices: number,
  ): number;
  addPricesBelowWatermark(
    state: number,
    from: number,
    to: number,
    keys: number,
    times: number,
    watermarks: number,
    prices: number,
  ): number;
  addBarTo(
    records: number,
    record: number,
    row: number,
    times: number,
    prices: number,
    sizes: number,
  ): void;
}

export interface WindowRowsExports {
  assignRows(
    state: number,
    from: number,
    to: number,
    keys: number,
    times: number,
    watermarks: number,
    list: number,
  ): number;
  recordOfRow(state: number, row: number, keys: number, times: number): number;
  secondsLate(
    state: number,
    rows: number,
    count: number,
    times: number,
    watermarks: number,
    seconds: number,
  ): void;
}

/** Adds a column to the records of its rows. */
export type AddKernel = (
  records: number,
  list: number,
  from: number,
  to: number,
  values: number,
  field: number,
) => void;

/** Merges one kind of accumulator of records into others. */
export type MergeKernel = (
  records: number,
  targets: number,
  sources: number,
  count: number,
  field: number,
) => void;

export interface WindowColumnsExports {
  addRows(records: number, list: number, from: number, to: number, field: number): void;
  readonly addNullsF64: AddKernel;
  readonly addNullsI64: AddKernel;
  readonly addNullsU32: AddKernel;
  readonly addNullsU8: AddKernel;
  readonly addSums: AddKernel;
  readonly addExtremes: AddKernel;
  readonly addExtremesI64: AddKernel;
  addMoments(...arguments_: [...Parameters<AddKernel>, counter: number]): void;
  addEnds(...arguments_: [...Parameters<AddKernel>, times: number]): void;
  addEndsI64(...arguments_: [...Parameters<AddKernel>, times: number]): void;
  readonly mergeCounts: MergeKernel;
  readonly mergeSums: MergeKernel;
  readonly mergeExtremes: MergeKernel;
  readonly mergeExtremesI64: MergeKernel;
  readonly mergeEnds: MergeKernel;
  mergeMoments(...arguments_: [...Parameters<MergeKernel>, counter: number]): void;
}

/** Writes a column from a field of the listed records. */
export type EmitKernel = (
  records: number,
  list: number,
  count: number,
  field: number,
  out: number,
) => void;

export interface WindowEmitExports {
  closeWindows(state: number, limit: bigint, list: number, max: number): number;
  fillIndex(state: number): void;
  stateRecord(records: number, record: number, field: number): number;
  stateWindows(
    state: number,
    from: bigint,
    limit: bigint,
    field: number,
    list: number,
    max: number,
  ): number;
  emitKeys(records: number, list: number, count: number, out: number): void;
  fillI64(value: bigint, count: number, out: number): void;
  emitLater(
    records: number,
    list: number,
    count: number,
    field: number,
    span: bigint,
    out: number,
  ): void;
  readonly emitField: EmitKernel;
  readonly emitCounts: EmitKernel;
  readonly emitMinima: EmitKernel;
  readonly emitMaxima: EmitKernel;
  readonly emitMinimaI64: EmitKernel;
  emitValueCounts(
    records: number,
    list: number,
    count: number,
    counter: number,
    areNulls: number,
    out: number,
  ): void;
  emitSums(
    records: number,
    list: number,
    count: number,
    field: number,
    counter: number,
    areNulls: number,
    out: number,
  ): void;
  emitMeans(
    records: number,
    list: number,
    count: number,
    moments: number,
    counter: number,
    out: number,
  ): void;
  emitVariances(
    records: number,
    list: number,
    count: number,
    moments: number,
    counter: number,
    taken: number,
    out: number,
  ): void;
  emitDeviations(
    records: number,
    list: number,
    count: number,
    moments: number,
    counter: number,
    taken: number,
    out: number,
  ): void;
}

export function windowBars(kernels: Kernels): WindowBarsExports {
  return kernels.module<WindowBarsExports>('window-bars');
}

export function windowRows(kernels: Kernels): WindowRowsExports {
  return kernels.module<WindowRowsExports>('window-rows');
}

export function windowColumns(kernels: Kernels): WindowColumnsExports {
  return kernels.module<WindowColumnsExports>('window-columns');
}

export function windowEmit(kernels: Kernels): WindowEmitExports {
  return kernels.module<WindowEmitExports>('window-emit');
}
