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

const TOKENS_BEFORE = 4;
const TOKENS_SHORT = 9;

export function messageInfo(reply: string): MessageInfo | undefined {
  if (!reply.startsWith('$JS.ACK.')) return undefined;
  const tokens = reply.split('.');
  const first = TOKENS_BEFORE + (tokens.length > TOKENS_SHORT ? 2 : 0);
  const sequence = Number(tokens[first + 1]);
  const delivery = Number(tokens[first + 2]);
  const pending = Number(tokens[first + 4]);
  if (!Number.isSafeInteger(sequence + delivery + pending)) return undefined;
  return { sequence, delivery, time: tokens[first + 3]!, pending };
}
