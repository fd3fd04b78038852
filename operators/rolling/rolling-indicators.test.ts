/** Functions on the daily bars of IBM, against what pandas, numpy and formulas of TA-Lib say. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { rolling } from './rolling.ts';

const ORACLE = new URL('../../../../shared/oracle/indicators-ibm-daily.csv', import.meta.url);
const skip = existsSync(ORACLE) ? false : `${ORACLE.pathname} is not there`;

const INPUTS = ['open', 'high', 'low', 'close', 'volume', 'ret_pct'];

function ofLength(n: number): Record<string, string> {
  const over = `over => '${n} rows'`;
  return {
    [`mean${n}`]: `mean(ret_pct, ${over})`,
    [`std${n}_ddof1`]: `stddev(ret_pct, ${over})`,
    [`std${n}_ddof0`]: `stddev_pop(ret_pct, ${over})`,
    [`z${n}_incl_ddof1`]: `zscore(ret_pct, ${over})`,
    [`z${n}_excl_ddof1`]: `zscore(ret_pct, ${over}, exclude_current => true)`,
    [`median${n}`]: `median(ret_pct, ${over})`,
    [`mad${n}`]: `mad(ret_pct, ${over})`,
    [`mz${n}`]: `robust_zscore(ret_pct, ${over})`,
    [`q25_${n}`]: `quantile(ret_pct, 0.25, ${over})`,
    [`q50_${n}`]: `quantile(ret_pct, p => 0.5, ${over})`,
    [`q75_${n}`]: `quantile(ret_pct, 0.75, ${over})`,
    [`corr_ret_vol${n}`]: `correlation(ret_pct, pct_change(volume), ${over})`,
    [`skew${n}`]: `skew(ret_pct, ${over})`,
    [`kurt${n}`]: `kurtosis(ret_pct, ${over})`,
    [`min${n}`]: `min(ret_pct, ${over})`,
    [`max${n}`]: `max(ret_pct, ${over})`,
  };
}

function decaying(name: string, decay: string): Record<string, string> {
  return {
    [`ewm_mean_${name}`]: `ewm_mean(ret_pct, ${decay})`,
    [`ewm_var_${name}`]: `ewm_variance(ret_pct, ${decay})`,
    [`ewm_varB_${name}`]: `ewm_variance(ret_pct, ${decay}, bias => true)`,
  };
}

const COLUMNS: Readonly<Record<string, string>> = {
  log_ret: 'ln(close / lag(close))',
  ...ofLength(20),
  ...ofLength(30),
  ...decaying('adjT_a0.1', 'alpha => 0.1, adjust => true'),
  ...decaying('adjF_a0.1', 'alpha => 0.1'),
  ...decaying('adjF_span20', 'span => 20, adjust => false'),
  ...decaying('adjT_hl10', 'halflife => 10, adjust => true'),
  rsi14_wilder: 'rsi(close)',
  rsi14_ewm_adjF_seed0: "rsi(close, method => 'ewm')",
  atr14_talib: 'atr(high, low, close)',
  atr14_tulip: "atr(high, low, close, 14, 'tulip')",
  macd_talib: 'macd(close)',
  macd_signal_talib: 'macd_signal(close)',
  macd_pandas_ewm: "macd(close, method => 'pandas')",
  macd_signal_pandas_ewm: "macd_signal(close, 12, 26, 9, 'pandas')",
  rsi14_cutler_sma: "rsi(close, 14, 'cutler')",
  bb20_up_ddof0: 'bollinger_upper(close)',
  bb20_lo_ddof0: 'bollinger_lower(close)',
  bb20_pctb_ddof0: 'percent_b(close)',
  bb20_up_ddof1: 'bollinger_upper(close, 2, ddof => 1)',
  bb20_lo_ddof1: 'bollinger_lower(close, 2, 1)',
  bb20_pctb_ddof1: 'percent_b(close, ddof => 1)',
  tr: 'true_range(high, low, close)',
  rv20_annual252: 'close_to_close(close, 252)',
  rv20_sumsq: 'realized_volatility(close)',
  parkinson20: 'parkinson(high, low)',
  gk20: 'garman_klass(open, high, low, close)',
  gap_pct: '(open - lag(close)) / lag(close) * 100',
  hl_ratio_low: '(high - low) / low * 100',
  hl_ratio_close: '(high - low) / close * 100',
  vwap20_roll: 'vwap((high + low + close) / 3, volume)',
};

const schema: Schema = {
  columns: [
    { name: 'date', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    ...INPUTS.map((name) => ({ name, type: 'float64' as const })),
  ],
  time: 'date',
  key: 'symbol',
};

test('every column of the daily bars of IBM is that of the oracle, nulls too', { skip }, () => {
  const rows = readOracle();
  assert.equal(rows.length, 300);
  const inputs = rows.map((row) =>
    Object.fromEntries(schema.columns.map(({ name }) => [name, row[name]!])),
  );
  const columns = Object.fromEntries(
    Object.entries(COLUMNS).map(([name, text]) => [resultOf(name), text]),
  );
  const known = new Set(['date', ...INPUTS, ...Object.keys(COLUMNS)]);
  const missed = Object.keys(rows[0]!).filter((name) => name !== 'symbol' && !known.has(name));
  assert.deepEqual(missed, []);
  for (const size of [7, 4096]) {
    const config = { over: '20 rows', columns };
    const { outputs } = runOperator(rolling, config, schema, cut(inputs, [size]), {
      restartAfterBatch: [2, 11],
    });
    for (const [i, row] of outputs['main']!.entries()) {
      for (const name of Object.keys(COLUMNS)) {
        const [actual, expected] = [row[resultOf(name)], rows[i]![name]];
        const what = `${name} of row ${i}: ${String(actual)}, not ${String(expected)}`;
        if (expected === null || actual === null) assert.equal(actual, expected, what);
        else assert(isNear(Number(actual), Number(expected)), what);
      }
    }
  }
});

/** A name that is a word. */
function resultOf(name: string): string {
  return `x_${name.replace('.', '_')}`;
}

/** 1e-9 of the value; of sums that cancel to nothing, 1e-12. The file has 15 digits. */
function isNear(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= Math.max(1e-9 * Math.abs(expected), 1e-12);
}

function readOracle(): Row[] {
  const [header, ...lines] = readFileSync(ORACLE, 'utf8').trim().split('\n');
  const names = header!.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const numbers = names.slice(1).map((name, i) => {
      const cell = cells[i + 1]!;
      return [name, cell === '' ? null : Number(cell)] as const;
    });
    return { date: parseIsoTime(cells[0]!)!, symbol: 'IBM', ...Object.fromEntries(numbers) };
  });
}
