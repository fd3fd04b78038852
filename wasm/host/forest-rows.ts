/**
 * Host side of the rows of a forest (wasm/assembly/forest.ts): dealt out by key, and a bounded
 * number of them kept to grow the next forest from.
 */

import type { Kernels } from './kernels.ts';
import type { LinearMemory } from './linear-memory.ts';
import type { ForestRows } from './forest.ts';

interface RowsExports {
  groupRows(
    columns: number,
    features: number,
    keys: number,
    rows: number,
    order: number,
    counts: number,
    groups: number,
  ): number;
  absorb(
    reservoir: number,
    capacity: number,
    seen: number,
    generator: number,
    columns: number,
    features: number,
    order: number,
    from: number,
    end: number,
  ): void;
}

export interface GroupedRows extends ForestRows {
  /** Key, and end of its rows in `order`, of one group after the other. A copy. */
  readonly groups: Uint32Array;
  /** Rows that have a feature for every column. */
  readonly count: number;
}

/** Deals rows out by key, leaving out those whose features are not finite. */
export class RowGroups {
  readonly #memory: LinearMemory;
  readonly #exports: RowsExports;
  /** u32[number of keys], zero between calls. */
  #counts = 0;
  #keys = 0;

  constructor(kernels: Kernels) {
    this.#memory = kernels.memory;
    this.#exports = kernels.module<RowsExports>('forest');
  }

  /**
   * @param keys u32[rows] of codes below `keyCount`, or 0 to have all rows in one group.
   * @param columns f64 columns of the features.
   * @returns Buffers in the arena.
   */
  group(keys: number, keyCount: number, columns: readonly number[], rows: number): GroupedRows {
    const { arena } = this.#memory;
    this.#resize(keyCount);
    const order = arena.allocate(rows * 4);
    const list = arena.allocate(columns.length * 4);
    const pairs = arena.allocate(rows * 8);
    this.#memory.u32(list, columns.length).set(columns);
    const counts = this.#counts;
    const features = columns.length;
    const count = this.#exports.groupRows(list, features, keys, rows, order, counts, pairs);
    const groups = this.#memory.u32(pairs, count * 2).slice();
    return { columns: list, order, groups, count: groups[groups.length - 1] ?? 0 };
  }

  #resize(keyCount: number): void {
    if (keyCount <= this.#keys) return;
    this.#memory.free(this.#counts);
    this.#keys = Math.max(64, 2 * keyCount);
    this.#counts = this.#memory.allocateZeroed(this.#keys * 4);
  }

  /** Gives all memory back. Twice is harmless. */
  dispose(): void {
    this.#memory.free(this.#counts);
    this.#counts = 0;
    this.#keys = 0;
  }
}

/** Which rows stay: the latest, or a uniform sample of all. */
export type Keep = 'latest' | 'uniform';

const ROWS_AT_ONCE = 64;

/** At most `capacity` rows f64[features]; it grows as they come. */
export class Reservoir {
  readonly #memory: LinearMemory;
  readonly #exports: RowsExports;
  readonly #features: number;
  readonly #capacity: number;
  readonly #keep: Keep;
  /** u64: state of the generator. */
  readonly #generator: number;
  #block = 0;
  #room = 0;
  /** Rows it was given so far. */
  #seen = 0;

  /** @param seed 64 bits. */
  constructor(
    kernels: Kernels,
    features: number,
    { capacity, keep, seed }: { capacity: number; keep: Keep; seed: bigint },
  ) {
    this.#memory = kernels.memory;
    this.#exports = kernels.module<RowsExports>('forest');
    this.#features = features;
    this.#capacity = capacity;
    this.#keep = keep;
    this.#generator = this.#memory.allocate(8);
    this.#memory.i64(this.#generator, 1)[0] = BigInt.asIntN(64, seed);
  }

  get seen(): number {
    return this.#seen;
  }

  /** Rows it holds. */
  get count(): number {
    return Math.min(this.#seen, this.#capacity);
  }

  /** f64[count * features]. */
  get matrix(): number {
    return this.#block;
  }

  /** Takes the rows `order[from … end-1]`. */
  absorb({ columns, order }: ForestRows, from: number, end: number): void {
    const features = this.#features;
    this.#makeRoom(Math.min(this.#capacity, this.#seen + end - from));
    const generator = this.#keep === 'uniform' ? this.#generator : 0;
    this.#exports.absorb(
      this.#block,
      this.#capacity,
      this.#seen,
      generator,
      columns,
      features,
      order,
      from,
      end,
    );
    this.#seen += end - from;
  }

  #makeRoom(rows: number): void {
    if (rows <= this.#room) return;
    const rowBytes = this.#features * 8;
    const room = Math.min(this.#capacity, Math.max(ROWS_AT_ONCE, 2 * this.#room, rows));
    this.#block = this.#memory.reallocate(this.#block, this.#room * rowBytes, room * rowBytes);
    this.#room = room;
  }

  /** A copy: rows seen, state of the generator, rows. */
  snapshot(): Uint8Array {
    const { count } = this;
    const rowBytes = count * this.#features * 8;
    const bytes = new Uint8Array(16 + rowBytes);
    new DataView(bytes.buffer).setFloat64(0, this.#seen, true);
    bytes.set(this.#memory.bytes(this.#generator, 8), 8);
    if (count > 0) bytes.set(this.#memory.bytes(this.#block, rowBytes), 16);
    return bytes;
  }

  /** Takes on the state of a snapshot, at any offset; call it once, before any row. */
  restore(snapshot: Uint8Array): void {
    const view = new DataView(snapshot.buffer, snapshot.byteOffset);
    this.#seen = view.getFloat64(0, true);
    this.#makeRoom(this.count);
    this.#memory.bytes(this.#generator, 8).set(snapshot.subarray(8, 16));
    const rows = snapshot.subarray(16);
    if (rows.length > 0) this.#memory.bytes(this.#block, rows.length).set(rows);
  }

  /** Gives all memory back; call it once. */
  dispose(): void {
    this.#memory.free(this.#block);
    this.#memory.free(this.#generator);
  }
}
