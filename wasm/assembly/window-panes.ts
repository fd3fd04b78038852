/**
 * Hopping windows from panes: one record for each key and slide, of which a window holds
 * `size / slide`. Whatever that number is, a pane is merged twice and a window once.
 *
 *        block of size       |  block of size        |
 *     [ . . . p p p p p p p )|[ p p p p . . . . . . )
 *             └─── window ───────────┘
 *             └─ front ──────┘└─ back ┘
 *
 * Time is cut into blocks as long as a window. The *back* of a key merges the panes of the block at
 * hand, as they are pushed. When a block is finished it is flipped: from its last pane to its
 * first, each pane's aggregate is merged with that of the key's next one, and so becomes the
 * aggregate of the rest of the block. The *front* of a key is its oldest pane of the finished block
 * that is still in the window. A window is its key's front merged with its back.
 *
 * An aggregate over the rest of a block stands in the record of the pane itself, or `suffix` bytes
 * behind where the pane's own is still needed (windows that are stated again).
 *
 *   fronts  u32[keys]: offset of a record, or 0
 *   backs   one record of `backBytes` a key; it is empty where it has no rows, whatever else it
 * says
 *   active  u32[keys], the first `activeCount` in use: keys that have a front or a back
 *
 * Records in lists are u32 offsets from the record slab, modulo 2^32: they reach all memory.
 */

import {
  BUCKET_HEAD, bucketAt, RECORD_BYTES, RECORD_KEY, RECORD_NEWER, RECORD_NEXT, RECORD_OLDER,
  RECORD_ROWS,
  RECORD_START, searchBucket, STATE_BUCKETS_END, STATE_RECORDS, STATE_STRIDE,
} from './_window-state';

export const STATE_FRONTS: usize = 80;
export const STATE_BACKS: usize = 84;
export const STATE_ACTIVE: usize = 88;
export const STATE_ACTIVE_COUNT: usize = 92;
/** Bytes from the record of a pane to its aggregate of the rest of the block. */
export const STATE_SUFFIX: usize = 96;
/** i64: start of the block at hand. */
export const STATE_BLOCK: usize = 104;

/** Bytes of one aggregate with its header. */
// @ts-ignore: decorator
@inline
function aggregateBytes(state: usize): usize {
  const suffix = load<u32>(state, STATE_SUFFIX);
  return suffix != 0 ? suffix : load<u32>(state, STATE_STRIDE);
}

// @ts-ignore: decorator
@inline
function copyAggregate(target: usize, source: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(target + at, v128.load(source + at));
  }
}

/** First record of the pane that starts there, or 0. */
// @ts-ignore: decorator
@inline
function paneAt(state: usize, start: i64): u32 {
  const index = searchBucket(state, start);
  if (index == load<u32>(state, STATE_BUCKETS_END)) return 0;
  const bucket = bucketAt(state, index);
  return load<i64>(bucket) == start ? load<u32>(bucket, BUCKET_HEAD) : 0;
}

/** The key's next pane of the finished block, or 0. */
// @ts-ignore: decorator
@inline
function nextInBlock(records: usize, record: u32, blockEnd: i64): u32 {
  const newer = load<u32>(records + record, RECORD_NEWER);
  if (newer == 0 || load<i64>(records + newer, RECORD_START) >= blockEnd) return 0;
  return newer;
}

// @ts-ignore: decorator
@inline
function activate(state: usize, key: u32): void {
  const count = load<u32>(state, STATE_ACTIVE_COUNT);
  store<u32>(<usize>load<u32>(state, STATE_ACTIVE) + (<usize>count << 2), key);
  store<u32>(state, count + 1, STATE_ACTIVE_COUNT);
}

// @ts-ignore: decorator
@inline
function frontOf(state: usize, key: u32): usize {
  return <usize>load<u32>(state, STATE_FRONTS) + (<usize>key << 2);
}

// @ts-ignore: decorator
@inline
function backOf(state: usize, key: u32): usize {
  return <usize>load<u32>(state, STATE_BACKS) + <usize>key * aggregateBytes(state);
}

/** The back of the key, to which something will be merged or added. */
export function openBack(state: usize, key: u32): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const back = backOf(state, key);
  if (load<u32>(back, RECORD_ROWS) == 0) {
    copyAggregate(back, records, aggregateBytes(state));
    store<u32>(back, key, RECORD_KEY);
    if (load<u32>(frontOf(state, key)) == 0) activate(state, key);
  }
  return <u32>(back - records);
}

/**
 * Lists what must be merged to push the pane that starts there: its records into the backs.
 *
 * @param targets, sources u32[keys], written.
 */
export function pushPane(state: usize, start: i64, targets: usize, sources: usize): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  let record = paneAt(state, start);
  let count: u32 = 0;
  for (; record != 0; count++) {
    const back = openBack(state, load<u32>(records + record, RECORD_KEY));
    store<u32>(targets + (<usize>count << 2), back);
    store<u32>(sources + (<usize>count << 2), record);
    record = load<u32>(records + record, RECORD_NEXT);
  }
  return count;
}

/** Begins the block that starts there: the backs are empty. The panes before must be flipped. */
export function beginBlock(state: usize, start: i64): void {
  const count = load<u32>(state, STATE_ACTIVE_COUNT);
  const active = <usize>load<u32>(state, STATE_ACTIVE);
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(backOf(state, load<u32>(active + (<usize>i << 2))), 0, RECORD_ROWS);
  }
  store<i64>(state, start, STATE_BLOCK);
}

