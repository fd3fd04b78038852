/**
 * Host side of the rolling kernels (wasm/assembly/rolling.ts): one `RollingWindow` holds the window
 * of one series of values for each key. It owns the records and the rings, makes room when a kernel
 * asks for it, and takes expired entries away a slice of the keys at a time.
 *
 * Memory: 96 bytes a key, and 8 to 56 bytes for each value in a window. A window of rows holds at
 * most its rows; a window of time holds what its duration (and the watermark's delay) holds, in
 * rings of at most twice that, and grows until the linear memory is full.
 */

import { BlockPool } from './block-pool.ts';
import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linear-memory.ts';

export interface RollingExports {
  entryLayout(mask: number, hasTime: number): number;
  aggregateRows(job: number, from: number): number;
  aggregateTimes(job: number, from: number): number;
  lagRows(job: number, from: number, outputs: number, length: number): number;
  lagTimes(job: number, from: number, outputs: number, length: number): number;
  sweep(job: number, from: number, to: number): number;
  moveRing(record: number, block: number, capacity: number, entryBytes: number): void;
  clearRecords(records: number, from: number, to: number): void;
  snapshotBytes(records: number, keys: number, hasTime: number): number;
  writeSnapshot(
    job: number,
    from: number,
    keys: number,
    target: number,
    bytes: number,
    written: number,
  ): number;
  readSnapshot(job: number, source: number): void;
}

/** In the order of the job's outputs. */
export const AGGREGATES = [
  'count',
  'sum',
  'mean',
  'min',
  'max',
  'variance',
  'stddev',
  'zscore',
] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** In the order of their kinds in the kernel. */
export const LAG_KINDS = [
  'lag',
  'delta',
  'delta_integer',
  'delta_seconds',
  'pct_change',
  'pct_change_integer',
] as const;
export type LagKind = (typeof LAG_KINDS)[number];

const SUM = 1;
const MOMENTS = 2;
const MIN = 4;
const MAX = 8;
const LANES: Readonly<Record<Aggregate, number>> = {
  count: 0,
  sum: SUM,
  mean: MOMENTS,
  min: MIN,
  max: MAX,
  variance: MOMENTS,
  stddev: MOMENTS,
  zscore: MOMENTS,
};

export interface RollingSpec {
  /** Rows of a window of rows; undefined for a window of time. */
  readonly rows?: number | undefined;
  /** Nanoseconds of a window of time, less than 2^63; undefined for a window of rows. */
  readonly durationNs?: bigint | undefined;
  /** Values below which every result but `count` is null. */
  readonly minRows: number;
  readonly excludeCurrent: boolean;
  /** What is asked of it; none for lags. */
  readonly aggregates: readonly Aggregate[];
  /** Whether values are i64 (null is INT64_MIN) and not f64; for lags only. */
  readonly isInteger: boolean;
}

/** Buffers of a batch, in linear memory. */
export interface RollingRows {
  readonly rowCount: number;
  /** u32[rowCount], less than the number of keys given to `resize`. */
  readonly keys: number;
  /** f64[rowCount]; i64[rowCount] where the spec says so. */
  readonly values: number;
  /** i64[rowCount]. */
  readonly times: number;
  /** i64[rowCount], or 0 where no row is below its own watermark. */
  readonly rowWatermarks: number;
}

export interface LagOutput {
  readonly kind: LagKind;
  /** How many values before, at least 1 and at most the rows of the window. */
  readonly distance: number;
  /** i64 or f64[rowCount], overwritten. */
  readonly pointer: number;
}

const RECORD_BYTES = 96;
const JOB_BYTES = 96;
const HEADER_BYTES = 32;
const CAPACITY_START = 8;
/** Windows of rows up to this length get all their room at once. */
const ROWS_AT_ONCE = 64;
const SWEEP_KEYS_MIN = 1024;
const SNAPSHOT_CHUNK_BYTES = 1 << 20;
const INT64_MIN = -(2n ** 63n);

export class RollingWindow {
  readonly #memory: LinearMemory;
  readonly #exports: RollingExports;
  readonly #spec: RollingSpec;
  readonly #pool: BlockPool;
  readonly #mask: number;
  readonly #entryBytes: number;
  readonly #job: number;
  #records = 0;
  #recordsMax = 0;
  #keyCount = 0;
  #evictAt = INT64_MIN;
  #sweepNext = 0;
  #rowsSinceSweep = 0;
  #isDisposed = false;

