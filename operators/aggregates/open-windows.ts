/**
 * The parts of a window operator at work: plan, layout, store, accumulator and output, and the
 * tables of its snapshot.
 */

import { EngineError } from '../../engine/contract/error.ts';
import type { ExpressionValue } from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import { windowEmit, windowRows } from '../../wasm/host/window-kernels.ts';
import { WindowStore } from '../../wasm/host/window-store.ts';
import { acceptedAggregates } from './plan-aggregates.ts';
import { layoutRecord, type RecordLayout, templateOf } from './record-layout.ts';
import { type AssignRows, RowAccumulator } from './row-accumulator.ts';
import { type EmitBounds, WindowOutput } from './window-output.ts';

/** What every window keeps, for `state.tables`. */
export const windowTables = {
  open_windows: 'Accumulators of each open window (or pane) of each key.',
  last_windows: 'For each key, the window that its last row went to.',
  window_starts: 'Starts of the open windows, each with the list of its keys.',
  position: 'How large a record is, and which ones are free.',
  layout: 'What the accumulators are, as JSON, to tell a state of another configuration.',
} as const;

export interface WindowSpans {
  /** What must be the same for a state to be understood, in words: `size 5m`. */
  readonly shape: string;
  readonly width: bigint;
  readonly lateSpan: bigint;
  readonly awkwardSpan: bigint;
}

export interface OpenWindowsOptions extends WindowSpans {
  readonly aggregates: Readonly<Record<string, ExpressionValue>>;
  readonly isRevised: boolean;
  /** Bytes before the accumulators of a record, where it is more than the header. */
  readonly headBytes?: number;
  /** How often the record's layout stands in a record: 2 where there is a second aggregate. */
  readonly copies?: 1 | 2;
  /** Revision of a record that has not been stated; -1 where stating it counts up. */
  readonly revision?: number;
  /** Default: `assignRows` of windows of fixed starts. */
  readonly assign?: AssignRows;
  /** Makes room after a kernel stopped for lack of it; default: that of the store. */
  readonly grow?: () => void;
  readonly emitBounds: EmitBounds;
}

export interface OpenWindows {
  readonly layout: RecordLayout;
  readonly store: WindowStore;
  readonly rows: RowAccumulator;
  readonly output: WindowOutput;
}

/** @throws {EngineError} config/invalid, where the state is that of another configuration. */
export function openWindows(
  options: OpenWindowsOptions,
  context: OperatorContext,
  tables: StateTables | undefined,
): OpenWindows {
  const plan = acceptedAggregates(options.aggregates, context.input);
  const { headBytes, isRevised, copies = 1 } = options;
  const layout = layoutRecord(plan.calls, {
    isRevised,
    ...(headBytes === undefined ? {} : { headBytes }),
  });
  if (tables !== undefined) assertSameLayout(layout, options, tables, context);
  const single = templateOf(layout, options.revision ?? -1);
  const template = new Uint8Array(single.length * copies);
  for (let copy = 0; copy < copies; copy++) template.set(single, copy * single.length);
  const hasBuckets = options.assign === undefined;
  const fillIndex = hasBuckets ? windowEmit(context.kernels).fillIndex : undefined;
  const shape = { ...options, template, fillIndex };
  const saved = tables && {
    records: tables['open_windows']!,
    cursors: tables['last_windows']!,
    buckets: tables['window_starts']!,
    position: tables['position']!,
  };
  const store = new WindowStore(context.memory, shape, saved);
  const grow = options.grow ?? ((): void => store.grow());
  const assign = options.assign ?? windowRows(context.kernels).assignRows;
  return {
    layout,
    store,
    rows: new RowAccumulator(layout, store, context, assign, grow),
    output: new WindowOutput(plan, layout, store, context, options.emitBounds),
  };
}

/** The tables of `windowTables`. */
export function saveWindows({ layout, store }: OpenWindows, { shape }: WindowSpans): StateTables {
  const { records, cursors, buckets, position } = store.save();
  return {
    open_windows: records,
    last_windows: cursors,
    window_starts: buckets,
    position,
    layout: new TextEncoder().encode(signatureOf(layout, shape)),
  };
}

/** Equal for configurations whose records mean the same. */
function signatureOf(layout: RecordLayout, shape: string): string {
  return JSON.stringify({
    shape,
    columns: layout.columns.map(({ argument: { text }, representation }) => [text, representation]),
    accumulators: layout.accumulators.map(({ kind, column, field }) => [kind, column, field]),
    bytes: layout.bytes,
  });
}

function assertSameLayout(
  layout: RecordLayout,
  { shape }: WindowSpans,
  tables: StateTables,
  { step }: OperatorContext,
): void {
  const found = new TextDecoder().decode(tables['layout']);
  const expected = signatureOf(layout, shape);
  if (found === expected) return;
  throw new EngineError(
    'config/invalid',
    `step "${step}": cannot go on with the open windows of another configuration: ` +
      `found ${found}, expected ${expected}`,
  );
}

/** Runs a part of an operator; memory that is used up becomes an error that names the step. */
export function withMemory<T>({ step, keys }: OperatorContext, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EngineError(
      'memory/exhausted',
      `step "${step}": the open windows of ${keys.size} keys do not fit into the 4 GiB of a ` +
        'slot, expected fewer open windows (a smaller allowed_lateness or ' +
        'max_out_of_orderness) or more slots',
      { cause: error },
    );
  }
}
