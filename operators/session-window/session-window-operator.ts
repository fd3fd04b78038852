/**
 * Session windows at work.
 *
 * Rows that join one session, or none, are placed by the kernel. One that joins two, and where
 * sessions are stated early one that changes a session stated already, is handled here: what had
 * been reached by the watermark before the row is stated first, sessions are merged, a session
 * that no longer begins where it was stated to begin is withdrawn, and what the row has changed is
 * stated again.
 */

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
import {
  SESSION_BYTES,
  SESSION_LAST,
  SessionQueues,
  type WindowSessionsExports,
  windowSessions,
} from '../../wasm/host/window-sessions.ts';
import { RECORD_KEY, RECORD_ROWS, RECORD_START } from '../../wasm/host/window-store.ts';
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
import { clampTime, type WindowConfig } from '../aggregates/window-plan.ts';

export interface SessionWindowConfig extends WindowConfig {
  readonly gap: string;
}

/** Revision of a session that has not been stated. */
const REVISION_NONE = 0xffff_ffff;

export class SessionWindowOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #gap: bigint;
  readonly #lateness: bigint;
  readonly #isEarly: boolean;
  readonly #spans: WindowSpans;
  readonly #windows: OpenWindows;
  readonly #queues: SessionQueues;
  readonly #kernels: WindowSessionsExports;
  readonly #emit: WindowEmitExports;
  /** u32[2]: lists of one or two records. */
  readonly #pair: Pointer;
  /** Room for the record of a session that is withdrawn; 0 where none is. */
  readonly #withdrawn: Pointer;
  #isDisposed = false;

  constructor(
    config: SessionWindowConfig,
    context: OperatorContext,
    state: StateTables | undefined,
  ) {
    this.#context = context;
    const { kernels, memory } = context;
    const gap = durationNs(config.gap);
    const lateness = durationNs(config.allowed_lateness);
    [this.#gap, this.#lateness, this.#isEarly] = [gap, lateness, config.emit === 'early'];
    this.#kernels = windowSessions(kernels);
    this.#emit = windowEmit(kernels);
    // A session begins with its first row, so that the "window" of a row's lateness is 1 ns wide.
    const shape = `gap ${gap} ns, ${config.emit}`;
    this.#spans = { shape, width: 1n, lateSpan: gap + lateness, awkwardSpan: gap + lateness };
    this.#windows = openWindows(
      {
        ...this.#spans,
        aggregates: config.aggregates,
        isRevised: this.#isEarly,
        headBytes: SESSION_BYTES,
        assign: this.#kernels.assignSessions,
        grow: () => this.#grow(),
        emitBounds: ({ emitField, emitLater }, list, count, starts, ends) => {
          const { records } = this.#windows.store;
          emitField(records, list, count, RECORD_START, starts);
          emitLater(records, list, count, SESSION_LAST, gap, ends);
        },
      },
      context,
      state,
    );
    const { store, layout } = this.#windows;
    const saved = state && { ends: state['session_ends']!, starts: state['session_starts']! };
    this.#queues = new SessionQueues(
      store,
      kernels,
      { gap, lateness, stated: layout.stated },
      saved,
    );
    this.#pair = memory.allocate(8);
    this.#withdrawn = this.#isEarly ? memory.allocate(layout.bytes) : 0;
  }

  #grow(): void {
    this.#windows.store.grow();
    this.#queues.grow();
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount > 0) withMemory(this.#context, () => this.#process(batch, collector));
  }

  #process(batch: Batch, collector: Collector): void {
    const { store, rows: accumulator, output } = this.#windows;
    store.growKeys(this.#context.keys.size);
    const rows = accumulator.begin(batch);
    let row = accumulator.add(rows, 0);
    while (row < rows.rowCount) {
      this.#addAwkward(rows, row, collector);
      row = accumulator.add(rows, row + 1);
    }
    output.flush(collector);
    emitLateRows(batch, store, this.#context, collector);
  }

  #addAwkward(rows: RowsAtHand, row: number, collector: Collector): void {
    const { store, rows: accumulator } = this.#windows;
    const { memory } = this.#context;
    const { keys, times } = rows;
    const watermark =
      rows.watermarks === 0 ? BEGINNING_OF_TIME : memory.i64(rows.watermarks + row * 8, 1)[0]!;
    this.#kernels.joinedSessions(store.state, row, keys, times, watermark, this.#pair);
    const [older, newer] = memory.u32(this.#pair, 2) as unknown as [number, number];
    if (this.#isEarly) this.#stateBefore(older, newer, watermark, collector);
    if (older !== 0 && newer !== 0) {
      memory.u32(this.#pair, 2).set([older, newer]);
      accumulator.merge(this.#pair, this.#pair + 4, 1);
      this.#kernels.absorbSession(store.state, older, newer);
    }
    const place = (): number =>
      this.#kernels.placeAwkwardRow(store.state, row, keys, times, watermark);
    const session = this.#untilThereIsRoom(place);
    accumulator.addTo(session, rows, row);
    if (!this.#isEarly) return;
    if (this.#endOf(session) <= watermark) this.#state(session, collector);
    else this.#untilThereIsRoom(() => this.#kernels.expectEnd(store.state, session));
  }

  /**
   * States the joined sessions whose ends the watermark had reached before the row came, and
   * withdraws the newer one, which from now on begins earlier.
   */
  #stateBefore(older: number, newer: number, watermark: bigint, collector: Collector): void {
    for (const session of [older, newer]) {
      if (session !== 0 && this.#endOf(session) <= watermark) this.#state(session, collector);
    }
    if (newer !== 0) this.#withdraw(newer, collector);
  }

  /** Puts the session out, if it has changed since it was stated last. */
  #state(session: number, collector: Collector): void {
    const { store, layout } = this.#windows;
    if (this.#emit.stateRecord(store.records, session, layout.stated) === 0) return;
    this.#append(session, collector);
  }

  /** States a session that was stated before once more, as empty: it ends where it begins. */
  #withdraw(session: number, collector: Collector): void {
    const { store, layout } = this.#windows;
    const { memory } = this.#context;
    const revision = store.field(session, layout.stated + 4);
    if (revision === REVISION_NONE) return;
    const start = store.start(session);
    const withdrawn = this.#withdrawn - store.records;
    memory.bytes(this.#withdrawn, layout.bytes).set(memory.bytes(store.records, layout.bytes));
    memory.i64(this.#withdrawn + RECORD_START, 1)[0] = start;
    memory.i64(this.#withdrawn + SESSION_LAST, 1)[0] = start - this.#gap;
    store.setField(withdrawn, RECORD_KEY, store.field(session, RECORD_KEY));
    store.setField(withdrawn, layout.stated + 4, revision + 1);
    this.#append(withdrawn, collector);
    store.setField(session, layout.stated, 0);
    store.setField(session, layout.stated + 4, REVISION_NONE);
  }

  #append(record: number, collector: Collector): void {
    this.#context.memory.u32(this.#pair, 1)[0] = record;
    this.#windows.output.append(this.#pair, 1, collector);
  }

  #endOf(session: number): bigint {
    return this.#windows.store.time(session, SESSION_LAST) + this.#gap;
  }

  /** Runs a kernel that gives 0 where there is no room, and makes room. */
  #untilThereIsRoom(run: () => number): number {
    for (;;) {
      const result = run();
      if (result !== 0) return result;
      this.#grow();
    }
  }

  advance(watermark: bigint, collector: Collector): bigint {
    const { state } = this.#windows.store;
    withMemory(this.#context, () => this.#end(watermark, collector));
    if (watermark === END_OF_TIME) return END_OF_TIME;
    const earliestNew = watermark - this.#gap - this.#lateness + 1n;
    const earliest = this.#kernels.earliestStart(state);
    const promised = earliest < earliestNew ? earliest : earliestNew;
    return promised < BEGINNING_OF_TIME ? BEGINNING_OF_TIME : promised;
  }

  #end(watermark: bigint, collector: Collector): void {
    const { store, output } = this.#windows;
    const list = this.#context.memory.arena.allocate(CHUNK_ROWS * 4);
    let count: number;
    do {
      count = this.#kernels.endSessions(store.state, watermark, list, CHUNK_ROWS);
      output.append(list, count, collector);
    } while (count === CHUNK_ROWS);
    output.flush(collector);
  }

  openWindows(key: number): OpenWindow[] {
    const { store } = this.#windows;
    return store.recordsOf(key).map((record) => {
      const end = clampTime(store.time(record, SESSION_LAST) + this.#gap);
      return {
        start: store.start(record),
        end,
        rows: store.field(record, RECORD_ROWS),
        firesAt: clampTime(this.#isEarly ? end : end + this.#lateness),
      };
    });
  }

  snapshot(): StateTables {
    const { ends, starts } = this.#queues.save();
    return {
      ...saveWindows(this.#windows, this.#spans),
      session_ends: ends,
      session_starts: starts,
    };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#queues.dispose();
    this.#context.memory.free(this.#pair);
    this.#context.memory.free(this.#withdrawn);
    this.#windows.store.dispose();
  }
}
