/**
 * Sums and the like since an anchor has changed: since the session, or the day, has begun.
 *
 * The anchor is a column, or the number of the stretch of time in which a row lies. Numbers and
 * times only go forward: a row of an anchor that has passed is not taken in and gets null. Of texts
 * and flags any change is a new beginning. Values that are not finite count as nulls; a row whose
 * anchor is null is not taken in.
 *
 * Record of a key, 64 bytes, all zero for a new key:
 *
 *    0 anchor i64   8 begun u32   16 sum f64   24 its rest f64   32 values f64
 *   40 min f64     48 max f64     56 first f64
 *
 * Job, 64 bytes:
 *
 *    0 records u32   4 keys u32[rows]    8 values f64[rows]    12 rows u32
 *   16 anchors u32  20 kind of anchor u32: 0 time, i64; 1 i64; 2 f64; 3 u32 code; 4 u8
 *   24 every i64    32 offset i64
 *   40 pointers u32[5], f64[rows], 0 = not wanted: sum, min, max, first, mean
 */

const ANCHOR: usize = 0;
const BEGUN: usize = 8;
const SUM: usize = 16;
const REST: usize = 24;
const COUNT: usize = 32;
const LEAST: usize = 40;
const MOST: usize = 48;
const FIRST: usize = 56;
const RECORD_BYTES: usize = 64;

const NULL: i64 = i64.MIN_VALUE;

let every: i64 = 0;
let offset: i64 = 0;

/** The anchor of a row as a number, NULL where there is none. */
function anchorOf(anchors: usize, kind: u32, row: usize): i64 {
  if (kind == 0) {
    const time = load<i64>(anchors + (row << 3));
    // Times within a century of the least have no stretch.
    if (time < NULL + (<i64>1 << 62)) return NULL;
    const from = time - offset;
    const whole = from / every;
    return from % every < 0 ? whole - 1 : whole;
  }
  if (kind == 1) return load<i64>(anchors + (row << 3));
  if (kind == 2) {
    const value = load<f64>(anchors + (row << 3));
    if (value != value) return NULL;
    const bits = reinterpret<i64>(value + 0.0);
    // In the order of the numbers: those below 0 are upside down.
    return bits < 0 ? bits ^ i64.MAX_VALUE : bits;
  }
  if (kind == 3) {
    const code = load<u32>(anchors + (row << 2));
    return code == u32.MAX_VALUE ? NULL : <i64>code;
  }
  const flag = load<u8>(anchors + row);
  return flag == 2 ? NULL : <i64>flag;
}

function add(record: usize, value: f64): void {
  const sum = load<f64>(record, SUM);
  const next = sum + value;
  const lost = abs(sum) >= abs(value) ? sum - next + value : value - next + sum;
  store<f64>(record, next, SUM);
  store<f64>(record, load<f64>(record, REST) + lost, REST);
  if (load<f64>(record, COUNT) == 0) {
    store<f64>(record, value, FIRST);
    store<f64>(record, value, LEAST);
    store<f64>(record, value, MOST);
  }
  store<f64>(record, load<f64>(record, COUNT) + 1, COUNT);
  store<f64>(record, min(load<f64>(record, LEAST), value), LEAST);
  store<f64>(record, max(load<f64>(record, MOST), value), MOST);
}

// @ts-ignore: decorator
@inline
function put(pointer: u32, row: usize, value: f64): void {
  if (pointer) store<f64>(<usize>pointer + (row << 3), value - value == 0 ? value : NaN);
}

/** Runs the rows of a job. */
export function sessions(job: usize): void {
  const records = <usize>load<u32>(job);
  const keys = <usize>load<u32>(job, 4);
  const values = <usize>load<u32>(job, 8);
  const rows = <usize>load<u32>(job, 12);
  const anchors = <usize>load<u32>(job, 16);
  const kind = load<u32>(job, 20);
  every = load<i64>(job, 24);
  offset = load<i64>(job, 32);
  const sums = load<u32>(job, 40);
  const minima = load<u32>(job, 44);
  const maxima = load<u32>(job, 48);
  const firsts = load<u32>(job, 52);
  const means = load<u32>(job, 56);
  for (let row: usize = 0; row < rows; row++) {
    const record = records + <usize>load<u32>(keys + (row << 2)) * RECORD_BYTES;
    const anchor = anchorOf(anchors, kind, row);
    const isBegun = load<u32>(record, BEGUN) != 0;
    const own = load<i64>(record, ANCHOR);
    const isPast = isBegun && kind < 3 && anchor < own;
    const isOwn = anchor != NULL && !isPast;
    if (isOwn && !(isBegun && anchor == own)) {
      memory.fill(record, 0, RECORD_BYTES);
      store<i64>(record, anchor, ANCHOR);
      store<u32>(record, 1, BEGUN);
    }
    const value = load<f64>(values + (row << 3));
    if (isOwn && value - value == 0) add(record, value);
    const count = isOwn ? load<f64>(record, COUNT) : 0;
    const sum = count > 0 ? load<f64>(record, SUM) + load<f64>(record, REST) : NaN;
    put(sums, row, sum);
    put(minima, row, count > 0 ? load<f64>(record, LEAST) : NaN);
    put(maxima, row, count > 0 ? load<f64>(record, MOST) : NaN);
    put(firsts, row, count > 0 ? load<f64>(record, FIRST) : NaN);
    put(means, row, sum / count);
  }
}
