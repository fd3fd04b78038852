/** A message on its way from the connection to the decoder. */

import type { Msg } from '@nats-io/transport-node';
import type { MessageInfo } from './message-info.ts';

/** A message that has arrived. What few look at is decoded when it is asked for. */
export class StreamMessage {
  readonly sequence: number;
  /** Broker time, ns since 1970. */
  readonly time: string;
  /** Messages behind this one, for this reader, when it was sent. */
  readonly pending: number;
  /** A view of what the socket gave: copy what is kept. */
  readonly payload: Uint8Array;
  readonly #message: Msg;

  constructor({ sequence, time, pending }: MessageInfo, message: Msg) {
    this.sequence = sequence;
    this.time = time;
    this.pending = pending;
    this.payload = message.data;
    this.#message = message;
  }

  get subject(): string {
    return this.#message.subject;
  }

  /** Its `Nats-Msg-Id`, where it has one. */
  get id(): string | undefined {
    return this.#message.headers?.get('Nats-Msg-Id');
  }
}
