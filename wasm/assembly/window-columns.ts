/**
 * Columns to records, one kernel a kind of accumulator: adding the rows of a batch, and merging
 * records. `_window-accumulators` gives the layouts.
 *
 * Adding: row `i` of `from` to `to` goes to the record at `records + list[i]` (u32). Values that
 * are null, or not finite, are passed over. Fields are byte offsets within a record.
 *
 * Merging: the record at `records + sources[i]` goes into the one at `records + targets[i]`, in the
 * order of i; one target may stand several times. What was empty takes over the other's values.
 */

import {
  addDeviation, addOne, addToEnds, addToExtremes, addToMoments, ENDS_FIRST_TIME, ENDS_LAST,
  ENDS_LAST_TIME, isValue, MOMENTS_SUMS, pair,
} from './_window-accumulators';

const INT64_NULL: i64 = i64.MIN_VALUE;
const CODE_NULL: u32 = 0xffffffff;
const BOOLEAN_NULL: u8 = 2;

// @ts-ignore: decorator
@inline
function recordAt(records: usize, list: usize, i: u32): usize {
  return records + load<u32>(list + (<usize>i << 2));
}

// ---------------------------------------------------------------- adding

/** Counts the rows. */
export function addRows(records: usize, list: usize, from: u32, to: u32, field: usize): void {
  for (let i = from; i < to; i++) addOne(recordAt(records, list, i) + field);
}

/** Counts the nulls of an f64 column; infinities count as nulls. */
export function addNullsF64(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize,
): void {
  for (let i = from; i < to; i++) {
    if (!isValue(load<f64>(values + (<usize>i << 3)))) addOne(recordAt(records, list, i) + field);
  }
}

/** Counts the nulls of an int64 or timestamp column. */
export function addNullsI64(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize,
): void {
  for (let i = from; i < to; i++) {
    if (load<i64>(values + (<usize>i << 3)) == INT64_NULL) {
      addOne(recordAt(records, list, i) + field);
    }
  }
}

/** Counts the nulls of a string column. */
export function addNullsU32(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize,
): void {
  for (let i = from; i < to; i++) {
    if (load<u32>(values + (<usize>i << 2)) == CODE_NULL) {
      addOne(recordAt(records, list, i) + field);
    }
  }
}

/** Counts the nulls of a boolean column. */
export function addNullsU8(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize,
): void {
  for (let i = from; i < to; i++) {
    if (load<u8>(values + <usize>i) == BOOLEAN_NULL) addOne(recordAt(records, list, i) + field);
  }
}

export function addSums(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize,
): void {
  for (let i = from; i < to; i++) {
    const value = load<f64>(values + (<usize>i << 3));
    if (!isValue(value)) continue;
    const sum = recordAt(records, list, i) + field;
    store<f64>(sum, load<f64>(sum) + value);
  }
}

/** @param counter Field of the number of values. */
export function addMoments(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize, counter: usize,
): void {
  for (let i = from; i < to; i++) {
    const value = load<f64>(values + (<usize>i << 3));
    if (!isValue(value)) continue;
    const record = recordAt(records, list, i);
    addToMoments(record + field, record + counter, value);
  }
}

export function addExtremes(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize,
): void {
  for (let i = from; i < to; i++) {
    const value = load<f64>(values + (<usize>i << 3));
    if (isValue(value)) addToExtremes(recordAt(records, list, i) + field, value);
  }
}

/**
 * Extremes of int64: 0 i64 minimum, INT64_MAX where empty; 8 i64 maximum, INT64_MIN where empty.
 */
export function addExtremesI64(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize,
): void {
  for (let i = from; i < to; i++) {
    const value = load<i64>(values + (<usize>i << 3));
    if (value == INT64_NULL) continue;
    const extremes = recordAt(records, list, i) + field;
    if (value < load<i64>(extremes)) store<i64>(extremes, value);
    if (value > load<i64>(extremes, 8)) store<i64>(extremes, value, 8);
  }
}

