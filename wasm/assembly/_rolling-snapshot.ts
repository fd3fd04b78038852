/**
 * Snapshot of a key that has seen a row, 8-byte aligned, without addresses and without what
 * follows from the values:
 *
 *   0 key u32   4 count u32   8 front i32   12 boundary i32   16 lower i64   24 latest i64
 *   32 values 8 * count, then times i64 * count (durations)
 */

import {
  BOUNDARY,
  COUNT,
  entryOf,
  FRONT,
  LATEST,
  loadJob,
  LOWER,
  RECORD_BYTES,
  records,
  timeAt,
  valueBytes,
  windowRows,
} from './_rolling-rings';

const SNAPSHOT_HEADER: usize = 32;

// @ts-ignore: decorator
@inline
function isUntouched(record: usize): bool {
  return load<i32>(record, COUNT) == 0 && load<i64>(record, LOWER) == i64.MIN_VALUE;
}

/** Bytes of the snapshot of all keys. */
export function snapshotBytes(job: usize, keyCount: u32): f64 {
  loadJob(job);
  const entryBytes: u64 = valueBytes + (windowRows == 0 ? 8 : 0);
  let bytes: u64 = 0;
  for (let key: u32 = 0; key < keyCount; key++) {
    const record = records + <usize>key * RECORD_BYTES;
    if (isUntouched(record)) continue;
    bytes += <u64>SNAPSHOT_HEADER + <u64>load<u32>(record, COUNT) * entryBytes;
  }
  return <f64>bytes;
}

/**
 * Writes snapshots of the keys `from` … keyCount-1 into `bytes` bytes. Returns the key it got to;
 * the number of bytes written is at `written`.
 */
export function writeSnapshot(
  job: usize,
  from: u32,
  keyCount: u32,
  target: usize,
  bytes: u32,
  written: usize,
): u32 {
  loadJob(job);
  const entryBytes: usize = valueBytes + (windowRows == 0 ? 8 : 0);
  let at = target;
  let key = from;
  for (; key < keyCount; key++) {
    const record = records + <usize>key * RECORD_BYTES;
    if (isUntouched(record)) continue;
    const count = load<i32>(record, COUNT);
    if (at + SNAPSHOT_HEADER + <usize>count * entryBytes > target + <usize>bytes) break;
    store<u32>(at, key);
    store<i32>(at, count, 4);
    store<i32>(at, load<i32>(record, FRONT), 8);
    store<i32>(at, load<i32>(record, BOUNDARY), 12);
    store<i64>(at, load<i64>(record, LOWER), 16);
    store<i64>(at, load<i64>(record, LATEST), 24);
    at += SNAPSHOT_HEADER;
    for (let index: i32 = 0; index < count; index++, at += valueBytes) {
      const entry = entryOf(record, index);
      store<i64>(at, load<i64>(entry));
      if (valueBytes == 16) store<i64>(at, load<i64>(entry, 8), 8);
    }
    if (windowRows == 0) {
      for (let index: i32 = 0; index < count; index++, at += 8) {
        store<i64>(at, load<i64>(entryOf(record, index) + timeAt));
      }
    }
  }
  store<u32>(written, <u32>(at - target));
  return key;
}

/**
 * Restores the entries of one key, whose ring has room, from its snapshot. What is made of the
 * entries is made again by the caller. Returns the record.
 */
export function readEntries(job: usize, source: usize): usize {
  loadJob(job);
  const record = records + <usize>load<u32>(source) * RECORD_BYTES;
  const count = load<i32>(source, 4);
  store<i32>(record, count, COUNT);
  store<i32>(record, load<i32>(source, 8), FRONT);
  store<i32>(record, load<i32>(source, 12), BOUNDARY);
  store<i64>(record, load<i64>(source, 16), LOWER);
  store<i64>(record, load<i64>(source, 24), LATEST);
  const entries = source + SNAPSHOT_HEADER;
  const timesOf = entries + <usize>count * valueBytes;
  for (let index: i32 = 0; index < count; index++) {
    const entry = entryOf(record, index);
    const at = entries + <usize>index * valueBytes;
    store<i64>(entry, load<i64>(at));
    if (valueBytes == 16) store<i64>(entry, load<i64>(at, 8), 8);
    if (windowRows == 0) store<i64>(entry + timeAt, load<i64>(timesOf + (<usize>index << 3)));
  }
  return record;
}
