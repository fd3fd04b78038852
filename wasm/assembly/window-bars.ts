/**
 * Market-data bars in one pass over the rows: the number of rows; first, last, minimum, maximum,
 * mean and variance of one column (the price); the sum of a second (the size) and of their product.
 * The product is never a column.
 *
 * The record of a bar is two cache lines:
 *
 *     0 header, with the number of prices at 12
 *    32 moments of price, in whose unused part: 40 u32 nulls of size, 44 u32 nulls of price * size
 *    64 extremes of price
 *    80 ends of price
 *   112 f64 sum of size, 120 f64 sum of price * size
 *
 * Most rows belong to the record at the cursor of their key, are in order and have no null: they
 * take the short way. Those that begin the newest window of their key take the second; all others
 * the long way, which does what the kernels of window-columns do one after the other. All give the
 * same bits.
 */

import {
  addDeviation, addOne, ANCHOR_VALUES, addToEnds, addToExtremes, addToMoments, isValue, pair,
} from './_window-accumulators';
import { makeRecord, recordOf } from './_window-find';
import { PLACE_AWKWARD, PLACE_LATE, placeOf } from './_window-rows';
import {
  clearRecord, RECORD_NEWER, RECORD_ROWS, RECORD_START, STATE_CURSORS, STATE_RECORDS,
  STATE_STOPPED, STATE_STRIDE, STATE_WIDTH, STOPPED_FULL,
} from './_window-state';

const PRICES: usize = 12;
const MOMENTS: usize = 32;
const SIZE_NULLS: usize = 40;
const PRODUCT_NULLS: usize = 44;
const EXTREMES: usize = 64;
const FIRST: usize = 80;
const FIRST_TIME: usize = 88;
const LAST: usize = 96;
const LAST_TIME: usize = 104;
const SUMS: usize = 112;
/** What follows in a record is not the business of these kernels. */
const BAR_BYTES: usize = 128;

/** One more row and one more price, in the two counters of the header. */
const ONE_OF_EACH: u64 = 0x1_0000_0001;
/** Bits of the two counters that are all zero where the anchor must be renewed. */
const SINCE_ANCHOR: u64 = <u64>(ANCHOR_VALUES - 1) << 32;

/** A row in order, of a window that has prices. */
// @ts-ignore: decorator
@inline
function addNext(
  record: usize, counts: u64, time: i64, price: f64, size: f64, product: f64, hasSizes: bool,
): void {
  store<u64>(record, counts + ONE_OF_EACH, RECORD_ROWS);
  addDeviation(record + MOMENTS, price);
  addToExtremes(record + EXTREMES, price);
  store<f64>(record, price, LAST);
  store<i64>(record, time, LAST_TIME);
  if (hasSizes) {
    v128.store(record, f64x2.add(v128.load(record, SUMS), pair(size, product)), SUMS);
  }
}

/** The first row of a record of which only the header is set. */
// @ts-ignore: decorator
@inline
function addFirst(
  record: usize, time: i64, price: f64, size: f64, product: f64, hasSizes: bool,
): void {
  store<u64>(record, ONE_OF_EACH, RECORD_ROWS);
  store<f64>(record, price, MOMENTS);
  store<u64>(record, 0, SIZE_NULLS);
  v128.store(record, f64x2.splat(0), MOMENTS + 16);
  v128.store(record, pair(price, -price), EXTREMES);
  store<f64>(record, price, FIRST);
  store<i64>(record, time, FIRST_TIME);
  store<f64>(record, price, LAST);
  store<i64>(record, time, LAST_TIME);
  // Added to zero as any other, so that -0 becomes 0.
  if (hasSizes) v128.store(record, f64x2.add(f64x2.splat(0), pair(size, product)), SUMS);
}

/** Any row. */
// @ts-ignore: decorator
@inline
function addAny(record: usize, time: i64, price: f64, size: f64, hasSizes: bool): void {
  addOne(record + RECORD_ROWS);
  if (isValue(price)) {
    addToMoments(record + MOMENTS, record + PRICES, price);
    addToExtremes(record + EXTREMES, price);
    addToEnds<f64>(record + FIRST, price, time);
  }
  if (!hasSizes) return;
  if (isValue(size)) store<f64>(record, load<f64>(record, SUMS) + size, SUMS);
  else addOne(record + SIZE_NULLS);
  const product = price * size;
  if (isValue(product)) store<f64>(record, load<f64>(record, SUMS + 8) + product, SUMS + 8);
  else addOne(record + PRODUCT_NULLS);
}

