/**
 * Records to columns: which windows are complete, and one kernel a kind of result.
 *
 * The kernels named `emit…` write element `i` of `out` from the record at `records + list[i]`
 * (u32). Fields are byte offsets within a record. Results that are not finite become null.
 */

import { isValue, MOMENTS_SUMS } from './_window-accumulators';
import { indexRecord, unindexRecord } from './_window-index';
import {
  BUCKET_HEAD, bucketAt, giveRecord, later, RECORD_KEY, RECORD_NEXT, RECORD_ROWS,
  searchBucket, STATE_BUCKETS_END, STATE_BUCKETS_FIRST, STATE_INDEX, STATE_RECORDS, unlinkRecord,
} from './_window-state';

const INT64_NULL: i64 = i64.MIN_VALUE;
const STATED_REVISION: usize = 4;

// ---------------------------------------------------------------- which windows

/**
 * Takes the records of the windows that start at or before the limit out of their lists, oldest
 * window first, and gives them back: they keep their contents until the next row is added.
 *
 * @param list u32[max], written.
 * @returns Number of records; `max` means that there may be more.
 */
export function closeWindows(state: usize, limit: i64, list: usize, max: u32): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const end = load<u32>(state, STATE_BUCKETS_END);
  const hasIndex = load<u32>(state, STATE_INDEX) != 0;
  let first = load<u32>(state, STATE_BUCKETS_FIRST);
  let count: u32 = 0;
  while (first < end && count < max) {
    const bucket = bucketAt(state, first);
    if (load<i64>(bucket) > limit) break;
    let record = load<u32>(bucket, BUCKET_HEAD);
    for (; record != 0 && count < max; count++) {
      const next = load<u32>(records + record, RECORD_NEXT);
      if (hasIndex) unindexRecord(state, records, record);
      unlinkRecord(state, records, record);
      giveRecord(state, records, record);
      store<u32>(list + (<usize>count << 2), record);
      record = next;
    }
    store<u32>(bucket, record, BUCKET_HEAD);
    if (record == 0) first++;
  }
  store<u32>(state, first, STATE_BUCKETS_FIRST);
  return count;
}

/** Fills an empty index with the records of all windows. */
export function fillIndex(state: usize): void {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const end = load<u32>(state, STATE_BUCKETS_END);
  for (let index = load<u32>(state, STATE_BUCKETS_FIRST); index < end; index++) {
    let record = load<u32>(bucketAt(state, index), BUCKET_HEAD);
    for (; record != 0; record = load<u32>(records + record, RECORD_NEXT)) {
      indexRecord(state, records, record);
    }
  }
}

/**
 * Whether the record has changed since it was stated; if so, states it: the field holds the number
 * of rows it was stated with and, in the next u32, the revision, which begins at -1.
 */
// @ts-ignore: decorator
@inline
function isRestated(record: usize, field: usize): bool {
  const rows = load<u32>(record, RECORD_ROWS);
  if (rows == load<u32>(record + field)) return false;
  store<u32>(record + field, rows);
  store<u32>(record + field, load<u32>(record + field, STATED_REVISION) + 1, STATED_REVISION);
  return true;
}

/** States one record: 1 where it has changed since it was stated last, else 0. */
export function stateRecord(records: usize, record: u32, field: usize): u32 {
  return isRestated(records + record, field) ? 1 : 0;
}

/**
 * States the records of the windows with starts from `from` to `limit` that have changed since they
 * were stated last.
 *
 * @returns Number of records written to `list`; `max` means that there may be more.
 */
export function stateWindows(
  state: usize, from: i64, limit: i64, field: usize, list: usize, max: u32,
): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const end = load<u32>(state, STATE_BUCKETS_END);
  let count: u32 = 0;
  for (let index = searchBucket(state, from); index < end; index++) {
    const bucket = bucketAt(state, index);
    if (load<i64>(bucket) > limit) break;
    let record = load<u32>(bucket, BUCKET_HEAD);
    while (record != 0) {
      if (count == max) return count;
      if (isRestated(records + record, field)) {
        store<u32>(list + (<usize>count << 2), record);
        count++;
      }
      record = load<u32>(records + record, RECORD_NEXT);
    }
  }
  return count;
}

// ---------------------------------------------------------------- results

