/**
 * Session windows: a session of a key holds rows less than a gap apart, and ends a gap after its
 * last row.
 *
 * A session is a record of `_window-state` in no bucket, whose start is the time of its first row;
 * behind the header stand
 *
 *   32 i64 time of its last row    40 u32 entries in `ends`    44 u32 1 once it is closed or
 * absorbed
 *
 * Two heaps of (i64 time, u32 record, u32 unused), smallest time first, tell when something is due,
 * so that no session is looked at before:
 *
 *   ends    when to look at a session next. The time is at or below the moment its end is reached;
 *           rows that prolong the session leave it alone, and it is renewed when it comes up. A
 *           record is given back with its last entry.
 *   starts  starts of sessions, for the watermark of the output. An entry counts for as long as its
 *           session begins there.
 *
 * A row that would join two sessions, and one that changes what has been stated already, is
 * awkward: the host merges, states and withdraws.
 */

import { listLate } from './_window-rows';
import { recordAfter, recordBefore } from './_window-find';
import {
  clearRecord, giveRecord, hasRoom, later, linkRecord, RECORD_BYTES, RECORD_NEWER, RECORD_ROWS,
  RECORD_START, STATE_CURSORS, STATE_LATE_SPAN, STATE_RECORDS, STATE_STOPPED, STATE_STRIDE,
  STOPPED_AWKWARD, STOPPED_FULL, takeRecord, unlinkRecord,
} from './_window-state';

const SESSION_LAST: usize = 32;
const SESSION_ENTRIES: usize = 40;
const SESSION_GONE: usize = 44;

/** i64. */
export const STATE_GAP: usize = 112;
/** i64: from the end of a session to the moment it is closed. */
export const STATE_LATENESS: usize = 120;
/** Field of a record with the rows and the revision it was stated with; 0: stated when closed. */
export const STATE_STATED: usize = 128;
/** A heap: u32 address, u32 entries, u32 room. */
export const STATE_ENDS: usize = 132;
export const STATE_STARTS: usize = 144;
const HEAP_COUNT: usize = 4;
const HEAP_CAPACITY: usize = 8;
const ENTRY_BYTES: usize = 16;
const ENTRY_RECORD: usize = 8;

/** Instead of a record: the row needs the host. */
const AWKWARD: u32 = 0xffffffff;
const REVISION_NONE: u32 = 0xffffffff;

// ---------------------------------------------------------------- heaps

// @ts-ignore: decorator
@inline
function isHeapFull(heap: usize): bool {
  return load<u32>(heap, HEAP_COUNT) == load<u32>(heap, HEAP_CAPACITY);
}

// @ts-ignore: decorator
@inline
function storeEntry(entry: usize, time: i64, record: u32): void {
  store<i64>(entry, time);
  store<u32>(entry, record, ENTRY_RECORD);
}

function pushEntry(heap: usize, time: i64, record: u32): void {
  const entries = <usize>load<u32>(heap);
  let at = <usize>load<u32>(heap, HEAP_COUNT);
  store<u32>(heap, <u32>at + 1, HEAP_COUNT);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = entries + parent * ENTRY_BYTES;
    if (load<i64>(above) <= time) break;
    v128.store(entries + at * ENTRY_BYTES, v128.load(above));
    at = parent;
  }
  storeEntry(entries + at * ENTRY_BYTES, time, record);
}

/** Puts another entry in the place of the first one. */
function replaceFirst(heap: usize, time: i64, record: u32): void {
  const entries = <usize>load<u32>(heap);
  const count = <usize>load<u32>(heap, HEAP_COUNT);
  let at: usize = 0;
  for (let child: usize = 1; child < count; child = 2 * at + 1) {
    let below = entries + child * ENTRY_BYTES;
    if (child + 1 < count && load<i64>(below + ENTRY_BYTES) < load<i64>(below)) {
      below += ENTRY_BYTES;
      child++;
    }
    if (load<i64>(below) >= time) break;
    v128.store(entries + at * ENTRY_BYTES, v128.load(below));
    at = child;
  }
  storeEntry(entries + at * ENTRY_BYTES, time, record);
}

