/**
 * The open windows of one operator in linear memory, from the host's side: allocation, growth,
 * snapshot and restore. wasm/assembly/_window-state.ts gives the layout.
 *
 * Everything inside is an offset or an index, so the bytes of the slabs are the snapshot.
 */

import type { LinearMemory } from './linear-memory.ts';

/** Byte offsets of the fields of the state block. */
export const STATE = {
  width: 0,
  lateSpan: 8,
  awkwardSpan: 16,
  records: 24,
  stride: 28,
  used: 32,
  capacity: 36,
  free: 40,
  cursors: 44,
  buckets: 48,
  bucketsFirst: 52,
  bucketsEnd: 56,
  bucketsCapacity: 60,
  hint: 64,
  lateRows: 68,
  lateCount: 72,
  stopped: 76,
  index: 160,
  indexMask: 164,
  indexWanted: 168,
} as const;

const STATE_BYTES = 256;
const BUCKET_BYTES = 16;
/** Bytes that every record begins with. */
export const HEADER_BYTES = 32;
/** Offsets in a record's header. */
export const RECORD_START = 0;
export const RECORD_ROWS = 8;
export const RECORD_KEY = 16;
export const RECORD_OLDER = 24;
export const RECORD_NEWER = 28;

/** Why a kernel stopped before the last row. */
export const STOPPED_FULL = 1;

const RECORDS_MIN = 64;
const BUCKETS_MIN = 16;

export interface StoreShape {
  /** Nanoseconds of a bucket, or the gap of a session. */
  readonly width: bigint;
  /** A row is late where the start of its bucket plus this is at or below its watermark. */
  readonly lateSpan: bigint;
  /** A row that is not late is awkward where this holds with this span. */
  readonly awkwardSpan: bigint;
  /** A record without values; its length, a multiple of 16, is that of all records. */
  readonly template: Uint8Array;
  /** `fillIndex` of window-emit; where it is missing, there is never an index. */
  readonly fillIndex?: ((state: number) => void) | undefined;
}

/** Bytes of the slabs, and the numbers that go with them. */
export interface StoreBytes {
  readonly records: Uint8Array;
  readonly cursors: Uint8Array;
  readonly buckets: Uint8Array;
  /** u32: bytes of a record, offset of the first free record. */
  readonly position: Uint8Array;
}

/** An array in linear memory with one element a key, zero at first. */
export class KeyedArray {
  readonly #memory: LinearMemory;
  readonly #elementBytes: number;
  #pointer = 0;
  #count = 0;

  constructor(memory: LinearMemory, elementBytes = 4) {
    this.#memory = memory;
    this.#elementBytes = elementBytes;
  }

  get pointer(): number {
    return this.#pointer;
  }

  get count(): number {
    return this.#count;
  }

