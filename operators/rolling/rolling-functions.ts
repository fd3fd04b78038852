/** The functions of a rolling step, with what a user is told of them. */

import type { Aggregate } from '../../wasm/host/rolling.ts';
import { AGGREGATES } from '../aggregates/aggregate-functions.ts';

export interface RollingFunction {
  /** How it is called, for messages and documentation. */
  readonly usage: string;
  readonly doc: string;
}

export const LAGS = ['lag', 'delta', 'pct_change'] as const;

/** Those that a window has as well are what they are there. */
const { count, sum, mean, min, max, variance, stddev } = AGGREGATES;

export const ROLLING_FUNCTIONS: Readonly<
  Record<Aggregate | (typeof LAGS)[number], RollingFunction>
> = {
  ...{ count, sum, mean, min, max, variance, stddev },
  zscore: {
    usage: 'zscore(x)',
    doc: 'Distance of x from the mean of the window, in standard deviations of a sample.',
  },
  lag: {
    usage: 'lag(x) or lag(x, n)',
    doc: 'The n-th value before, the last one unless n is given.',
  },
  delta: {
    usage: 'delta(x) or delta(x, n)',
    doc: 'Difference of x to the n-th value before; of timestamps, in seconds.',
  },
  pct_change: {
    usage: 'pct_change(x) or pct_change(x, n)',
    doc: 'Change of x from the n-th value before, as a fraction: 0.01 is one percent.',
  },
};

export const ROLLING_NAMES: ReadonlySet<string> = new Set(Object.keys(ROLLING_FUNCTIONS));
