/** Sessions in which rows are expected. */

import { type Calendar, type Segment, segmentAt } from '../trading-session/segments.ts';

/** In nanoseconds, the end not within it. */
export interface Expected {
  readonly start: bigint;
  readonly end: bigint;
}

const SECOND_NS = 1_000_000_000n;
const ALWAYS: Expected = { start: -(2n ** 63n), end: 2n ** 63n - 1n };
/** No exchange is closed for so many segments, of which a day has at most five. */
const SEGMENTS_MAX = 200;

export class ExpectedSessions {
  readonly #calendar: Calendar;
  readonly #isExtended: boolean;
  /** Of the row before, in seconds: nearly every row lies in it. */
  #start = 0;
  #end = 0;
  #sessionStart: number | undefined;

  constructor(calendar: Calendar, sessions: 'regular' | 'extended') {
    this.#calendar = calendar;
    this.#isExtended = sessions === 'extended';
  }

  #isExpected({ session }: Segment): boolean {
    return session === 'regular' || (this.#isExtended && session !== 'closed');
  }

  /** Start, in seconds, of the session that a time lies in; undefined outside of all. */
  startOf(high: number, low: number): number | undefined {
    if (this.#calendar === '24x7') return Number.NEGATIVE_INFINITY;
    const seconds = (high * 2 ** 32 + low) / 1e9;
    // Near an edge rounding might decide.
    if (!(seconds > this.#start + 1e-5 && seconds < this.#end - 1e-5)) {
      const time = (BigInt(high) << 32n) + BigInt(low);
      const { start, end } = segmentAt(this.#calendar, time);
      this.#start = start;
      this.#end = end;
      const expected = this.at(time);
      this.#sessionStart = expected === undefined ? undefined : Number(expected.start / SECOND_NS);
    }
    return this.#sessionStart;
  }

  /** The session that a time lies in. */
  at(time: bigint): Expected | undefined {
    if (this.#calendar === '24x7') return ALWAYS;
    const segment = segmentAt(this.#calendar, time);
    if (!this.#isExpected(segment)) return undefined;
    let { start, end } = segment;
    // The segments of an extended session follow each other without a break.
    for (let other = this.#before(start); this.#isExpected(other); other = this.#before(start)) {
      start = other.start;
    }
    for (let other = this.#from(end); this.#isExpected(other); other = this.#from(end)) {
      end = other.end;
    }
    return { start: BigInt(start) * SECOND_NS, end: BigInt(end) * SECOND_NS };
  }

  /** The first session that begins at a time or after it. */
  after(time: bigint): Expected | undefined {
    let segment = segmentAt(this.#calendar, time);
    for (let i = 0; i < SEGMENTS_MAX; i++) {
      if (this.#isExpected(segment)) return this.at(BigInt(segment.start) * SECOND_NS);
      segment = this.#from(segment.end);
    }
    return undefined;
  }

  #before(seconds: number): Segment {
    return segmentAt(this.#calendar, BigInt(seconds) * SECOND_NS - 1n);
  }

  #from(seconds: number): Segment {
    return segmentAt(this.#calendar, BigInt(seconds) * SECOND_NS);
  }
}
