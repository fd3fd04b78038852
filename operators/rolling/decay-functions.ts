/** Functions without a window: means that decay, and sums since a session has begun. */

import { parseDuration } from '../../engine/contract/time.ts';
import {
  type Kernel,
  NUMBERS,
  NUMBERS_AND_FLAGS,
  numberOf,
  type Parameter,
  type ParameterValues,
  type RollingFunction,
} from './rolling-function.ts';

const ROWS_MAX = 10_000_000;

const DECAY = {
  alpha: { kind: 'number', least: 0, most: 1, isAbove: true, isOptional: true },
  span: { kind: 'number', least: 1, isOptional: true },
  halflife: { kind: 'number', least: 0, isAbove: true, isOptional: true },
  adjust: { kind: 'flag', default: false },
  ignore_nulls: { kind: 'flag', default: false },
  min_rows: { kind: 'integer', default: 1, least: 1, most: ROWS_MAX },
} satisfies Readonly<Record<string, Parameter>>;

const EXCLUDE: Parameter = { kind: 'flag', isOptional: true };
const BIASED: Parameter = { kind: 'flag', default: false };

/** Weight of the newest value. */
function alphaOf({ alpha, span, halflife }: ParameterValues): number {
  if (alpha !== undefined) return Number(alpha);
  return span !== undefined ? 2 / (Number(span) + 1) : 1 - Math.exp(-Math.LN2 / Number(halflife));
}

function decaying(
  output: string,
  usage: string,
  doc: string,
  more: Readonly<Record<string, Parameter>>,
): RollingFunction {
  const isScore = output === 'zscore';
  const computes: Kernel = {
    kind: 'ewm',
    output,
    settings: (values) => [
      alphaOf(values),
      Number(values['adjust']),
      Number(values['ignore_nulls']),
      numberOf(values, 'clamp') || 0,
    ],
    arguments: (values) => [
      isScore ? 1 : Number(values['exclude_current']),
      numberOf(values, 'min_rows'),
      Number(values['bias'] ?? false),
    ],
  };
  return {
    usage,
    doc,
    inputs: ['x'],
    window: 'own',
    parameters: { ...DECAY, ...more },
    check: ({ alpha, span, halflife }) => {
      const given = [alpha, span, halflife].filter((value) => value !== undefined).length;
      if (given === 1) return undefined;
      const expected = 'expected one of alpha =>, span => and halflife =>';
      return `${expected}, got ${given === 0 ? 'none' : given}`;
    },
    computes,
  };
}

const EWM = 'alpha | span | halflife => …, adjust => false, ignore_nulls => false, min_rows => 1';

export const DECAY_FUNCTIONS = {
  ewm_mean: decaying(
    'mean',
    `ewm_mean(x, ${EWM}, exclude_current)`,
    'Exponentially weighted mean: it begins as the first value and moves by alpha of the ' +
      'distance of each further one. `span => n` is alpha 2 / (n + 1), `halflife => n` is ' +
      '1 - exp(-ln 2 / n). With `adjust => true` (the default of pandas) it is the mean of all ' +
      'values, with weights (1 - alpha)^age. The weights decay at a null too, unless ' +
      '`ignore_nulls => true`. `exclude_current` is that of the step unless given.',
    { exclude_current: EXCLUDE },
  ),
  ewm_variance: decaying(
    'variance',
    `ewm_variance(x, ${EWM}, exclude_current, bias => false)`,
    'Variance with the weights of ewm_mean, without bias (null at the first value), or with ' +
      '`bias => true` plainly weighted (0 at the first value).',
    { exclude_current: EXCLUDE, bias: BIASED },
  ),
  ewm_stddev: decaying(
    'stddev',
    `ewm_stddev(x, ${EWM}, exclude_current, bias => false)`,
    'Root of ewm_variance.',
    { exclude_current: EXCLUDE, bias: BIASED },
  ),
  ewm_zscore: decaying(
    'zscore',
    `ewm_zscore(x, ${EWM}, bias => true, clamp)`,
    'Distance of x from the ewm_mean of before the row, in ewm_stddev of before the row (with ' +
      'bias, unless `bias => false`); null where that is 0. With `clamp => k` a value moves mean ' +
      'and variance no further than one k standard deviations away, so that an outlier does not ' +
      'spoil the baseline. Scores mean little before some 3 / alpha values: see `min_rows`.',
    {
      bias: { kind: 'flag', default: true },
      clamp: { kind: 'number', least: 0, isAbove: true, isOptional: true },
    },
  ),
  seeded_mean: {
    usage: 'seeded_mean(x, alpha, n, skip => 0)',
    doc:
      'The plain mean of n values, after `skip` values that are passed over; from there on it ' +
      'moves by alpha of the distance of each value: with alpha 1 / n, the smoothing of Wilder. ' +
      'Null until the n-th value.',
    inputs: ['x'],
    window: 'own',
    parameters: {
      alpha: { kind: 'number', least: 0, most: 1, isAbove: true },
      n: { kind: 'integer', least: 1, most: ROWS_MAX },
      skip: { kind: 'integer', default: 0, least: 0, most: ROWS_MAX },
    },
    computes: {
      kind: 'seeded',
      output: 'mean',
      settings: (values) => ['alpha', 'n', 'skip'].map((name) => numberOf(values, name)),
      arguments: (values) => [0, numberOf(values, 'n') + numberOf(values, 'skip'), 0],
    },
  },
} satisfies Readonly<Record<string, RollingFunction>>;

