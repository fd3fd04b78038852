/** The z-scores of real bars, against what pandas makes of them. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { assertSameRows } from '../../engine/testing/table.ts';
import { arrivals, statisticsOf, windowsOf } from './rolling.oracle.ts';
import { rolling } from './rolling.ts';

const ORACLE = new URL('../../../../shared/oracle/bars-5m-2013-10-07_09.csv', import.meta.url);
const skip = existsSync(ORACLE) ? false : `${ORACLE.pathname} is not there`;

const INPUTS = ['return_pct', 'volume', 'volatility'] as const;
const SCORES = ['z_return', 'z_volume', 'z_volatility'] as const;

const schema: Schema = {
  columns: [
    { name: 'window_start', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    ...INPUTS.map((name) => ({ name, type: 'float64' as const })),
  ],
  time: 'window_start',
  key: 'symbol',
};

test('z-scores of the bars of three days are those of pandas, nulls too', { skip }, () => {
  const expected = readBars();
  const config = {
    over: '20 rows',
    exclude_current: true,
    columns: {
      z_return: 'zscore(return_pct)',
      z_volume: 'zscore(volume)',
      z_volatility: 'zscore(volatility)',
    },
  };
  const byTime = [...expected].sort((a, b) => Number(timeOf(a) - timeOf(b)));
  const inputs = byTime.map((row) =>
    Object.fromEntries(schema.columns.map(({ name }) => [name, row[name]!])),
  );
  const scores = expected.filter((row) => SCORES.some((name) => row[name] !== null));
  assert(scores.length > 300, 'the bars have scores');
  for (const size of [7, 4096]) {
    const { outputs } = runOperator(rolling, config, schema, cut(inputs, [size]), {
      origin: 'none',
      restartAfterBatch: 3,
    });
    assertSameRows(outputs['main']!, byDefinition(inputs), { message: 'the definition' });
    // pandas adds and subtracts: after a closing auction it is off by up to 1.2e-9 for six bars.
    assertSameRows(outputs['main']!, expected, { tolerance: 2e-9, message: 'pandas' });
  }
});

function byDefinition(inputs: readonly Row[]): Row[] {
  const scored = inputs.map((row): Row => ({ ...row }));
  const over = { rows: 20 };
  for (const [i, name] of INPUTS.entries()) {
    const all = arrivals(inputs.map((row) => ({ ...row, event_time: row['window_start']! })));
    const windows = windowsOf(all, name, { over, excludeCurrent: true, minRows: 20 });
    for (const [position, row] of scored.entries()) {
      const values = windows[position]!;
      row[SCORES[i]!] = statisticsOf(values, row[name] as number | null, 20).zscore;
    }
  }
  return scored;
}

function timeOf(row: Row): bigint {
  return row['window_start'] as bigint;
}

function readBars(): Row[] {
  const [header, ...lines] = readFileSync(ORACLE, 'utf8').trim().split('\n');
  const names = header!.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const cell = (name: string): string => cells[names.indexOf(name)]!;
    const numbers = [...INPUTS, ...SCORES].map((name) => {
      return [name, cell(name) === '' ? null : Number(cell(name))] as const;
    });
    return {
      window_start: parseIsoTime(cell('window_start'))!,
      symbol: cell('symbol'),
      ...Object.fromEntries(numbers),
    };
  });
}
