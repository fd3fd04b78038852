/**
 * One message into a stream, until the server says that it is stored. Every try has the same id,
 * so that a try whose answer was lost does not store the message twice.
 */

import { JetStreamApiError, type JetStreamClient } from '@nats-io/jetstream';
import { EngineError } from '../../engine/contract/error.ts';
import { isDenied, sleep } from './connection.ts';

export interface PublishContext {
  readonly client: JetStreamClient;
  /** Who publishes, as messages say it: `sink "alerts"`. */
  readonly who: string;
  /** How long one message is tried. */
  readonly giveUpMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called before each further try. */
  readonly onRetry?: (reason: string) => void;
}

export interface PublishOutcome {
  readonly sequence: number;
  /** The stream had a message of this id already. */
  readonly isDuplicate: boolean;
}

const ANSWER_MS = 2_000;
const RETRY_MS = 100;
const RETRY_MS_MAX = 1_000;

const TOO_LARGE = 10_054;
/** Limits on messages, bytes, messages of a subject, and storage. */
const FULL: ReadonlySet<number> = new Set([10_077, 10_047, 10_028, 10_023, 10_122]);
const FULL_WORDS = /maximum (?:messages|bytes)|no space|insufficient|storage/i;

export async function publishMessage(
  context: PublishContext,
  subject: string,
  payload: Uint8Array | string,
  id: string,
): Promise<PublishOutcome> {
  const { client, who, giveUpMs } = context;
  const untilMs = performance.now() + giveUpMs;
  for (let attempt = 0; ; attempt++) {
    try {
      const ack = await client.publish(subject, payload, { msgID: id, timeout: ANSWER_MS });
      return { sequence: ack.seq, isDuplicate: ack.duplicate };
    } catch (error) {
      const final = finalFailure(error, who, subject);
      if (final !== undefined) throw final;
      const reason = error instanceof Error ? error.message : String(error);
      const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(attempt, 8));
      if (performance.now() + waitMs > untilMs || context.signal?.aborted === true) {
        throw new EngineError(
          'nats/unreachable',
          `${who}: no stream has confirmed a message on ${subject} (${reason}); gave up after ` +
            `${Math.round(giveUpMs / 1000)}s`,
          { cause: error },
        );
      }
      context.onRetry?.(reason);
      await sleep(waitMs * (0.75 + Math.random() / 2));
    }
  }
}

/** The failure, where another try cannot help. */
function finalFailure(error: unknown, who: string, subject: string): EngineError | undefined {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (isDenied(error)) {
    return new EngineError(
      'nats/denied',
      `${who}: may not publish to ${subject}: ${message}`,
      cause,
    );
  }
  if (error instanceof JetStreamApiError) {
    const text = `${who}: the stream does not take a message on ${subject}: ${message}`;
    if (error.code === TOO_LARGE) return new EngineError('nats/too-large', text, cause);
    if (FULL.has(error.code) || FULL_WORDS.test(message)) {
      return new EngineError('nats/stream-full', text, cause);
    }
    return error.status === 503
      ? undefined
      : new EngineError('nats/refused', `${text} (${error.code})`, cause);
  }
  if (/max_payload/.test(message)) {
    return new EngineError(
      'nats/too-large',
      `${who}: a message on ${subject} is larger than the server takes (max_payload)`,
      cause,
    );
  }
  const isClosed = error instanceof Error && /ClosedConnection|Draining/.test(error.name);
  return isClosed ? new EngineError('nats/unreachable', `${who}: ${message}`, cause) : undefined;
}
