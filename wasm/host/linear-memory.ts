/**
 * The linear memory of one thread: slabs for state and an arena for the batch at hand.
 *
 *   0        1 MiB                                         end
 *   | static data of the kernel modules | slabs and arena chunks, in power-of-two sizes … |
 *
 * Memory grows only in `allocate`, which the host calls before a kernel, never a kernel itself.
 * Growth detaches every typed-array view, so a view is made for one use and never kept.
 */

const HEAP_START = 1 << 20;
const PAGE_BYTES = 65_536;
const PAGES_MAX = 65_536;
const CLASS_MIN = 6;
const ARENA_CHUNK_BYTES = 1 << 20;

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  /** Scratch memory of the batch at hand; whoever runs the batch resets it afterwards. */
  readonly arena: Arena;
  #end = HEAP_START;
  readonly #free = new Map<number, number[]>();
  /** Size class of each live block. */
  readonly #classes = new Map<number, number>();

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 32, maximum: PAGES_MAX });
    this.arena = new Arena(this);
  }

  /**
   * A block of at least `bytes` bytes, 64-byte aligned, not cleared.
   * @throws {RangeError} Where the 4 GiB of a linear memory are used up.
   */
  allocate(bytes: number): number {
    const sizeClass = Math.max(CLASS_MIN, 32 - Math.clz32(Math.max(1, bytes) - 1));
    const reused = this.#free.get(sizeClass)?.pop();
    const pointer = reused ?? this.#extend(2 ** sizeClass);
    this.#classes.set(pointer, sizeClass);
    return pointer;
  }

  /** Like `allocate`, cleared to zero. */
  allocateZeroed(bytes: number): number {
    const pointer = this.allocate(bytes);
    this.bytes(pointer, bytes).fill(0);
    return pointer;
  }

  /** Gives a block back. 0 is no block and is ignored. */
  free(pointer: number): void {
    if (pointer === 0) return;
    const sizeClass = this.#classes.get(pointer);
    if (sizeClass === undefined) throw new RangeError(`no block at ${pointer}`);
    this.#classes.delete(pointer);
    const list = this.#free.get(sizeClass);
    if (list === undefined) this.#free.set(sizeClass, [pointer]);
    else list.push(pointer);
  }

  /**
   * A block of `bytes` bytes that starts with the first `keep` bytes of `pointer`, which is freed.
   */
  reallocate(pointer: number, keep: number, bytes: number): number {
    const target = this.allocate(bytes);
    if (pointer !== 0) {
      new Uint8Array(this.memory.buffer).copyWithin(target, pointer, pointer + keep);
      this.free(pointer);
    }
    return target;
  }

  /** Bytes that the block can hold: at least what was asked for. */
  capacity(pointer: number): number {
    return 2 ** this.#classes.get(pointer)!;
  }

  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, length);
  }

  u32(pointer: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, pointer, length);
  }

  i64(pointer: number, length: number): BigInt64Array {
    return new BigInt64Array(this.memory.buffer, pointer, length);
  }

  f64(pointer: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, pointer, length);
  }

  #extend(bytes: number): number {
    const pointer = this.#end;
    const missing = pointer + bytes - this.memory.buffer.byteLength;
    if (missing > 0) {
      // Doubling, up to 64 MiB at a time, keeps growths few: each one detaches all views.
      const generous = Math.min(this.memory.buffer.byteLength, 64 << 20);
      const pages = Math.ceil(Math.max(missing, generous) / PAGE_BYTES);
      const pagesLeft = PAGES_MAX - this.memory.buffer.byteLength / PAGE_BYTES;
      this.memory.grow(Math.max(Math.ceil(missing / PAGE_BYTES), Math.min(pages, pagesLeft)));
    }
    this.#end += bytes;
    return pointer;
  }
}

/** Bump allocation in chunks that are kept for the next batch. */
export class Arena {
  readonly #memory: LinearMemory;
  readonly #chunks: { pointer: number; bytes: number }[] = [];
  #chunk = 0;
  #used = 0;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** `bytes` bytes, 8-byte aligned, not cleared, valid until `reset`. May grow the memory. */
  allocate(bytes: number): number {
    const needed = (bytes + 7) & ~7;
    for (;;) {
      const chunk = this.#chunks[this.#chunk];
      if (chunk === undefined) {
        const size = Math.max(needed, ARENA_CHUNK_BYTES);
        const pointer = this.#memory.allocate(size);
        this.#chunks.push({ pointer, bytes: this.#memory.capacity(pointer) });
      } else if (this.#used + needed <= chunk.bytes) {
        const pointer = chunk.pointer + this.#used;
        this.#used += needed;
        return pointer;
      } else {
        this.#chunk++;
        this.#used = 0;
      }
    }
  }

  /** A place to come back to with `release`. */
  mark(): { readonly chunk: number; readonly used: number } {
    return { chunk: this.#chunk, used: this.#used };
  }

  /** Forgets everything that was allocated since the mark. */
  release(mark: { readonly chunk: number; readonly used: number }): void {
    this.#chunk = mark.chunk;
    this.#used = mark.used;
  }

  reset(): void {
    this.#chunk = 0;
    this.#used = 0;
  }
}
