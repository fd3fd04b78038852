/**
 * Open windows of one operator: what the window kernels share.
 *
 *   state     the fields below, one block an operator, read and written by host and kernels
 *   records   slab of `stride` bytes each, addressed by byte offsets, so that the slab may move and
 *             its bytes are a snapshot. The first record is the template of a new one and its
 * offset
 *             0 stands for "none"; the second takes the values of rows that belong nowhere.
 *   cursors   u32[keys]: the record of the key that was used last, 0 where it has none
 *   buckets   sorted by start, those from `first` to `end` in use: one for each window (or pane)
 *             that has a record, with the list of its records
 *
 * Every record begins with a header:
 *
 *    0 i64 start of its window        16 u32 key              24 u32 older record of the key
 *    8 u32 rows                       20 u32 next in bucket   28 u32 newer record of the key
 *   12 u32 values in the moments of a bar (see window-bars)
 *
 * The records of a key are linked in the order of their starts. A row in order finds its record at
 * the cursor or makes the newest one; any other walks the list from the cursor (`_window-find`).
 *
 * A bucket: 0 i64 start, 8 u32 first record, 12 unused.
 *
 * Kernels never allocate. They stop at a row for which there is no room, and go on there after the
 * host has grown the slab or the buckets.
 */

/** i64: width of a bucket; the gap of a session. */
export const STATE_WIDTH: usize = 0;
/** i64: a row is late where the start of its bucket plus this is at or below its watermark. */
export const STATE_LATE_SPAN: usize = 8;
/** i64: a row is awkward where the start of its bucket plus this is at or below its watermark. */
export const STATE_AWKWARD_SPAN: usize = 16;
/** Address of the record slab. */
export const STATE_RECORDS: usize = 24;
/** Bytes of a record. */
export const STATE_STRIDE: usize = 28;
/** Bytes of the slab that were ever used. */
export const STATE_USED: usize = 32;
/** Bytes of the slab. */
export const STATE_CAPACITY: usize = 36;
/** Offset of the first free record, linked by `next`. */
export const STATE_FREE: usize = 40;
export const STATE_CURSORS: usize = 44;
export const STATE_BUCKETS: usize = 48;
export const STATE_BUCKETS_FIRST: usize = 52;
export const STATE_BUCKETS_END: usize = 56;
/** Number of buckets that fit. */
export const STATE_BUCKETS_CAPACITY: usize = 60;
/** Number of the bucket used last. */
export const STATE_HINT: usize = 64;
/** u32[rows]: late rows of the batch at hand. */
export const STATE_LATE_ROWS: usize = 68;
export const STATE_LATE_COUNT: usize = 72;
/** Why a kernel stopped before the last row. */
export const STATE_STOPPED: usize = 76;
/** The index of `_window-index`: its address, 0 where there is none, and its slots less one. */
export const STATE_INDEX: usize = 160;
export const STATE_INDEX_MASK: usize = 164;
/** 1 once a row has walked so far along the list of its key that an index would pay. */
export const STATE_INDEX_WANTED: usize = 168;

/** The slab of records, the buckets or a queue is full. */
export const STOPPED_FULL: u32 = 1;
/** The row needs the host, because it changes what has been emitted or joined already. */
export const STOPPED_AWKWARD: u32 = 2;

export const RECORD_START: usize = 0;
export const RECORD_ROWS: usize = 8;
export const RECORD_KEY: usize = 16;
export const RECORD_NEXT: usize = 20;
export const RECORD_OLDER: usize = 24;
export const RECORD_NEWER: usize = 28;
/** Bytes of the header. */
export const RECORD_BYTES: usize = 32;

const BUCKET_BYTES: u32 = 16;
export const BUCKET_HEAD: usize = 8;

// @ts-ignore: decorator
@inline
export function bucketAt(state: usize, index: u32): usize {
  return <usize>load<u32>(state, STATE_BUCKETS) + index * BUCKET_BYTES;
}

/** The time a span later, or the end of time where that is sooner. */
// @ts-ignore: decorator
@inline
export function later(time: i64, span: i64): i64 {
  const sum = time + span;
  return sum < time ? i64.MAX_VALUE : sum;
}

/**
 * Start of the window of this width that holds the time; floors towards the past, and no further
 * than the beginning of time.
 */
export function floorTo(time: i64, width: i64): i64 {
  const past = time % width;
  const floor = time - past - (past < 0 ? width : 0);
  return floor > time || floor == i64.MIN_VALUE ? i64.MIN_VALUE + 1 : floor;
}

