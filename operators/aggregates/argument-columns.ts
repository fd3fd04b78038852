/** The columns that aggregate calls accumulate, and the accumulators over them. */

import { type AccumulatorKind, AGGREGATES } from './aggregate-functions.ts';
import type { AggregateCall, Argument } from './plan-aggregates.ts';

/** How the values of an argument are read: as f64, whatever its number type, or as they are. */
export type Representation = 'f64' | 'i64' | 'u32' | 'u8';

export interface ArgumentColumn {
  readonly argument: Argument;
  readonly representation: Representation;
}

export interface Accumulator {
  readonly kind: AccumulatorKind;
  /** Number of its argument column. */
  readonly column: number;
  /** Bytes into the record. */
  readonly field: number;
  /** Field of the u32 number of values, of moments only. */
  readonly counter: number;
}

/** The column that a call accumulates, or undefined for `count()`. */
export function columnOf({ name, argument }: AggregateCall): ArgumentColumn | undefined {
  if (argument === undefined) return undefined;
  return { argument, representation: representationOf(AGGREGATES[name].takes, argument) };
}

function representationOf(takes: string, { type }: Argument): Representation {
  if (takes === 'number' || type === 'float64') return 'f64';
  if (type === 'string') return 'u32';
  return type === 'boolean' ? 'u8' : 'i64';
}

export function sameColumn(a: ArgumentColumn, b: ArgumentColumn): boolean {
  return a.argument.text === b.argument.text && a.representation === b.representation;
}
