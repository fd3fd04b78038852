/**
 * Hopping windows at work: rows to panes, panes to windows, and rows for windows already stated.
 */

import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import type {
  Collector,
  OpenWindow,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { durationNs, END_OF_TIME } from '../../engine/contract/time.ts';
import { type WindowPanesExports, windowPanes } from '../../wasm/host/window-panes.ts';
import { RECORD_KEY, RECORD_ROWS, STATE } from '../../wasm/host/window-store.ts';
import { emitLateRows } from '../aggregates/late-rows.ts';
import {
  type OpenWindows,
  openWindows,
  saveWindows,
  type WindowSpans,
  withMemory,
} from '../aggregates/open-windows.ts';
import type { RowsAtHand } from '../aggregates/row-accumulator.ts';
import { CHUNK_ROWS } from '../aggregates/window-output.ts';
import { clampTime, floorTime, type WindowConfig } from '../aggregates/window-plan.ts';
import { PaneWindows } from './pane-windows.ts';
import { Revisions } from './revisions.ts';

export interface HoppingWindowConfig extends WindowConfig {
  readonly size: string;
  readonly slide: string;
}

export class HoppingWindowOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #size: bigint;
  readonly #slide: bigint;
  readonly #lateness: bigint;
  readonly #isEarly: boolean;
  readonly #spans: WindowSpans;
  readonly #windows: OpenWindows;
  readonly #panes: PaneWindows;
  readonly #kernels: WindowPanesExports;
  readonly #revisions = new Revisions();
  /** Room for one aggregate, where windows are stated again. */
  readonly #restated: Pointer;
  #isDisposed = false;

  constructor(
    config: HoppingWindowConfig,
    context: OperatorContext,
    state: StateTables | undefined,
  ) {
    this.#context = context;
    const [size, slide] = [durationNs(config.size), durationNs(config.slide)];
    const lateness = durationNs(config.allowed_lateness);
    const isEarly = config.emit === 'early';
    [this.#size, this.#slide, this.#lateness, this.#isEarly] = [size, slide, lateness, isEarly];
    this.#spans = {
      shape: `size ${size} ns, slide ${slide} ns, ${config.emit}`,
      width: slide,
      lateSpan: size + lateness,
      // From the moment that a pane's first window is put out, its rows go into others as well.
      awkwardSpan: isEarly ? slide : slide + lateness,
    };
    this.#windows = openWindows(
      {
        ...this.#spans,
        aggregates: config.aggregates,
        isRevised: isEarly,
        copies: isEarly ? 2 : 1,
        revision: 0,
        emitBounds: ({ fillI64 }, _list, count, starts, ends) => {
          fillI64(clampTime(this.#panes.end - size), count, starts);
          fillI64(clampTime(this.#panes.end), count, ends);
        },
      },
      context,
      state,
    );
    const saved = state && {
      fronts: state['fronts']!,
      backs: state['backs']!,
      active: state['active_keys']!,
      horizon: state['horizon']!,
    };
    this.#panes = new PaneWindows({ size, slide }, this.#windows, isEarly, context, saved);
    this.#kernels = windowPanes(context.kernels);
    this.#restated = isEarly ? context.memory.allocate(this.#windows.layout.bytes) : 0;
    if (state !== undefined) this.#revisions.load(state['revisions']!);
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount > 0) withMemory(this.#context, () => this.#process(batch, collector));
  }

  #process(batch: Batch, collector: Collector): void {
    const { store, rows: accumulator, output } = this.#windows;
    store.growKeys(this.#context.keys.size);
    this.#panes.growKeys(this.#context.keys.size);
    const rows = accumulator.begin(batch);
    const lists = this.#isEarly ? this.#allocateLists(rows) : undefined;
    let row = accumulator.add(rows, 0);
    while (row < rows.rowCount) {
      this.#addPushed(rows, row, lists, collector);
      row = accumulator.add(rows, row + 1);
    }
    output.flush(collector);
    emitLateRows(batch, store, this.#context, collector);
  }

  /** A row for a pane that some of its windows have been put out with. */
  #addPushed(rows: RowsAtHand, row: number, lists: Lists | undefined, collector: Collector): void {
    const watermark = this.#context.memory.i64(rows.watermarks + row * 8, 1)[0]!;
    this.#panes.fire(this.#target(watermark), !this.#isEarly, collector);
    const record = this.#windows.rows.recordOf(rows, row);
    this.#panes.add(record, rows, row);
    if (lists !== undefined) this.#restate(record, watermark, lists, collector);
  }

  /** States the windows again that a row has changed and that are still open. */
  #restate(record: number, watermark: bigint, lists: Lists, collector: Collector): void {
    const { store, rows, layout } = this.#windows;
    const { memory } = this.#context;
    const { panes, targets } = lists;
    const start = store.start(record);
    const key = store.field(record, RECORD_KEY);
    const closed = floorTime(watermark - this.#lateness, this.#slide);
    const first = start + this.#slide;
    const restated = this.#restated - store.records;
    let end = closed + this.#slide > first ? closed + this.#slide : first;
    for (; end <= start + this.#size && end <= this.#panes.horizon; end += this.#slide) {
      const from = clampTime(end - this.#size);
      const count = this.#kernels.listPanes(store.state, record, from, clampTime(end), panes);
      memory.bytes(this.#restated, layout.bytes).set(memory.bytes(store.records, layout.bytes));
      memory.u32(targets, count).fill(restated);
      rows.merge(targets, panes, count);
      const hadRows = store.field(restated, RECORD_ROWS) > 1;
      store.setField(restated, RECORD_KEY, key);
      store.setField(restated, layout.stated + 4, this.#revisions.take(key, end, hadRows));
      memory.u32(targets, 1)[0] = restated;
      this.#panes.emitOne(end, targets, collector);
    }
  }

  /** Room for the panes of one window of one key. */
  #allocateLists({ rowCount }: RowsAtHand): Lists {
    const { store, layout } = this.#windows;
    const { arena } = this.#context.memory;
    const records = Math.ceil(store.get(STATE.used) / layout.bytes) + rowCount;
    const count = Math.min(Number(this.#size / this.#slide), records);
    return { panes: arena.allocate(count * 4), targets: arena.allocate(count * 4) };
  }

  /** End of the last windows that are to be put out at this watermark. */
  #target(watermark: bigint): bigint {
    // At the end of time windows end that would end behind it.
    if (watermark === END_OF_TIME) return floorTime(watermark + this.#size, this.#slide);
    return floorTime(this.#isEarly ? watermark : watermark - this.#lateness, this.#slide);
  }

  advance(watermark: bigint, collector: Collector): bigint {
    const target = this.#target(watermark);
    if (target > this.#panes.horizon) {
      withMemory(this.#context, () => {
        this.#panes.fire(target, !this.#isEarly, collector);
        if (this.#isEarly) this.#close(watermark);
      });
    }
    if (watermark === END_OF_TIME) return END_OF_TIME;
    const closed = floorTime(watermark - this.#lateness, this.#slide);
    return floorTime(closed + this.#slide - this.#size, this.#slide);
  }

  /** Gives back what no open window needs, where windows are stated early. */
  #close(watermark: bigint): void {
    const closed = floorTime(watermark - this.#lateness, this.#slide);
    this.#revisions.forget(closed);
    const evicted = this.#panes.horizon - this.#size - this.#slide;
    const limit = closed - this.#size;
    const list = this.#context.memory.arena.allocate(CHUNK_ROWS * 4);
    this.#panes.close(limit < evicted ? limit : evicted, list, CHUNK_ROWS);
  }

  /** Windows that have rows and are not out yet: each pane is in several. */
  openWindows(key: number): OpenWindow[] {
    const { store } = this.#windows;
    const rowsByEnd = new Map<bigint, number>();
    for (const pane of store.recordsOf(key)) {
      const start = store.start(pane);
      for (let end = start + this.#slide; end <= start + this.#size; end += this.#slide) {
        if (end <= this.#panes.horizon) continue;
        rowsByEnd.set(end, (rowsByEnd.get(end) ?? 0) + store.field(pane, RECORD_ROWS));
      }
    }
    const ends = [...rowsByEnd].sort(([a], [b]) => (a < b ? -1 : 1));
    return ends.map(([end, rows]) => ({
      start: clampTime(end - this.#size),
      end: clampTime(end),
      rows,
      firesAt: clampTime(this.#isEarly ? end : end + this.#lateness),
    }));
  }

  snapshot(): StateTables {
    const { fronts, backs, active, horizon } = this.#panes.save();
    return {
      ...saveWindows(this.#windows, this.#spans),
      fronts,
      backs,
      active_keys: active,
      horizon,
      revisions: this.#revisions.save(),
    };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#panes.dispose();
    this.#context.memory.free(this.#restated);
    this.#windows.store.dispose();
  }
}

/** u32 lists in the arena. */
interface Lists {
  readonly panes: Pointer;
  readonly targets: Pointer;
}