function popFirst(heap: usize): void {
  const count = load<u32>(heap, HEAP_COUNT) - 1;
  store<u32>(heap, count, HEAP_COUNT);
  if (count == 0) return;
  const last = <usize>load<u32>(heap) + <usize>count * ENTRY_BYTES;
  replaceFirst(heap, load<i64>(last), load<u32>(last, ENTRY_RECORD));
}

// ---------------------------------------------------------------- rows

// @ts-ignore: decorator
@inline
function endOf(state: usize, session: usize): i64 {
  return later(load<i64>(session, SESSION_LAST), load<i64>(state, STATE_GAP));
}

/** Whether the time is less than a gap behind the earlier one, or before it. */
// @ts-ignore: decorator
@inline
function isWithin(gap: i64, earlier: i64, time: i64): bool {
  return time <= earlier || <u64>(time - earlier) < <u64>gap;
}

/** Whether a row of this watermark may still join the session. */
// @ts-ignore: decorator
@inline
function isOpen(state: usize, session: usize, watermark: i64): bool {
  return later(endOf(state, session), load<i64>(state, STATE_LATENESS)) > watermark;
}

/** Whether a row that changes the session changes what has been, or should have been, stated. */
// @ts-ignore: decorator
@inline
function isStated(state: usize, session: usize, watermark: i64): bool {
  const stated = <usize>load<u32>(state, STATE_STATED);
  return endOf(state, session) <= watermark || load<u32>(session + stated, 4) != REVISION_NONE;
}

/** The session before the time that a row joins, or 0. */
// @ts-ignore: decorator
@inline
function joinedBefore(state: usize, records: usize, older: u32, time: i64, watermark: i64): u32 {
  if (older == 0) return 0;
  const session = records + older;
  const isNear = isWithin(load<i64>(state, STATE_GAP), load<i64>(session, SESSION_LAST), time);
  return isNear && isOpen(state, session, watermark) ? older : 0;
}

/** The session after the time that a row joins, or 0. */
// @ts-ignore: decorator
@inline
function joinedAfter(state: usize, records: usize, newer: u32, time: i64, watermark: i64): u32 {
  if (newer == 0) return 0;
  const session = records + newer;
  const isNear = isWithin(load<i64>(state, STATE_GAP), time, load<i64>(session, RECORD_START));
  return isNear && isOpen(state, session, watermark) ? newer : 0;
}

/** Makes the session of a row that joins none; 0 where there is no room. */
function makeSession(state: usize, key: u32, time: i64, older: u32, newer: u32): u32 {
  if (!hasRoom(state) || isHeapFull(state + STATE_ENDS) || isHeapFull(state + STATE_STARTS)) {
    return 0;
  }
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const record = takeRecord(state, records);
  clearRecord(state, records, record, RECORD_BYTES);
  linkRecord(state, records, record, key, time, older, newer);
  store<i64>(records + record, time, SESSION_LAST);
  store<u32>(records + record, 1, SESSION_ENTRIES);
  const isEarly = load<u32>(state, STATE_STATED) != 0;
  const due = later(time, load<i64>(state, STATE_GAP));
  const lateness = isEarly ? 0 : load<i64>(state, STATE_LATENESS);
  pushEntry(state + STATE_ENDS, later(due, lateness), record);
  pushEntry(state + STATE_STARTS, time, record);
  return record;
}

/**
 * Adds the row to the bounds of the session it joins, or makes one. 0 where there is no room,
 * AWKWARD where `isForced` does not say that the host has seen to it.
 */
function placeRow(state: usize, key: u32, time: i64, watermark: i64, isForced: bool): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const before = recordBefore(state, records, key, time);
  const after = recordAfter(state, records, key, before);
  const older = joinedBefore(state, records, before, time, watermark);
  const newer = joinedAfter(state, records, after, time, watermark);
  if (older != 0 && newer != 0) return AWKWARD;
  const joined = older != 0 ? older : newer;
  if (!isForced && time < watermark && load<u32>(state, STATE_STATED) != 0) {
    const isAwkward = joined != 0
      ? isStated(state, records + joined, watermark)
      : later(time, load<i64>(state, STATE_GAP)) <= watermark;
    if (isAwkward) return AWKWARD;
  }
  if (joined == 0) return makeSession(state, key, time, before, after);
  const session = records + joined;
  if (newer != 0) {
    if (isHeapFull(state + STATE_STARTS)) return 0;
    store<i64>(session, time, RECORD_START);
    pushEntry(state + STATE_STARTS, time, newer);
  } else if (time > load<i64>(session, SESSION_LAST)) {
    store<i64>(session, time, SESSION_LAST);
  }
  store<u32>(<usize>load<u32>(state, STATE_CURSORS) + (<usize>key << 2), joined);
  return joined;
}

