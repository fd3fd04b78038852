/**
 * Rows that wait for the watermark, so that they are worked on in the order of their event times,
 * whatever their order of arrival, from however many steps they come.
 *
 * Rows of one time are ordered by a text that tells them apart, such as an id. A row that was late
 * when it was read is not held: the caller takes it apart, by the watermark of its own moment.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import type { Collector, OperatorContext } from '../../engine/contract/operator.ts';
import { columnIndex, type Schema } from '../../engine/contract/schema.ts';
import { END_OF_TIME, type EventTime } from '../../engine/contract/time.ts';
import { selectRows } from '../../engine/expression/select-rows.ts';
import { readStoredRows, rowFromJson, rowToJson, type StoredRow } from './stored-rows.ts';

/** Positions of the columns by which rows are ordered. */
export interface RowOrder {
  readonly time: number;
  readonly key: number;
  /** Of texts that tell rows of one key and time apart. */
  readonly ids: readonly number[];
}

/** Columns of the input by which rows are ordered. */
export function rowOrder(input: Schema, ids: readonly string[]): RowOrder {
  return {
    time: columnIndex(input, input.time),
    key: columnIndex(input, input.key),
    ids: ids.map((name) => columnIndex(input, name)),
  };
}

export class HeldRows {
  readonly #order: RowOrder;
  readonly #context: OperatorContext;
  #rows: StoredRow[] = [];
  /** Smallest time held. */
  #earliest: EventTime = END_OF_TIME;

  constructor(order: RowOrder, context: OperatorContext, state: Uint8Array | undefined) {
    this.#order = order;
    this.#context = context;
    if (state === undefined) return;
    for (const row of JSON.parse(new TextDecoder().decode(state)) as unknown[][]) {
      this.#hold(rowFromJson(row, context.input.columns));
    }
  }

  /** Holds the rows of the batch, but for late ones, which are counted and go to `late`. */
  take(batch: Batch, collector: Collector): void {
    const late = this.#lateRows(batch);
    const stored = readStoredRows(batch, this.#context.memory);
    if (late.length === 0) {
      for (const row of stored) this.#hold(row);
      return;
    }
    const isLate = new Set(late);
    for (const [index, row] of stored.entries()) if (!isLate.has(index)) this.#hold(row);
    const rows = Uint32Array.from(late);
    const { memory } = this.#context;
    this.#context.countRows('late', batch, rows);
    const pointer = memory.arena.allocate(rows.length * 4);
    memory.u32(pointer, rows.length).set(rows);
    collector.emit(selectRows(batch, pointer, rows.length, this.#context), 'late');
  }

  /** Takes out, in order, the rows before the watermark; all of them at the end of time. */
  release(watermark: EventTime): readonly StoredRow[] {
    const isEnd = watermark === END_OF_TIME;
    if (!isEnd && watermark <= this.#earliest) return [];
    const { time } = this.#order;
    const due: StoredRow[] = [];
    const kept: StoredRow[] = [];
    this.#earliest = END_OF_TIME;
    for (const row of this.#rows) {
      const at = row[time] as bigint;
      if (isEnd || at < watermark) due.push(row);
      else {
        kept.push(row);
        if (at < this.#earliest) this.#earliest = at;
      }
    }
    this.#rows = kept;
    return due.sort((a, b) => this.#compare(a, b));
  }

  snapshot(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.#rows.map(rowToJson)));
  }

  #hold(row: StoredRow): void {
    const at = row[this.#order.time] as bigint;
    if (at < this.#earliest) this.#earliest = at;
    this.#rows.push(row);
  }

  #lateRows({ rowWatermarks, rowCount, columns }: Batch): number[] {
    if (rowWatermarks === 0) return [];
    const { memory } = this.#context;
    const times = memory.i64(columns[this.#order.time]!.pointer, rowCount);
    const watermarks = memory.i64(rowWatermarks, rowCount);
    const late: number[] = [];
    for (let row = 0; row < rowCount; row++) {
      if (times[row]! < watermarks[row]!) late.push(row);
    }
    return late;
  }

  #compare(a: StoredRow, b: StoredRow): number {
    const { time, key, ids } = this.#order;
    const difference = (a[time] as bigint) - (b[time] as bigint);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    for (const at of [key, ...ids]) {
      const left = (a[at] ?? '') as string;
      const right = (b[at] ?? '') as string;
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  }
}