/** A row that does not fit the short ways; false where there is no room for it. */
function addLong(state: usize, key: u32, time: i64, price: f64, size: f64, hasSizes: bool): bool {
  const record = recordOf(state, key, time);
  if (record == 0) return false;
  addAny(<usize>load<u32>(state, STATE_RECORDS) + record, time, price, size, hasSizes);
  return true;
}

// @ts-ignore: decorator
@inline
function add(
  state: usize, from: u32, to: u32, keys: usize, times: usize, watermarks: usize, prices: usize,
  sizes: usize, hasSizes: bool, hasWatermarks: bool,
): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const cursors = <usize>load<u32>(state, STATE_CURSORS);
  const width = load<u64>(state, STATE_WIDTH);
  const isLong = load<u32>(state, STATE_STRIDE) > BAR_BYTES;
  for (let row = from; row < to; row++) {
    const key = load<u32>(keys + (<usize>row << 2));
    const time = load<i64>(times + (<usize>row << 3));
    const price = load<f64>(prices + (<usize>row << 3));
    const size = hasSizes ? load<f64>(sizes + (<usize>row << 3)) : 1;
    if (hasWatermarks) {
      const watermark = load<i64>(watermarks + (<usize>row << 3));
      if (time < watermark) {
        const place = placeOf(state, row, time, watermark);
        if (place == PLACE_LATE) continue;
        if (place == PLACE_AWKWARD) return row;
      }
    }
    // Neither the price nor the size is null where their product is a value.
    const product = hasSizes ? price * size : price;
    if (isValue(product)) {
      const cursor = load<u32>(cursors + (<usize>key << 2));
      const record = records + cursor;
      const since = time - load<i64>(record, RECORD_START);
      if (<u64>since < width) {
        const counts = load<u64>(record, RECORD_ROWS);
        // The template, too, has no prices yet.
        if (time >= load<i64>(record, LAST_TIME) && (counts & SINCE_ANCHOR) != 0) {
          addNext(record, counts, time, price, size, product, hasSizes);
          continue;
        }
      } else if (cursor == 0 || (since > 0 && load<u32>(record, RECORD_NEWER) == 0)) {
        const made = makeRecord(state, key, time, cursor, 0);
        if (made != 0) {
          if (isLong) clearRecord(state, records, made, BAR_BYTES);
          addFirst(records + made, time, price, size, product, hasSizes);
          continue;
        }
      }
    }
    if (!addLong(state, key, time, price, size, hasSizes)) {
      store<u32>(state, STOPPED_FULL, STATE_STOPPED);
      return row;
    }
  }
  return to;
}

/**
 * Adds rows to their bars.
 *
 * @param keys u32[to], times i64[to], prices and sizes f64[to] (NaN is null).
 * @returns The row it got to; `to`, or else STATE_STOPPED says why.
 */
export function addBars(
  state: usize, from: u32, to: u32, keys: usize, times: usize, prices: usize, sizes: usize,
): u32 {
  return add(state, from, to, keys, times, 0, prices, sizes, true, false);
}

/** The same for rows some of which are below their watermark (i64[to]). */
export function addBarsBelowWatermark(
  state: usize, from: u32, to: u32, keys: usize, times: usize, watermarks: usize, prices: usize,
  sizes: usize,
): u32 {
  return add(state, from, to, keys, times, watermarks, prices, sizes, true, true);
}

/** Bars without sizes. */
export function addPrices(
  state: usize, from: u32, to: u32, keys: usize, times: usize, prices: usize,
): u32 {
  return add(state, from, to, keys, times, 0, prices, 0, false, false);
}

export function addPricesBelowWatermark(
  state: usize, from: u32, to: u32, keys: usize, times: usize, watermarks: usize, prices: usize,
): u32 {
  return add(state, from, to, keys, times, watermarks, prices, 0, false, true);
}

/** Adds one row to a given record, whatever its window. `sizes` is 0 for bars without. */
export function addBarTo(
  records: usize, record: u32, row: u32, times: usize, prices: usize, sizes: usize,
): void {
  const time = load<i64>(times + (<usize>row << 3));
  const price = load<f64>(prices + (<usize>row << 3));
  if (sizes == 0) addAny(records + record, time, price, 1, false);
  else addAny(records + record, time, price, load<f64>(sizes + (<usize>row << 3)), true);
}
