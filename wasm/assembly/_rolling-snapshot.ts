/**
 * Snapshot of a key that has seen a row, 8-byte aligned, without addresses and without aggregates,
 * which follow from the values:
 *
 *   0 key u32   4 count u32   8 front i32   12 boundary i32   16 lower i64   24 latest i64
 *   32 values 8 * count, then times i64 * count (durations)
 */

import {
  BOUNDARY,
  COUNT,
  entryOf,
  FRONT,
  keys,
  LATEST,
  loadJob,
  LOWER,
  mask,
  RECORD_BYTES,
  records,
  timeAt,
  windowRows,
} from './_rolling-rings';
import {
  addToBack,
  fillFront,
  flip,
} from './_rolling-aggregates';

const SNAPSHOT_HEADER: usize = 32;

// @ts-ignore: decorator
@inline
function isUntouched(record: usize): bool {
  return load<i32>(record, COUNT) == 0 && load<i64>(record, LOWER) == i64.MIN_VALUE;
}

/** Bytes of the snapshot of all keys. */
export function snapshotBytes(table: usize, keyCount: u32, hasTime: u32): f64 {
  const valueBytes: u64 = hasTime ? 16 : 8;
  let bytes: u64 = 0;
  for (let key: u32 = 0; key < keyCount; key++) {
    const record = table + <usize>key * RECORD_BYTES;
    if (isUntouched(record)) continue;
    bytes += <u64>SNAPSHOT_HEADER + <u64>load<u32>(record, COUNT) * valueBytes;
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
  const valueBytes: usize = windowRows == 0 ? 16 : 8;
  let at = target;
  let key = from;
  for (; key < keyCount; key++) {
    const record = records + <usize>key * RECORD_BYTES;
    if (isUntouched(record)) continue;
    const count = load<i32>(record, COUNT);
    if (at + SNAPSHOT_HEADER + <usize>count * valueBytes > target + <usize>bytes) break;
    store<u32>(at, key);
    store<i32>(at, count, 4);
    store<i32>(at, load<i32>(record, FRONT), 8);
    store<i32>(at, load<i32>(record, BOUNDARY), 12);
    store<i64>(at, load<i64>(record, LOWER), 16);
    store<i64>(at, load<i64>(record, LATEST), 24);
    at += SNAPSHOT_HEADER;
    for (let index: i32 = 0; index < count; index++, at += 8) {
      store<i64>(at, load<i64>(entryOf(record, index)));
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

/** Restores one key, whose ring has room, from its snapshot, and makes its aggregates again. */
export function readSnapshot(job: usize, source: usize): void {
  loadJob(job);
  const record = records + <usize>load<u32>(source) * RECORD_BYTES;
  const count = load<i32>(source, 4);
  const boundary = load<i32>(source, 12);
  store<i32>(record, count, COUNT);
  store<i32>(record, load<i32>(source, 8), FRONT);
  store<i32>(record, boundary, BOUNDARY);
  store<i64>(record, load<i64>(source, 16), LOWER);
  store<i64>(record, load<i64>(source, 24), LATEST);
  const entries = source + SNAPSHOT_HEADER;
  for (let index: i32 = 0; index < count; index++) {
    const entry = entryOf(record, index);
    const at = entries + (<usize>index << 3);
    store<i64>(entry, load<i64>(at));
    if (windowRows == 0) store<i64>(entry + timeAt, load<i64>(at + (<usize>count << 3)));
  }
  // A boundary before all entries awaits its flip: nothing of the back will be used.
  if (mask == 0 || boundary < 0) return;
  fillFront(record, boundary);
  for (let index = boundary; index < count; index++) {
    addToBack(record, load<f64>(entryOf(record, index)), index + 1 - boundary);
  }
}
