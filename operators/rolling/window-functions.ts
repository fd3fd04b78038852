/** Functions of the values in a window. */

import { AGGREGATES } from '../aggregates/aggregate-functions.ts';
import {
  type Kernel,
  NUMBERS,
  numberOf,
  type Parameter,
  type ParameterValues,
  type RollingFunction,
} from './rolling-function.ts';

/** Values that `lag` and its kin look back at most. */
export const LAG_DISTANCE_MAX = 100_000;

const WHERE_FLAT = 'null where all values are equal';

function ofWindow(
  usage: string,
  doc: string,
  computes: RollingFunction['computes'],
  more: Partial<RollingFunction> = {},
): RollingFunction {
  return { usage, doc, inputs: ['x'], window: 'step', computes, ...more };
}

function aggregate(output: string): Kernel {
  return { kind: 'aggregate', output };
}

/** Those that a window of time has as well are what they are there. */
function shared(name: keyof typeof AGGREGATES): RollingFunction {
  const { usage, doc } = AGGREGATES[name];
  return ofWindow(usage, doc, aggregate(name));
}

const DISTANCE: Parameter = { kind: 'integer', default: 1, least: 1, most: LAG_DISTANCE_MAX };

function lag(output: string, usage: string, doc: string): RollingFunction {
  return ofWindow(
    usage,
    doc,
    { kind: 'lag', output, arguments: ({ n }) => [Number(n)] },
    {
      parameters: { n: DISTANCE },
      takes: () => (output === 'pct_change' ? NUMBERS : [...NUMBERS, 'timestamp']),
      gives: (type) => {
        if (output === 'lag') return type;
        return output === 'delta' && type === 'int64' ? 'int64' : 'float64';
      },
      outputFor: (type) => {
        if (output === 'lag' || type === 'float64') return output;
        return type === 'timestamp' ? `${output}_seconds` : `${output}_integer`;
      },
    },
  );
}

function ordered(
  output: string,
  usage: string,
  doc: string,
  parameters?: Readonly<Record<string, Parameter>>,
): RollingFunction {
  const names = Object.keys(parameters ?? {});
  const computes: Kernel = {
    kind: 'ordered',
    output,
    arguments: (values: ParameterValues) => names.map((name) => numberOf(values, name)),
  };
  return ofWindow(usage, doc, computes, { ...(parameters && { parameters }) });
}

const SHARE: Parameter = { kind: 'number', least: 0, most: 1 };
const FENCE: Parameter = { kind: 'number', default: 1.5, least: 0 };
const WIDTH: Parameter = { kind: 'number', default: 2, least: 0, isAbove: true };
const BAND = {
  k: WIDTH,
  ddof: { kind: 'integer', default: 0, least: 0, most: 1 },
} satisfies Readonly<Record<string, Parameter>>;

function deviation({ ddof }: ParameterValues): string {
  return ddof === 1 ? 'stddev(x)' : 'stddev_pop(x)';
}

function band(
  usage: string,
  doc: string,
  text: (values: ParameterValues) => string,
): RollingFunction {
  return ofWindow(usage, doc, { kind: 'formula', text }, { parameters: BAND });
}