  constructor(kernels: Kernels, spec: RollingSpec) {
    this.#memory = kernels.memory;
    this.#exports = kernels.module<RollingExports>('rolling');
    this.#spec = spec;
    this.#pool = new BlockPool(this.#memory);
    this.#mask = spec.aggregates.reduce((mask, aggregate) => mask | LANES[aggregate], 0);
    this.#entryBytes = this.#exports.entryLayout(this.#mask, spec.rows === undefined ? 1 : 0);
    this.#job = this.#memory.allocateZeroed(JOB_BYTES);
  }

  /** Makes records for this many keys; call it before `aggregate` and `lag`. */
  resize(keyCount: number): void {
    if (keyCount > this.#recordsMax) {
      const recordsMax = Math.max(64, keyCount, 2 * this.#recordsMax);
      this.#records = this.#memory.reallocate(
        this.#records,
        this.#keyCount * RECORD_BYTES,
        recordsMax * RECORD_BYTES,
      );
      this.#recordsMax = recordsMax;
    }
    if (keyCount > this.#keyCount) {
      this.#exports.clearRecords(this.#records, this.#keyCount, keyCount);
      this.#keyCount = keyCount;
    }
  }

  /**
   * Takes the rows in and writes the results of each.
   * @param outputs Pointer to i64 (`count`) or f64[rowCount] of each aggregate of the spec.
   */
  aggregate(rows: RollingRows, outputs: Readonly<Partial<Record<Aggregate, number>>>): void {
    this.#writeJob(rows);
    this.#memory
      .u32(this.#job + 64, AGGREGATES.length)
      .set(AGGREGATES.map((aggregate) => outputs[aggregate] ?? 0));
    const kernel = this.#spec.rows === undefined ? 'aggregateTimes' : 'aggregateRows';
    this.#run(rows, (from) => this.#exports[kernel](this.#job, from));
  }

  /** Takes the rows in and writes what lies before each. */
  lag(rows: RollingRows, outputs: readonly LagOutput[]): void {
    const list = this.#memory.arena.allocate(outputs.length * 12);
    this.#writeJob(rows);
    this.#memory
      .u32(list, outputs.length * 3)
      .set(outputs.flatMap((o) => [LAG_KINDS.indexOf(o.kind), o.distance, o.pointer]));
    const kernel = this.#spec.rows === undefined ? 'lagTimes' : 'lagRows';
    this.#run(rows, (from) => this.#exports[kernel](this.#job, from, list, outputs.length));
  }

  #run(rows: RollingRows, run: (from: number) => number): void {
    for (let row = run(0); row < rows.rowCount; row = run(row)) {
      const key = this.#memory.u32(rows.keys + row * 4, 1)[0]!;
      this.#makeRoom(this.#records + key * RECORD_BYTES);
    }
    this.#rowsSinceSweep += rows.rowCount;
  }

  #writeJob(rows: RollingRows | undefined): void {
    const {
      rows: windowRows = 0,
      durationNs = 0n,
      minRows,
      excludeCurrent,
      isInteger,
    } = this.#spec;
    this.#memory
      .u32(this.#job, 11)
      .set([
        this.#records,
        rows?.keys ?? 0,
        rows?.values ?? 0,
        rows?.times ?? 0,
        rows?.rowWatermarks ?? 0,
        rows?.rowCount ?? 0,
        this.#mask,
        Number(isInteger),
        windowRows,
        minRows,
        Number(excludeCurrent),
      ]);
    this.#memory.i64(this.#job + 48, 2).set([durationNs, this.#evictAt]);
  }

