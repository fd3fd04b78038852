/**
 * Whose rows come next: the splits of a run take turns by event time, and none waits for one that
 * is idle.
 *
 * Bounded splits are asked one at a time, in an order that depends on their rows alone, so that a
 * run over files can be repeated. Live ones are all asked at once: what another than the one whose
 * turn it is has answered is kept until its own turn, but for two things. Silence is passed on, so
 * that several silent splits grow idle side by side; and the rows of an idle split, which is back.
 */

import type { FeedMessage, SplitFeed } from './split-feed.ts';
import type { WatermarkTracker } from './watermark-tracker.ts';

export interface Turn {
  readonly split: number;
  readonly message: FeedMessage;
}

export class FeedTurns {
  readonly #feeds: readonly SplitFeed[];
  readonly #watermarks: WatermarkTracker;
  /** Splits that have not ended. */
  readonly #open: Set<number>;
  readonly #asked = new Map<number, Promise<Turn>>();
  /** Answers whose turn has not come. */
  readonly #kept = new Map<number, Turn>();

  /** @param watermarks With the splits of the feeds, in their order. */
  constructor(feeds: readonly SplitFeed[], watermarks: WatermarkTracker) {
    this.#feeds = feeds;
    this.#watermarks = watermarks;
    this.#open = new Set(feeds.keys());
  }

  get hasEnded(): boolean {
    return this.#open.size === 0;
  }

  /** The next answer; of those that have not ended. Fails where a source does. */
  async next(): Promise<Turn> {
    for (;;) {
      const split = this.#watermarks.furthestBehind(this.#open);
      const turn = this.#takeKept(split) ?? (await this.#answer(split));
      const isDue = turn.split === split || this.#watermarks.isIdle(turn.split);
      if (!isDue && turn.message.kind !== 'idle') {
        this.#kept.set(turn.split, turn);
        continue;
      }
      if (turn.message.kind === 'end') this.#open.delete(turn.split);
      return turn;
    }
  }

  #takeKept(split: number): Turn | undefined {
    const kept = this.#kept.get(split);
    this.#kept.delete(split);
    return kept;
  }

  /** The first answer of this split, or of a live one that has given none yet. */
  async #answer(split: number): Promise<Turn> {
    const others = [...this.#open].filter(
      (other) => other !== split && this.#isLive(other) && !this.#kept.has(other),
    );
    if (others.length === 0 && !this.#asked.has(split)) {
      return { split, message: await this.#feeds[split]!.next() };
    }
    // Those whose turn it is not come first: a split that always has rows would keep them out.
    const turn = await Promise.race([...others, split].map((each) => this.#ask(each)));
    this.#asked.delete(turn.split);
    return turn;
  }

  #ask(split: number): Promise<Turn> {
    const asked = this.#asked.get(split);
    if (asked !== undefined) return asked;
    const turn = this.#feeds[split]!.next().then((message): Turn => ({ split, message }));
    // Its failure is met when somebody waits for it.
    turn.catch(() => undefined);
    this.#asked.set(split, turn);
    return turn;
  }

  #isLive(split: number): boolean {
    return this.#feeds[split]!.split.totalBytes === undefined;
  }
}
