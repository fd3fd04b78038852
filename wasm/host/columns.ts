/** Typed view of wasm/assembly/columns.ts; the layouts stand there. */

import type { Kernels } from './kernels.ts';

/** Elements in the block of a constant, an operand of step 0. */
export const CONSTANT_ROWS = 16;

/** A column (step 1) or a constant (step 0). */
export type Step = 0 | 1;

/** `out[i]` from `a[i * aStep]` and `b[i * bStep]`. */
export type BinaryKernel = (
  a: number,
  aStep: Step,
  b: number,
  bStep: Step,
  out: number,
  rows: number,
) => void;

/** `out[i]` from `values[i]`. */
export type UnaryKernel = (values: number, out: number, rows: number) => void;

export type MembershipKernel = (
  values: number,
  list: number,
  listCount: number,
  hasNull: 0 | 1,
  out: number,
  rows: number,
) => void;

export type ChoiceKernel = (
  mask: number,
  maskStep: Step,
  a: number,
  aStep: Step,
  b: number,
  bStep: Step,
  out: number,
  rows: number,
) => void;

export type BinaryKernelName =
  | 'addF64'
  | 'subtractF64'
  | 'multiplyF64'
  | 'divideF64'
  | 'remainderF64'
  | 'powF64'
  | 'leastF64'
  | 'greatestF64'
  | 'leastI64'
  | 'greatestI64'
  | 'secondsBetween'
  | 'equalF64'
  | 'unequalF64'
  | 'lessF64'
  | 'lessOrEqualF64'
  | 'equalI64'
  | 'unequalI64'
  | 'lessI64'
  | 'lessOrEqualI64'
  | 'equalU32'
  | 'unequalU32'
  | 'equalU8'
  | 'unequalU8'
  | 'andMasks'
  | 'orMasks';

export type UnaryKernelName =
  | 'negateF64'
  | 'absF64'
  | 'floorF64'
  | 'ceilF64'
  | 'sqrtF64'
  | 'signF64'
  | 'logF64'
  | 'log10F64'
  | 'expF64'
  | 'int64ToF64'
  | 'booleanToF64'
  | 'isNullF64'
  | 'isNullI64'
  | 'isNullU32'
  | 'isNullU8'
  | 'notMask';

export interface ColumnsExports
  extends Readonly<Record<BinaryKernelName, BinaryKernel>>,
    Readonly<Record<UnaryKernelName, UnaryKernel>> {
  roundF64(values: number, factor: number, out: number, rows: number): void;
  translateCodes(codes: number, table: number, out: number, rows: number): void;
  readonly inF64: MembershipKernel;
  readonly inI64: MembershipKernel;
  readonly inU32: MembershipKernel;
  readonly choose8: ChoiceKernel;
  readonly choose4: ChoiceKernel;
  readonly choose1: ChoiceKernel;
  spread8(constant: number, out: number, rows: number): void;
  spread4(constant: number, out: number, rows: number): void;
  spread1(constant: number, out: number, rows: number): void;
  rowsWhere(mask: number, rows: number, out: number): number;
  gather8(values: number, rows: number, count: number, out: number): void;
  gather4(values: number, rows: number, count: number, out: number): void;
  gather1(values: number, rows: number, count: number, out: number): void;
}

export function columnKernels(kernels: Kernels): ColumnsExports {
  return kernels.module<ColumnsExports>('columns');
}

/** Gathers a column whose elements have this many bytes. */
export function gather(
  kernels: ColumnsExports,
  bytes: 1 | 4 | 8,
  values: number,
  rows: number,
  count: number,
  out: number,
): void {
  if (bytes === 8) kernels.gather8(values, rows, count, out);
  else if (bytes === 4) kernels.gather4(values, rows, count, out);
  else kernels.gather1(values, rows, count, out);
}

/** Spreads a constant over a column whose elements have this many bytes. */
export function spread(
  kernels: ColumnsExports,
  bytes: 1 | 4 | 8,
  constant: number,
  out: number,
  rows: number,
): void {
  if (bytes === 8) kernels.spread8(constant, out, rows);
  else if (bytes === 4) kernels.spread4(constant, out, rows);
  else kernels.spread1(constant, out, rows);
}
