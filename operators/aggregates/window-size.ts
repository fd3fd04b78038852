/** How large the state of a window gets: what each key has, and what each of its windows takes. */

import { durationNs } from '../../engine/contract/time.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import type { StatePart, StateSize } from '../../engine/contract/state-size.ts';
import { acceptedAggregates } from './plan-aggregates.ts';
import { layoutRecord } from './record-layout.ts';
import type { WindowConfig } from './window-plan.ts';

/** u32 for each key: where its last row went. */
const CURSOR_BYTES = 4;

/** Bytes of a record of these aggregates. */
export function recordBytes(
  { aggregates, emit }: WindowConfig,
  input: Schema,
  headBytes?: number,
): number {
  const { calls } = acceptedAggregates(aggregates, input);
  const isRevised = emit === 'early';
  return layoutRecord(calls, {
    isRevised,
    ...(headBytes === undefined ? {} : { headBytes }),
  }).bytes;
}

export function windowSize(keyBytes: number, ...parts: readonly StatePart[]): StateSize {
  return { key: CURSOR_BYTES + keyBytes, parts };
}

/**
 * Windows of a key that are open at once: the one at hand, the one before it until the watermark
 * is told, and those that wait for late rows.
 * @param step From the start of a window to that of the next.
 */
export function openAtOnce(step: string, { allowed_lateness }: WindowConfig): number {
  return 2 + ratio(durationNs(allowed_lateness), durationNs(step));
}

/** How many of the second go into the first, rounded up. */
export function ratio(span: bigint, unit: bigint): number {
  return Number((span + unit - 1n) / unit);
}
