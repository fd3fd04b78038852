/**
 * Rows that an anomaly is of though they are in no batch at hand: of an earlier one, or of a moment
 * at which there was no row.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import { columnIndex, elementBytes } from '../../engine/contract/schema.ts';

/** Key, high and low word of the time. */
const PLACE_NUMBERS = 3;

export class PlacedRows {
  readonly #places: number[] = [];

  get count(): number {
    return this.#places.length / PLACE_NUMBERS;
  }

  clear(): void {
    this.#places.length = 0;
  }

  /** @param high Of the time in nanoseconds, as an int64: the word with its sign. */
  add(key: number, high: number, low: number): void {
    this.#places.push(key, high, low);
  }

  /** A batch of them that has keys and times; the other columns must not be read. */
  batch({ memory, input, keys: texts }: OperatorContext): Batch {
    const { count } = this;
    const longs = memory.arena.allocate(count * 8);
    const shorts = memory.arena.allocate(count * 4);
    const words = memory.u32(longs, 2 * count);
    const keys = memory.u32(shorts, count);
    for (let i = 0; i < count; i++) {
      keys[i] = this.#places[PLACE_NUMBERS * i]!;
      words[2 * i + 1] = this.#places[PLACE_NUMBERS * i + 1]!;
      words[2 * i] = this.#places[PLACE_NUMBERS * i + 2]!;
    }
    const keyColumn = columnIndex(input, input.key);
    const columns = input.columns.map(({ type }, i) => {
      const pointer = i === keyColumn || elementBytes(type) !== 8 ? shorts : longs;
      return type === 'string' ? { type, pointer, dictionary: texts } : { type, pointer };
    });
    return { rowCount: count, columns, rowWatermarks: 0, origin: 'none' };
  }
}