const STRETCH = {
  every: { kind: 'text', default: '1d', isDuration: true },
  offset: { kind: 'text', default: '0s', isDuration: true },
} satisfies Readonly<Record<string, Parameter>>;

/** Nanoseconds that a double holds exactly, a hundred days. */
const EVERY_MAX = '100d';

function checkStretch({ every, offset }: ParameterValues): string | undefined {
  const [length, start] = [parseDuration(String(every))!, parseDuration(String(offset))!];
  if (length === 0n) return "expected every => above '0s'";
  const most = parseDuration(EVERY_MAX)!;
  const isLong = length > most || start > most;
  return isLong ? `expected every and offset of at most '${EVERY_MAX}'` : undefined;
}

function session(output: string, doc: string): RollingFunction {
  return {
    usage: `session_${output}(x, anchor) or session_${output}(x, every => '1d', offset => '0s')`,
    doc,
    inputs: ['x', 'anchor'],
    inputsOptional: 1,
    takes: (input) =>
      input === 0 ? NUMBERS_AND_FLAGS : ['float64', 'int64', 'timestamp', 'string', 'boolean'],
    window: 'own',
    parameters: STRETCH,
    check: checkStretch,
    computes: {
      kind: 'session',
      output,
      settings: ({ every, offset }) =>
        [every, offset].map((length) => Number(parseDuration(String(length)))),
    },
  };
}

export const SESSION_FUNCTIONS = {
  session_sum: session('sum', 'Sum of the values since the session has begun.'),
  session_mean: session('mean', 'Mean of the values since the session has begun.'),
  session_min: session('min', 'Smallest value since the session has begun.'),
  session_max: session('max', 'Largest value since the session has begun.'),
  session_first: session('first', 'First value of the session, such as its opening price.'),
  session_vwap: {
    usage:
      'session_vwap(price, size, anchor) or ' +
      "session_vwap(price, size, every => '1d', offset => '0s')",
    doc:
      'Mean price since the session has begun, weighted by size; null where the sizes add up ' +
      'to 0. A row where either is null does not enter.',
    inputs: ['price', 'size', 'anchor'],
    inputsOptional: 1,
    takes: (input) =>
      input < 2 ? NUMBERS : ['float64', 'int64', 'timestamp', 'string', 'boolean'],
    window: 'own',
    parameters: STRETCH,
    check: checkStretch,
    computes: {
      kind: 'formula',
      text: ({ every, offset }, inputs) => {
        const anchor =
          inputs === 3 ? 'anchor' : `every => '${String(every)}', offset => '${String(offset)}'`;
        const sizes = 'case when price * size is not null then size end';
        return `session_sum(price * size, ${anchor}) / session_sum(${sizes}, ${anchor})`;
      },
    },
  },
} satisfies Readonly<Record<string, RollingFunction>>;