/**
 * Start of the newest pane below `before` and at or above `from`; `from` - 1 where there is none.
 */
export function paneBefore(state: usize, before: i64, from: i64): i64 {
  const index = searchBucket(state, before);
  if (index == searchBucket(state, from)) return from - 1;
  return load<i64>(bucketAt(state, index - 1));
}

/**
 * Lists what must be merged to flip the pane that starts there, after all later ones of its block:
 * the aggregates of the next panes into those of its records. They become the fronts of their keys.
 */
export function flipPane(
  state: usize, start: i64, blockEnd: i64, targets: usize, sources: usize,
): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const suffix = load<u32>(state, STATE_SUFFIX);
  let record = paneAt(state, start);
  let count: u32 = 0;
  for (; record != 0; record = load<u32>(records + record, RECORD_NEXT)) {
    const address = records + record;
    if (suffix != 0) copyAggregate(address + suffix, address, suffix);
    store<u32>(frontOf(state, load<u32>(address, RECORD_KEY)), record);
    const next = nextInBlock(records, record, blockEnd);
    if (next == 0) continue;
    store<u32>(targets + (<usize>count << 2), record + suffix);
    store<u32>(sources + (<usize>count << 2), next + suffix);
    count++;
  }
  return count;
}

/** Moves the fronts on that are in the pane that starts there. */
export function evictPane(state: usize, start: i64): void {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const blockEnd = load<i64>(state, STATE_BLOCK);
  let record = paneAt(state, start);
  for (; record != 0; record = load<u32>(records + record, RECORD_NEXT)) {
    const front = frontOf(state, load<u32>(records + record, RECORD_KEY));
    if (load<u32>(front) == record) store<u32>(front, nextInBlock(records, record, blockEnd));
  }
}

/**
 * Puts a record that was made for a row that came below the watermark into the finished block.
 * Returns the key's next pane there, whose aggregate must be merged into the record's, or 0.
 */
export function insertFront(state: usize, record: u32): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const address = records + record;
  const suffix = load<u32>(state, STATE_SUFFIX);
  if (suffix != 0) copyAggregate(address + suffix, address, RECORD_BYTES);
  const key = load<u32>(address, RECORD_KEY);
  const front = frontOf(state, key);
  const current = load<u32>(front);
  if (current == 0) {
    store<u32>(front, record);
    if (load<u32>(backOf(state, key), RECORD_ROWS) == 0) activate(state, key);
  } else if (load<i64>(records + current, RECORD_START) > load<i64>(address, RECORD_START)) {
    store<u32>(front, record);
  }
  return nextInBlock(records, record, load<i64>(state, STATE_BLOCK));
}

/** Forgets the active keys that have no pane left; returns how many there are. */
export function dropInactive(state: usize): u32 {
  const count = load<u32>(state, STATE_ACTIVE_COUNT);
  const active = <usize>load<u32>(state, STATE_ACTIVE);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const key = load<u32>(active + (<usize>i << 2));
    if (load<u32>(frontOf(state, key)) == 0 && load<u32>(backOf(state, key), RECORD_ROWS) == 0) {
      continue;
    }
    store<u32>(active + (<usize>kept << 2), key);
    kept++;
  }
  store<u32>(state, kept, STATE_ACTIVE_COUNT);
  return kept;
}

/**
 * Lists the windows of the active keys from number `from` to `to`, and what must be merged for
 * those that have both a front and a back: the back into a copy of the front.
 *
 * @param list u32[to - from], written: the records of the windows, once merged.
 * @param copies Room for to - from aggregates.
 * @param targets, sources u32[to - from], written.
 * @returns Number of merges.
 */
export function listWindows(
  state: usize, from: u32, to: u32, list: usize, copies: usize, targets: usize, sources: usize,
): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  const active = <usize>load<u32>(state, STATE_ACTIVE);
  const suffix = load<u32>(state, STATE_SUFFIX);
  const bytes = aggregateBytes(state);
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const key = load<u32>(active + (<usize>i << 2));
    const front = load<u32>(frontOf(state, key));
    const back = backOf(state, key);
    let window: u32;
    if (front == 0) {
      window = <u32>(back - records);
    } else if (load<u32>(back, RECORD_ROWS) == 0) {
      window = front + suffix;
    } else {
      const copy = copies + <usize>count * bytes;
      copyAggregate(copy, records + front + suffix, bytes);
      window = <u32>(copy - records);
      store<u32>(targets + (<usize>count << 2), window);
      store<u32>(sources + (<usize>count << 2), <u32>(back - records));
      count++;
    }
    store<u32>(list + (<usize>(i - from) << 2), window);
  }
  return count;
}

/** Lists the panes of the record's key with starts from `from` to below `to`, oldest first. */
export function listPanes(state: usize, record: u32, from: i64, to: i64, list: usize): u32 {
  const records = <usize>load<u32>(state, STATE_RECORDS);
  let oldest = record;
  for (;;) {
    const older = load<u32>(records + oldest, RECORD_OLDER);
    if (older == 0 || load<i64>(records + older, RECORD_START) < from) break;
    oldest = older;
  }
  let count: u32 = 0;
  while (oldest != 0 && load<i64>(records + oldest, RECORD_START) < to) {
    if (load<i64>(records + oldest, RECORD_START) >= from) {
      store<u32>(list + (<usize>count << 2), oldest);
      count++;
    }
    oldest = load<u32>(records + oldest, RECORD_NEWER);
  }
  return count;
}
