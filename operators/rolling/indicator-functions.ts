/** Indicators and volatilities: formulas over other functions of a rolling step. */

import {
  type Formula,
  NUMBERS,
  numberOf,
  type Parameter,
  type ParameterValues,
  type RollingFunction,
} from './rolling-function.ts';

const LENGTH_MAX = 100_000;

function formula(text: (values: ParameterValues) => string): Formula {
  return { kind: 'formula', text };
}

function length(value: number, least = 1): Parameter {
  return { kind: 'integer', default: value, least, most: LENGTH_MAX };
}

/** Periods a year, to state a volatility of one period as one of a year. */
const PERIODS: Parameter = { kind: 'number', default: 1, least: 0, isAbove: true };

/** The last n values, this row's included, whatever the step says. */
function lastRows(n: number): string {
  return `over => '${n} rows', exclude_current => false, min_rows => ${n}`;
}

const CHANGE = "delta(x, 1, over => '1 row')";
const GAIN = `case when ${CHANGE} > 0 then ${CHANGE} when ${CHANGE} <= 0 then 0 end`;
const LOSS = `case when ${CHANGE} < 0 then -${CHANGE} when ${CHANGE} >= 0 then 0 end`;

function rsi(values: ParameterValues): string {
  const n = numberOf(values, 'n');
  const of = {
    wilder: (x: string) => `seeded_mean(${x}, ${1 / n}, ${n})`,
    cutler: (x: string) => `sum(${x}, ${lastRows(n)})`,
    ewm: (x: string) => `ewm_mean(${x}, alpha => ${1 / n}, exclude_current => false)`,
  }[values['method'] as 'wilder' | 'cutler' | 'ewm'];
  const [up, down] = [of(GAIN), of(LOSS)];
  const index = `100 * (${up} / (${up} + ${down}))`;
  return values['method'] === 'wilder'
    ? `case when ${up} + ${down} = 0 then 50 else ${index} end`
    : index;
}

const CLOSE_BEFORE = "lag(close, 1, over => '1 row')";
const TRUE_RANGE =
  'case when high is not null and low is not null then ' +
  `greatest(high - low, abs(high - ${CLOSE_BEFORE}), abs(low - ${CLOSE_BEFORE})) end`;

function atr(values: ParameterValues): string {
  const n = numberOf(values, 'n');
  const ranges =
    values['method'] === 'tulip'
      ? TRUE_RANGE
      : `case when ${CLOSE_BEFORE} is not null then ${TRUE_RANGE} end`;
  return `seeded_mean(${ranges}, ${1 / n}, ${n})`;
}

function macdLine(values: ParameterValues): string {
  const [fast, slow] = [numberOf(values, 'fast'), numberOf(values, 'slow')];
  if (values['method'] === 'pandas') return `${spanMean('x', fast)} - ${spanMean('x', slow)}`;
  // Both begin at the same row, so the fast one passes over the first rows.
  const mean = (n: number, skip: number): string => `seeded_mean(x, ${2 / (n + 1)}, ${n}, ${skip})`;
  return `${mean(fast, slow - fast)} - ${mean(slow, 0)}`;
}

function macdSignal(values: ParameterValues): string {
  const n = numberOf(values, 'signal');
  const line = macdLine(values);
  return values['method'] === 'pandas'
    ? spanMean(line, n)
    : `seeded_mean(${line}, ${2 / (n + 1)}, ${n})`;
}

function spanMean(x: string, span: number): string {
  return `ewm_mean(${x}, span => ${span}, exclude_current => false)`;
}

function macd(
  name: string,
  doc: string,
  text: (values: ParameterValues) => string,
): RollingFunction {
  return {
    usage: `${name}(x, fast => 12, slow => 26, signal => 9, method => 'talib')`,
    doc,
    inputs: ['x'],
    takes: () => NUMBERS,
    window: 'own',
    parameters: {
      fast: length(12),
      slow: length(26),
      signal: length(9),
      method: { kind: 'text', default: 'talib', choices: ['talib', 'pandas'] },
    },
    check: (values) => {
      const [fast, slow] = [numberOf(values, 'fast'), numberOf(values, 'slow')];
      return fast < slow ? undefined : `expected fast below slow, got ${fast} and ${slow}`;
    },
    computes: formula(text),
  };
}

/** Logarithm of the change from one value to the next; null unless both are above 0. */
const LOG_RETURN = 'case when close > 0 and lag(close) > 0 then ln(close / lag(close)) end';
const LOG_RANGE = 'case when high > 0 and low > 0 then ln(high / low) end';
const LOG_BODY = 'case when open > 0 and close > 0 then ln(close / open) end';

