/** A summary with everything in it, for tests. */

import type { RunSummary } from '../run-summary.ts';

const CHECK = {
  severity: 'error',
  warnIf: '!= 0',
  errorIf: '!= 0',
  sql: '',
  sample: { columns: [], rows: [] },
  durationMs: 1,
} as const;

export const EXAMPLE_SUMMARY: RunSummary = {
  pipeline: 'market-anomalies',
  file: 'config/pipelines/market-anomalies.yaml',
  options: [],
  outcome: 'completed',
  elapsedMs: 4_240,
  rowsPerSecond: 1_182_157,
  slots: 2,
  partitions: 16,
  accounts: { read: 5_012_345, processed: 5_011_020, late: 812, rejected: 413, duplicate: 100 },
  kept: { late: 'out/late', rejected: 'out/dead-letter/market-anomalies.trades.ndjson' },
  warnings: [],
  steps: [
    { name: 'bars', type: 'tumbling_window', rowsIn: 5_011_932, rowsOut: 23_400 },
    { name: 'features', type: 'derive', rowsIn: 23_400, rowsOut: 23_400 },
    { name: 'scores', type: 'rolling', rowsIn: 23_400, rowsOut: 23_400 },
    { name: 'anomalies', type: 'threshold', rowsIn: 23_400, rowsOut: 217 },
  ],
  anomalies: {
    total: 217,
    firstAfterMs: 1_312,
    severities: ['low', 'medium', 'high'],
    byType: [
      { type: 'price_spike', total: 96, bySeverity: { low: 50, medium: 30, high: 16 } },
      { type: 'volatility_burst', total: 80, bySeverity: { low: 70, medium: 10 } },
      { type: 'volume_surge', total: 41, bySeverity: { low: 1, medium: 20, high: 20 } },
    ],
  },
  detection: {
    planted: 60,
    found: 57,
    raised: 217,
    matched: 211,
    precision: 211 / 217,
    recall: 57 / 60,
    byKind: [
      { kind: 'bad_print', planted: 20, found: 20 },
      { kind: 'price_spike', planted: 20, found: 19 },
      { kind: 'volume_surge', planted: 20, found: 18 },
    ],
    rule: 'an anomaly points at a planted one of the same symbol if its window overlaps it',
  },
  quality: {
    status: 'error',
    passed: 1,
    warned: 1,
    failed: 2,
    durationMs: 120,
    checks: [
      {
        ...CHECK,
        name: 'no_missing_close',
        dataset: 'bars',
        status: 'pass',
        failures: 0,
        message: '0 rows with a null in close or volume',
      },
      {
        ...CHECK,
        name: 'one_bar_per_window',
        dataset: 'bars',
        severity: 'warn',
        status: 'warn',
        failures: 1_204,
        message: '1,204 values of symbol, window_start occur more than once (warn if > 10)',
        sql: 'SELECT "symbol", "window_start", count(*) AS "rows" FROM "bars"',
        sample: {
          columns: [
            { name: 'symbol', type: 'VARCHAR', isNumeric: false },
            { name: 'window_start', type: 'TIMESTAMP_NS', isNumeric: false },
            { name: 'rows', type: 'BIGINT', isNumeric: true },
          ],
          rows: [
            ['AAPL', '2026-01-02 09:30:00', '3'],
            ['MSFT', '2026-01-02 09:30:00', '2'],
          ],
        },
      },
      {
        ...CHECK,
        name: 'sane_prices',
        dataset: 'bars',
        status: 'error',
        failures: 2,
        message: '2 rows returned',
        sql: 'select * from bars where low <= 0 or high < low',
        sample: {
          columns: [
            { name: 'symbol', type: 'VARCHAR', isNumeric: false },
            { name: 'low', type: 'DOUBLE', isNumeric: true },
            { name: 'high', type: 'DOUBLE', isNumeric: true },
          ],
          rows: [
            ['AAPL', '-1.0', '182.5'],
            ['MSFT', null, '1.0'],
          ],
        },
      },
      {
        ...CHECK,
        name: 'misspelt',
        dataset: 'anomalies',
        status: 'error',
        failures: null,
        code: 'quality/query-failed',
        message:
          'Parser Error: syntax error at or near "selec"\n\n' +
          'LINE 1: selec * from anomalies\n        ^',
        sql: 'selec * from anomalies',
      },
    ],
  },
  outputs: [
    { name: 'bars', type: 'parquet', path: 'out/bars', files: 3, bytes: 1_258_291, rows: 23_400 },
    {
      name: 'anomalies',
      type: 'parquet',
      path: 'out/anomalies',
      files: 1,
      bytes: 28_400,
      rows: 217,
    },
    { name: 'late', type: 'parquet', path: 'out/late', files: 1, bytes: 9_120, rows: 812 },
    { name: 'nowhere', type: 'blackhole', rows: 217 },
  ],
  queries: [
    {
      title: 'the strongest anomalies',
      sql:
        'select symbol, event_time, type, score, explanation from anomalies ' +
        'order by abs(score) desc limit 10',
    },
    {
      title: 'anomalies an hour',
      sql: 'select hour(event_time), count(*) from anomalies group by all',
    },
  ],
};
