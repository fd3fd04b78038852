/**
 * Ids of anomalies: a text made of the anomaly itself, so that a replay gives the same ids.
 *
 *     step/key/time/type              time in nanoseconds, of the row
 *     step/key/time/type/2            the same again at the same time: counted, in arrival order
 *     step/key/time/type/late-1       from a row that was late; counted for each key
 *
 * (with the revision behind the time, where rows are stated again: `time.revision`.)
 *
 * A count is kept until the watermark has passed its time. A row that comes to that time later is
 * late by its own watermark, and so counted otherwise: when exactly a count is forgotten makes no
 * difference to any id. Memory is bounded by the anomalies above the watermark, and one number for
 * each key that had a late one.
 */

import type { StateTables } from '../../engine/contract/operator.ts';

/** What an id is made of. */
export interface AnomalyIdentity {
  readonly key: string;
  /** Event time of the row. */
  readonly time: bigint;
  readonly type: string;
  readonly revision: bigint | null;
  /** Whether the row was below the watermark when it was read. */
  readonly isLate: boolean;
}

interface Count {
  readonly time: bigint;
  count: number;
}

/** Counts are swept when they have doubled since the last time, so that a sweep costs O(1) each. */
const SWEEP_MIN = 1024;

export class AnomalyIds {
  readonly #step: string;
  #counts = new Map<string, Count>();
  readonly #lateCounts = new Map<string, number>();
  #sweepAt = SWEEP_MIN;
  #watermark: bigint | undefined;

  constructor(step: string, state?: StateTables) {
    this.#step = step;
    for (const [id, time, count] of decode<[string, string, number]>(state?.['id_counts'])) {
      this.#counts.set(id, { time: BigInt(time), count });
    }
    for (const [key, count] of decode<[string, number]>(state?.['late_counts'])) {
      this.#lateCounts.set(key, count);
    }
  }

  /** The id of the next anomaly, in arrival order. */
  next({ key, time, type, revision, isLate }: AnomalyIdentity): string {
    const moment = revision === null ? `${time}` : `${time}.${revision}`;
    const id = `${this.#step}/${key}/${moment}/${type}`;
    if (isLate) {
      const lateCount = (this.#lateCounts.get(key) ?? 0) + 1;
      this.#lateCounts.set(key, lateCount);
      return `${id}/late-${lateCount}`;
    }
    const known = this.#counts.get(id);
    if (known === undefined) {
      this.#counts.set(id, { time, count: 1 });
      return id;
    }
    known.count++;
    return `${id}/${known.count}`;
  }

  advance(watermark: bigint): void {
    this.#watermark = watermark;
    if (this.#counts.size < this.#sweepAt) return;
    this.#sweep();
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#counts.size);
  }

  snapshot(): StateTables {
    this.#sweep();
    return {
      id_counts: encode([...this.#counts].map(([id, { time, count }]) => [id, `${time}`, count])),
      late_counts: encode([...this.#lateCounts]),
    };
  }

  #sweep(): void {
    const watermark = this.#watermark;
    if (watermark === undefined) return;
    this.#counts = new Map([...this.#counts].filter(([, { time }]) => time >= watermark));
  }
}

function encode(rows: readonly (readonly (string | number)[])[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(rows));
}

function decode<T>(bytes: Uint8Array | undefined): T[] {
  return bytes === undefined ? [] : (JSON.parse(new TextDecoder().decode(bytes)) as T[]);
}
