/**
 * From a key and a time to the record: the one that is there, or a new one.
 */

import { findIndexed, indexRecord } from './_window-index';
import {
  BUCKET_HEAD, bucketAt, bucketOf, clearRecord, hasRoom, linkRecord, RECORD_BYTES, RECORD_NEWER,
  RECORD_NEXT, RECORD_OLDER, RECORD_START, searchBucket, STATE_BUCKETS_FIRST, STATE_CURSORS,
  STATE_INDEX, STATE_INDEX_WANTED, STATE_RECORDS, STATE_WIDTH, takeRecord,
} from './_window-state';

/** Records walked along the list of a key before the index is asked, or asked for. */
const WALK_MAX: u32 = 32;

/**
 * Makes the record of a key and time between its neighbours in the list of the key. Only the header
 * is set. 0 where there is no room.
 */
export function makeRecord(state: usize, key: u32, time: i64, older: u32, newer: u32): u32 {
  if (!hasRoom(state)) return 0;
  const bucket = bucketOf(state, time);
  if (bucket == 0) return 0;
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const record = takeRecord(state, records);
  linkRecord(state, records, record, key, load<i64>(bucket), older, newer);
  store<u32>(records + record, load<u32>(bucket, BUCKET_HEAD), RECORD_NEXT);
  store<u32>(bucket, record, BUCKET_HEAD);
  if (load<u32>(state, STATE_INDEX) != 0) indexRecord(state, records, record);
  return record;
}

/** The newest record of the key that starts at or before the time; 0 where there is none. */
export function recordBefore(state: usize, records: usize, key: u32, time: i64): u32 {
  let record = load<u32>(<usize>load<u32>(state, STATE_CURSORS) + (<usize>key << 2));
  let steps: u32 = 0;
  while (record != 0 && load<i64>(records + record, RECORD_START) > time) {
    if (++steps == WALK_MAX) return recordFarBefore(state, records, key, time, record);
    record = load<u32>(records + record, RECORD_OLDER);
  }
  let newer = record == 0 ? 0 : load<u32>(records + record, RECORD_NEWER);
  while (newer != 0 && load<i64>(records + newer, RECORD_START) <= time) {
    if (++steps == WALK_MAX) return recordFarBefore(state, records, key, time, newer);
    record = newer;
    newer = load<u32>(records + record, RECORD_NEWER);
  }
  return record;
}

/**
 * The same, further along the list from `record`. With an index, each step of the walk is followed
 * by a look at the next bucket before the time: one of the two ends soon, as a key with a long list
 * is in many buckets.
 */
function recordFarBefore(state: usize, records: usize, key: u32, time: i64, record: u32): u32 {
  const hasIndex = load<u32>(state, STATE_INDEX) != 0;
  if (!hasIndex) store<u32>(state, 1, STATE_INDEX_WANTED);
  const first = load<u32>(state, STATE_BUCKETS_FIRST);
  let bucket = hasIndex ? searchBucket(state, time + 1) : 0;
  for (;;) {
    if (hasIndex) {
      // No bucket before the time holds the key.
      if (bucket == first) return 0;
      bucket--;
      const found = findIndexed(state, records, key, load<i64>(bucketAt(state, bucket)));
      if (found != 0) return found;
    }
    if (load<i64>(records + record, RECORD_START) > time) {
      record = load<u32>(records + record, RECORD_OLDER);
      if (record == 0 || load<i64>(records + record, RECORD_START) <= time) break;
    } else {
      const newer = load<u32>(records + record, RECORD_NEWER);
      if (newer == 0 || load<i64>(records + newer, RECORD_START) > time) break;
      record = newer;
    }
  }
  return record;
}

/** The record of the key after `older`, or its oldest one where `older` is 0. */
// @ts-ignore: decorator
@inline
export function recordAfter(state: usize, records: usize, key: u32, older: u32): u32 {
  if (older != 0) return load<u32>(records + older, RECORD_NEWER);
  let record = load<u32>(<usize>load<u32>(state, STATE_CURSORS) + (<usize>key << 2));
  let next = record;
  while (next != 0) {
    record = next;
    next = load<u32>(records + record, RECORD_OLDER);
  }
  return record;
}

/** The record of a key and time, which is made where there is none; 0 where there is no room. */
export function recordOf(state: usize, key: u32, time: i64): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const older = recordBefore(state, records, key, time);
  if (older != 0) {
    const since = <u64>(time - load<i64>(records + older, RECORD_START));
    if (since < load<u64>(state, STATE_WIDTH)) {
      store<u32>(<usize>load<u32>(state, STATE_CURSORS) + (<usize>key << 2), older);
      return older;
    }
  }
  const made = makeRecord(state, key, time, older, recordAfter(state, records, key, older));
  if (made != 0) clearRecord(state, records, made, RECORD_BYTES);
  return made;
}
