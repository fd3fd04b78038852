/**
 * Many small blocks of a few sizes: cut from chunks, so that a hundred thousand rings cost neither
 * a hundred thousand entries in the books of the linear memory nor its rounding up to powers of
 * two. What is given back is kept for the next of its size, until `dispose`.
 */

import type { LinearMemory } from './linear-memory.ts';

const CHUNK_BYTES = 1 << 16;

export class BlockPool {
  readonly #memory: LinearMemory;
  readonly #chunks: number[] = [];
  readonly #free = new Map<number, number[]>();
  readonly #large = new Set<number>();

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** A block of `bytes` bytes, a multiple of 8; 8-byte aligned, not cleared. May grow memory. */
  allocate(bytes: number): number {
    if (bytes > CHUNK_BYTES / 4) {
      const pointer = this.#memory.allocate(bytes);
      this.#large.add(pointer);
      return pointer;
    }
    const free = this.#free.get(bytes) ?? [];
    if (free.length === 0) {
      this.#free.set(bytes, free);
      const chunk = this.#memory.allocate(CHUNK_BYTES);
      this.#chunks.push(chunk);
      const blocks = Math.floor(CHUNK_BYTES / bytes);
      for (let i = blocks - 1; i >= 0; i--) free.push(chunk + i * bytes);
    }
    return free.pop()!;
  }

  /** Gives back a block of this many bytes. */
  free(pointer: number, bytes: number): void {
    if (this.#large.delete(pointer)) this.#memory.free(pointer);
    else this.#free.get(bytes)!.push(pointer);
  }

  /** Gives all blocks back. Twice is harmless. */
  dispose(): void {
    for (const pointer of [...this.#chunks, ...this.#large]) this.#memory.free(pointer);
    this.#chunks.length = 0;
    this.#large.clear();
    this.#free.clear();
  }
}
