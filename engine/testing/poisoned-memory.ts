/**
 * A linear memory that punishes carelessness: what is allocated, freed, or cleared from the arena
 * is filled with poison, so that reading what was never written, or no longer is there, shows. It
 * knows which slabs are still held. Making one is dear beside a short run, so they are leased.
 */

import { Kernels } from '../../wasm/host/kernels.ts';
import { LinearMemory } from '../../wasm/host/linear-memory.ts';

/** 1.4e306 as a double, which no sum hides, and beyond all codes, counts and addresses as a u32. */
export const POISON = 0x7f;

/** A memory that has grown beyond this is not leased again: growth is what a test may look at. */
const IDLE_BYTES_MAX = 4 << 20;
const idle: PoisonedMemory[] = [];

export class PoisonedMemory extends LinearMemory {
  readonly kernels = new Kernels(this);
  readonly #slabs = new Set<number>();
  readonly #scratch: { pointer: number; bytes: number }[] = [];
  #isArena = false;
  #displacement = 0;

  /** @param displacement Bytes by which everything lies elsewhere than in a memory with another. */
  static lease(displacement = 0): PoisonedMemory {
    const memory = idle.pop() ?? new PoisonedMemory();
    if (displacement > 0) memory.#displacement = memory.allocate(displacement);
    memory.#slabs.clear();
    return memory;
  }

  constructor() {
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
  }

  /** Takes it back, with all that is still held. */
  release(): void {
    this.arena.reset();
    for (const pointer of [...this.#slabs, this.#displacement]) this.free(pointer);
    this.#displacement = 0;
    if (this.memory.buffer.byteLength <= IDLE_BYTES_MAX) idle.push(this);
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
