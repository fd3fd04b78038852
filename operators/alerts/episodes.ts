/**
 * The life cycle of alerts: episodes of anomalies of one group (key, type and perhaps direction).
 *
 *     |score|   5 |      *                        opens at or above open_above
 *               4 |   *     *
 *               3 | ·          *                  goes on at or above close_below
 *               2 |              ·  · ·           below it, as good as no anomaly
 *                 +----^---------^----|----->     closes a cool-down after the last that counts
 *                      open      last  close
 *
 * Anomalies come in the order of event time, so that neither batches nor the clock decide. With a
 * cool-down of rows, an episode closes at the n-th anomaly in a row that is below `close_below`.
 *
 * An episode remembers the row of its peak; an open one costs that row and a few numbers.
 */

import type { ColumnSchema } from '../../engine/contract/schema.ts';
import { END_OF_TIME, type EventTime } from '../../engine/contract/time.ts';
import { rowFromJson, rowToJson, type StoredRow } from '../stored-rows/stored-rows.ts';

export type Status = 'open' | 'update' | 'close';
export type Emit = 'open' | 'changes' | 'all';

/** Of one anomaly, what its episode goes by. */
export interface Occurrence {
  readonly row: StoredRow;
  readonly time: EventTime;
  /** Tells the group from others. */
  readonly group: string;
  readonly id: string | null;
  /** NaN where it is not known. */
  readonly score: number;
  /** 0 to 2; -1 where it is not known. */
  readonly severity: number;
}

export interface EpisodeRules {
  /** Undefined where any anomaly opens an episode. */
  readonly openAbove: number | undefined;
  /** 0 where any anomaly keeps one open. */
  readonly closeBelow: number;
  readonly coolDown: { readonly rows: number } | { readonly durationNs: bigint };
  readonly emit: Emit;
}

export interface Episode {
  readonly id: string;
  readonly group: string;
  readonly openedAt: EventTime;
  lastSeen: EventTime;
  lastId: string | null;
  count: number;
  /** Anomalies in a row that were below `closeBelow`. */
  quiet: number;
  peak: StoredRow;
  peakScore: number;
  severity: number;
}

/** Something to be put out: an episode as it was then. */
export interface Change {
  readonly status: Status;
  readonly time: EventTime;
  /** The anomaly, or for `close` that of the peak. */
  readonly row: StoredRow;
  readonly episode: Readonly<Episode>;
}

export class Episodes {
  readonly #rules: EpisodeRules;
  /** Put before the id of the anomaly that opens an episode. */
  readonly #prefix: string;
  readonly #open = new Map<string, Episode>();
  /** No open episode ends earlier. */
  #nextEnd: EventTime = END_OF_TIME;
  #timed: Change[] = [];
  #others: Change[] = [];
  /** Since it was last taken. */
  duplicates = 0;
  ignored = 0;

  constructor(rules: EpisodeRules, step: string) {
    this.#rules = rules;
    this.#prefix = `${step}/`;
  }

  /** Takes the next anomaly in the order of event time. */
  add(occurrence: Occurrence): void {
    const { group, time, score, id } = occurrence;
    const { openAbove, closeBelow } = this.#rules;
    let episode = this.#open.get(group);
    if (episode !== undefined && this.#endOf(episode) <= time) {
      this.#closeTimed(episode);
      episode = undefined;
    }
    const size = Math.abs(score);
    if (episode === undefined) {
      if (openAbove === undefined || size >= openAbove) this.#begin(occurrence);
      else this.ignored++;
    } else if (id !== null && id === episode.lastId && time === episode.lastSeen) {
      this.duplicates++;
    } else if (closeBelow === 0 || size >= closeBelow) {
      this.#goOn(episode, occurrence);
    } else {
      this.ignored++;
      this.#quieten(episode, time);
    }
  }

