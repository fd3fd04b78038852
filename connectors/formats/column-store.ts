/**
 * Room in linear memory for the rows of one batch, column by column, and the dictionaries of its
 * string columns. Kernels write into it; `take` shows the rows where they lie, until the next are
 * read: the router copies them anyway, and fresh arrays for each batch cost more than copying.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import { elementBytes } from '../../engine/contract/schema.ts';
import { Interner, TEXTS_MAX } from '../../wasm/host/interner.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import { dictionaryFull, type FileColumn } from './decoder.ts';

export interface StoreColumn extends FileColumn {
  /** Pointer to room for `rowsMax` elements. */
  readonly values: number;
  /** For string columns. */
  readonly interner: Interner | undefined;
}

export class ColumnStore {
  readonly kernels = new Kernels();
  readonly rowsMax: number;
  readonly columns: readonly StoreColumn[];

  constructor(columns: readonly FileColumn[], rowsMax: number, textsMax = TEXTS_MAX) {
    this.rowsMax = rowsMax;
    this.columns = columns.map((column) => ({
      ...column,
      values: this.kernels.memory.allocate(rowsMax * elementBytes(column.type)),
      interner: column.type === 'string' ? new Interner(this.kernels, { textsMax }) : undefined,
    }));
  }

  /** Views of the first rows of every column, valid until a kernel writes the next. */
  take(rowCount: number): ColumnVector[] {
    return this.columns.map((column) => this.#takeColumn(column, rowCount));
  }

  #takeColumn({ type, values, interner }: StoreColumn, rowCount: number): ColumnVector {
    const { memory } = this.kernels;
    if (type === 'float64') return { type, values: memory.f64(values, rowCount) };
    if (type === 'boolean') return { type, values: memory.bytes(values, rowCount) };
    if (type !== 'string') return { type, values: memory.i64(values, rowCount) };
    interner!.absorb();
    const codes = memory.u32(values, rowCount);
    return { type, codes, dictionary: interner!.texts };
  }
}

/** Makes room in the dictionary of a column whose kernel has stopped for the lack of it. */
export function growDictionary(column: FileColumn, interner: Interner): void {
  if (interner.grow()) return;
  interner.absorb();
  throw dictionaryFull(column, interner.texts.length);
}