export function addEnds(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize, times: usize,
): void {
  for (let i = from; i < to; i++) {
    const value = load<f64>(values + (<usize>i << 3));
    if (!isValue(value)) continue;
    const time = load<i64>(times + (<usize>i << 3));
    addToEnds<f64>(recordAt(records, list, i) + field, value, time);
  }
}

export function addEndsI64(
  records: usize, list: usize, from: u32, to: u32, values: usize, field: usize, times: usize,
): void {
  for (let i = from; i < to; i++) {
    const value = load<i64>(values + (<usize>i << 3));
    if (value == INT64_NULL) continue;
    const time = load<i64>(times + (<usize>i << 3));
    addToEnds<i64>(recordAt(records, list, i) + field, value, time);
  }
}

// ---------------------------------------------------------------- merging

/** Adds u32 counters. */
export function mergeCounts(
  records: usize, targets: usize, sources: usize, count: u32, field: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const target = recordAt(records, targets, i) + field;
    store<u32>(target, load<u32>(target) + load<u32>(recordAt(records, sources, i) + field));
  }
}

export function mergeSums(
  records: usize, targets: usize, sources: usize, count: u32, field: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const target = recordAt(records, targets, i) + field;
    store<f64>(target, load<f64>(target) + load<f64>(recordAt(records, sources, i) + field));
  }
}

/**
 * The larger side keeps its anchor, so that the squares of neither cancel by more than a factor of
 * two against the other's.
 */
// @ts-ignore: decorator
@inline
function mergeMoment(target: usize, targetCount: u32, source: usize, sourceCount: u32): void {
  if (sourceCount == 0) return;
  const isLarger = sourceCount > targetCount;
  const large = isLarger ? source : target;
  const small = isLarger ? target : source;
  const count = <f64>(isLarger ? targetCount : sourceCount);
  const anchor = load<f64>(large);
  const shift = count == 0 ? 0 : load<f64>(small) - anchor;
  const moved = count * shift;
  const sum = load<f64>(small, MOMENTS_SUMS);
  const squares = load<f64>(small, MOMENTS_SUMS + 8) + shift * (sum + sum + moved);
  const sums = f64x2.add(v128.load(large, MOMENTS_SUMS), pair(sum + moved, squares));
  store<f64>(target, anchor);
  v128.store(target, sums, MOMENTS_SUMS);
}

/** Merges moments and their number of values. */
export function mergeMoments(
  records: usize, targets: usize, sources: usize, count: u32, field: usize, counter: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const target = recordAt(records, targets, i);
    const source = recordAt(records, sources, i);
    const targetCount = load<u32>(target + counter);
    const sourceCount = load<u32>(source + counter);
    mergeMoment(target + field, targetCount, source + field, sourceCount);
    store<u32>(target + counter, targetCount + sourceCount);
  }
}

export function mergeExtremes(
  records: usize, targets: usize, sources: usize, count: u32, field: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const target = recordAt(records, targets, i) + field;
    const source = v128.load(recordAt(records, sources, i) + field);
    v128.store(target, f64x2.pmin(v128.load(target), source));
  }
}

export function mergeExtremesI64(
  records: usize, targets: usize, sources: usize, count: u32, field: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const target = recordAt(records, targets, i) + field;
    const source = recordAt(records, sources, i) + field;
    store<i64>(target, min<i64>(load<i64>(target), load<i64>(source)));
    store<i64>(target, max<i64>(load<i64>(target, 8), load<i64>(source, 8)), 8);
  }
}

/** Ends of values of any type of 8 bytes. Two records never hold rows of the same time. */
export function mergeEnds(
  records: usize, targets: usize, sources: usize, count: u32, field: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const target = recordAt(records, targets, i) + field;
    const source = recordAt(records, sources, i) + field;
    const first = load<i64>(source, ENDS_FIRST_TIME);
    if (first < load<i64>(target, ENDS_FIRST_TIME)) v128.store(target, v128.load(source));
    const last = load<i64>(source, ENDS_LAST_TIME);
    if (last > load<i64>(target, ENDS_LAST_TIME)) {
      v128.store(target, v128.load(source, ENDS_LAST), ENDS_LAST);
    }
  }
}
