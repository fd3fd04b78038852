/**
 * What a compiled expression computes with: columns, constants, and the kernels over them.
 *
 * A constant is a block of CONSTANT_ROWS equal elements read with step 0, so it costs no column;
 * an operation on constants alone runs over one block. A temporary belongs to the operation that
 * uses it last, which writes its result over it where the widths agree: an arithmetic chain
 * needs one column of scratch memory, however long it is.
 */

import {
  type BinaryKernel,
  type ChoiceKernel,
  type ColumnsExports,
  CONSTANT_ROWS,
  columnKernels,
  type Step,
  spread,
} from '../../wasm/host/columns.ts';
import type { Dictionary, Pointer } from '../contract/batch.ts';
import type { ColumnType } from '../contract/schema.ts';
import { BOOLEAN_NULL, elementBytes, INT64_NULL, STRING_NULL } from '../contract/schema.ts';
import type { ColumnContext } from './select-rows.ts';

export interface Operand {
  readonly type: ColumnType;
  readonly pointer: Pointer;
  readonly step: Step;
  /** Whether the next operation may write over it. */
  readonly isScratch: boolean;
  /** Texts behind the codes of a string; absent for a string that is always null. */
  readonly dictionary?: Dictionary;
}

/** The same operand for an operation that is not the last to use it. */
export function kept(operand: Operand): Operand {
  return operand.isScratch ? { ...operand, isScratch: false } : operand;
}

export class ColumnMachine {
  readonly loops: ColumnsExports;
  readonly #memory: ColumnContext['memory'];

  constructor({ memory, kernels }: ColumnContext) {
    this.loops = columnKernels(kernels);
    this.#memory = memory;
  }

  constant(type: Exclude<ColumnType, 'string'>, value: number | bigint): Operand {
    const pointer = this.#memory.arena.allocate(CONSTANT_ROWS * elementBytes(type));
    if (type === 'float64') this.#memory.f64(pointer, CONSTANT_ROWS).fill(value as number);
    else if (type === 'boolean') this.#memory.bytes(pointer, CONSTANT_ROWS).fill(value as number);
    else this.#memory.i64(pointer, CONSTANT_ROWS).fill(value as bigint);
    return { type, pointer, step: 0, isScratch: false };
  }

  code(code: number, dictionary: Dictionary | undefined): Operand {
    const pointer = this.#memory.arena.allocate(CONSTANT_ROWS * 4);
    this.#memory.u32(pointer, CONSTANT_ROWS).fill(code);
    const operand: Operand = { type: 'string', pointer, step: 0, isScratch: false };
    return dictionary === undefined ? operand : { ...operand, dictionary };
  }

  nothing(type: ColumnType): Operand {
    switch (type) {
      case 'float64':
        return this.constant(type, Number.NaN);
      case 'int64':
      case 'timestamp':
        return this.constant(type, INT64_NULL);
      case 'boolean':
        return this.constant(type, BOOLEAN_NULL);
      case 'string':
        return this.code(STRING_NULL, undefined);
    }
  }

  unary(
    run: (values: Pointer, out: Pointer, rows: number) => void,
    type: ColumnType,
    values: Operand,
    batchRows: number,
  ): Operand {
    const rows = values.step === 0 ? CONSTANT_ROWS : batchRows;
    const out = this.#output(type, rows, values);
    run(values.pointer, out, rows);
    return { type, pointer: out, step: values.step, isScratch: values.step === 1 };
  }

  binary(
    kernel: BinaryKernel,
    type: ColumnType,
    a: Operand,
    b: Operand,
    batchRows: number,
  ): Operand {
    const step: Step = a.step === 0 && b.step === 0 ? 0 : 1;
    const rows = step === 0 ? CONSTANT_ROWS : batchRows;
    const out = this.#output(type, rows, a, b);
    kernel(a.pointer, a.step, b.pointer, b.step, out, rows);
    return { type, pointer: out, step, isScratch: step === 1 };
  }

  /** `a` where the mask is true, else `b`; strings must have one dictionary. */
  choose(mask: Operand, a: Operand, b: Operand, batchRows: number): Operand {
    const step: Step = mask.step === 0 && a.step === 0 && b.step === 0 ? 0 : 1;
    const rows = step === 0 ? CONSTANT_ROWS : batchRows;
    const { type } = a;
    const out = this.#output(type, rows, b, a);
    const bytes = elementBytes(type);
    const kernel: ChoiceKernel =
      bytes === 8 ? this.loops.choose8 : bytes === 4 ? this.loops.choose4 : this.loops.choose1;
    kernel(mask.pointer, mask.step, a.pointer, a.step, b.pointer, b.step, out, rows);
    const dictionary = a.dictionary ?? b.dictionary;
    const chosen: Operand = { type, pointer: out, step, isScratch: step === 1 };
    return dictionary === undefined ? chosen : { ...chosen, dictionary };
  }

  /** Values as a list in memory, for `in`. */
  list(type: ColumnType, values: readonly (number | bigint)[]): Pointer {
    const pointer = this.#memory.arena.allocate(values.length * elementBytes(type));
    if (type === 'float64') this.#memory.f64(pointer, values.length).set(values as number[]);
    else if (type === 'string') this.#memory.u32(pointer, values.length).set(values as number[]);
    else this.#memory.i64(pointer, values.length).set(values as bigint[]);
    return pointer;
  }

  /** u32 codes in the arena, from a table outside. */
  table(codes: Uint32Array): Pointer {
    const pointer = this.#memory.arena.allocate(codes.length * 4);
    this.#memory.u32(pointer, codes.length).set(codes);
    return pointer;
  }

  /** The operand as a whole column: itself, or its constant in every row. */
  column(operand: Operand, batchRows: number): Pointer {
    if (operand.step === 1) return operand.pointer;
    const bytes = elementBytes(operand.type);
    const out = this.#memory.arena.allocate(batchRows * bytes);
    spread(this.loops, bytes, operand.pointer, out, batchRows);
    return out;
  }

  #output(type: ColumnType, rows: number, ...operands: readonly Operand[]): Pointer {
    const bytes = elementBytes(type);
    for (const operand of operands) {
      if (operand.isScratch && elementBytes(operand.type) === bytes) return operand.pointer;
    }
    return this.#memory.arena.allocate(rows * bytes);
  }
}
