/**
 * A linear memory that punishes carelessness: what is allocated, freed, or cleared from the arena
 * is filled with poison, so that reading what was never written, or no longer is there, shows. It
 * also starts at other addresses each time, and knows which slabs are still held.
 */

import { LinearMemory } from '../../wasm/host/linear-memory.ts';

/** 1.4e306 as a double, which no sum hides, and beyond all codes, counts and addresses as a u32. */
export const POISON = 0x7f;

export class PoisonedMemory extends LinearMemory {
  readonly #slabs = new Set<number>();
  readonly #scratch: { pointer: number; bytes: number }[] = [];
  #isArena = false;

  /** @param displacement Bytes by which everything lies elsewhere than in a memory with another. */
  constructor(displacement = 0) {
    super();
    const { arena } = this;
    const allocateScratch = arena.allocate.bind(arena);
    arena.allocate = (bytes): number => {
      this.#isArena = true;
      const pointer = allocateScratch(bytes);
      this.#isArena = false;
      this.#scratch.push({ pointer, bytes });
      this.bytes(pointer, bytes).fill(POISON);
      return pointer;
    };
    const reset = arena.reset.bind(arena);
    arena.reset = (): void => {
      for (const { pointer, bytes } of this.#scratch) this.bytes(pointer, bytes).fill(POISON);
      this.#scratch.length = 0;
      reset();
    };
    if (displacement > 0) super.allocate(displacement);
    this.#slabs.clear();
  }

  override allocate(bytes: number): number {
    const pointer = super.allocate(bytes);
    if (this.#isArena) return pointer;
    this.bytes(pointer, this.capacity(pointer)).fill(POISON);
    this.#slabs.add(pointer);
    return pointer;
  }

  override free(pointer: number): void {
    const capacity = pointer === 0 ? 0 : this.capacity(pointer);
    super.free(pointer);
    this.bytes(pointer, capacity).fill(POISON);
    this.#slabs.delete(pointer);
  }

  /** Slabs that were allocated and not given back. */
  get slabCount(): number {
    return this.#slabs.size;
  }
}
