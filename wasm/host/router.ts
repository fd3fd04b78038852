/** Typed view of wasm/assembly/router.ts; the layouts stand there. */

import type { Kernels } from './kernels.ts';

export interface RouterExports {
  countRanks(codes: number, orders: number, rows: number, counts: number, ranks: number): void;
  placeRows(codes: number, orders: number, rows: number, cursors: number, targets: number): void;
  scatter8(values: number, targets: number, rows: number, output: number): void;
  scatter4(values: number, targets: number, rows: number, output: number): void;
  scatter1(values: number, targets: number, rows: number, output: number): void;
  timeRange(times: number, rows: number, range: number): void;
  peaksBefore(times: number, rows: number, peaks: number): void;
  rowWatermarks(
    peaks: number,
    times: number,
    rows: number,
    peakBefore: bigint,
    delay: bigint,
    others: bigint,
    floor: bigint,
  ): number;
  remapCodes(values: number, rows: number, map: number): void;
}

export function routerKernels(kernels: Kernels): RouterExports {
  return kernels.module<RouterExports>('router');
}

/** Scatters a column whose elements have this many bytes. */
export function scatter(
  kernels: RouterExports,
  bytes: 1 | 4 | 8,
  values: number,
  targets: number,
  rows: number,
  output: number,
): void {
  if (bytes === 8) kernels.scatter8(values, targets, rows, output);
  else if (bytes === 4) kernels.scatter4(values, targets, rows, output);
  else kernels.scatter1(values, targets, rows, output);
}
