/**
 * May reading go on behind a position? The server itself does not tell: a start below or beyond the
 * stream is moved into it without a word. Pure.
 */

import type { ErrorCode } from '../../engine/contract/error.ts';
import type { StreamFacts } from './stream-facts.ts';

export interface StreamPosition {
  /** Of the last message that has been read; 0 before the first. */
  readonly sequence: number;
  /** Broker time of that message, ns since 1970; empty where it is not known. */
  readonly time: string;
  /** Id of the stream; empty where it is not known. */
  readonly stream: string;
}

export interface PositionProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * @param storedTime Broker time of the message at the position; undefined where it is not there.
 */
export function judgePosition(
  position: StreamPosition,
  facts: StreamFacts,
  storedTime: string | undefined,
): PositionProblem | undefined {
  const { sequence, time, stream } = position;
  const { name, firstSequence, lastSequence, id } = facts;
  const hasSameTime = time !== '' && storedTime === time;
  // A time of creation may change with the settings; the same message at the same time proves more.
  const isOther = stream !== '' && stream !== id && !(hasSameTime && isCreation(stream, id));
  if (isOther) {
    return {
      code: 'nats/stream-replaced',
      message:
        `stream ${name} is not the one that was read before: it is ${id}, expected ${stream}; ` +
        'it has been deleted and made again',
    };
  }
  if (sequence > lastSequence) {
    return {
      code: 'nats/stream-truncated',
      message:
        `stream ${name} ends at message ${lastSequence}, but message ${sequence} has been read ` +
        'before: the server has lost messages that it had confirmed',
    };
  }
  if (time !== '' && storedTime !== undefined && storedTime !== time) {
    return {
      code: 'nats/stream-truncated',
      message:
        `message ${sequence} of stream ${name} is not the one that was read before: its time is ` +
        `${storedTime}, expected ${time}; it has lost messages and used their numbers again`,
    };
  }
  if (sequence + 1 < firstSequence) {
    const lost = firstSequence - sequence - 1;
    return {
      code: 'nats/stream-expired',
      message:
        `stream ${name} begins at message ${firstSequence}, but message ${sequence + 1} is the ` +
        `next to be read: ${lost} message${lost === 1 ? ' has' : 's have'} been removed unread, ` +
        'by its limits or by hand',
    };
  }
  return undefined;
}

function isCreation(a: string, b: string): boolean {
  return a.startsWith('created:') && b.startsWith('created:');
}
