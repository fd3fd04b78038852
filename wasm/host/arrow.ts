/** Host side of wasm/assembly/arrow.ts, whose header gives the layouts. All pointers are u32. */

import type { Kernels } from './kernels.ts';

export interface ArrowExports {
  toFloats(kind: number, values: number, rows: number, out: number): void;
  toIntegers(kind: number, values: number, rows: number, out: number, flags: number): void;
  scaleTimes(values: number, rows: number, unit: bigint, flags: number): void;
  integersToBooleans(values: number, rows: number, out: number, flags: number): void;
  bitsToBooleans(bits: number, shift: number, rows: number, out: number): void;
  decimalsToFloats(values: number, rows: number, power: number, out: number, inexact: number): void;
  decimalsToIntegers(values: number, rows: number, out: number, flags: number): void;
  putNulls(
    bits: number,
    shift: number,
    rows: number,
    width: number,
    isFloat: number,
    out: number,
    flags: number,
    isRequired: number,
  ): void;
  flagNullCodes(codes: number, rows: number, flags: number): void;
  flagNullTimes(times: number, rows: number, flags: number): void;
  internTexts(
    interner: number,
    offsets: number,
    isLarge: number,
    first: bigint,
    data: number,
    bits: number,
    shift: number,
    from: number,
    rows: number,
    out: number,
  ): number;
  internViews(
    interner: number,
    views: number,
    buffers: number,
    bits: number,
    shift: number,
    from: number,
    rows: number,
    out: number,
  ): number;
  internIntegers(
    interner: number,
    values: number,
    bits: number,
    shift: number,
    from: number,
    rows: number,
    out: number,
  ): number;
  parseTimes(
    offsets: number,
    isLarge: number,
    first: bigint,
    data: number,
    bits: number,
    shift: number,
    unit: bigint,
    rows: number,
    out: number,
    flags: number,
  ): void;
  gather(
    kind: number,
    indices: number,
    bits: number,
    shift: number,
    rows: number,
    table: number,
    tableSize: number,
    width: number,
    out: number,
  ): number;
  mergeFlags(flags: number, rows: number, merged: number): number;
  compact(column: number, width: number, rows: number, flags: number): number;
}

export function arrowKernels(kernels: Kernels): ArrowExports {
  return kernels.module<ArrowExports>('arrow');
}

/** Formats of the Arrow C data interface to the kinds of number that the kernels know. */
export const NUMBER_KINDS: Readonly<Record<string, number>> = {
  c: 0,
  C: 1,
  s: 2,
  S: 3,
  i: 4,
  I: 5,
  l: 6,
  L: 7,
  e: 8,
  f: 9,
  g: 10,
};

/** Bytes of an element of each kind. */
export const KIND_BYTES: readonly number[] = [1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8];

/** Why a flagged row cannot be taken. */
export const FLAG_RANGE = 2;
export const FLAG_EMPTY = 4;
