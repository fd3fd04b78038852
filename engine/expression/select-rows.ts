/**
 * Some rows of a batch as a batch of their own: all columns, row watermarks and origins.
 */

import { columnKernels, gather } from '../../wasm/host/columns.ts';
import type { Kernels } from '../../wasm/host/kernels.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import type { Batch, Column, Pointer } from '../contract/batch.ts';
import { elementBytes } from '../contract/schema.ts';

/** What is needed to work on columns. */
export interface ColumnContext {
  readonly memory: LinearMemory;
  readonly kernels: Kernels;
}

/**
 * The given rows of the batch, in the given order; a row may occur more than once.
 *
 * @param rowsPointer u32[rowCount] of row numbers below `batch.rowCount`, in the batch arena: it
 *   may become the origin of the result.
 * @returns Columns in the batch arena; valid as long as that.
 */
export function selectRows(
  batch: Batch,
  rowsPointer: Pointer,
  rowCount: number,
  { memory, kernels }: ColumnContext,
): Batch {
  const loops = columnKernels(kernels);
  const select = (pointer: Pointer, bytes: 1 | 4 | 8): Pointer => {
    const selected = memory.arena.allocate(rowCount * bytes);
    gather(loops, bytes, pointer, rowsPointer, rowCount, selected);
    return selected;
  };
  const columns = batch.columns.map(
    (column): Column => ({
      ...column,
      pointer: select(column.pointer, elementBytes(column.type)),
    }),
  );
  const { origin, rowWatermarks } = batch;
  return {
    rowCount,
    columns,
    rowWatermarks: rowWatermarks === 0 ? 0 : select(rowWatermarks, 8),
    origin: origin === 'none' ? 'none' : origin === 0 ? rowsPointer : select(origin, 4),
  };
}

/**
 * The numbers of the rows where a mask (u8[batchRows]: 0, 1, or 2 for null) is 1, ascending.
 * @returns u32[count] in the batch arena.
 */
export function rowsWhere(
  mask: Pointer,
  batchRows: number,
  { memory, kernels }: ColumnContext,
): { readonly pointer: Pointer; readonly count: number } {
  const pointer = memory.arena.allocate(batchRows * 4);
  return { pointer, count: columnKernels(kernels).rowsWhere(mask, batchRows, pointer) };
}

/** The rows of the batch where the mask is 1: the batch itself where it is 1 everywhere. */
export function filterRows(batch: Batch, mask: Pointer, context: ColumnContext): Batch {
  const { pointer, count } = rowsWhere(mask, batch.rowCount, context);
  return count === batch.rowCount ? batch : selectRows(batch, pointer, count, context);
}
