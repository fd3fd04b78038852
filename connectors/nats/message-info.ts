/**
 * What the server tells of a delivered message, from the subject on which it would be acknowledged:
 *
 *     $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time ns>.<pending>
 *     $JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>.…             (later servers)
 */

export interface MessageInfo {
  readonly sequence: number;
  /** 1, 2, 3, … for each consumer; a gap means that a message was lost on its way. */
  readonly delivery: number;
  /** Broker time, ns since 1970. */
  readonly time: string;
  /** Messages behind this one, for this consumer. */
  readonly pending: number;
}

const ZERO = 48;
const TOKENS_SHORT = 9;
/** Tokens in front of the sequence. */
const TOKENS_BEFORE = 5;

/** Without an array and a text for each token: a stream may have a message a row. */
export function messageInfo(reply: string): MessageInfo | undefined {
  if (!reply.startsWith('$JS.ACK.')) return undefined;
  let tokens = 1;
  for (let at = reply.indexOf('.'); at >= 0; at = reply.indexOf('.', at + 1)) tokens++;
  let at = 0;
  for (let passed = TOKENS_BEFORE + (tokens > TOKENS_SHORT ? 2 : 0); passed > 0; passed--) {
    at = reply.indexOf('.', at) + 1;
    if (at === 0) return undefined;
  }
  const sequenceEnd = tokenEnd(reply, at);
  const deliveryEnd = tokenEnd(reply, sequenceEnd + 1);
  const timeEnd = tokenEnd(reply, deliveryEnd + 1);
  const sequence = wholeNumber(reply, at, sequenceEnd);
  const delivery = wholeNumber(reply, sequenceEnd + 1, deliveryEnd);
  const pending = wholeNumber(reply, timeEnd + 1, tokenEnd(reply, timeEnd + 1));
  if (!Number.isSafeInteger(sequence + delivery + pending)) return undefined;
  return { sequence, delivery, time: reply.slice(deliveryEnd + 1, timeEnd), pending };
}

function tokenEnd(text: string, start: number): number {
  const end = text.indexOf('.', start);
  return end < 0 ? text.length : end;
}

/** The number in decimal digits; NaN where there is none. */
function wholeNumber(text: string, start: number, end: number): number {
  if (start >= end) return Number.NaN;
  let number = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}
