/**
 * Anomalies of one key that belong together: those of one event time, or those within a duration of
 * the first of them.
 *
 *     within 5m     a   b       c  |      d
 *                   [------5m------)      [------5m------)
 *                    a, b, c              d
 *
 * They come in the order of event time. A group is closed by the watermark, or by the next anomaly
 * of its key behind its end. An open one costs its rows.
 */

import type { ColumnSchema } from '../../engine/contract/schema.ts';
import { END_OF_TIME, type EventTime } from '../../engine/contract/time.ts';
import { rowFromJson, rowToJson, type StoredRow } from '../stored-rows/stored-rows.ts';

export interface Group {
  readonly key: string;
  readonly start: EventTime;
  /** Exclusive. */
  readonly end: EventTime;
  readonly rows: StoredRow[];
}

export class Groups {
  /** 1 where anomalies must be of one time. */
  readonly #withinNs: bigint;
  readonly #open = new Map<string, Group>();
  #closed: Group[] = [];

  constructor(withinNs: bigint) {
    this.#withinNs = withinNs;
  }

  add(key: string, time: EventTime, row: StoredRow): void {
    const group = this.#open.get(key);
    if (group !== undefined && time < group.end) {
      group.rows.push(row);
      return;
    }
    if (group !== undefined) this.#closed.push(group);
    const end = time + this.#withinNs;
    this.#open.set(key, {
      ...{ key, start: time, end: end < END_OF_TIME ? end : END_OF_TIME },
      rows: [row],
    });
  }

  /** Takes out the groups that end at or before the watermark, by their end. */
  take(watermark: EventTime): readonly Group[] {
    for (const [key, group] of this.#open) {
      if (group.end > watermark) continue;
      this.#open.delete(key);
      this.#closed.push(group);
    }
    const closed = this.#closed.sort((a, b) => {
      if (a.end !== b.end) return a.end < b.end ? -1 : 1;
      return a.key < b.key ? -1 : 1;
    });
    this.#closed = [];
    return closed;
  }

  /** No group that is still open starts before; undefined where none is open. */
  earliestStart(): EventTime | undefined {
    let earliest: EventTime | undefined;
    for (const { start } of this.#open.values()) {
      if (earliest === undefined || start < earliest) earliest = start;
    }
    return earliest;
  }

  snapshot(): Uint8Array {
    const rows = Array.from(this.#open.values(), ({ key, start, end, rows: own }) => ({
      ...{ key, start: `${start}`, end: `${end}`, rows: own.map(rowToJson) },
    }));
    return new TextEncoder().encode(JSON.stringify(rows));
  }

  restore(state: Uint8Array, columns: readonly ColumnSchema[]): void {
    for (const saved of JSON.parse(new TextDecoder().decode(state)) as SavedGroup[]) {
      const rows = saved.rows.map((row) => rowFromJson(row, columns));
      const group = { key: saved.key, start: BigInt(saved.start), end: BigInt(saved.end), rows };
      this.#open.set(saved.key, group);
    }
  }
}

interface SavedGroup {
  readonly key: string;
  readonly start: string;
  readonly end: string;
  readonly rows: readonly (readonly unknown[])[];
}