/**
 * Finds or makes the session of each row.
 *
 * @param keys u32[to], times i64[to].
 * @param watermarks i64[to], or 0 where no row is below its watermark.
 * @param list u32[to], written: offsets of records; a late row gets the record that nobody reads.
 * @returns The row it got to; `to`, or else STATE_STOPPED says why.
 */
export function assignSessions(
  state: usize, from: u32, to: u32, keys: usize, times: usize, watermarks: usize, list: usize,
): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const cursors = <usize>load<u32>(state, STATE_CURSORS);
  const gap = load<i64>(state, STATE_GAP);
  const lateSpan = load<i64>(state, STATE_LATE_SPAN);
  for (let row = from; row < to; row++) {
    const key = load<u32>(keys + (<usize>row << 2));
    const time = load<i64>(times + (<usize>row << 3));
    const watermark = watermarks == 0 ? i64.MIN_VALUE : load<i64>(watermarks + (<usize>row << 3));
    const cursor = load<u32>(cursors + (<usize>key << 2));
    const session = records + cursor;
    let record: u32;
    if (
      cursor != 0 &&
      time >= watermark &&
      time >= load<i64>(session, RECORD_START) &&
      isWithin(gap, load<i64>(session, SESSION_LAST), time) &&
      load<u32>(session, RECORD_NEWER) == 0
    ) {
      if (time > load<i64>(session, SESSION_LAST)) store<i64>(session, time, SESSION_LAST);
      record = cursor;
    } else if (time < watermark && later(time, lateSpan) <= watermark) {
      listLate(state, row);
      record = load<u32>(state, STATE_STRIDE);
    } else {
      record = placeRow(state, key, time, watermark, false);
      if (record == 0 || record == AWKWARD) {
        store<u32>(state, record == 0 ? STOPPED_FULL : STOPPED_AWKWARD, STATE_STOPPED);
        return row;
      }
    }
    store<u32>(list + (<usize>row << 2), record);
  }
  return to;
}

/** Writes the session before an awkward row that it joins, and the one after, or 0: u32[2]. */
export function joinedSessions(
  state: usize, row: u32, keys: usize, times: usize, watermark: i64, joined: usize,
): void {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const key = load<u32>(keys + (<usize>row << 2));
  const time = load<i64>(times + (<usize>row << 3));
  const before = recordBefore(state, records, key, time);
  const after = recordAfter(state, records, key, before);
  store<u32>(joined, joinedBefore(state, records, before, time, watermark));
  store<u32>(joined, joinedAfter(state, records, after, time, watermark), 4);
}

/** Takes the rows of the newer session, whose values have been merged, into the older one. */
export function absorbSession(state: usize, older: u32, newer: u32): void {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  store<i64>(records + older, load<i64>(records + newer, SESSION_LAST), SESSION_LAST);
  unlinkRecord(state, records, newer);
  store<u32>(records + newer, 1, SESSION_GONE);
}

/** Places an awkward row that joins at most one session now; 0 where there is no room. */
export function placeAwkwardRow(
  state: usize, row: u32, keys: usize, times: usize, watermark: i64,
): u32 {
  const key = load<u32>(keys + (<usize>row << 2));
  return placeRow(state, key, load<i64>(times + (<usize>row << 3)), watermark, true);
}

/** Sees to it that the session is looked at when its end is reached; 0 where there is no room. */
export function expectEnd(state: usize, record: u32): u32 {
  if (isHeapFull(state + STATE_ENDS)) return 0;
  const session = <usize>load<u32>(state, STATE_RECORDS) + record;
  store<u32>(session, load<u32>(session, SESSION_ENTRIES) + 1, SESSION_ENTRIES);
  pushEntry(state + STATE_ENDS, endOf(state, session), record);
  return 1;
}