  /** Makes room for `count` keys. */
  grow(count: number): void {
    if (count <= this.#count && this.#pointer !== 0) return;
    const used = this.#count * this.#elementBytes;
    const needed = count * this.#elementBytes;
    if (this.#pointer === 0 || needed > this.#memory.capacity(this.#pointer)) {
      this.#pointer = this.#memory.reallocate(this.#pointer, used, Math.max(64, needed));
    }
    this.#memory.bytes(this.#pointer + used, needed - used).fill(0);
    this.#count = count;
  }

  save(): Uint8Array {
    return this.#memory.bytes(this.#pointer, this.#count * this.#elementBytes).slice();
  }

  load(bytes: Uint8Array): void {
    this.grow(bytes.length / this.#elementBytes);
    this.#memory.bytes(this.#pointer, bytes.length).set(bytes);
  }

  dispose(): void {
    this.#memory.free(this.#pointer);
    this.#pointer = 0;
    this.#count = 0;
  }
}

export class WindowStore {
  /** Address of the state block. */
  readonly state: number;
  readonly memory: LinearMemory;
  readonly #stride: number;
  readonly #cursors: KeyedArray;
  readonly #fillIndex: ((state: number) => void) | undefined;
  #isDisposed = false;

  /** @param saved What `save` gave; its records must be of this shape. */
  constructor(memory: LinearMemory, shape: StoreShape, saved?: StoreBytes) {
    this.memory = memory;
    this.#stride = shape.template.length;
    this.#fillIndex = shape.fillIndex;
    this.#cursors = new KeyedArray(memory);
    this.state = memory.allocateZeroed(STATE_BYTES);
    const spans = memory.i64(this.state, 3);
    spans.set([shape.width, shape.lateSpan, shape.awkwardSpan]);
    this.set(STATE.stride, this.#stride);
    if (saved !== undefined) this.#restore(saved);
    this.#allocate(shape.template, saved?.records, saved?.buckets);
    this.growKeys(0);
  }

  /** Address of the record slab; record offsets count from it. Changes when the slab grows. */
  get records(): number {
    return this.get(STATE.records);
  }

  get(field: number): number {
    return this.memory.u32(this.state + field, 1)[0]!;
  }

  set(field: number, value: number): void {
    this.memory.u32(this.state + field, 1)[0] = value;
  }

  /** Before each batch: makes room for its keys, and the index, where rows have asked for it. */
  growKeys(count: number): void {
    this.#cursors.grow(count);
    this.set(STATE.cursors, this.#cursors.pointer);
    if (this.get(STATE.indexWanted) !== 0 && this.get(STATE.index) === 0) this.#makeIndex();
  }

  /** Doubles what is full, after a kernel stopped for lack of room. */
  grow(): void {
    if (this.get(STATE.bucketsEnd) === this.get(STATE.bucketsCapacity)) this.#growBuckets();
    if (this.get(STATE.free) === 0) this.reserve(1);
  }

  /** Makes sure that `count` records can be taken from the end of the slab. */
  reserve(count: number): void {
    const used = this.get(STATE.used);
    const needed = used + count * this.#stride;
    if (needed <= this.get(STATE.capacity)) return;
    const bytes = Math.max(needed, 2 * used);
    if (bytes >= 2 ** 32) throw new RangeError('the open windows take more than 4 GiB');
    const pointer = this.memory.reallocate(this.get(STATE.records), used, bytes);
    this.set(STATE.records, pointer);
    this.set(STATE.capacity, this.memory.capacity(pointer));
    if (this.get(STATE.index) !== 0) this.#makeIndex();
  }

  /** Twice as many slots as records, at the least. */
  #makeIndex(): void {
    if (this.#fillIndex === undefined) return;
    const records = this.get(STATE.capacity) / this.#stride;
    const slots = 2 ** Math.ceil(Math.log2(2 * records));
    this.memory.free(this.get(STATE.index));
    this.set(STATE.index, this.memory.allocateZeroed(slots * 4));
    this.set(STATE.indexMask, slots - 1);
    this.#fillIndex(this.state);
  }

  /** Start of the first bucket at or after number `index`, counted from the oldest. */
  bucketStart(index: number): bigint | undefined {
    const first = this.get(STATE.bucketsFirst);
    if (first + index >= this.get(STATE.bucketsEnd)) return undefined;
    return this.memory.i64(this.get(STATE.buckets) + (first + index) * BUCKET_BYTES, 1)[0]!;
  }

  /** Start of the oldest bucket that starts at or after this; undefined where there is none. */
  firstBucketFrom(start: bigint): bigint | undefined {
    let low = this.get(STATE.bucketsFirst);
    const end = this.get(STATE.bucketsEnd);
    // Pairs of start and list.
    const starts = this.memory.i64(this.get(STATE.buckets), 2 * end);
    let high = end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[2 * middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low === end ? undefined : starts[2 * low]!;
  }

  /** Records of a key, the oldest first. */
  recordsOf(key: number): number[] {
    if (key >= this.#cursors.count) return [];
    let first = 0;
    let record = this.memory.u32(this.get(STATE.cursors) + key * 4, 1)[0]!;
    for (; record !== 0; record = this.field(record, RECORD_OLDER)) first = record;
    const records: number[] = [];
    for (let next = first; next !== 0; next = this.field(next, RECORD_NEWER)) records.push(next);
    return records;
  }

  /** Start of the window of a record. */
  start(record: number): bigint {
    return this.time(record, RECORD_START);
  }

  /** A u32 field of a record. */
  field(record: number, field: number): number {
    return this.memory.u32(this.records + record + field, 1)[0]!;
  }

  /** An i64 field of a record. */
  time(record: number, field: number): bigint {
    return this.memory.i64(this.records + record + field, 1)[0]!;
  }

  setField(record: number, field: number, value: number): void {
    this.memory.u32(this.records + record + field, 1)[0] = value;
  }

  save(): StoreBytes {
    const { memory } = this;
    const first = this.get(STATE.bucketsFirst);
    const count = this.get(STATE.bucketsEnd) - first;
    const position = Uint32Array.of(this.#stride, this.get(STATE.free));
    return {
      records: memory.bytes(this.records, this.get(STATE.used)).slice(),
      cursors: this.#cursors.save(),
      buckets: memory
        .bytes(this.get(STATE.buckets) + first * BUCKET_BYTES, count * BUCKET_BYTES)
        .slice(),
      position: new Uint8Array(position.buffer),
    };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.memory.free(this.get(STATE.records));
    this.memory.free(this.get(STATE.buckets));
    this.memory.free(this.get(STATE.index));
    this.#cursors.dispose();
    this.memory.free(this.state);
  }

  #allocate(template: Uint8Array, records?: Uint8Array, buckets?: Uint8Array): void {
    const { memory } = this;
    const used = records?.length ?? 2 * this.#stride;
    const slab = memory.allocate(Math.max(used, RECORDS_MIN * this.#stride));
    if (records !== undefined) memory.bytes(slab, used).set(records);
    else for (const at of [0, this.#stride]) memory.bytes(slab + at, this.#stride).set(template);
    this.set(STATE.records, slab);
    this.set(STATE.used, used);
    this.set(STATE.capacity, memory.capacity(slab));
    const count = (buckets?.length ?? 0) / BUCKET_BYTES;
    const array = memory.allocate(Math.max(count, BUCKETS_MIN) * BUCKET_BYTES);
    if (buckets !== undefined) memory.bytes(array, buckets.length).set(buckets);
    this.set(STATE.buckets, array);
    this.set(STATE.bucketsEnd, count);
    this.set(STATE.bucketsCapacity, memory.capacity(array) / BUCKET_BYTES);
  }

  #restore({ cursors, position }: StoreBytes): void {
    this.#cursors.load(cursors);
    const [stride, free] = new Uint32Array(position.slice().buffer);
    if (stride !== this.#stride) throw new RangeError('the saved records are of another shape');
    this.set(STATE.free, free!);
  }

  /** Moves the buckets in use to the front, into an array twice as large where half is in use. */
  #growBuckets(): void {
    const first = this.get(STATE.bucketsFirst);
    const count = this.get(STATE.bucketsEnd) - first;
    const old = this.get(STATE.buckets);
    const bytes = count * BUCKET_BYTES;
    let array = old;
    if (2 * count > this.get(STATE.bucketsCapacity)) {
      array = this.memory.allocate(2 * bytes);
      this.set(STATE.buckets, array);
      this.set(STATE.bucketsCapacity, this.memory.capacity(array) / BUCKET_BYTES);
    }
    const from = old + first * BUCKET_BYTES;
    new Uint8Array(this.memory.memory.buffer).copyWithin(array, from, from + bytes);
    if (array !== old) this.memory.free(old);
    this.set(STATE.bucketsFirst, 0);
    this.set(STATE.bucketsEnd, count);
    this.set(STATE.hint, 0);
  }
}
