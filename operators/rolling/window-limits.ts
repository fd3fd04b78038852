/** How long a window may be. */

import { parseExtent } from '../../engine/contract/fields.ts';
import { durationNs } from '../../engine/contract/time.ts';

/** Values a window of rows holds at most, so that its ring stays within the linear memory. */
export const ROWS_MAX = 10_000_000;
/** A century: event times less this stay within 64 bits. */
const DURATION_MAX = '36500d';

/** What is wrong with the length of a window, or undefined. */
export function overProblem(over: string): string | undefined {
  const window = parseExtent(over)!;
  if ('rows' in window) {
    return window.rows > ROWS_MAX ? `must not exceed ${ROWS_MAX} rows, got ${over}` : undefined;
  }
  const isTooLong = window.durationNs > durationNs(DURATION_MAX);
  return isTooLong ? `must not exceed ${DURATION_MAX}, got ${over}` : undefined;
}