// @ts-ignore: decorator
@inline
function recordAt(records: usize, list: usize, i: u32): usize {
  return records + load<u32>(list + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function emitF64(out: usize, i: u32, value: f64): void {
  store<f64>(out + (<usize>i << 3), isValue(value) ? value : NaN);
}

/** Number of values, from a counter of values or of nulls. */
// @ts-ignore: decorator
@inline
function valuesOf(record: usize, counter: usize, areNulls: u32): u32 {
  const counted = load<u32>(record + counter);
  return areNulls != 0 ? load<u32>(record, RECORD_ROWS) - counted : counted;
}

export function emitKeys(records: usize, list: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (<usize>i << 2), load<u32>(recordAt(records, list, i), RECORD_KEY));
  }
}

/** i64 or f64, as they are. */
export function emitField(
  records: usize, list: usize, count: u32, field: usize, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(out + (<usize>i << 3), load<u64>(recordAt(records, list, i) + field));
  }
}

/** i64 field plus a constant: the end of a window. */
export function emitLater(
  records: usize, list: usize, count: u32, field: usize, span: i64, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const time = load<i64>(recordAt(records, list, i) + field);
    store<i64>(out + (<usize>i << 3), later(time, span));
  }
}

/** The same i64 for all. */
export function fillI64(value: i64, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) store<i64>(out + (<usize>i << 3), value);
}

/** A u32 counter as i64. */
export function emitCounts(
  records: usize, list: usize, count: u32, field: usize, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    store<i64>(out + (<usize>i << 3), <i64>load<u32>(recordAt(records, list, i) + field));
  }
}

/** Number of values as i64. */
export function emitValueCounts(
  records: usize, list: usize, count: u32, counter: usize, areNulls: u32, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const values = valuesOf(recordAt(records, list, i), counter, areNulls);
    store<i64>(out + (<usize>i << 3), <i64>values);
  }
}

export function emitSums(
  records: usize, list: usize, count: u32, field: usize, counter: usize, areNulls: u32, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const record = recordAt(records, list, i);
    const sum = load<f64>(record + field);
    emitF64(out, i, valuesOf(record, counter, areNulls) == 0 ? NaN : sum);
  }
}

export function emitMeans(
  records: usize, list: usize, count: u32, moments: usize, counter: usize, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const record = recordAt(records, list, i);
    const values = <f64>load<u32>(record + counter);
    // 0 / 0 where there is no value.
    const mean = load<f64>(record + moments) + load<f64>(record + moments, MOMENTS_SUMS) / values;
    emitF64(out, i, mean);
  }
}

// @ts-ignore: decorator
@inline
function varianceOf(record: usize, moments: usize, counter: usize, taken: u32): f64 {
  const values = load<u32>(record + counter);
  if (values <= taken) return NaN;
  const sum = load<f64>(record + moments, MOMENTS_SUMS);
  const squares = load<f64>(record + moments, MOMENTS_SUMS + 8);
  return max<f64>(squares - sum * (sum / <f64>values), 0) / <f64>(values - taken);
}

/** @param taken Degrees of freedom taken away: 1 for a sample, 0 for a population. */
export function emitVariances(
  records: usize, list: usize, count: u32, moments: usize, counter: usize, taken: u32, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    emitF64(out, i, varianceOf(recordAt(records, list, i), moments, counter, taken));
  }
}

export function emitDeviations(
  records: usize, list: usize, count: u32, moments: usize, counter: usize, taken: u32, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    emitF64(out, i, sqrt(varianceOf(recordAt(records, list, i), moments, counter, taken)));
  }
}

/** f64 minimum; infinite, hence null, where there is no value. */
export function emitMinima(
  records: usize, list: usize, count: u32, field: usize, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    emitF64(out, i, load<f64>(recordAt(records, list, i) + field));
  }
}

export function emitMaxima(
  records: usize, list: usize, count: u32, field: usize, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    emitF64(out, i, -load<f64>(recordAt(records, list, i) + field, 8));
  }
}

/** The maximum of int64 is a plain field: its empty value is null. */
export function emitMinimaI64(
  records: usize, list: usize, count: u32, field: usize, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const extremes = recordAt(records, list, i) + field;
    const isEmpty = load<i64>(extremes, 8) == INT64_NULL;
    store<i64>(out + (<usize>i << 3), isEmpty ? INT64_NULL : load<i64>(extremes));
  }
}