  #makeRoom(record: number): void {
    const [, capacity = 0] = this.#memory.u32(record, 2);
    const { rows = Number.POSITIVE_INFINITY } = this.#spec;
    const first = rows <= ROWS_AT_ONCE ? rows : CAPACITY_START;
    this.#giveRing(record, Math.min(rows, Math.max(first, capacity * 2)));
  }

  /** Moves the entries of a record to a ring of this capacity; 0 takes its ring away. */
  #giveRing(record: number, capacity: number): void {
    const block = capacity === 0 ? 0 : this.#pool.allocate(capacity * this.#entryBytes);
    const [oldBlock = 0, oldCapacity = 0] = this.#memory.u32(record, 2);
    this.#exports.moveRing(record, block, capacity, this.#entryBytes);
    if (oldBlock !== 0) this.#pool.free(oldBlock, oldCapacity * this.#entryBytes);
  }

  /**
   * No row below the watermark sees further back than the watermark less the duration: frees what
   * lies before, for as many keys as there were rows since the last time.
   */
  advance(watermark: bigint): void {
    const { durationNs } = this.#spec;
    if (durationNs === undefined || watermark < INT64_MIN + durationNs) return;
    this.#evictAt = watermark - durationNs;
    this.#writeJob(undefined);
    let left = Math.min(this.#keyCount, Math.max(SWEEP_KEYS_MIN, this.#rowsSinceSweep));
    this.#rowsSinceSweep = 0;
    while (left > 0) {
      if (this.#sweepNext >= this.#keyCount) this.#sweepNext = 0;
      const end = Math.min(this.#keyCount, this.#sweepNext + left);
      const key = this.#exports.sweep(this.#job, this.#sweepNext, end);
      if (key < end) this.#shrink(this.#records + key * RECORD_BYTES);
      const next = Math.min(end, key + 1);
      left -= next - this.#sweepNext;
      this.#sweepNext = next;
    }
  }

  #shrink(record: number): void {
    const count = this.#memory.u32(record, 5)[4]!;
    this.#giveRing(record, count === 0 ? 0 : Math.max(CAPACITY_START, 2 * count));
  }

  /** A copy of the state of all keys; it says nothing of addresses. */
  snapshot(): Uint8Array {
    const hasTime = this.#spec.rows === undefined ? 1 : 0;
    const total = this.#exports.snapshotBytes(this.#records, this.#keyCount, hasTime);
    const snapshot = new Uint8Array(total);
    this.#writeJob(undefined);
    let chunkBytes = Math.min(Math.max(total, HEADER_BYTES), SNAPSHOT_CHUNK_BYTES);
    let chunk = this.#memory.allocate(chunkBytes + 8);
    for (let key = 0, at = 0; key < this.#keyCount; ) {
      const written = chunk + chunkBytes;
      const next = this.#exports.writeSnapshot(
        this.#job,
        key,
        this.#keyCount,
        chunk,
        chunkBytes,
        written,
      );
      const bytes = this.#memory.u32(written, 1)[0]!;
      snapshot.set(this.#memory.bytes(chunk, bytes), at);
      at += bytes;
      if (next === key) {
        // One key alone is larger than the chunk.
        this.#memory.free(chunk);
        chunkBytes *= 2;
        chunk = this.#memory.allocate(chunkBytes + 8);
      }
      key = next;
    }
    this.#memory.free(chunk);
    return snapshot;
  }

  /** Takes on the state of a snapshot; call it once, before any row. */
  restore(snapshot: Uint8Array, keyCount: number): void {
    this.resize(keyCount);
    const valueBytes = this.#spec.rows === undefined ? 16 : 8;
    const { buffer, byteOffset, byteLength } = snapshot;
    const view = new DataView(buffer, byteOffset, byteLength);
    for (let at = 0; at < byteLength; ) {
      const key = view.getUint32(at, true);
      const count = view.getUint32(at + 4, true);
      const bytes = HEADER_BYTES + count * valueBytes;
      const { rows = Number.POSITIVE_INFINITY } = this.#spec;
      const room = count <= CAPACITY_START ? CAPACITY_START : 2 ** Math.ceil(Math.log2(count));
      const capacity = Math.min(rows, rows <= ROWS_AT_ONCE ? rows : room);
      if (count > 0) this.#giveRing(this.#records + key * RECORD_BYTES, capacity);
      const source = this.#memory.allocate(bytes);
      this.#memory.bytes(source, bytes).set(snapshot.subarray(at, at + bytes));
      this.#writeJob(undefined);
      this.#exports.readSnapshot(this.#job, source);
      this.#memory.free(source);
      at += bytes;
    }
  }

  /** Gives all memory back. Twice is harmless. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#pool.dispose();
    this.#memory.free(this.#records);
    this.#memory.free(this.#job);
  }
}
