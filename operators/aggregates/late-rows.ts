/**
 * Late rows: counted, and put out with how late they were.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import type { Collector, OperatorContext } from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import { selectRows } from '../../engine/expression/select-rows.ts';
import { windowRows } from '../../wasm/host/window-kernels.ts';
import { STATE, type WindowStore } from '../../wasm/host/window-store.ts';
import { LATE_BY } from './window-plan.ts';

/** Counts and puts out the late rows that the kernels have listed for this batch. */
export function emitLateRows(
  batch: Batch,
  store: WindowStore,
  context: OperatorContext,
  collector: Collector,
): void {
  const count = store.get(STATE.lateCount);
  if (count === 0) return;
  const { memory, kernels, input } = context;
  const rows = store.get(STATE.lateRows);
  context.countRows('late', batch, memory.u32(rows, count).slice());
  const late = selectRows(batch, rows, count, context);
  const seconds = memory.arena.allocate(count * 8);
  const times = batch.columns[columnIndex(input, input.time)]!.pointer;
  const { secondsLate } = windowRows(kernels);
  secondsLate(store.state, rows, count, times, batch.rowWatermarks, seconds);
  const columns = late.columns.filter((_, i) => input.columns[i]!.name !== LATE_BY);
  collector.emit({ ...late, columns: [...columns, { type: 'float64', pointer: seconds }] }, 'late');
}
