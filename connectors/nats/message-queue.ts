/**
 * Messages that have arrived and wait to be taken, in order. What lies behind a jump of sequences
 * may be held back until it is known whether messages were lost there.
 */

import type { StreamMessage } from './stream-message.ts';

/** Beside its payload a message takes its subjects and a few bytes of protocol. */
export const MESSAGE_OVERHEAD_BYTES = 256;
const PLENTY_MESSAGES = 2048;
const PLENTY_BYTES = 1 << 18;

export class MessageQueue {
  #messages: StreamMessage[] = [];
  /** Messages that have been taken. */
  #taken = 0;
  #held: StreamMessage[] = [];
  /** Of those that wait, the held ones too, with `MESSAGE_OVERHEAD_BYTES` each. */
  bytes = 0;

  /** Messages that wait, the held ones too. */
  get count(): number {
    return this.#messages.length - this.#taken + this.#held.length;
  }

  /** Nothing can be taken. */
  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** Whether enough is here to make it worth a batch at once. */
  get hasPlenty(): boolean {
    return this.#messages.length - this.#taken >= PLENTY_MESSAGES || this.bytes >= PLENTY_BYTES;
  }

  push(message: StreamMessage, isHeld: boolean): void {
    this.bytes += message.payload.length + MESSAGE_OVERHEAD_BYTES;
    (isHeld ? this.#held : this.#messages).push(message);
  }

  /** What is held may be taken. */
  release(): void {
    for (const message of this.#held) this.#messages.push(message);
    this.#held = [];
  }

  /** At least one message where one can be taken, at most `count`, of about `bytes` bytes. */
  take(count: number, bytes: number): StreamMessage[] {
    const queue = this.#messages;
    const start = this.#taken;
    if (start === queue.length) return [];
    const last = Math.min(queue.length, start + count);
    let end = start;
    let taken = 0;
    do {
      taken += queue[end++]!.payload.length + MESSAGE_OVERHEAD_BYTES;
    } while (end < last && taken < bytes);
    this.bytes -= taken;
    const messages = start === 0 && end === queue.length ? queue : queue.slice(start, end);
    if (end === queue.length) {
      this.#messages = [];
      this.#taken = 0;
    } else if (end >= 1024) {
      this.#messages = queue.slice(end);
      this.#taken = 0;
    } else this.#taken = end;
    return messages;
  }
}
