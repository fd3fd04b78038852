/** Typed view of wasm/assembly/window-sessions.ts, and its heaps beside the store. */

import type { Kernels } from './kernels.ts';
import { HEADER_BYTES, type WindowStore } from './window-store.ts';

export interface WindowSessionsExports {
  assignSessions(
    state: number,
    from: number,
    to: number,
    keys: number,
    times: number,
    watermarks: number,
    list: number,
  ): number;
  joinedSessions(
    state: number,
    row: number,
    keys: number,
    times: number,
    watermark: bigint,
    joined: number,
  ): void;
  absorbSession(state: number, older: number, newer: number): void;
  placeAwkwardRow(
    state: number,
    row: number,
    keys: number,
    times: number,
    watermark: bigint,
  ): number;
  expectEnd(state: number, record: number): number;
  endSessions(state: number, watermark: bigint, list: number, max: number): number;
  earliestStart(state: number): bigint;
  compactStarts(state: number): void;
}

export function windowSessions(kernels: Kernels): WindowSessionsExports {
  return kernels.module<WindowSessionsExports>('window-sessions');
}

/** Bytes before the accumulators of a session. */
export const SESSION_BYTES = HEADER_BYTES + 16;
/** Field of the time of a session's last row. */
export const SESSION_LAST = HEADER_BYTES;

const STATE_GAP = 112;
const STATE_STATED = 128;
const STATE_ENDS = 132;
const STATE_STARTS = 144;
const HEAP_COUNT = 4;
const HEAP_CAPACITY = 8;
const ENTRY_BYTES = 16;
const ENTRIES_MIN = 64;

export interface SessionSpans {
  readonly gap: bigint;
  readonly lateness: bigint;
  /** Field of a record with the rows it was stated with; 0 where it is stated when closed. */
  readonly stated: number;
}

export interface QueueBytes {
  readonly ends: Uint8Array;
  readonly starts: Uint8Array;
}

export class SessionQueues {
  readonly #store: WindowStore;
  readonly #kernels: WindowSessionsExports;

  constructor(store: WindowStore, kernels: Kernels, spans: SessionSpans, saved?: QueueBytes) {
    this.#store = store;
    this.#kernels = windowSessions(kernels);
    const { memory, state } = store;
    // The gap, and the lateness behind it.
    memory.i64(state + STATE_GAP, 2).set([spans.gap, spans.lateness]);
    store.set(STATE_STATED, spans.stated);
    this.#allocate(STATE_ENDS, saved?.ends ?? new Uint8Array());
    this.#allocate(STATE_STARTS, saved?.starts ?? new Uint8Array());
  }

  /** Makes room in what is full. */
  grow(): void {
    this.#growHeap(STATE_ENDS);
    if (!this.#isFull(STATE_STARTS)) return;
    this.#kernels.compactStarts(this.#store.state);
    const isHalfFull = 2 * this.#count(STATE_STARTS) > this.#capacity(STATE_STARTS);
    if (isHalfFull) this.#growHeap(STATE_STARTS, true);
  }

  save(): QueueBytes {
    return { ends: this.#bytes(STATE_ENDS).slice(), starts: this.#bytes(STATE_STARTS).slice() };
  }

  dispose(): void {
    this.#store.memory.free(this.#store.get(STATE_ENDS));
    this.#store.memory.free(this.#store.get(STATE_STARTS));
  }

  #allocate(heap: number, entries: Uint8Array): void {
    const { memory } = this.#store;
    const pointer = memory.allocate(Math.max(entries.length, ENTRIES_MIN * ENTRY_BYTES));
    memory.bytes(pointer, entries.length).set(entries);
    this.#store.set(heap, pointer);
    this.#store.set(heap + HEAP_COUNT, entries.length / ENTRY_BYTES);
    this.#store.set(heap + HEAP_CAPACITY, memory.capacity(pointer) / ENTRY_BYTES);
  }

  #growHeap(heap: number, isForced = false): void {
    if (!isForced && !this.#isFull(heap)) return;
    const { memory } = this.#store;
    const bytes = this.#count(heap) * ENTRY_BYTES;
    const doubled = 2 * this.#capacity(heap) * ENTRY_BYTES;
    const pointer = memory.reallocate(this.#store.get(heap), bytes, doubled);
    this.#store.set(heap, pointer);
    this.#store.set(heap + HEAP_CAPACITY, memory.capacity(pointer) / ENTRY_BYTES);
  }

  #bytes(heap: number): Uint8Array {
    return this.#store.memory.bytes(this.#store.get(heap), this.#count(heap) * ENTRY_BYTES);
  }

  #count(heap: number): number {
    return this.#store.get(heap + HEAP_COUNT);
  }

  #capacity(heap: number): number {
    return this.#store.get(heap + HEAP_CAPACITY);
  }

  #isFull(heap: number): boolean {
    return this.#count(heap) === this.#capacity(heap);
  }
}