export const WINDOW_FUNCTIONS = {
  count: {
    ...shared('count'),
    inputsOptional: 1,
    gives: () => 'int64' as const,
  },
  sum: shared('sum'),
  mean: shared('mean'),
  min: shared('min'),
  max: shared('max'),
  variance: shared('variance'),
  stddev: shared('stddev'),
  variance_pop: shared('variance_pop'),
  stddev_pop: shared('stddev_pop'),
  skew: ofWindow(
    'skew(x)',
    `Skewness of a sample, without bias; null for fewer than three values, and ${WHERE_FLAT}.`,
    aggregate('skew'),
  ),
  kurtosis: ofWindow(
    'kurtosis(x)',
    'Excess kurtosis of a sample, without bias (0 of a normal distribution); null for fewer ' +
      `than four values, and ${WHERE_FLAT}.`,
    aggregate('kurtosis'),
  ),
  slope: ofWindow(
    'slope(x)',
    'Slope of the least-squares line through the values by their number in the window: how much ' +
      'x rises from one value to the next. Null for fewer than two values.',
    aggregate('slope'),
  ),
  zscore: ofWindow(
    'zscore(x)',
    'Distance of x from the mean of the window, in standard deviations of a sample; ' +
      `${WHERE_FLAT}.`,
    aggregate('zscore'),
  ),
  bollinger_upper: band(
    'bollinger_upper(x, k => 2, ddof => 0)',
    'Mean and k standard deviations: of the population, or with `ddof => 1` of a sample.',
    (values) => `mean(x) + ${values['k']} * ${deviation(values)}`,
  ),
  bollinger_lower: band(
    'bollinger_lower(x, k => 2, ddof => 0)',
    'Mean less k standard deviations: of the population, or with `ddof => 1` of a sample.',
    (values) => `mean(x) - ${values['k']} * ${deviation(values)}`,
  ),
  percent_b: band(
    'percent_b(x, k => 2, ddof => 0)',
    'Where x lies between the Bollinger bands: 0 at the lower, 1 at the upper; ' + `${WHERE_FLAT}.`,
    (values) => `0.5 + (x - mean(x)) / (${2 * numberOf(values, 'k')} * ${deviation(values)})`,
  ),
  lag: lag('lag', 'lag(x) or lag(x, n)', 'The n-th value before, the last one unless n is given.'),
  delta: lag(
    'delta',
    'delta(x) or delta(x, n)',
    'Difference of x to the n-th value before; of timestamps, in seconds.',
  ),
  pct_change: lag(
    'pct_change',
    'pct_change(x) or pct_change(x, n)',
    'Change of x from the n-th value before, as a fraction: 0.01 is one percent.',
  ),
} satisfies Readonly<Record<string, RollingFunction>>;

function pair(output: string, usage: string, doc: string, inputs = ['x', 'y']): RollingFunction {
  return { ...ofWindow(usage, doc, { kind: 'pair', output }), inputs };
}

/** Of rows where neither value is null. */
export const PAIR_FUNCTIONS = {
  correlation: pair(
    'correlation',
    'correlation(x, y)',
    'Correlation of x and y (Pearson), -1 to 1, over the last rows where neither is null; null ' +
      'where all values of one of them are equal.',
  ),
  covariance: pair(
    'covariance',
    'covariance(x, y)',
    'Covariance of a sample of rows where neither x nor y is null.',
  ),
  regr_slope: pair(
    'regr_slope',
    'regr_slope(y, x)',
    'Slope of the least-squares line of y by x: how much y rises where x rises by 1, such as a ' +
      'beta; null where all values of x are equal.',
    ['y', 'x'],
  ),
} satisfies Readonly<Record<string, RollingFunction>>;

export const ORDERED_FUNCTIONS = {
  median: ofWindow('median(x)', 'The value in the middle, or the mean of the two.', {
    kind: 'ordered',
    output: 'quantile',
    arguments: () => [0.5],
  }),
  quantile: ordered(
    'quantile',
    'quantile(x, p)',
    'The value below which the share p (0 to 1) of the values lies, interpolated between ' +
      'neighbours (type 7, as in numpy, pandas and R).',
    { p: SHARE },
  ),
  iqr: ordered('iqr', 'iqr(x)', 'Distance of the quartiles, quantile 0.75 less quantile 0.25.'),
  iqr_lower: ordered(
    'iqr_lower',
    'iqr_lower(x, k => 1.5)',
    `Lower fence: quantile 0.25 less k times iqr(x); null where that is 0.`,
    { k: FENCE },
  ),
  iqr_upper: ordered(
    'iqr_upper',
    'iqr_upper(x, k => 1.5)',
    `Upper fence: quantile 0.75 and k times iqr(x); null where that is 0.`,
    { k: FENCE },
  ),
  mad: ordered('mad', 'mad(x)', 'Median of the distances from the median.'),
  robust_zscore: ordered(
    'robust_zscore',
    'robust_zscore(x)',
    '0.6745 times the distance of x from the median, in mad(x). Where that is 0, the distance in ' +
      `1.2533 times the mean distance from the median; ${WHERE_FLAT}.`,
  ),
} satisfies Readonly<Record<string, RollingFunction>>;
