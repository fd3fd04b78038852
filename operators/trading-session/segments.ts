/**
 * Stretches of time in which nothing changes for a row: of one day, and one session of it.
 *
 *     New York   0:00     4:00        9:30            16:00 (13:00)    20:00 (17:00)   24:00
 *                | closed | pre       | regular       | post           | closed        |
 */

import { easternOffset, easternToUtc, SECONDS_PER_DAY, secondsOf } from './eastern-time.ts';
import { dayKind } from './us-calendar.ts';

export const SESSIONS = ['pre', 'regular', 'post', 'closed'] as const;
export type Session = (typeof SESSIONS)[number];
export type Calendar = 'nyse' | 'nasdaq' | '24x7';

/** Times in seconds UTC. */
export interface Segment {
  readonly session: Session;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Midnight UTC of the date that it is of. */
  readonly date: number;
  /** Of the regular session of the day; of no meaning on a day without one. */
  readonly open: number;
  readonly close: number;
}

const HOUR = 3600;

/** The segment that contains a time in nanoseconds. */
export function segmentAt(calendar: Calendar, time: bigint): Segment {
  const utc = secondsOf(time);
  if (calendar === '24x7') {
    const date = Math.floor(utc / SECONDS_PER_DAY) * SECONDS_PER_DAY;
    const end = date + SECONDS_PER_DAY;
    return { session: 'regular', start: date, end, date, open: date, close: end };
  }
  const day = Math.floor((utc + easternOffset(utc)) / SECONDS_PER_DAY);
  const kind = dayKind(day);
  const at = (second: number): number => easternToUtc(day, second);
  const end = easternToUtc(day + 1, 0);
  const closing = kind === 'half' ? 13 * HOUR : 16 * HOUR;
  const common = { date: day * SECONDS_PER_DAY, open: at(9.5 * HOUR), close: at(closing) };
  if (kind === 'closed') return { ...common, session: 'closed', start: at(0), end };
  const ends: readonly (readonly [Session, number])[] = [
    ['closed', at(4 * HOUR)],
    ['pre', common.open],
    ['regular', common.close],
    ['post', at(closing + 4 * HOUR)],
    ['closed', end],
  ];
  const index = ends.findIndex(([, until]) => utc < until);
  const [session, until] = ends[index]!;
  return { ...common, session, start: index === 0 ? at(0) : ends[index - 1]![1], end: until };
}
