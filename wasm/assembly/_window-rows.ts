/**
 * Where a row that came below its watermark goes: the same decision for every kernel that assigns
 * rows to windows of fixed starts.
 */

import {
  floorTo, later, STATE_AWKWARD_SPAN, STATE_LATE_COUNT, STATE_LATE_ROWS, STATE_LATE_SPAN,
  STATE_STOPPED, STATE_WIDTH, STOPPED_AWKWARD,
} from './_window-state';

export const PLACE_OPEN: i32 = 0;
export const PLACE_LATE: i32 = 1;
export const PLACE_AWKWARD: i32 = 2;

/** Decides about a row whose time is below its watermark; lists it where it is late. */
export function placeOf(state: usize, row: u32, time: i64, watermark: i64): i32 {
  const start = floorTo(time, load<i64>(state, STATE_WIDTH));
  if (later(start, load<i64>(state, STATE_LATE_SPAN)) <= watermark) {
    listLate(state, row);
    return PLACE_LATE;
  }
  if (later(start, load<i64>(state, STATE_AWKWARD_SPAN)) > watermark) return PLACE_OPEN;
  store<u32>(state, STOPPED_AWKWARD, STATE_STOPPED);
  return PLACE_AWKWARD;
}

export function listLate(state: usize, row: u32): void {
  const count = load<u32>(state, STATE_LATE_COUNT);
  store<u32>(<usize>load<u32>(state, STATE_LATE_ROWS) + (<usize>count << 2), row);
  store<u32>(state, count + 1, STATE_LATE_COUNT);
}
