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
 *
 * In a snapshot a count stands with its id; neither a type nor a time has a slash, a key may.
 */

import type { Dictionary } from '../../engine/contract/batch.ts';
import type { StateTables } from '../../engine/contract/operator.ts';
import {
  AnomalyCounts,
  type AnomalyIdentity,
  NO_REVISION_HIGH,
  NO_REVISION_LOW,
} from './anomaly-counts.ts';
import { int64Of, TimeTexts } from './time-texts.ts';

/** Counts are swept when they have doubled since the last time, so that a sweep costs O(1) each. */
const SWEEP_MIN = 1024;

export class AnomalyIds {
  readonly #prefix: string;
  readonly #keys: Dictionary;
  readonly #times: TimeTexts;
  readonly #types: string[] = [];
  readonly #counts = new AnomalyCounts();
  readonly #lateCounts = new Map<number, number>();
  #sweepAt = SWEEP_MIN;
  #watermark: bigint | undefined;

  /** @param keys What the keys of anomalies, and those in the state, are codes and texts of. */
  constructor(step: string, keys: Dictionary, state?: StateTables, times = new TimeTexts()) {
    this.#prefix = `${step}/`;
    this.#keys = keys;
    this.#times = times;
    for (const [id, time, count] of decode<[string, string, number]>(state?.['id_counts'])) {
      this.#counts.add(this.#parse(id, BigInt(time)), count);
    }
    for (const [key, count] of decode<[string, number]>(state?.['late_counts'])) {
      this.#lateCounts.set(this.#keyOf(key), count);
    }
  }

  /** Code of a type of anomalies, as an identity has it. */
  typeCode(type: string): number {
    const code = this.#types.indexOf(type);
    return code < 0 ? this.#types.push(type) - 1 : code;
  }

  /**
   * The id of the next anomaly, in arrival order.
   * @param isLate Whether the row was below the watermark when it was read.
   */
  next(identity: AnomalyIdentity, isLate: boolean): string {
    if (isLate) {
      const lateCount = (this.#lateCounts.get(identity.key) ?? 0) + 1;
      this.#lateCounts.set(identity.key, lateCount);
      return `${this.#text(identity)}/late-${lateCount}`;
    }
    const count = this.#counts.add(identity);
    return count === 1 ? this.#text(identity) : `${this.#text(identity)}/${count}`;
  }

  advance(watermark: bigint): void {
    this.#watermark = watermark;
    if (this.#counts.size < this.#sweepAt) return;
    this.#sweep();
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#counts.size);
  }

  snapshot(): StateTables {
    this.#sweep();
    const counts = Array.from(this.#counts.entries(), ([identity, count]) => {
      const time = int64Of(identity.timeLow, identity.timeHigh);
      return [this.#text(identity), `${time}`, count] as const;
    });
    const lateCounts = Array.from(
      this.#lateCounts,
      ([key, count]) => [this.#keys.text(key), count] as const,
    );
    return { id_counts: encode(counts), late_counts: encode(lateCounts) };
  }

  /** The id as it is the first time. */
  #text({ key, type, timeLow, timeHigh, revisionLow, revisionHigh }: AnomalyIdentity): string {
    const time = this.#times.decimal(timeLow, timeHigh);
    const moment = `${this.#prefix}${this.#keys.text(key)}/${time}`;
    if (revisionHigh === NO_REVISION_HIGH && revisionLow === NO_REVISION_LOW) {
      return `${moment}/${this.#types[type]!}`;
    }
    return `${moment}.${int64Of(revisionLow, revisionHigh)}/${this.#types[type]!}`;
  }

  #parse(id: string, time: bigint): AnomalyIdentity {
    const typeAt = id.lastIndexOf('/') + 1;
    const momentAt = id.lastIndexOf('/', typeAt - 2) + 1;
    const [, revision] = id.slice(momentAt, typeAt - 1).split('.');
    return {
      key: this.#keyOf(id.slice(this.#prefix.length, momentAt - 1)),
      type: this.typeCode(id.slice(typeAt)),
      timeLow: lowOf(time),
      timeHigh: highOf(time),
      revisionLow: revision === undefined ? NO_REVISION_LOW : lowOf(BigInt(revision)),
      revisionHigh: revision === undefined ? NO_REVISION_HIGH : highOf(BigInt(revision)),
    };
  }

  /** A task has every key of its state before its operators are opened. */
  #keyOf(text: string): number {
    const key = this.#keys.codeOf(text);
    if (key < 0) throw new TypeError(`the state has a key that the task lacks: ${text}`);
    return key;
  }

  #sweep(): void {
    const watermark = this.#watermark;
    if (watermark !== undefined) this.#counts.forget(lowOf(watermark), highOf(watermark));
  }
}

function lowOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

function highOf(value: bigint): number {
  return Number(value >> 32n);
}

function encode(rows: readonly (readonly (string | number)[])[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(rows));
}

function decode<T>(bytes: Uint8Array | undefined): T[] {
  return bytes === undefined ? [] : (JSON.parse(new TextDecoder().decode(bytes)) as T[]);
}
