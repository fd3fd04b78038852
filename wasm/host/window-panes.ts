/** Typed view of wasm/assembly/window-panes.ts, and the slabs that it needs beside the store. */

import type { Kernels } from './kernels.ts';
import { KeyedArray, type WindowStore } from './window-store.ts';

export interface WindowPanesExports {
  openBack(state: number, key: number): number;
  pushPane(state: number, start: bigint, targets: number, sources: number): number;
  beginBlock(state: number, start: bigint): void;
  paneBefore(state: number, before: bigint, from: bigint): bigint;
  flipPane(
    state: number,
    start: bigint,
    blockEnd: bigint,
    targets: number,
    sources: number,
  ): number;
  evictPane(state: number, start: bigint): void;
  insertFront(state: number, record: number): number;
  dropInactive(state: number): number;
  listWindows(
    state: number,
    from: number,
    to: number,
    list: number,
    copies: number,
    targets: number,
    sources: number,
  ): number;
  listPanes(state: number, record: number, from: bigint, to: bigint, list: number): number;
}

export function windowPanes(kernels: Kernels): WindowPanesExports {
  return kernels.module<WindowPanesExports>('window-panes');
}

const STATE_FRONTS = 80;
const STATE_BACKS = 84;
const STATE_ACTIVE = 88;
const STATE_ACTIVE_COUNT = 92;
const STATE_SUFFIX = 96;
const STATE_BLOCK = 104;

export interface PaneBytes {
  readonly fronts: Uint8Array;
  readonly backs: Uint8Array;
  /** u32 codes of the active keys. */
  readonly active: Uint8Array;
}

export class PaneSlabs {
  readonly #store: WindowStore;
  readonly #fronts: KeyedArray;
  readonly #backs: KeyedArray;
  readonly #active: KeyedArray;

  /**
   * @param aggregateBytes Bytes of one aggregate with its header.
   * @param suffix Bytes from a pane's record to its aggregate of the rest of the block; 0 where it
   *   takes the pane's place.
   */
  constructor(store: WindowStore, aggregateBytes: number, suffix: number, saved?: PaneBytes) {
    this.#store = store;
    this.#fronts = new KeyedArray(store.memory);
    this.#backs = new KeyedArray(store.memory, aggregateBytes);
    this.#active = new KeyedArray(store.memory);
    store.set(STATE_SUFFIX, suffix);
    if (saved !== undefined) {
      this.#fronts.load(saved.fronts);
      this.#backs.load(saved.backs);
      this.#active.load(saved.active);
      store.set(STATE_ACTIVE_COUNT, saved.active.length / 4);
    }
    // Any key that is known may become active, also by a watermark that comes before a row.
    this.growKeys((saved?.fronts.length ?? 0) / 4);
  }

  growKeys(count: number): void {
    this.#fronts.grow(count);
    this.#backs.grow(count);
    this.#active.grow(count);
    this.#store.set(STATE_FRONTS, this.#fronts.pointer);
    this.#store.set(STATE_BACKS, this.#backs.pointer);
    this.#store.set(STATE_ACTIVE, this.#active.pointer);
  }

  get activeCount(): number {
    return this.#store.get(STATE_ACTIVE_COUNT);
  }

  get block(): bigint {
    return this.#store.memory.i64(this.#store.state + STATE_BLOCK, 1)[0]!;
  }

  set block(start: bigint) {
    this.#store.memory.i64(this.#store.state + STATE_BLOCK, 1)[0] = start;
  }

  /** The key's front; 0 where it has none. */
  front(key: number): number {
    return this.#store.memory.u32(this.#fronts.pointer + key * 4, 1)[0]!;
  }

  save(): PaneBytes {
    return {
      fronts: this.#fronts.save(),
      backs: this.#backs.save(),
      active: this.#active.save().subarray(0, this.activeCount * 4),
    };
  }

  dispose(): void {
    this.#fronts.dispose();
    this.#backs.dispose();
    this.#active.dispose();
  }
}
