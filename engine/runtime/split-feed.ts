/**
 * One split as the pipeline sees it: its lanes, each with a few polls under way, put back into one
 * order by the number of their units.
 */

import type { SourceSplit } from '../contract/connector.ts';
import type { ReaderMessage, ReaderRows } from './split-reader-host.ts';
import type { ReaderPort } from './workers.ts';

/** Polls under way in each lane: one being decoded, one decoded and waiting, one to spare. */
const POLLS_AHEAD = 3;

interface Lane {
  readonly port: ReaderPort;
  /** Number of this reader over the whole pipeline. */
  readonly reader: number;
  readonly polls: Promise<ReaderMessage>[];
  hasEnded: boolean;
}

export type FeedMessage =
  | { readonly kind: 'rows'; readonly reader: number; readonly rows: ReaderRows }
  | { readonly kind: 'idle' }
  | { readonly kind: 'end' };

export class SplitFeed {
  /** Position of the source in the plan. */
  readonly source: number;
  readonly split: SourceSplit;
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
      hasEnded: false,
    }));
  }

  /** Bytes of the split that have been read. Lanes of one file each report their own share. */
  get bytesRead(): number {
    return this.#bytesRead.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The next rows of the split; fails where the source does, after every row before the damage. */
  async next(): Promise<FeedMessage> {
    let best: { lane: Lane; index: number; rows: ReaderRows } | undefined;
    for (const [index, lane] of this.#lanes.entries()) {
      if (lane.hasEnded) continue;
      this.#fill(lane);
      const message = await lane.polls[0]!;
      if (message.kind === 'idle') {
        lane.polls.shift();
        return message;
      }
      if (message.kind === 'end') lane.hasEnded = true;
      else if (best === undefined || message.unit < best.rows.unit) {
        best = { lane, index, rows: message };
      }
    }
    if (best === undefined) return { kind: 'end' };
    best.lane.polls.shift();
    this.#fill(best.lane);
    this.#bytesRead[best.index] = best.rows.bytesRead;
    return { kind: 'rows', reader: best.lane.reader, rows: best.rows };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#lanes.map(({ port }) => port.close()));
  }

  #fill({ port, polls }: Lane): void {
    while (polls.length < POLLS_AHEAD) {
      const poll = port.poll();
      // Its failure is met when its turn comes; until then it must not count as unhandled.
      poll.catch(() => undefined);
      polls.push(poll);
    }
  }
}
