/**
 * One split as the pipeline sees it: its lanes, each with a few polls under way, put back into one
 * order by the number of their units.
 */

import type { SourceSplit, SplitStatus } from '../contract/connector.ts';
import type { ReaderMessage, ReaderRows } from './split-reader-host.ts';
import type { ReaderPort } from './workers.ts';

/** Polls under way in each lane: one being decoded, one decoded and waiting. */
const POLLS_AHEAD = 2;

interface Lane {
  readonly port: ReaderPort;
  /** Number of this reader over the whole pipeline. */
  readonly reader: number;
  readonly polls: Promise<ReaderMessage>[];
  /** Buffers on their way back to the reader. */
  spent: ArrayBuffer[];
  hasEnded: boolean;
  lastUnit: number;
  failure: unknown;
}

export type FeedMessage =
  | { readonly kind: 'rows'; readonly reader: number; readonly rows: ReaderRows }
  /** `isCaughtUp`: false where the reader could not have had any rows. */
  | { readonly kind: 'idle'; readonly isCaughtUp: boolean }
  | { readonly kind: 'end' };

export class SplitFeed {
  /** Position of the source in the plan. */
  readonly source: number;
  readonly split: SourceSplit;
  /** The last that a reader told. */
  status: SplitStatus | undefined;
  readonly #lanes: Lane[];
  readonly #bytesRead: number[];

  constructor(
    source: number,
    split: SourceSplit,
    ports: readonly ReaderPort[],
    firstReader: number,
  ) {
    this.source = source;
    this.split = split;
    this.#bytesRead = ports.map(() => 0);
    this.#lanes = ports.map((port, index) => ({
      port,
      reader: firstReader + index,
      polls: [],
      spent: [],
      hasEnded: false,
      lastUnit: index - ports.length,
      failure: undefined,
    }));
  }

  /** Bytes of the split that have been read. Lanes of one file each report their own share. */
  get bytesRead(): number {
    return this.#bytesRead.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The next rows of the split; fails where the source does, after every row before the damage. */
  async next(): Promise<FeedMessage> {
    let best: { lane: Lane; index: number; rows: ReaderRows } | undefined;
    let failed: Lane | undefined;
    for (const [index, lane] of this.#lanes.entries()) {
      const message = await this.#head(lane);
      if (message === undefined) {
        if (lane.failure !== undefined) failed ??= lane;
      } else if (message.kind === 'idle') {
        void lane.polls.shift();
        return { kind: 'idle', isCaughtUp: message.status?.isCaughtUp ?? true };
      } else if (message.kind === 'rows' && (best === undefined || message.unit < best.rows.unit)) {
        best = { lane, index, rows: message };
      }
    }
    // The damage is in the failed lane's last unit or in its next one: units of other lanes that
    // come before that one are still whole.
    if (failed !== undefined && !(best && best.rows.unit < failed.lastUnit + this.#lanes.length)) {
      throw failed.failure;
    }
    if (best === undefined) return { kind: 'end' };
    void best.lane.polls.shift();
    best.lane.lastUnit = best.rows.unit;
    this.#fill(best.lane);
    this.#bytesRead[best.index] = best.rows.bytesRead;
    return { kind: 'rows', reader: best.lane.reader, rows: best.rows };
  }

  /** The lane's next message; undefined where it has ended or failed. */
  async #head(lane: Lane): Promise<ReaderMessage | undefined> {
    if (lane.hasEnded || lane.failure !== undefined) return undefined;
    this.#fill(lane);
    try {
      const message = await lane.polls[0]!;
      this.status = message.status ?? this.status;
      if (message.kind !== 'end') return message;
      lane.hasEnded = true;
    } catch (error) {
      lane.failure = error;
    }
    return undefined;
  }

  /** Takes back the buffer of a batch that one of this feed's readers has routed. */
  recycle(reader: number, buffer: ArrayBuffer): void {
    this.#lanes.find((lane) => lane.reader === reader)!.spent.push(buffer);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#lanes.map(({ port }) => port.close()));
  }

  #fill(lane: Lane): void {
    const { port, polls } = lane;
    while (polls.length < POLLS_AHEAD) {
      const poll = port.poll(lane.spent);
      lane.spent = [];
      // Its failure is met when its turn comes; until then it must not count as unhandled.
      poll.catch(() => undefined);
      polls.push(poll);
    }
  }
}
