/** A table with a record of fixed size for each key, without addresses in it. */

import type { LinearMemory } from './linear-memory.ts';

export class KeyedRecords {
  /** Address of the first record; changes with `resize`. */
  pointer = 0;
  readonly #memory: LinearMemory;
  readonly #recordBytes: number;
  #capacity = 0;
  #count = 0;

  constructor(memory: LinearMemory, recordBytes: number) {
    this.#memory = memory;
    this.#recordBytes = recordBytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Makes records of zeroes for this many keys. May grow the memory. */
  resize(count: number): void {
    if (count <= this.#count) return;
    const bytes = this.#recordBytes;
    if (count > this.#capacity) {
      const capacity = Math.max(64, count, 2 * this.#capacity);
      this.pointer = this.#memory.reallocate(this.pointer, this.#count * bytes, capacity * bytes);
      this.#capacity = capacity;
    }
    this.#memory.bytes(this.pointer + this.#count * bytes, (count - this.#count) * bytes).fill(0);
    this.#count = count;
  }

  /** A copy of all records. */
  snapshot(): Uint8Array {
    return this.#memory.bytes(this.pointer, this.#count * this.#recordBytes).slice();
  }

  restore(snapshot: Uint8Array, count: number): void {
    this.resize(Math.max(count, snapshot.length / this.#recordBytes));
    this.#memory.bytes(this.pointer, snapshot.length).set(snapshot);
  }

  /** Twice is harmless. */
  dispose(): void {
    this.#memory.free(this.pointer);
    this.pointer = 0;
    this.#capacity = 0;
    this.#count = 0;
  }
}
