/**
 * Many messages side by side, those of one subject one after another: so a message that has to be
 * tried again is not overtaken by a later one of its subject.
 */

import { fnv1a32 } from '../../engine/contract/hash.ts';
import { type PublishContext, publishMessage } from './publish-message.ts';

/** Messages on their way at once. */
const LANES = 64;
/** Messages that wait, in all lanes together. */
const WAITING_MAX = 1024;

export class MessageLanes {
  readonly #context: PublishContext;
  readonly #turns: Promise<void>[] = Array.from({ length: LANES }, () => Promise.resolve());
  #waiting = 0;
  #room: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Sequence of the last message stored. */
  lastSequence = 0;
  published = 0;
  duplicates = 0;

  constructor(context: PublishContext) {
    this.#context = context;
  }

  /** Puts a message into its lane; resolves when there is room for the next. */
  async send(subject: string, payload: Uint8Array, id: string): Promise<void> {
    this.#check();
    const lane = fnv1a32(subject) % LANES;
    this.#waiting++;
    this.#turns[lane] = this.#turns[lane]!.then(async () => {
      try {
        if (this.#failure === undefined) await this.#publish(subject, payload, id);
      } catch (error) {
        this.#failure ??= { error };
      } finally {
        this.#waiting--;
        this.#room?.();
      }
    });
    while (this.#waiting >= WAITING_MAX && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
    }
  }

  async #publish(subject: string, payload: Uint8Array, id: string): Promise<void> {
    const { sequence, isDuplicate } = await publishMessage(this.#context, subject, payload, id);
    if (isDuplicate) this.duplicates++;
    else this.published++;
    this.lastSequence = Math.max(this.lastSequence, sequence);
  }

  /** Resolves when everything is stored. */
  async drain(): Promise<void> {
    await Promise.all(this.#turns);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
