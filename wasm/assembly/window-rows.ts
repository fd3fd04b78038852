/**
 * Rows to records, for aggregates of any shape: which record each row belongs to. The kernels of
 * window-columns then add the columns to them, one after the other.
 */

import { recordOf } from './_window-find';
import { PLACE_AWKWARD, PLACE_LATE, placeOf } from './_window-rows';
import {
  floorTo, later, RECORD_START, STATE_CURSORS, STATE_LATE_SPAN, STATE_RECORDS, STATE_STOPPED,
  STATE_STRIDE, STATE_WIDTH, STOPPED_FULL,
} from './_window-state';

/**
 * Finds or makes the record of each row.
 *
 * @param keys u32[to], times i64[to].
 * @param watermarks i64[to], or 0 where no row is below its watermark.
 * @param list u32[to], written: offsets of records; a late row gets the record that nobody reads.
 * @returns The row it got to; `to`, or else STATE_STOPPED says why.
 */
export function assignRows(
  state: usize, from: u32, to: u32, keys: usize, times: usize, watermarks: usize, list: usize,
): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const cursors = <usize>load<u32>(state, STATE_CURSORS);
  const width = load<u64>(state, STATE_WIDTH);
  const nobodys = load<u32>(state, STATE_STRIDE);
  for (let row = from; row < to; row++) {
    const key = load<u32>(keys + (<usize>row << 2));
    const time = load<i64>(times + (<usize>row << 3));
    if (watermarks != 0) {
      const watermark = load<i64>(watermarks + (<usize>row << 3));
      if (time < watermark) {
        const place = placeOf(state, row, time, watermark);
        if (place == PLACE_AWKWARD) return row;
        if (place == PLACE_LATE) {
          store<u32>(list + (<usize>row << 2), nobodys);
          continue;
        }
      }
    }
    let record = load<u32>(cursors + (<usize>key << 2));
    const since = <u64>(time - load<i64>(records + record, RECORD_START));
    if (record == 0 || since >= width) {
      record = recordOf(state, key, time);
      if (record == 0) {
        store<u32>(state, STOPPED_FULL, STATE_STOPPED);
        return row;
      }
    }
    store<u32>(list + (<usize>row << 2), record);
  }
  return to;
}

/** The record of one row, which is made where there is none; 0 where there is no room. */
export function recordOfRow(state: usize, row: u32, keys: usize, times: usize): u32 {
  return recordOf(
    state, load<u32>(keys + (<usize>row << 2)), load<i64>(times + (<usize>row << 3)),
  );
}

/**
 * By how many seconds rows are late: from the moment their last window was closed to their
 * watermark.
 *
 * @param rows u32[count]: rows of times and watermarks (i64).
 * @param seconds f64[count], written.
 */
export function secondsLate(
  state: usize, rows: usize, count: u32, times: usize, watermarks: usize, seconds: usize,
): void {
  const width = load<i64>(state, STATE_WIDTH);
  const span = load<i64>(state, STATE_LATE_SPAN);
  for (let i: usize = 0; i < <usize>count; i++) {
    const row = <usize>load<u32>(rows + (i << 2));
    const closed = later(floorTo(load<i64>(times + (row << 3)), width), span);
    const late = load<i64>(watermarks + (row << 3)) - closed;
    store<f64>(seconds + (i << 3), <f64>late / 1e9);
  }
}
