/** What a reader of a stream is told, and the states it goes through. */

import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { StreamPosition } from './judge-position.ts';

export type PullState = 'connecting' | 'connected' | 'reconnecting' | 'closed';

export interface PullOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** Who reads, as messages say it: `source "trades"`. */
  readonly who: string;
  readonly stream: string;
  /** One subject filter; undefined takes all. */
  readonly subject: string | undefined;
  /** Reading begins behind it. */
  readonly position: StreamPosition;
  /** What may wait here and on its way, together. */
  readonly pendingBytesMax: number;
  readonly pendingMessagesMax: number;
  /** Leaves the payloads out: for who looks at ids only. */
  readonly isHeadersOnly?: boolean;
  /**
   * What is removed before it was read is no failure: before the first message, where reading
   * begins wherever the stream does, or at any time. Default: it is one.
   */
  readonly maySkip?: 'at_first' | 'always' | undefined;
}
