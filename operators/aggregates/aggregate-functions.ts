/**
 * The aggregates of a window: what each takes and gives, and what a window must keep for it.
 *
 * Nulls, and values that are not finite, do not enter an aggregate. An aggregate of no values is
 * null, except that a count of none is 0.
 */

import type { ColumnType } from '../../engine/contract/schema.ts';

export type AggregateName =
  | 'count'
  | 'sum'
  | 'mean'
  | 'min'
  | 'max'
  | 'first'
  | 'last'
  | 'variance'
  | 'stddev'
  | 'variance_pop'
  | 'stddev_pop';

/** What a record keeps of one argument; `_window-accumulators.ts` gives the layouts. */
export type AccumulatorKind = 'sum' | 'moments' | 'extremes' | 'ends' | 'nulls';

export interface AggregateFunction {
  /** How it is called, for messages and documentation. */
  readonly usage: string;
  readonly doc: string;
  /** Only count takes anything, or nothing. */
  readonly takes: 'number' | 'ordered' | 'anything';
  /** 'same' as the argument's. */
  readonly gives: 'int64' | 'float64' | 'same';
  readonly keeps: AccumulatorKind;
}

export const AGGREGATES: Readonly<Record<AggregateName, AggregateFunction>> = {
  count: {
    usage: 'count() or count(x)',
    doc: 'Number of rows, or of rows where x is not null.',
    takes: 'anything',
    gives: 'int64',
    keeps: 'nulls',
  },
  sum: {
    usage: 'sum(x)',
    doc: 'Sum of the values.',
    takes: 'number',
    gives: 'float64',
    keeps: 'sum',
  },
  mean: {
    usage: 'mean(x)',
    doc: 'Arithmetic mean of the values.',
    takes: 'number',
    gives: 'float64',
    keeps: 'moments',
  },
  min: {
    usage: 'min(x)',
    doc: 'Smallest value.',
    takes: 'ordered',
    gives: 'same',
    keeps: 'extremes',
  },
  max: {
    usage: 'max(x)',
    doc: 'Largest value.',
    takes: 'ordered',
    gives: 'same',
    keeps: 'extremes',
  },
  first: {
    usage: 'first(x)',
    doc: 'Value of the row with the earliest event time; of several, the one that came first.',
    takes: 'ordered',
    gives: 'same',
    keeps: 'ends',
  },
  last: {
    usage: 'last(x)',
    doc: 'Value of the row with the latest event time; of several, the one that came last.',
    takes: 'ordered',
    gives: 'same',
    keeps: 'ends',
  },
  variance: {
    usage: 'variance(x)',
    doc: 'Variance of a sample (n - 1); null for fewer than two values.',
    takes: 'number',
    gives: 'float64',
    keeps: 'moments',
  },
  stddev: {
    usage: 'stddev(x)',
    doc: 'Standard deviation of a sample (n - 1); null for fewer than two values.',
    takes: 'number',
    gives: 'float64',
    keeps: 'moments',
  },
  variance_pop: {
    usage: 'variance_pop(x)',
    doc: 'Variance of a population (n).',
    takes: 'number',
    gives: 'float64',
    keeps: 'moments',
  },
  stddev_pop: {
    usage: 'stddev_pop(x)',
    doc: 'Standard deviation of a population (n).',
    takes: 'number',
    gives: 'float64',
    keeps: 'moments',
  },
};

export const AGGREGATE_NAMES: ReadonlySet<string> = new Set(Object.keys(AGGREGATES));

const ACCEPTED: Readonly<Record<AggregateFunction['takes'], readonly ColumnType[]>> = {
  number: ['float64', 'int64'],
  ordered: ['float64', 'int64', 'timestamp'],
  anything: ['float64', 'int64', 'timestamp', 'string', 'boolean'],
};

/** Types of argument that the function takes. */
export function acceptedTypes(name: AggregateName): readonly ColumnType[] {
  return ACCEPTED[AGGREGATES[name].takes];
}

/** Type of the result for an argument of this type. */
export function resultType(name: AggregateName, argument: ColumnType | undefined): ColumnType {
  const { gives } = AGGREGATES[name];
  if (gives !== 'same') return gives;
  if (argument === undefined) throw new TypeError(`${name} takes an argument`);
  return argument;
}
