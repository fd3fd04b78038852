/**
 * Host side of the interner: a hash table in linear memory from texts to dense codes, which decode
 * kernels fill, and the texts behind the codes as JavaScript strings.
 *
 * A kernel that finds the table full returns to its host, which calls `grow` and the kernel again.
 * After a kernel has run, `absorb` makes strings of the texts that are new. Cost: 16 bytes a slot,
 * at most 5/8 of the slots in use, and the bytes of each text once.
 */

import type { Kernels } from './kernels.ts';

export interface InternerExports {
  moveSlots(state: number, oldSlots: number, oldCount: number): void;
  internText(state: number, text: number, length: number): number;
}

/** What `intern` gives where there is no room. */
export const INTERNER_FULL = 0xffff_fffe;

/** Texts that a table may hold before it refuses to grow: a column of more is no dictionary. */
export const TEXTS_MAX = 2 ** 24;
const POOL_BYTES_MAX = 2 ** 29;

const SLOT_BYTES = 16;
const SLOTS_START = 1024;
const POOL_BYTES_START = 8192;
const STATE_BYTES = 64;

/** Places in the state, in units of u32; the layout is that of wasm/assembly/_interner.ts. */
const SLOTS = 0;
const SLOT_MASK = 1;
const COUNT = 2;
const COUNT_MAX = 3;
const POOL = 4;
const POOL_USED = 5;
const POOL_SIZE = 6;
const ENDS = 7;
const WANTED = 8;
const STATE_WORDS = 9;

/** Makes a string of the bytes of a text. The bytes are a view: copy what is kept. */
export type TextDecode = (bytes: Uint8Array) => string;

const decodeUtf8: TextDecode = (bytes) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

export class Interner {
  /** Pointer to the state, for kernels. */
  readonly state: number;
  /** Text of each code. The same array for ever; it only grows at its end. */
  readonly texts: string[] = [];
  readonly #kernels: Kernels;
  readonly #exports: InternerExports;
  readonly #decode: TextDecode;
  readonly #textsMax: number;
  #poolRead = 0;

  constructor(
    kernels: Kernels,
    options: { readonly decode?: TextDecode; readonly textsMax?: number } = {},
  ) {
    this.#kernels = kernels;
    this.#exports = kernels.module<InternerExports>('interner');
    this.#decode = options.decode ?? decodeUtf8;
    this.#textsMax = options.textsMax ?? TEXTS_MAX;
    const { memory } = kernels;
    this.state = memory.allocateZeroed(STATE_BYTES);
    const slots = memory.allocateZeroed(SLOTS_START * SLOT_BYTES);
    const pool = memory.allocate(POOL_BYTES_START);
    const ends = memory.allocate(roomOf(SLOTS_START) * 4);
    const state = memory.u32(this.state, STATE_WORDS);
    state[SLOTS] = slots;
    state[SLOT_MASK] = SLOTS_START - 1;
    state[COUNT_MAX] = roomOf(SLOTS_START);
    state[POOL] = pool;
    state[POOL_SIZE] = POOL_BYTES_START;
    state[ENDS] = ends;
  }

  /** Makes room for what did not fit. False where the table has reached its limit. */
  grow(): boolean {
    const state = this.#kernels.memory.u32(this.state, STATE_WORDS).slice();
    const poolNeeded = state[POOL_USED]! + state[WANTED]!;
    if (state[COUNT]! >= this.#textsMax || poolNeeded > POOL_BYTES_MAX) return false;
    if (state[COUNT] === state[COUNT_MAX]) this.#growSlots(state);
    if (poolNeeded > state[POOL_SIZE]!) this.#growPool(state, poolNeeded);
    return true;
  }

  #growSlots(state: Uint32Array): void {
    const { memory } = this.#kernels;
    const oldCount = state[SLOT_MASK]! + 1;
    const count = oldCount * 2;
    const slots = memory.allocateZeroed(count * SLOT_BYTES);
    const ends = memory.reallocate(state[ENDS]!, state[COUNT]! * 4, roomOf(count) * 4);
    const current = memory.u32(this.state, STATE_WORDS);
    current[SLOTS] = slots;
    current[SLOT_MASK] = count - 1;
    current[COUNT_MAX] = roomOf(count);
    current[ENDS] = ends;
    this.#exports.moveSlots(this.state, state[SLOTS]!, oldCount);
    memory.free(state[SLOTS]!);
  }

  #growPool(state: Uint32Array, needed: number): void {
    const { memory } = this.#kernels;
    const bytes = 2 ** Math.ceil(Math.log2(needed));
    const pool = memory.reallocate(state[POOL]!, state[POOL_USED]!, bytes);
    const current = memory.u32(this.state, STATE_WORDS);
    current[POOL] = pool;
    current[POOL_SIZE] = bytes;
  }

  /** Brings `texts` up to what the kernels have added. */
  absorb(): void {
    const { memory } = this.#kernels;
    const state = memory.u32(this.state, STATE_WORDS);
    const count = state[COUNT]!;
    if (count === this.texts.length) return;
    const ends = memory.u32(state[ENDS]!, count);
    const pool = memory.bytes(state[POOL]!, state[POOL_USED]!);
    for (let code = this.texts.length; code < count; code++) {
      this.texts.push(this.#decode(pool.subarray(this.#poolRead, ends[code])));
      this.#poolRead = ends[code]!;
    }
  }
}

/** Codes that this many slots have room for: open addressing slows down when it is fuller. */
function roomOf(slots: number): number {
  return Math.floor((slots * 5) / 8);
}
