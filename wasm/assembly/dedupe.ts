/**
 * Which rows are the first of their kind: a hash table of kept rows.
 *
 * A row is a duplicate if a kept row of the same key with equal values lies less than `within` away
 * in event time, and is not forgotten: the watermark of the row is below its time plus `within`.
 *
 * Open addressing with linear probing. The hash covers key, values and the *stretch* of time, 64
 * times `within` long, so that a value which is kept again and again does not make a chain without
 * end; a row looks into the one stretch, or the two, that it can have a duplicate in. Equality is
 * that of all values, never of hashes alone. Nothing is deleted in place: the host moves what is
 * not forgotten to a new table, when this one is full and now and then. Cost: one look-up a row,
 * most of which end at the first slot.
 *
 * Slot, 16 + 8 * columnCount bytes:
 *
 *   0 hash u32, 0 = free   4 key u32   8 time i64   16 values u64[columnCount], canonical
 *
 * Canonical: one NaN, no negative zero, codes and booleans as they are. Null equals null.
 *
 * Job, 88 bytes:
 *
 *   0 table u32         4 slots - 1 u32      8 count u32, in/out    12 count max u32
 *  16 keys u32[rows]   20 times i64[rows]   24 row watermarks i64[rows] or 0
 *  28 rows u32         32 columns: {kind u32, pointer u32, codes u32}[columnCount]
 *  36 columnCount u32  40 scratch u64[columnCount]
 *  44 kept u32[rows]   48 kept count u32, in/out
 *  52 duplicates u32[rows]   56 duplicate count u32, in/out   60 unused
 *  64 within i64       72 stretch i64       80 forgotten at or below i64
 *
 * Kinds: 0 f64, 1 i64, 2 u32, 3 u8, 4 u32 through the table `codes`.
 */

const HASH: usize = 0;
const KEY: usize = 4;
const TIME: usize = 8;
const VALUES: usize = 16;

const NULL_CODE: u32 = 0xffffffff;

let table: usize = 0;
let slotMask: u32 = 0;
let slotBytes: usize = 0;
let columns: usize = 0;
let columnCount: u32 = 0;
let scratch: usize = 0;
let within: i64 = 0;
let stretch: i64 = 0;
let forgottenAt: i64 = 0;

function loadJob(job: usize): void {
  table = load<u32>(job);
  slotMask = load<u32>(job, 4);
  columns = load<u32>(job, 32);
  columnCount = load<u32>(job, 36);
  scratch = load<u32>(job, 40);
  within = load<i64>(job, 64);
  stretch = load<i64>(job, 72);
  forgottenAt = load<i64>(job, 80);
  slotBytes = VALUES + ((<usize>columnCount) << 3);
}

// @ts-ignore: decorator
@inline
function slotAt(index: u32): usize {
  return table + <usize>index * slotBytes;
}

/** Where the search for a hash starts; its lowest bit is always set. */
// @ts-ignore: decorator
@inline
function startOf(hash: u32): u32 {
  return (hash >> 1) & slotMask;
}

/** Number of a time's stretch: the floor of time / stretch. */
// @ts-ignore: decorator
@inline
function stretchOf(time: i64): i64 {
  const quotient = time / stretch;
  return quotient * stretch > time ? quotient - 1 : quotient;
}

// @ts-ignore: decorator
@inline
function saturatingAdd(time: i64, more: i64): i64 {
  const sum = time + more;
  if (more > 0 && sum < time) return i64.MAX_VALUE;
  if (more < 0 && sum > time) return i64.MIN_VALUE;
  return sum;
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, value: u64): u64 {
  const product = (hash ^ value) * 0x9e3779b97f4a7c15;
  return product ^ (product >> 29);
}

/** Hash of the values in `values` and the key; the stretch is yet to come. */
// @ts-ignore: decorator
@inline
function hashOf(key: u32, values: usize): u64 {
  let hash = mix(0x51ed270b, key);
  for (let i: u32 = 0; i < columnCount; i++) hash = mix(hash, load<u64>(values + (<usize>i << 3)));
  return hash;
}

