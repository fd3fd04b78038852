/**
 * How much to ask a server for at once: a quarter of what may wait, so that two pulls are on their
 * way beside half a queue, and less where the server cuts the connection because too much waits
 * there (its max_pending and write_deadline).
 */

import { MESSAGE_OVERHEAD_BYTES } from './message-queue.ts';

/** More at once brings nothing. */
const BYTES_MAX = 4 << 20;
/** So little is asked for where connections are lost again and again. */
const BYTES_MIN = 64 << 10;
const GROWTH = 1.1;
/** Before anything is known of the size of messages. */
const FIRST_BATCH = 64;

export interface PullLimits {
  readonly pendingBytesMax: number;
  readonly pendingMessagesMax: number;
}

export interface PullRequest {
  readonly batch: number;
  readonly max_bytes?: number;
}

export class PullSize {
  readonly #limits: PullLimits;
  #bytesMax = BYTES_MAX;
  /** Running mean of message sizes. */
  #meanBytes = 0;
  #arrived = 0;
  /** The next message alone is larger than what a pull may bring. */
  #isTooLarge = false;

  constructor(limits: PullLimits) {
    this.#limits = limits;
  }

  /** The next pull. */
  next(): PullRequest {
    const { pendingBytesMax, pendingMessagesMax } = this.#limits;
    const bytes = Math.min(this.#bytesMax, Math.floor(pendingBytesMax / 4));
    this.#bytesMax = Math.min(BYTES_MAX, Math.ceil(this.#bytesMax * GROWTH));
    const fitting = this.#meanBytes === 0 ? FIRST_BATCH : Math.floor(bytes / this.#meanBytes);
    const batch = Math.max(1, Math.min(fitting, Math.floor(pendingMessagesMax / 4)));
    const isTooLarge = this.#isTooLarge;
    this.#isTooLarge = false;
    this.#arrived = 0;
    // A message larger than the bound has to come all the same, one at a time.
    return isTooLarge ? { batch: 1 } : { batch, max_bytes: bytes };
  }

  /** A message has come. */
  arrived(payloadBytes: number): void {
    const bytes = payloadBytes + MESSAGE_OVERHEAD_BYTES;
    this.#meanBytes = this.#meanBytes === 0 ? bytes : this.#meanBytes * 0.9 + bytes * 0.1;
    this.#arrived++;
  }

  /** The server has ended a pull. */
  ended(isForItsBytes: boolean): void {
    this.#isTooLarge = isForItsBytes && this.#arrived === 0;
  }

  /** The connection was lost. */
  cutOff(): void {
    this.#bytesMax = Math.max(BYTES_MIN, Math.floor(this.#bytesMax / 2));
  }
}
