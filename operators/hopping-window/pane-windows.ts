/**
 * The windows of a hopping window, from the panes that rows have been added to: pushes panes,
 * evicts them, and puts out the windows of each slide. `wasm/assembly/window-panes.ts` tells the
 * idea.
 *
 * `horizon` is the end of the last windows that were put out: panes that end at or before it have
 * been pushed, and rows for them must be added to what they were merged into as well.
 */

import type { Pointer } from '../../engine/contract/batch.ts';
import type { Collector, OperatorContext } from '../../engine/contract/operator.ts';
import { BEGINNING_OF_TIME } from '../../engine/contract/time.ts';
import { type WindowEmitExports, windowEmit } from '../../wasm/host/window-kernels.ts';
import { PaneSlabs, type WindowPanesExports, windowPanes } from '../../wasm/host/window-panes.ts';
import { RECORD_KEY, RECORD_NEWER, RECORD_ROWS } from '../../wasm/host/window-store.ts';
import type { OpenWindows } from '../aggregates/open-windows.ts';
import type { RowsAtHand } from '../aggregates/row-accumulator.ts';
import { CHUNK_ROWS } from '../aggregates/window-output.ts';
import { clampTime, floorTime } from '../aggregates/window-plan.ts';

export interface SavedPanes {
  readonly fronts: Uint8Array;
  readonly backs: Uint8Array;
  readonly active: Uint8Array;
  /** i64: horizon, start of the block at hand. */
  readonly horizon: Uint8Array;
}

export interface PaneSpans {
  readonly size: bigint;
  readonly slide: bigint;
}

export class PaneWindows {
  /** End of the last windows that were put out. */
  horizon: bigint;
  /** End of the windows that are being put out. */
  #end = 0n;
  readonly #size: bigint;
  readonly #slide: bigint;
  readonly #context: OperatorContext;
  readonly #windows: OpenWindows;
  readonly #slabs: PaneSlabs;
  readonly #kernels: WindowPanesExports;
  readonly #emit: WindowEmitExports;
  readonly #aggregateBytes: number;
  readonly #suffix: number;
  /** u32[2] for a single merge. */
  readonly #pair: Pointer;

  /** @param keepsPanes Whether a pane's own aggregate is needed after its block was flipped. */
  constructor(
    { size, slide }: PaneSpans,
    windows: OpenWindows,
    keepsPanes: boolean,
    context: OperatorContext,
    saved: SavedPanes | undefined,
  ) {
    this.#size = size;
    this.#slide = slide;
    this.#windows = windows;
    this.#context = context;
    this.#kernels = windowPanes(context.kernels);
    this.#emit = windowEmit(context.kernels);
    this.#aggregateBytes = windows.layout.bytes;
    this.#suffix = keepsPanes ? this.#aggregateBytes : 0;
    this.#slabs = new PaneSlabs(windows.store, this.#aggregateBytes, this.#suffix, saved);
    this.#pair = context.memory.allocate(8);
    this.horizon = BEGINNING_OF_TIME;
    if (saved !== undefined) {
      const [horizon, block] = new BigInt64Array(saved.horizon.slice().buffer);
      this.horizon = horizon!;
      this.#slabs.block = block!;
    }
  }

  get end(): bigint {
    return this.#end;
  }

  growKeys(count: number): void {
    this.#slabs.growKeys(count);
  }

  /**
   * Puts out all windows that end after the horizon and at or before the target, a multiple of the
   * slide. The horizon moves there.
   *
   * @param isClosed Whether panes that no later window holds are given back.
   */
  fire(target: bigint, isClosed: boolean, collector: Collector): void {
    const { arena } = this.#context.memory;
    if (target <= this.horizon) return;
    // What is allocated behind a chunk would go with it.
    this.#windows.output.flush(collector);
    let scratch: Scratch | undefined;
    while (this.horizon < target) {
      if (this.#slabs.activeCount === 0) {
        const pane = this.#nextPane();
        if (pane === undefined || pane + this.#slide > target) break;
        this.#skipTo(pane);
      }
      scratch ??= this.#allocate();
      this.#step(this.horizon + this.#slide, scratch, isClosed, collector);
    }
    if (this.horizon < target) this.#skipTo(target);
    if (scratch === undefined) return;
    this.#windows.output.flush(collector);
    arena.release(scratch.mark);
  }

  /** Moves the horizon where no key is active, and so no window between has rows. */
  #skipTo(horizon: bigint): void {
    this.horizon = horizon;
    this.#slabs.block = clampTime(floorTime(horizon - this.#slide, this.#size));
  }

