/**
 * How large the state of a step gets, told before it runs: bytes of a snapshot, by key. In linear
 * memory the same takes up to twice as much, because blocks are powers of two.
 */

import type { OperatorDefinition } from './operator.ts';
import type { Schema } from './schema.ts';

export interface StateSize {
  /** Bytes of each key that has had a row, whatever its rows are. */
  readonly key: number;
  readonly parts: readonly StatePart[];
}

/** Something of which the rows decide how many a key has. */
export interface StatePart {
  readonly bytes: number;
  /** In the singular, behind `for each`: `open window`, `distinct row within 1h`. */
  readonly each: string;
  /**
   * How many a key has at most, where the configuration tells: with rows in order of time, in
   * batches that each span less than a window.
   */
  readonly atMost?: number;
}

export const NO_STATE: StateSize = { key: 0, parts: [] };

/** Undefined where the declaration does not say. */
export function stateSizeOf(
  { state }: OperatorDefinition,
  config: Readonly<Record<string, unknown>>,
  input: Schema,
): StateSize | undefined {
  if (state.scope === 'none') return NO_STATE;
  return state.bytesPerKey?.(config, input);
}

/** Bytes of a key, as far as they are bounded. */
export function boundedBytes({ key, parts }: StateSize): number {
  return parts.reduce((sum, { bytes, atMost = 0 }) => sum + bytes * atMost, key);
}

/** What comes on top of `boundedBytes`. */
export function unboundedParts({ parts }: StateSize): readonly StatePart[] {
  return parts.filter(({ atMost }) => atMost === undefined);
}

export function sumOfSizes(sizes: readonly StateSize[]): StateSize {
  return {
    key: sizes.reduce((sum, { key }) => sum + key, 0),
    parts: sizes.flatMap(({ parts }) => parts),
  };
}