function volatility(
  usage: string,
  doc: string,
  inputs: readonly string[],
  text: (values: ParameterValues) => string,
): RollingFunction {
  return {
    usage,
    doc,
    inputs,
    takes: () => NUMBERS,
    window: 'step',
    parameters: { periods: PERIODS },
    computes: formula(text),
  };
}

export const INDICATOR_FUNCTIONS = {
  rsi: {
    usage: "rsi(x, n => 14, method => 'wilder')",
    doc:
      'Relative strength index of n changes, 0 to 100: `wilder` (smoothed from the mean of the ' +
      'first n changes on; 50 where nothing ever changed), `cutler` (means of the last n; ' +
      'null where all are 0) or `ewm` (decaying from the first change on). The first is given at ' +
      'the n-th change, by `ewm` at the first.',
    inputs: ['x'],
    takes: () => NUMBERS,
    window: 'own',
    parameters: {
      n: length(14),
      method: { kind: 'text', default: 'wilder', choices: ['wilder', 'cutler', 'ewm'] },
    },
    computes: formula(rsi),
  },
  true_range: {
    usage: 'true_range(high, low, close)',
    doc:
      'Largest of high - low and the distances of both from the close before; high - low where ' +
      'there is none.',
    inputs: ['high', 'low', 'close'],
    takes: () => NUMBERS,
    window: 'own',
    computes: formula(() => TRUE_RANGE),
  },
  atr: {
    usage: "atr(high, low, close, n => 14, method => 'talib')",
    doc:
      'Average true range: the mean of the first n true ranges, then smoothed by Wilder. `talib` ' +
      'begins with the first row that has a close before it, `tulip` with the first row.',
    inputs: ['high', 'low', 'close'],
    takes: () => NUMBERS,
    window: 'own',
    parameters: {
      n: length(14),
      method: { kind: 'text', default: 'talib', choices: ['talib', 'tulip'] },
    },
    computes: formula(atr),
  },
  macd: macd(
    'macd',
    'Exponential mean of `fast` values less that of `slow`. `talib` starts both from plain means ' +
      'that end at value number `slow`, where the first is given; `pandas` starts both from the ' +
      'first value.',
    macdLine,
  ),
  macd_signal: macd(
    'macd_signal',
    'Exponential mean of `signal` values of macd, which by `talib` starts from the plain mean of ' +
      'the first.',
    macdSignal,
  ),
  macd_histogram: macd(
    'macd_histogram',
    'macd less macd_signal.',
    (values) => `${macdLine(values)} - ${macdSignal(values)}`,
  ),
  vwap: {
    usage: 'vwap(price, size)',
    doc:
      'Mean price of the window, weighted by size; null where the sizes add up to 0. A row where ' +
      'either is null does not enter.',
    inputs: ['price', 'size'],
    takes: () => NUMBERS,
    window: 'step',
    computes: formula(
      () => 'sum(price * size) / sum(case when price * size is not null then size end)',
    ),
  },
  close_to_close: volatility(
    'close_to_close(close, periods => 1)',
    'Volatility: standard deviation of the logarithms of close over the close before, times the ' +
      'root of the periods of a year. Prices of 0 and below do not enter.',
    ['close'],
    ({ periods }) => `stddev(${LOG_RETURN}) * sqrt(${String(periods)})`,
  ),
  realized_volatility: volatility(
    'realized_volatility(close, periods => 1)',
    'Root of the sum of the squared logarithms of close over the close before, times the root of ' +
      '`periods` (windows a year).',
    ['close'],
    ({ periods }) => `sqrt(sum(pow(${LOG_RETURN}, 2)) * ${String(periods)})`,
  ),
  parkinson: volatility(
    'parkinson(high, low, periods => 1)',
    'Volatility from the ranges of bars: root of the mean of ln(high / low)² over 4 ln 2, times ' +
      'the root of the periods of a year.',
    ['high', 'low'],
    ({ periods }) => `sqrt(mean(pow(${LOG_RANGE}, 2)) / ${4 * Math.LN2} * ${String(periods)})`,
  ),
  garman_klass: volatility(
    'garman_klass(open, high, low, close, periods => 1)',
    'Volatility from whole bars: root of the mean of ½ ln(high / low)² - (2 ln 2 - 1) ' +
      'ln(close / open)², times the root of the periods of a year.',
    ['open', 'high', 'low', 'close'],
    ({ periods }) =>
      `sqrt(mean(0.5 * pow(${LOG_RANGE}, 2) - ${2 * Math.LN2 - 1} * pow(${LOG_BODY}, 2)) * ` +
      `${String(periods)})`,
  ),
} satisfies Readonly<Record<string, RollingFunction>>;
