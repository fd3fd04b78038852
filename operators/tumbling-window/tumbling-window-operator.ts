/** Tumbling windows at work. */

import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import type {
  Collector,
  OpenWindow,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { BEGINNING_OF_TIME, durationNs, END_OF_TIME } from '../../engine/contract/time.ts';
import { type WindowEmitExports, windowEmit } from '../../wasm/host/window-kernels.ts';
import { RECORD_ROWS, RECORD_START } from '../../wasm/host/window-store.ts';
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

export interface TumblingWindowConfig extends WindowConfig {
  readonly size: string;
}

export class TumblingWindowOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #kernels: WindowEmitExports;
  readonly #size: bigint;
  readonly #lateness: bigint;
  readonly #isEarly: boolean;
  readonly #spans: WindowSpans;
  readonly #windows: OpenWindows;
  /** Every window that starts at or before this has been stated, where windows are stated early. */
  #statedTo = BEGINNING_OF_TIME;

  constructor(
    config: TumblingWindowConfig,
    context: OperatorContext,
    state: StateTables | undefined,
  ) {
    this.#context = context;
    this.#kernels = windowEmit(context.kernels);
    const size = durationNs(config.size);
    this.#size = size;
    this.#lateness = durationNs(config.allowed_lateness);
    this.#isEarly = config.emit === 'early';
    const lateSpan = size + this.#lateness;
    const shape = `size ${size} ns, ${config.emit}`;
    this.#spans = { shape, width: size, lateSpan, awkwardSpan: this.#isEarly ? size : lateSpan };
    this.#windows = openWindows(
      {
        ...this.#spans,
        aggregates: config.aggregates,
        isRevised: this.#isEarly,
        emitBounds: ({ emitField, emitLater }, list, count, starts, ends) => {
          const { records } = this.#windows.store;
          emitField(records, list, count, RECORD_START, starts);
          emitLater(records, list, count, RECORD_START, size, ends);
        },
      },
      context,
      state,
    );
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount > 0) withMemory(this.#context, () => this.#process(batch, collector));
  }

  #process(batch: Batch, collector: Collector): void {
    const { store, rows: accumulator, output } = this.#windows;
    store.growKeys(this.#context.keys.size);
    const rows = accumulator.begin(batch);
    const list = this.#isEarly ? this.#context.memory.arena.allocate(4) : 0;
    let row = accumulator.add(rows, 0);
    while (row < rows.rowCount) {
      this.#restate(rows, row, list, collector);
      row = accumulator.add(rows, row + 1);
    }
    output.flush(collector);
    emitLateRows(batch, store, this.#context, collector);
  }

  /** A row for a window whose end the watermark has passed: states it without and with the row. */
  #restate(rows: RowsAtHand, row: number, list: Pointer, collector: Collector): void {
    const { rows: accumulator } = this.#windows;
    const record = accumulator.recordOf(rows, row);
    this.#state(record, list, collector);
    accumulator.addTo(record, rows, row);
    this.#state(record, list, collector);
  }

  /** Puts out the window of the record, if it has changed since it was stated last. */
  #state(record: number, list: Pointer, collector: Collector): void {
    const { store, output, layout } = this.#windows;
    if (this.#kernels.stateRecord(store.records, record, layout.stated) === 0) return;
    this.#context.memory.u32(list, 1)[0] = record;
    output.append(list, 1, collector);
  }

  advance(watermark: bigint, collector: Collector): bigint {
    const closeTo = this.#startLimit(watermark, this.#spans.lateSpan);
    const stateTo = this.#isEarly ? this.#startLimit(watermark, this.#size) : BEGINNING_OF_TIME;
    const oldest = this.#windows.store.bucketStart(0);
    if (oldest !== undefined) {
      withMemory(this.#context, () => {
        if (stateTo > this.#statedTo) this.#stateWindows(stateTo, collector);
        if (oldest <= closeTo) this.#closeWindows(closeTo, collector);
      });
    }
    if (stateTo > this.#statedTo) this.#statedTo = stateTo;
    if (watermark === END_OF_TIME) return END_OF_TIME;
    return floorTime(watermark - this.#lateness, this.#size);
  }

  /** Start of the last window whose start plus the span is at or below the watermark. */
  #startLimit(watermark: bigint, span: bigint): bigint {
    return watermark === END_OF_TIME ? END_OF_TIME : watermark - span;
  }

  #stateWindows(limit: bigint, collector: Collector): void {
    const { store, output, layout } = this.#windows;
    const { arena } = this.#context.memory;
    const list = arena.allocate(CHUNK_ROWS * 4);
    const from = this.#statedTo;
    let count: number;
    do {
      count = this.#kernels.stateWindows(store.state, from, limit, layout.stated, list, CHUNK_ROWS);
      output.append(list, count, collector);
    } while (count === CHUNK_ROWS);
    output.flush(collector);
  }

  /** Closes windows and, unless they have been stated early, puts them out. */
  #closeWindows(limit: bigint, collector: Collector): void {
    const { store, output } = this.#windows;
    const list = this.#context.memory.arena.allocate(CHUNK_ROWS * 4);
    let count: number;
    do {
      count = this.#kernels.closeWindows(store.state, limit, list, CHUNK_ROWS);
      if (!this.#isEarly) output.append(list, count, collector);
    } while (count === CHUNK_ROWS);
    output.flush(collector);
  }

  openWindows(key: number): OpenWindow[] {
    const { store } = this.#windows;
    return store.recordsOf(key).map((record) => {
      const start = store.start(record);
      const end = clampTime(start + this.#size);
      const isStated = this.#isEarly && start <= this.#statedTo;
      const firesAt = isStated ? undefined : clampTime(this.#isEarly ? end : end + this.#lateness);
      return { start, end, rows: store.field(record, RECORD_ROWS), firesAt };
    });
  }

  snapshot(): StateTables {
    return saveWindows(this.#windows, this.#spans);
  }

  dispose(): void {
    this.#windows.store.dispose();
  }
}
