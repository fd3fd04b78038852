/**
 * Many messages on their way at once, and yet stored in the order in which they were given. Each
 * says which one must have been stored just before it (`Nats-Expected-Last-Msg-Id`): where one is
 * not stored, none behind it is, and all of them are sent again, one after another, under the ids
 * that they had. (A sequence in its place would not do: what somebody else stores moves it on.)
 *
 * Somebody else who publishes to the stream breaks the chain. Where that happens again and again,
 * the window closes for good, and its user goes on without it. It is for streams on one server:
 * replicated ones take an expectation that is not met for a disturbance of their own.
 */

import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { newInbox } from './connection.ts';
import { type PublishContext, publishMessage } from './publish-message.ts';

/** Messages on their way at once, and their bytes. */
const MESSAGES_MAX = 512;
const BYTES_MAX = 4 << 20;
/** Silence that is taken for a loss, and how often it is looked for. */
const SILENCE_MS = 2_000;
const WATCH_MS = 250;
/** So often another message may come between before it is clear that others publish. */
const CONFLICTS_MAX = 3;
const WRONG_LAST_ID = 10_070;

export interface WindowOptions {
  readonly connection: NatsConnection;
  readonly context: PublishContext;
  /** Told how many messages have to be sent again. */
  readonly onAgain?: (messages: number) => void;
}

interface Sent {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly id: string;
  readonly onStored: (isDuplicate: boolean) => void;
}

/** The part of an answer of the server that is looked at. */
interface Answer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code?: number };
}

export class PublishWindow {
  readonly #options: WindowOptions;
  readonly #inbox: string;
  readonly #unsubscribe: () => void;
  readonly #watch: NodeJS.Timeout;
  /** Messages without an answer, the oldest first. */
  #sent: Sent[] = [];
  #bytes = 0;
  /** Number of the oldest message without an answer. */
  #first = 0;
  /** Id of the newest message sent. */
  #lastId = '';
  #isBroken = false;
  /** Whether messages may be stored whose answers were lost. */
  #isUnheard = false;
  #conflicts = 0;
  #answeredMs = 0;
  #wake: (() => void) | undefined;
  isOpen = true;

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#inbox = newInbox(options.connection);
    const subscription = options.connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
      },
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    this.#watch = setInterval(() => this.#lookForSilence(), WATCH_MS);
  }

  /**
   * Sends a message. Nothing is returned where there is room for the next, so that many go out in
   * one piece; otherwise a promise, which resolves when there is.
   */
  publish(
    subject: string,
    payload: Uint8Array,
    id: string,
    onStored: (isDuplicate: boolean) => void,
  ): Promise<void> | undefined {
    this.#send({ subject, payload, id, onStored });
    return this.#isFull(MESSAGES_MAX, BYTES_MAX) ? this.#room(MESSAGES_MAX, BYTES_MAX) : undefined;
  }

  /** Resolves when everything sent is stored. */
  async drain(): Promise<void> {
    await this.#room(1, 1);
  }

  async #room(messagesMax: number, bytesMax: number): Promise<void> {
    while (this.#isFull(messagesMax, bytesMax)) {
      if (this.#isBroken) await this.#sendAgain();
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #isFull(messagesMax: number, bytesMax: number): boolean {
    return this.#isBroken || this.#sent.length >= messagesMax || this.#bytes >= bytesMax;
  }

  #send(sent: Sent): void {
    const { subject, payload, id } = sent;
    if (this.#sent.length === 0) this.#answeredMs = performance.now();
    const number = this.#first + this.#sent.length;
    this.#sent.push(sent);
    this.#bytes += payload.length;
    const head = headers();
    head.set('Nats-Msg-Id', id);
    // Behind an answer nothing is on its way that it could come before.
    if (this.#sent.length > 1) head.set('Nats-Expected-Last-Msg-Id', this.#lastId);
    this.#lastId = id;
    try {
      const reply = `${this.#inbox}.${number}`;
      this.#options.connection.publish(subject, payload, { headers: head, reply });
    } catch {
      // Too large, or the connection is closed: sending it again will tell.
      this.#break();
    }
  }

  #receive(message: Msg): void {
    const number = Number(message.subject.slice(this.#inbox.length + 1));
    // What has been sent again is answered there.
    if (this.#isBroken || number < this.#first) return;
    const answer = number === this.#first ? answerOf(message) : undefined;
    const { seq, duplicate = false, error } = answer ?? {};
    this.#answeredMs = performance.now();
    if (number > this.#first) this.#isUnheard = true;
    if (seq === undefined || error !== undefined) {
      if (error?.err_code === WRONG_LAST_ID) this.#conflicts++;
      this.#break();
      return;
    }
    const sent = this.#sent.shift()!;
    this.#first++;
    this.#bytes -= sent.payload.length;
    sent.onStored(duplicate);
    // A duplicate is not stored anew: what is behind it waits for it in vain.
    if (duplicate) this.#break();
    else this.#wake?.();
  }

  #lookForSilence(): void {
    const silentMs = performance.now() - this.#answeredMs;
    if (this.#isBroken || this.#sent.length === 0 || silentMs <= SILENCE_MS) return;
    this.#isUnheard = true;
    this.#break();
  }

  #break(): void {
    this.#isBroken = true;
    this.#wake?.();
  }

  /** One after another, each until it is stored. */
  async #sendAgain(): Promise<void> {
    const again = this.#sent;
    this.#sent = [];
    this.#first += again.length;
    this.#bytes = 0;
    this.#options.onAgain?.(again.length);
    for (const { subject, payload, id, onStored } of again) {
      const { isDuplicate } = await publishMessage(this.#options.context, subject, payload, id);
      // Of what was sent before, and only its answer lost, the other one is ours.
      onStored(isDuplicate && !this.#isUnheard);
    }
    this.#isUnheard = false;
    this.#isBroken = false;
    if (this.#conflicts >= CONFLICTS_MAX) this.isOpen = false;
  }

  close(): void {
    clearInterval(this.#watch);
    this.#unsubscribe();
  }
}

function answerOf(message: Msg): Answer | undefined {
  try {
    return message.json<Answer>();
  } catch {
    // Nobody listens, as while a server starts.
    return undefined;
  }
}