// ---------------------------------------------------------------- ends

/** Takes the first entry away, and its record with it where that is gone and has no other. */
function dropEntry(state: usize, records: usize, record: u32): void {
  popFirst(state + STATE_ENDS);
  const entries = load<u32>(records + record, SESSION_ENTRIES) - 1;
  store<u32>(records + record, entries, SESSION_ENTRIES);
  if (entries == 0 && load<u32>(records + record, SESSION_GONE) != 0) {
    giveRecord(state, records, record);
  }
}

// @ts-ignore: decorator
@inline
function closeSession(state: usize, records: usize, record: u32): void {
  unlinkRecord(state, records, record);
  store<u32>(records + record, 1, SESSION_GONE);
  dropEntry(state, records, record);
}

/** Whether the session has changed since it was stated; if so, it is stated now. */
// @ts-ignore: decorator
@inline
function isRestated(session: usize, stated: usize): bool {
  const rows = load<u32>(session, RECORD_ROWS);
  if (rows == load<u32>(session + stated)) return false;
  store<u32>(session + stated, rows);
  store<u32>(session + stated, load<u32>(session + stated, 4) + 1, 4);
  return true;
}

/**
 * Lists the sessions to put out at this watermark: those that are closed or, where sessions are
 * stated early, have ended and changed. Closed sessions are given back, and keep their contents
 * until the next row is added.
 *
 * @param list u32[max], written.
 * @returns Number of sessions; `max` means that there may be more.
 */
export function endSessions(state: usize, watermark: i64, list: usize, max: u32): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const lateness = load<i64>(state, STATE_LATENESS);
  const stated = <usize>load<u32>(state, STATE_STATED);
  const ends = state + STATE_ENDS;
  let count: u32 = 0;
  while (count < max && load<u32>(ends, HEAP_COUNT) != 0) {
    const first = <usize>load<u32>(ends);
    if (load<i64>(first) > watermark) break;
    const record = load<u32>(first, ENTRY_RECORD);
    const session = records + record;
    if (load<u32>(session, SESSION_GONE) != 0) {
      dropEntry(state, records, record);
      continue;
    }
    const end = endOf(state, session);
    const isClosed = later(end, lateness) <= watermark;
    let isListed = isClosed;
    if (stated != 0) {
      if (end > watermark) {
        replaceFirst(ends, end, record);
        continue;
      }
      isListed = isRestated(session, stated);
    }
    if (isClosed) closeSession(state, records, record);
    else replaceFirst(ends, later(end, lateness), record);
    if (isListed) {
      store<u32>(list + (<usize>count << 2), record);
      count++;
    }
  }
  return count;
}

/** Whether an entry of `starts` still counts. */
// @ts-ignore: decorator
@inline
function isStart(records: usize, entry: usize): bool {
  const session = records + load<u32>(entry, ENTRY_RECORD);
  return load<u32>(session, SESSION_GONE) == 0 &&
    load<i64>(session, RECORD_START) == load<i64>(entry);
}

/** Start of the earliest open session; INT64_MAX where there is none. */
export function earliestStart(state: usize): i64 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const starts = state + STATE_STARTS;
  while (load<u32>(starts, HEAP_COUNT) != 0) {
    const first = <usize>load<u32>(starts);
    if (isStart(records, first)) return load<i64>(first);
    popFirst(starts);
  }
  return i64.MAX_VALUE;
}

/** Drops the entries of `starts` that no longer count, which one old session may have held up. */
export function compactStarts(state: usize): void {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const starts = state + STATE_STARTS;
  const entries = <usize>load<u32>(starts);
  const count = load<u32>(starts, HEAP_COUNT);
  store<u32>(starts, 0, HEAP_COUNT);
  // Entries are pushed to the front of the array they are read from, never ahead of the reader.
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + <usize>i * ENTRY_BYTES;
    if (isStart(records, entry))
      pushEntry(starts, load<i64>(entry), load<u32>(entry, ENTRY_RECORD));
  }
}