/** Number of the first bucket that starts at or after the start; `end` where there is none. */
export function searchBucket(state: usize, start: i64): u32 {
  let low = load<u32>(state, STATE_BUCKETS_FIRST);
  let high = load<u32>(state, STATE_BUCKETS_END);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<i64>(bucketAt(state, middle)) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes a bucket before the one with this number; false where there is no room. */
function insertBucket(state: usize, index: u32, start: i64): bool {
  const end = load<u32>(state, STATE_BUCKETS_END);
  if (end == load<u32>(state, STATE_BUCKETS_CAPACITY)) return false;
  const bucket = bucketAt(state, index);
  memory.copy(bucket + BUCKET_BYTES, bucket, (end - index) * BUCKET_BYTES);
  store<i64>(bucket, start);
  store<u64>(bucket, 0, BUCKET_HEAD);
  store<u32>(state, end + 1, STATE_BUCKETS_END);
  return true;
}

/**
 * The bucket of the time, which is made where there is none, or 0 where there is no room for it.
 * Rows mostly fall into the bucket used last or the one after it, so that neither a division nor a
 * search is needed.
 */
export function bucketOf(state: usize, time: i64): usize {
  const width = load<i64>(state, STATE_WIDTH);
  const first = load<u32>(state, STATE_BUCKETS_FIRST);
  const end = load<u32>(state, STATE_BUCKETS_END);
  const hint = load<u32>(state, STATE_HINT);
  if (hint >= first && hint < end) {
    const bucket = bucketAt(state, hint);
    if (<u64>(time - load<i64>(bucket)) < <u64>width) return bucket;
    const next = bucket + BUCKET_BYTES;
    if (hint + 1 < end && <u64>(time - load<i64>(next)) < <u64>width) {
      store<u32>(state, hint + 1, STATE_HINT);
      return next;
    }
  }
  const start = floorTo(time, width);
  const index = searchBucket(state, start);
  if (index == end || load<i64>(bucketAt(state, index)) != start) {
    if (!insertBucket(state, index, start)) return 0;
  }
  store<u32>(state, index, STATE_HINT);
  return bucketAt(state, index);
}

/** Whether a record can be taken. */
// @ts-ignore: decorator
@inline
export function hasRoom(state: usize): bool {
  const after = <u64>load<u32>(state, STATE_USED) + <u64>load<u32>(state, STATE_STRIDE);
  return load<u32>(state, STATE_FREE) != 0 || after <= <u64>load<u32>(state, STATE_CAPACITY);
}

/** Takes a record, of which there is one, from the free list or the end of the slab. */
// @ts-ignore: decorator
@inline
export function takeRecord(state: usize, records: usize): u32 {
  const free = load<u32>(state, STATE_FREE);
  if (free != 0) {
    store<u32>(state, load<u32>(records + free, RECORD_NEXT), STATE_FREE);
    return free;
  }
  const used = load<u32>(state, STATE_USED);
  store<u32>(state, used + load<u32>(state, STATE_STRIDE), STATE_USED);
  return used;
}

/** Gives back a record that is in no list. It keeps its contents until the next one is taken. */
// @ts-ignore: decorator
@inline
export function giveRecord(state: usize, records: usize, record: u32): void {
  store<u32>(records + record, load<u32>(state, STATE_FREE), RECORD_NEXT);
  store<u32>(state, record, STATE_FREE);
}

/** Copies what stands at or after `from`, a multiple of 16, from the template. */
export function clearRecord(state: usize, records: usize, record: u32, from: usize): void {
  const stride = <usize>load<u32>(state, STATE_STRIDE);
  for (let at = from; at < stride; at += 16) {
    v128.store(records + record + at, v128.load(records + at));
  }
}

/**
 * Writes the header and links the record of a key between its neighbours; the cursor goes there.
 */
// @ts-ignore: decorator
@inline
export function linkRecord(
  state: usize, records: usize, record: u32, key: u32, start: i64, older: u32, newer: u32,
): void {
  const address = records + record;
  store<i64>(address, start, RECORD_START);
  store<u64>(address, 0, RECORD_ROWS);
  store<u32>(address, key, RECORD_KEY);
  store<u32>(address, older, RECORD_OLDER);
  store<u32>(address, newer, RECORD_NEWER);
  if (older != 0) store<u32>(records + older, record, RECORD_NEWER);
  if (newer != 0) store<u32>(records + newer, record, RECORD_OLDER);
  store<u32>(<usize>load<u32>(state, STATE_CURSORS) + (<usize>key << 2), record);
}

/** Takes a record out of the list of its key; a cursor on it goes to a neighbour. */
// @ts-ignore: decorator
@inline
export function unlinkRecord(state: usize, records: usize, record: u32): void {
  const older = load<u32>(records + record, RECORD_OLDER);
  const newer = load<u32>(records + record, RECORD_NEWER);
  if (older != 0) store<u32>(records + older, newer, RECORD_NEWER);
  if (newer != 0) store<u32>(records + newer, older, RECORD_OLDER);
  const key = <usize>load<u32>(records + record, RECORD_KEY);
  const cursor = <usize>load<u32>(state, STATE_CURSORS) + (key << 2);
  if (load<u32>(cursor) == record) store<u32>(cursor, newer != 0 ? newer : older);
}
