/**
 * What each function of a rolling step, and each detector, costs a row: alone, on one core, over
 * trades of W1 that lie in memory already, of few symbols and of many. Detectors that look for bars
 * or quotes are given prices and sizes under their names. Processor time, so that it holds on a
 * machine that does something else as well. The anomalies that a detector finds are part of it.
 */

import type { OperatorDefinition } from '../engine/contract/operator.ts';
import { operators } from '../operators/catalog.ts';
import { ROLLING_FUNCTIONS } from '../operators/rolling/rolling-functions.ts';
import { rolling } from '../operators/rolling/rolling.ts';
import { type Benchmark, type BenchOptions, median } from './harness/benchmark.ts';
import { TradesInMemory } from './workloads/operator-run.ts';

const BATCH_ROWS = 16_384;
const WINDOW = 20;

/** Constants that a call needs. */
const REQUIRED: Readonly<Record<string, string>> = {
  quantile: ', 0.25',
  ewm_mean: ', 0.1',
  ewm_variance: ', 0.1',
  ewm_stddev: ', 0.1',
  ewm_zscore: ', 0.1',
  seeded_mean: ', 0.1, 20',
};
/** Columns of W1 for inputs of other names. */
const COLUMN: Readonly<Record<string, string>> = { y: 'size', size: 'size', anchor: 'symbol' };

/** What detectors look for, by the columns of W1. */
const NAMES = {
  open: 'price',
  high: 'price',
  low: 'price',
  close: 'price',
  volume: 'size',
  bid: 'price',
  ask: 'price',
  venue: 'symbol',
} as const;

const OVER = { value: 'price', over: '20 rows' };
/** What a detector has no default for, or what makes it comparable. */
const CONFIG: Readonly<Record<string, object>> = {
  zscore_detector: OVER,
  robust_zscore_detector: OVER,
  iqr_detector: OVER,
  breakout_detector: OVER,
  ewm_zscore_detector: { value: 'price', span: 19 },
  limits_detector: { value: 'size', above: '1000000', anomaly_type: 'high_volume' },
  crossed_quotes_detector: { lasting: '1s' },
  venue_divergence_detector: { prices: { a: 'open', b: 'high', c: 'low' }, lasting: '2s' },
  seasonal_detector: { value: 'price', bucket: '1h' },
  isolation_forest: {
    features: { size: 'size' },
    trees: 100,
    reservoir: 1024,
    min_rows: 1000,
    refit_every: 1000,
    contamination: 0.001,
  },
};
const OTHERS = ['isolation_forest', 'classify_bars'];
/** W1 has no numbers of messages: every row would be an anomaly. */
const LEFT_OUT = ['sequence_detector'];

export const benchmark: Benchmark = {
  name: 'operators',
  question: 'What does each rolling function and each detector cost a row?',
  async run(options) {
    for (const symbols of [10, 1_000]) {
      const rows = options.quick ? 30_000 : 1_000_000;
      const trades = new TradesInMemory({ rows, symbols });
      functions(options, trades);
      detectors(options, trades);
    }
  },
};

function functions(options: BenchOptions, trades: TradesInMemory): void {
  options.report.section(`Functions, ${trades.w1.symbols} symbols, over ${WINDOW} rows`);
  for (const [name, { inputs }] of Object.entries(ROLLING_FUNCTIONS)) {
    const given = inputs.map((input) => COLUMN[input] ?? 'price').join(', ');
    const columns = { cost: `${name}(${given}${REQUIRED[name] ?? ''})` };
    const config = { over: `${WINDOW} rows`, exclude_current: false, columns };
    tell(options, columns.cost, trades, rolling, config);
  }
}

function detectors(options: BenchOptions, trades: TradesInMemory): void {
  options.report.section(`Detectors, ${trades.w1.symbols} symbols`);
  for (const definition of operators) {
    const { name } = definition;
    const isDetector = name.endsWith('_detector') || OTHERS.includes(name);
    if (!isDetector || LEFT_OUT.includes(name)) continue;
    try {
      tell(options, name, trades, definition, CONFIG[name] ?? {});
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      options.report.note(`${name}: left out, ${error.message}`);
    }
  }
}

function tell(
  { report, repetitions }: BenchOptions,
  what: string,
  trades: TradesInMemory,
  definition: OperatorDefinition,
  config: object,
): void {
  const times = Array.from({ length: Math.min(repetitions, 3) }, () => {
    const before = process.cpuUsage();
    trades.run(definition, config, BATCH_ROWS, { emit: () => {} }, NAMES);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1e3) / trades.w1.rows;
  });
  report.figure(what, Number(median(times).toFixed(1)), 'ns a row');
}
