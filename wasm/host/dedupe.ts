/**
 * Host side of the dedupe kernel (wasm/assembly/dedupe.ts): the table of kept rows, its growth and
 * its forgetting.
 *
 * Memory: a slot of 16 bytes and 8 a column for each kept row of the last `within` (and of the
 * watermark's delay), in a table of at least 1,024 slots, a power of two. A full table (5/8) is
 * moved to one of which 5/32 to 5/16 are in use; one that is larger than needed lasts, by the
 * watermark, for four times `within`.
 */

import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linear-memory.ts';

export interface DedupeExports {
  dedupe(job: number, from: number): number;
  countLive(job: number): number;
  moveLive(job: number, table: number, slotMask: number): void;
  writeEntries(job: number, target: number): void;
  readEntries(job: number, source: number, length: number): void;
}

/** How a column's elements are read; `codes` translates string codes. */
export const DEDUPE_KINDS = ['f64', 'i64', 'u32', 'u8', 'codes'] as const;

export interface DedupeColumn {
  readonly kind: (typeof DEDUPE_KINDS)[number];
  readonly pointer: number;
  /** u32 for each code of the column, for `codes`; else 0. */
  readonly codes: number;
}

/** Buffers of a batch, in linear memory. */
export interface DedupeRows {
  readonly rowCount: number;
  /** u32[rowCount]. */
  readonly keys: number;
  /** i64[rowCount]. */
  readonly times: number;
  /** i64[rowCount], or 0 where no row is below its own watermark. */
  readonly rowWatermarks: number;
  readonly columns: readonly DedupeColumn[];
}

/** Rows of a batch, u32[keptCount] and u32[duplicateCount] in the arena, ascending. */
export interface DedupeResult {
  readonly kept: number;
  readonly keptCount: number;
  readonly duplicates: number;
  readonly duplicateCount: number;
}

const JOB_BYTES = 88;
const SLOTS_MIN = 1024;
/** Stretch of time that a hash covers, in units of `within`. */
const STRETCH = 64n;
const STRETCH_MAX = 2n ** 62n;
/** How long what is forgotten may stay in a table that is not full, in units of `within`. */
const MOVE_AFTER = 4n;
const INT64_MIN = -(2n ** 63n);

export class DedupeTable {
  readonly #memory: LinearMemory;
  readonly #exports: DedupeExports;
  readonly #withinNs: bigint;
  readonly #columnCount: number;
  readonly #job: number;
  #forgottenAt = INT64_MIN;
  #movedAt = INT64_MIN;
  #isDisposed = false;

  /** @param withinNs From 1 to 2^62 nanoseconds. */
  constructor(kernels: Kernels, withinNs: bigint, columnCount: number) {
    this.#memory = kernels.memory;
    this.#exports = kernels.module<DedupeExports>('dedupe');
    this.#withinNs = withinNs;
    this.#columnCount = columnCount;
    // The scratch lies behind the job.
    this.#job = this.#memory.allocateZeroed(JOB_BYTES + columnCount * 8);
    const stretch = withinNs * STRETCH > STRETCH_MAX ? STRETCH_MAX : withinNs * STRETCH;
    this.#memory.i64(this.#job + 64, 3).set([withinNs, stretch, this.#forgottenAt]);
    this.#memory.u32(this.#job + 36, 2).set([columnCount, this.#job + JOB_BYTES]);
    const table = this.#memory.allocateZeroed(SLOTS_MIN * this.entryBytes);
    this.#memory.u32(this.#job, 4).set([table, SLOTS_MIN - 1, 0, fullAt(SLOTS_MIN)]);
  }

  get entryBytes(): number {
    return 16 + this.#columnCount * 8;
  }

  /** Entries in the table; some of them may be forgotten. */
  get size(): number {
    return this.#memory.u32(this.#job, 3)[2]!;
  }

  /** Tells the rows that are the first of their kind from the others, and remembers them. */
  sort(rows: DedupeRows): DedupeResult {
    const { rowCount, keys, times, rowWatermarks, columns } = rows;
    const { arena } = this.#memory;
    const kept = arena.allocate(rowCount * 4);
    const duplicates = arena.allocate(rowCount * 4);
    const list = arena.allocate(columns.length * 12);
    this.#memory
      .u32(list, columns.length * 3)
      .set(columns.flatMap((c) => [DEDUPE_KINDS.indexOf(c.kind), c.pointer, c.codes]));
    this.#memory.u32(this.#job + 16, 5).set([keys, times, rowWatermarks, rowCount, list]);
    this.#memory.u32(this.#job + 44, 4).set([kept, 0, duplicates, 0]);
    let row = this.#exports.dedupe(this.#job, 0);
    while (row < rowCount) {
      this.#move();
      row = this.#exports.dedupe(this.#job, row);
    }
    const [, keptCount = 0, , duplicateCount = 0] = this.#memory.u32(this.#job + 44, 4);
    return { kept, keptCount, duplicates, duplicateCount };
  }

  /** Forgets what lies `within` or more behind the watermark. */
  advance(watermark: bigint): void {
    if (watermark < INT64_MIN + this.#withinNs) return;
    this.#forgottenAt = watermark - this.#withinNs;
    this.#memory.i64(this.#job + 80, 1)[0] = this.#forgottenAt;
    // A full table is moved anyway; this is for one that a burst has made large.
    const isDue = this.#forgottenAt - this.#movedAt >= MOVE_AFTER * this.#withinNs;
    if (isDue && this.size > 0) this.#move();
  }

  /** Moves what is not forgotten to a table with at least as much room again. */
  #move(): void {
    this.#movedAt = this.#forgottenAt;
    this.#moveTo(slotsFor(2 * this.#exports.countLive(this.#job) + 1));
  }

  #moveTo(slots: number): void {
    const table = this.#memory.allocate(slots * this.entryBytes);
    const old = this.#memory.u32(this.#job, 1)[0]!;
    this.#exports.moveLive(this.#job, table, slots - 1);
    this.#memory.u32(this.#job, 4)[3] = fullAt(slots);
    this.#memory.free(old);
  }

  /**
   * A copy of the entries that are not forgotten, `entryBytes` each: key u32, zero u32, time i64,
   * u64 for each column.
   */
  entries(): Uint8Array {
    const bytes = this.#exports.countLive(this.#job) * this.entryBytes;
    const target = this.#memory.allocate(bytes);
    this.#exports.writeEntries(this.#job, target);
    const entries = this.#memory.bytes(target, bytes).slice();
    this.#memory.free(target);
    return entries;
  }

  /** Takes in entries of another table. */
  restore(entries: Uint8Array): void {
    const count = entries.length / this.entryBytes;
    this.#moveTo(slotsFor(2 * (this.size + count) + 1));
    const source = this.#memory.allocate(entries.length);
    this.#memory.bytes(source, entries.length).set(entries);
    this.#exports.readEntries(this.#job, source, count);
    this.#memory.free(source);
  }

  /** Gives all memory back. Twice is harmless. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#memory.free(this.#memory.u32(this.#job, 1)[0]!);
    this.#memory.free(this.#job);
  }
}

function fullAt(slots: number): number {
  return (slots / 8) * 5;
}

/** Slots, a power of two, of a table that this many entries do not fill. */
function slotsFor(entries: number): number {
  let slots = SLOTS_MIN;
  while (fullAt(slots) < entries) slots *= 2;
  return slots;
}
