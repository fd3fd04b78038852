/**
 * Rings of rolling windows (wasm/assembly/_rolling-rings.ts): a `RollingRings` holds the window of
 * one series for each key. It owns the records and the rings, makes room when a kernel asks for it,
 * and takes expired entries away a slice of the keys at a time.
 *
 * Memory: 128 bytes a key, and 8 to 96 bytes for each value in a window. A window of rows holds at
 * most its rows; a window of time holds what its duration (and the watermark's delay) holds, in
 * rings of at most twice that, and grows until the linear memory is full.
 */

import { BlockPool } from './block-pool.ts';
import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linear-memory.ts';
import type { RollingRows, WindowSpec } from './rolling-state.ts';

/** What every kernel module with rings exports. */
export interface RingExports {
  entryLayout(mask: number, valueBytes: number, hasTime: number): number;
  sweep(job: number, from: number, to: number): number;
  /** Bytes of a ring, where they are more than those of its entries. */
  ringBytes?(capacity: number, entryBytes: number): number;
  moveRing(record: number, block: number, capacity: number, entryBytes: number): void;
  clearRecords(records: number, from: number, to: number): void;
  snapshotBytes(job: number, keys: number): number;
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

export interface RingSpec extends WindowSpec {
  /** Lanes of an entry, behind its values. */
  readonly mask: number;
  /** Bytes of an entry's values: 8, of pairs 16. */
  readonly valueBytes: 8 | 16;
  /** Whether values are i64 (null is INT64_MIN) and not f64. */
  readonly isInteger: boolean;
}

const RECORD_BYTES = 128;
const JOB_BYTES = 128;
/** Place of the outputs in a job. */
export const JOB_OUTPUTS = 64;
const HEADER_BYTES = 32;
const CAPACITY_START = 8;
/** Windows of rows up to this length get all their room at once. */
const ROWS_AT_ONCE = 64;
const SWEEP_KEYS_MIN = 1024;
const SNAPSHOT_CHUNK_BYTES = 1 << 20;
const INT64_MIN = -(2n ** 63n);

export class RollingRings {
  /** Job of a kernel, filled by `run`. */
  readonly job: number;
  readonly #memory: LinearMemory;
  readonly #exports: RingExports;
  readonly #spec: RingSpec;
  readonly #pool: BlockPool;
  readonly #entryBytes: number;
  #records = 0;
  #recordsMax = 0;
  #keyCount = 0;
  #evictAt = INT64_MIN;
  #sweepNext = 0;
  #rowsSinceSweep = 0;
  #isDisposed = false;

  constructor(kernels: Kernels, exports: RingExports, spec: RingSpec) {
    this.#memory = kernels.memory;
    this.#exports = exports;
    this.#spec = spec;
    this.#pool = new BlockPool(this.#memory);
    const hasTime = spec.rows === undefined ? 1 : 0;
    this.#entryBytes = exports.entryLayout(spec.mask, spec.valueBytes, hasTime);
    this.job = this.#memory.allocateZeroed(JOB_BYTES);
  }

  /** Makes records for this many keys; call it before `run`. */
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
   * Runs a kernel over the rows, from row 0 on. It returns the row at which it needs room, or the
   * number of rows.
   * @param outputs What stands at JOB_OUTPUTS.
   */
  run(rows: RollingRows, outputs: readonly number[], kernel: (from: number) => number): void {
    this.#writeJob(rows);
    this.#memory.u32(this.job + JOB_OUTPUTS, outputs.length).set(outputs);
    for (let row = kernel(0); row < rows.rowCount; row = kernel(row)) {
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
      mask,
      valueBytes,
    } = this.#spec;
    this.#memory
      .u32(this.job, 12)
      .set([
        this.#records,
        rows?.keys ?? 0,
        rows?.values[0] ?? 0,
        rows?.times ?? 0,
        rows?.rowWatermarks ?? 0,
        rows?.rowCount ?? 0,
        mask,
        Number(isInteger),
        windowRows,
        minRows,
        Number(excludeCurrent),
        valueBytes,
      ]);
    this.#memory.i64(this.job + 48, 2).set([durationNs, this.#evictAt]);
  }

  #makeRoom(record: number): void {
    const [, capacity = 0] = this.#memory.u32(record, 2);
    const { rows = Number.POSITIVE_INFINITY } = this.#spec;
    const first = rows <= ROWS_AT_ONCE ? rows : CAPACITY_START;
    this.#giveRing(record, Math.min(rows, Math.max(first, capacity * 2)));
  }

  /** Moves the entries of a record to a ring of this capacity; 0 takes its ring away. */
  #giveRing(record: number, capacity: number): void {
    const block = capacity === 0 ? 0 : this.#pool.allocate(this.#bytesOf(capacity));
    const [oldBlock = 0, oldCapacity = 0] = this.#memory.u32(record, 2);
    this.#exports.moveRing(record, block, capacity, this.#entryBytes);
    if (oldBlock !== 0) this.#pool.free(oldBlock, this.#bytesOf(oldCapacity));
  }

  #bytesOf(capacity: number): number {
    const bytes = this.#exports.ringBytes?.(capacity, this.#entryBytes);
    // A u32 comes back as an i32.
    return bytes === undefined ? capacity * this.#entryBytes : bytes >>> 0;
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
      const key = this.#exports.sweep(this.job, this.#sweepNext, end);
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
    this.#writeJob(undefined);
    const total = this.#exports.snapshotBytes(this.job, this.#keyCount);
    const snapshot = new Uint8Array(total);
    let chunkBytes = Math.min(Math.max(total, HEADER_BYTES), SNAPSHOT_CHUNK_BYTES);
    let chunk = this.#memory.allocate(chunkBytes + 8);
    for (let key = 0, at = 0; key < this.#keyCount; ) {
      const written = chunk + chunkBytes;
      const next = this.#exports.writeSnapshot(
        this.job,
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
    const entryBytes = this.#spec.valueBytes + (this.#spec.rows === undefined ? 8 : 0);
    const { buffer, byteOffset, byteLength } = snapshot;
    const view = new DataView(buffer, byteOffset, byteLength);
    for (let at = 0; at < byteLength; ) {
      const key = view.getUint32(at, true);
      const count = view.getUint32(at + 4, true);
      const bytes = HEADER_BYTES + count * entryBytes;
      const { rows = Number.POSITIVE_INFINITY } = this.#spec;
      const room = count <= CAPACITY_START ? CAPACITY_START : 2 ** Math.ceil(Math.log2(count));
      const capacity = Math.min(rows, rows <= ROWS_AT_ONCE ? rows : room);
      if (count > 0) this.#giveRing(this.#records + key * RECORD_BYTES, capacity);
      const source = this.#memory.allocate(bytes);
      this.#memory.bytes(source, bytes).set(snapshot.subarray(at, at + bytes));
      this.#writeJob(undefined);
      this.#exports.readSnapshot(this.job, source);
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
    this.#memory.free(this.job);
  }
}