  /**
   * Closes what has cooled down, and takes out all changes since the last time: by event time, at
   * one time those that nothing but time has closed first.
   */
  take(watermark: EventTime): readonly Change[] {
    if (watermark >= this.#nextEnd && this.#open.size > 0) {
      this.#nextEnd = END_OF_TIME;
      for (const episode of this.#open.values()) {
        const end = this.#endOf(episode);
        if ('durationNs' in this.#rules.coolDown && end <= watermark) this.#closeTimed(episode);
        else if (end < this.#nextEnd) this.#nextEnd = end;
      }
    }
    const timed = this.#timed.sort(byTimeAndGroup);
    const changes: Change[] = [];
    let next = 0;
    for (const change of this.#others) {
      while (next < timed.length && timed[next]!.time <= change.time) changes.push(timed[next++]!);
      changes.push(change);
    }
    while (next < timed.length) changes.push(timed[next++]!);
    this.#timed = [];
    this.#others = [];
    return changes;
  }

  snapshot(): Uint8Array {
    const rows = Array.from(this.#open.values(), (episode) => ({
      ...episode,
      openedAt: `${episode.openedAt}`,
      lastSeen: `${episode.lastSeen}`,
      peak: rowToJson(episode.peak),
      peakScore: rowToJson([episode.peakScore])[0],
    }));
    return new TextEncoder().encode(JSON.stringify(rows));
  }

  restore(state: Uint8Array, columns: readonly ColumnSchema[]): void {
    for (const saved of JSON.parse(new TextDecoder().decode(state)) as SavedEpisode[]) {
      const episode: Episode = {
        ...saved,
        openedAt: BigInt(saved.openedAt),
        lastSeen: BigInt(saved.lastSeen),
        peak: rowFromJson(saved.peak, columns),
        peakScore: Number(saved.peakScore),
      };
      this.#open.set(episode.group, episode);
      this.#noteEnd(episode);
    }
  }

  #begin({ row, time, group, id, score, severity }: Occurrence): void {
    const episode: Episode = {
      id: `${this.#prefix}${id ?? `${group}/${time}`}`,
      ...{ group, openedAt: time, lastSeen: time, lastId: id, count: 1, quiet: 0 },
      ...{ peak: row, peakScore: score, severity },
    };
    this.#open.set(group, episode);
    this.#noteEnd(episode);
    this.#others.push({ status: 'open', time, row, episode: { ...episode } });
  }

  #goOn(episode: Episode, { row, time, id, score, severity }: Occurrence): void {
    episode.lastSeen = time;
    episode.lastId = id;
    episode.count++;
    episode.quiet = 0;
    // A score that is not known is below all others.
    if (!Number.isNaN(score) && !(Math.abs(score) <= Math.abs(episode.peakScore))) {
      episode.peak = row;
      episode.peakScore = score;
    }
    const isGraver = severity > episode.severity;
    if (isGraver) episode.severity = severity;
    const { emit } = this.#rules;
    if (emit === 'all' || (emit === 'changes' && isGraver)) {
      this.#others.push({ status: 'update', time, row, episode: { ...episode } });
    }
  }

  #quieten(episode: Episode, time: EventTime): void {
    const { coolDown } = this.#rules;
    if (!('rows' in coolDown) || ++episode.quiet < coolDown.rows) return;
    this.#open.delete(episode.group);
    this.#pushClose(this.#others, episode, time);
  }

  #closeTimed(episode: Episode): void {
    this.#open.delete(episode.group);
    this.#pushClose(this.#timed, episode, this.#endOf(episode));
  }

  #pushClose(changes: Change[], episode: Episode, time: EventTime): void {
    if (this.#rules.emit === 'open') return;
    changes.push({ status: 'close', time, row: episode.peak, episode });
  }

  /** When it closes if nothing more comes; the end of time where only rows can close it. */
  #endOf({ lastSeen }: Episode): EventTime {
    const { coolDown } = this.#rules;
    if ('rows' in coolDown) return END_OF_TIME;
    const end = lastSeen + coolDown.durationNs;
    return end < END_OF_TIME ? end : END_OF_TIME;
  }

  #noteEnd(episode: Episode): void {
    const end = this.#endOf(episode);
    if (end < this.#nextEnd) this.#nextEnd = end;
  }
}

type SavedEpisode = Omit<Episode, 'openedAt' | 'lastSeen' | 'peak' | 'peakScore'> & {
  readonly openedAt: string;
  readonly lastSeen: string;
  readonly peak: readonly unknown[];
  readonly peakScore: number | string;
};

function byTimeAndGroup(a: Change, b: Change): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.episode.group < b.episode.group ? -1 : 1;
}

/** The name of a group: texts may hold anything, so they are told apart as JSON does. */
export function groupOf(parts: readonly (string | null)[]): string {
  return JSON.stringify(parts);
}