  /** Start of the oldest pane that has not been pushed. */
  #nextPane(): bigint | undefined {
    return this.#windows.store.firstBucketFrom(clampTime(this.horizon));
  }

  /** Puts out the windows that end there, the next ones. */
  #step(end: bigint, scratch: Scratch, isClosed: boolean, collector: Collector): void {
    const { store, rows, output } = this.#windows;
    const { state } = store;
    const { targets, sources, list, copies, chunkRows } = scratch;
    const pane = end - this.#slide;
    if (floorTime(pane, this.#size) === pane) this.#flip(pane, scratch);
    rows.merge(targets, sources, this.#kernels.pushPane(state, clampTime(pane), targets, sources));
    const evicted = end - this.#size - this.#slide;
    this.#kernels.evictPane(state, clampTime(evicted));
    this.horizon = end;
    if (isClosed) this.close(evicted, list, chunkRows);
    this.#end = end;
    const active = this.#kernels.dropInactive(state);
    for (let from = 0; from < active; from += chunkRows) {
      const to = Math.min(active, from + chunkRows);
      const merges = this.#kernels.listWindows(state, from, to, list, copies, targets, sources);
      rows.merge(targets, sources, merges);
      output.append(list, to - from, collector);
    }
  }

  /** Finishes the block that ends there: its panes become aggregates of its rest. */
  #flip(end: bigint, { targets, sources }: Scratch): void {
    const { store, rows } = this.#windows;
    const { state } = store;
    const kernels = this.#kernels;
    const begin = clampTime(end - this.#size);
    const last = clampTime(end);
    kernels.beginBlock(state, last);
    let pane = kernels.paneBefore(state, last, begin);
    while (pane >= begin) {
      rows.merge(targets, sources, kernels.flipPane(state, pane, last, targets, sources));
      pane = kernels.paneBefore(state, pane, begin);
    }
  }

  /**
   * Gives back the panes that start at or before the limit, all of which have been evicted.
   * @param list u32[listRows], scratch.
   */
  close(limit: bigint, list: Pointer, listRows: number): void {
    if (limit < BEGINNING_OF_TIME) return;
    const { state } = this.#windows.store;
    let count: number;
    do count = this.#emit.closeWindows(state, limit, list, listRows);
    while (count === listRows);
  }

  /** Adds a row whose pane has been pushed to the pane and to all that it was merged into. */
  add(record: number, rows: RowsAtHand, row: number): void {
    const { store, rows: accumulator } = this.#windows;
    const start = store.start(record);
    const key = store.field(record, RECORD_KEY);
    if (start >= this.#slabs.block) {
      accumulator.addTo(record, rows, row);
      accumulator.addTo(this.#kernels.openBack(store.state, key), rows, row);
      return;
    }
    if (start < this.horizon - this.#size) {
      accumulator.addTo(record, rows, row);
      return;
    }
    if (store.field(record, RECORD_ROWS) === 0) this.#insertFront(record);
    if (this.#suffix !== 0) accumulator.addTo(record, rows, row);
    let pane = this.#slabs.front(key);
    for (;;) {
      accumulator.addTo(pane + this.#suffix, rows, row);
      if (pane === record) return;
      pane = store.field(pane, RECORD_NEWER);
    }
  }

  #insertFront(record: number): void {
    const { store, rows } = this.#windows;
    const next = this.#kernels.insertFront(store.state, record);
    if (next === 0) return;
    this.#context.memory.u32(this.#pair, 2).set([record + this.#suffix, next + this.#suffix]);
    rows.merge(this.#pair, this.#pair + 4, 1);
  }

  /** Puts out a window whose aggregate stands in the listed record. */
  emitOne(end: bigint, list: Pointer, collector: Collector): void {
    this.#end = end;
    this.#windows.output.append(list, 1, collector);
  }

  save(): SavedPanes {
    const horizon = BigInt64Array.of(clampTime(this.horizon), this.#slabs.block);
    return { ...this.#slabs.save(), horizon: new Uint8Array(horizon.buffer) };
  }

  dispose(): void {
    this.#slabs.dispose();
    this.#context.memory.free(this.#pair);
  }

  #allocate(): Scratch {
    const { memory, keys } = this.#context;
    const { arena } = memory;
    const mark = arena.mark();
    const records = Math.max(1, keys.size);
    const chunkRows = Math.min(records, CHUNK_ROWS);
    return {
      mark,
      targets: arena.allocate(records * 4),
      sources: arena.allocate(records * 4),
      list: arena.allocate(chunkRows * 4),
      copies: arena.allocate(chunkRows * this.#aggregateBytes),
      chunkRows,
    };
  }
}

/** In the arena, for as long as windows are put out. */
interface Scratch {
  readonly mark: { readonly chunk: number; readonly used: number };
  /** u32[keys] each: what is merged into what. */
  readonly targets: Pointer;
  readonly sources: Pointer;
  /** u32[chunkRows]: records of windows. */
  readonly list: Pointer;
  /** Room for chunkRows aggregates. */
  readonly copies: Pointer;
  readonly chunkRows: number;
}