/** Hash of a slot: never 0. */
// @ts-ignore: decorator
@inline
function withStretch(hash: u64, number: i64): u32 {
  const mixed = mix(mix(hash, <u64>number), 0x2545f491);
  return <u32>(mixed >> 32) | 1;
}

/** Copies the canonical values of a row to the scratch. */
// @ts-ignore: decorator
@inline
function canonize(row: u32): void {
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + <usize>i * 12;
    const kind = load<u32>(column);
    const pointer = <usize>load<u32>(column, 4);
    let value: u64 = 0;
    if (kind == 0) {
      const number = load<f64>(pointer + (<usize>row << 3));
      if (number != number) value = 0x7ff8000000000000;
      else value = number == 0 ? 0 : reinterpret<u64>(number);
    } else if (kind == 1) {
      value = load<u64>(pointer + (<usize>row << 3));
    } else if (kind == 3) {
      value = load<u8>(pointer + <usize>row);
    } else {
      const code = load<u32>(pointer + (<usize>row << 2));
      value = code;
      if (kind == 4 && code != NULL_CODE) {
        value = load<u32>(<usize>load<u32>(column, 8) + (<usize>code << 2));
      }
    }
    store<u64>(scratch + (<usize>i << 3), value);
  }
}

// @ts-ignore: decorator
@inline
function hasValues(slot: usize, key: u32): bool {
  if (load<u32>(slot, KEY) != key) return false;
  for (let i: u32 = 0; i < columnCount; i++) {
    const at = <usize>i << 3;
    if (load<u64>(slot + at, VALUES) != load<u64>(scratch + at)) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function isNear(a: i64, b: i64): bool {
  const apart = a > b ? <u64>a - <u64>b : <u64>b - <u64>a;
  return apart < <u64>within;
}

/** Whether the values in the scratch were kept near `time`, in one stretch. */
// @ts-ignore: decorator
@inline
function isKnown(hash: u32, key: u32, time: i64, watermark: i64): bool {
  let index = startOf(hash);
  let slot = slotAt(index);
  for (let found = load<u32>(slot); found != 0; found = load<u32>(slot)) {
    if (found == hash && hasValues(slot, key)) {
      const kept = load<i64>(slot, TIME);
      if (isNear(kept, time) && saturatingAdd(kept, within) > watermark) return true;
    }
    index = (index + 1) & slotMask;
    slot = slotAt(index);
  }
  return false;
}

// @ts-ignore: decorator
@inline
function insert(hash: u32, key: u32, time: i64, values: usize): void {
  let index = startOf(hash);
  while (load<u32>(slotAt(index), HASH) != 0) index = (index + 1) & slotMask;
  const slot = slotAt(index);
  store<u32>(slot, hash, HASH);
  store<u32>(slot, key, KEY);
  store<i64>(slot, time, TIME);
  // A loop: memory.copy is a call out of the module, dear for a few words.
  for (let i: u32 = 0; i < columnCount; i++) {
    const at = <usize>i << 3;
    store<u64>(slot + at, load<u64>(values + at), VALUES);
  }
}

/**
 * Sorts the rows `from` … rows-1 into kept and duplicate ones. Returns the row at which the table
 * is full, or `rows`.
 */
export function dedupe(job: usize, from: u32): u32 {
  loadJob(job);
  const keys = <usize>load<u32>(job, 16);
  const times = <usize>load<u32>(job, 20);
  const watermarks = <usize>load<u32>(job, 24);
  const rows = load<u32>(job, 28);
  const countMax = load<u32>(job, 12);
  let count = load<u32>(job, 8);
  let kept = <usize>load<u32>(job, 44) + (<usize>load<u32>(job, 48) << 2);
  let duplicates = <usize>load<u32>(job, 52) + (<usize>load<u32>(job, 56) << 2);
  // The stretch of the row before, from `start` to before `end`: mostly also that of the next.
  let number: i64 = 0;
  let start: i64 = 0;
  let end: i64 = 0;
  let row = from;
  for (; row < rows && count < countMax; row++) {
    const key = load<u32>(keys + (<usize>row << 2));
    const time = load<i64>(times + (<usize>row << 3));
    const watermark = watermarks ? load<i64>(watermarks + (<usize>row << 3)) : i64.MIN_VALUE;
    canonize(row);
    const hash = hashOf(key, scratch);
    const earliest = saturatingAdd(time, 1 - within);
    const latest = saturatingAdd(time, within - 1);
    let isDuplicate = false;
    if (earliest >= start && latest < end) {
      isDuplicate = isKnown(withStretch(hash, number), key, time, watermark);
    } else {
      const last = stretchOf(latest);
      for (let next = stretchOf(earliest); next <= last && !isDuplicate; next++) {
        isDuplicate = isKnown(withStretch(hash, next), key, time, watermark);
      }
      number = stretchOf(time);
      start = number * stretch;
      end = saturatingAdd(start, stretch);
    }
    if (isDuplicate) {
      store<u32>(duplicates, row);
      duplicates += 4;
      continue;
    }
    store<u32>(kept, row);
    kept += 4;
    if (saturatingAdd(time, within) <= watermark) continue;
    insert(withStretch(hash, number), key, time, scratch);
    count++;
  }
  store<u32>(job, count, 8);
  store<u32>(job, <u32>((kept - load<u32>(job, 44)) >> 2), 48);
  store<u32>(job, <u32>((duplicates - load<u32>(job, 52)) >> 2), 56);
  return row;
}

// @ts-ignore: decorator
@inline
function isLive(slot: usize): bool {
  return load<u32>(slot, HASH) != 0 && load<i64>(slot, TIME) > forgottenAt;
}

/** Number of entries that are not forgotten. */
export function countLive(job: usize): u32 {
  loadJob(job);
  let live: u32 = 0;
  for (let index: u32 = 0; index <= slotMask; index++) if (isLive(slotAt(index))) live++;
  return live;
}

/** Moves what is not forgotten into a new table, which has room for it, and makes it the job's. */
export function moveLive(job: usize, newTable: usize, newMask: u32): void {
  loadJob(job);
  const oldTable = table;
  const oldMask = slotMask;
  memory.fill(newTable, 0, (<usize>newMask + 1) * slotBytes);
  let count: u32 = 0;
  for (let index: u32 = 0; index <= oldMask; index++) {
    table = oldTable;
    const slot = slotAt(index);
    if (!isLive(slot)) continue;
    table = newTable;
    slotMask = newMask;
    insert(load<u32>(slot, HASH), load<u32>(slot, KEY), load<i64>(slot, TIME), slot + VALUES);
    count++;
  }
  store<u32>(job, <u32>newTable);
  store<u32>(job, newMask, 4);
  store<u32>(job, count, 8);
}

/*
 * Entries outside a table: those of slots, without the hash, which depends on codes:
 *
 *   0 key u32   4 zero u32   8 time i64   16 values u64[columnCount]
 */

/** Copies all entries that are not forgotten to `target`, in no particular order. */
export function writeEntries(job: usize, target: usize): void {
  loadJob(job);
  for (let index: u32 = 0; index <= slotMask; index++) {
    const slot = slotAt(index);
    if (!isLive(slot)) continue;
    memory.copy(target, slot, slotBytes);
    store<u32>(target, load<u32>(slot, KEY));
    store<u32>(target, 0, 4);
    target += slotBytes;
  }
}

/** Puts entries into the table of the job, which has room for them. */
export function readEntries(job: usize, source: usize, length: u32): void {
  loadJob(job);
  for (let i: u32 = 0; i < length; i++, source += slotBytes) {
    const key = load<u32>(source);
    const time = load<i64>(source, TIME);
    const hash = withStretch(hashOf(key, source + VALUES), stretchOf(time));
    insert(hash, key, time, source + VALUES);
  }
  store<u32>(job, load<u32>(job, 8) + length, 8);
}
