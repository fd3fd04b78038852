/**
 * The columns of the anomalies of one batch, in one block of its arena: `count` elements each,
 * those of eight bytes first. One allocation, so that the views over it hold while it is written.
 */

import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import type { Pointer } from '../../engine/contract/batch.ts';

/** Columns of eight bytes: their place among `numbers`, in columns. */
export const LONG = {
  time: 0,
  start: 1,
  end: 2,
  /** Written only where the input has it, as are `rowWatermark` and `origin`. */
  revision: 3,
  rowWatermark: 4,
  value: 5,
  baseline: 6,
  score: 7,
  threshold: 8,
  confidence: 9,
} as const;

/** Columns of four bytes: their place among `codes`, in columns. */
export const SHORT = {
  id: 20,
  key: 21,
  type: 22,
  detector: 23,
  severity: 24,
  direction: 25,
  explanation: 26,
  /** Row of the batch. */
  row: 27,
  origin: 28,
  /** Place among the rows that the rule has found. */
  found: 29,
} as const;

const ANOMALY_BYTES = 30 * 4;

export class AnomalyBlock {
  readonly count: number;
  /** Element i of a long column: `column * count + i`. */
  readonly numbers: Float64Array;
  /** Element i of a short column: `column * count + i`. */
  readonly codes: Uint32Array;
  /** Low word of element i of a long column: `2 * (column * count + i)`. The high one follows. */
  readonly words: Int32Array;
  readonly #pointer: Pointer;

  constructor(memory: LinearMemory, count: number) {
    this.count = count;
    this.#pointer = memory.arena.allocate(count * ANOMALY_BYTES);
    const { buffer } = memory.memory;
    this.numbers = new Float64Array(buffer, this.#pointer, count * 10);
    this.codes = new Uint32Array(buffer, this.#pointer, count * 30);
    this.words = new Int32Array(buffer, this.#pointer, count * 20);
  }

  long(column: number): Pointer {
    return this.#pointer + column * this.count * 8;
  }

  short(column: number): Pointer {
    return this.#pointer + column * this.count * 4;
  }
}
