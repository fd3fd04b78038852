/**
 * Three days of real trades through the pipeline that the README names, against bars and anomalies
 * that another program made of them: the same rows, every number within 1e-9, the same nulls.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { lintFile } from '../../config/lint.ts';
import { catalog, createPipeline } from '../../index.ts';
import {
  type Difference,
  differences,
  isSame,
  readOracle,
  readOutput,
  type Row,
} from './oracle-rows.ts';
import {
  EQUITIES,
  oracle,
  summaryOf,
  temporaryFolder,
  tidemark,
  TRADES,
  withoutRealData as skip,
} from './command.ts';

const folder = temporaryFolder();

const SCORES = { z_return: 'return_pct', z_volume: 'volume', z_volatility: 'volatility' } as const;
const HISTORY = 20;

/** The definition of the scores of one symbol, in two passes over the values before each. */
function scoresByDefinition(bars: readonly Row[]): Row[] {
  const ordered = bars.toSorted((a, b) => (a['window_start']! < b['window_start']! ? -1 : 1));
  return ordered.map((row, index) => {
    const scores = Object.entries(SCORES).map(([score, column]) => {
      const before = ordered.slice(0, index).flatMap((bar) => (bar[column] as number | null) ?? []);
      const value = row[column] as number | null;
      if (value === null || before.length < HISTORY) return [score, null];
      const last = before.slice(-HISTORY);
      const mean = last.reduce((sum, each) => sum + each, 0) / HISTORY;
      const squares = last.reduce((sum, each) => sum + (each - mean) ** 2, 0);
      return [score, squares === 0 ? null : (value - mean) / Math.sqrt(squares / (HISTORY - 1))];
    });
    const { symbol, window_start } = row;
    return { symbol, window_start, ...Object.fromEntries(scores) } as Row;
  });
}

/**
 * The rolling sums of the oracle carry an error on from large values that have left the window,
 * up to 1e-8 in some scores. Such a score has to be that of the definition, over bars that agree.
 */
function assertScores(bars: readonly Row[], missed: readonly Difference[]): void {
  const symbols = [...new Set(bars.map(({ symbol }) => symbol))];
  const expected = symbols.flatMap((symbol) =>
    scoresByDefinition(bars.filter((bar) => bar['symbol'] === symbol)),
  );
  assert.deepEqual(differences(bars, expected, ['symbol', 'window_start']), []);
  const wrong = missed.filter(
    ({ column, found, wanted }) => !(column in SCORES) || !isSame(found, wanted, 1e-8),
  );
  assert.deepEqual(wrong, []);
  assert.ok(missed.length <= 10, `${missed.length} scores differ`);
}

test('bars and anomalies of real trades are those of the oracle', { skip }, async () => {
  const [bars, anomalies] = [join(folder, 'bars'), join(folder, 'anomalies')];
  const ended = tidemark(
    folder,
    ...['run', EQUITIES, '--json'],
    ...['-s', `sources.trades.path=${TRADES}`],
    ...['-s', `sinks.bars.path=${bars}`],
    ...['-s', `sinks.anomalies.path=${anomalies}`],
  );
  assert.equal(ended.code, 0, ended.stderr);

  const expected = readOracle('bars-5m-2013-10-07_09.csv');
  assert.ok(expected.length > 1000);
  const foundBars = await readOutput(
    bars,
    Object.keys(expected[0]!).filter((c) => c !== 'stddev'),
  );
  // The oracle states the deviation of the price twice, as `stddev` and as `volatility`.
  const wanted = expected.map(({ stddev, ...row }) => {
    assert.equal(stddev, row['volatility']);
    return row;
  });
  assertScores(foundBars, differences(foundBars, wanted, ['symbol', 'window_start']));

  const raised = readOracle('anomalies-5m-2013-10-07_09.csv');
  assert.ok(raised.length > 100);
  const foundAnomalies = await readOutput(anomalies, Object.keys(raised[0]!));
  const keys = ['symbol', 'window_start', 'type'];
  assert.deepEqual(differences(foundAnomalies, raised, keys), []);

  const { accounts, steps, outputs, quality } = summaryOf(ended);
  const read = expected.reduce((sum, { trades }) => sum + Number(trades), 0);
  assert.deepEqual(accounts, { read, processed: read, late: 0, rejected: 0, duplicate: 0 });
  assert.deepEqual(
    steps.map(({ name, rowsIn, rowsOut }) => [name, rowsIn, rowsOut]),
    [
      ['bars', read, expected.length],
      ['features', expected.length, expected.length],
      ['scores', expected.length, expected.length],
      ['anomalies', expected.length, raised.length],
    ],
  );
  assert.deepEqual(
    outputs.map(({ name, rows, files = 0 }) => [name, rows, files]),
    [
      ['bars', expected.length, 3],
      ['anomalies', raised.length, 3],
      ['late', 0, 0],
    ],
  );
  assert.equal(quality?.status, 'pass');
});

test('one-second bars of real trades add up to those of the oracle', { skip }, async () => {
  const path = join(folder, 'seconds');
  const { plan, lints } = await lintFile(EQUITIES, {
    catalog,
    overrides: [
      `sources.trades.path=${TRADES}`,
      'operators.bars.size=1s',
      `sinks.bars.path=${path}`,
      `sinks.anomalies.path=${join(folder, 'anomalies-1s')}`,
      `sinks.late.path=${join(folder, 'late-1s')}`,
      `dead_letter.path=${join(folder, 'dead-letter')}`,
    ],
  });
  assert.deepEqual(lints, []);
  const result = await createPipeline(plan!, { slots: 2 }).run();
  const summary = JSON.parse(
    readFileSync(oracle('bars-1s-2013-10-07_09.summary.json'), 'utf8'),
  ) as Record<string, number>;
  const read = summary['rows_in']!;
  assert.equal(result.failure, undefined);
  assert.deepEqual(result.accounts, { read, processed: read, late: 0, rejected: 0, duplicate: 0 });
  const sums = ['open', 'high', 'low', 'close', 'volume', 'trades'];
  const columns = [
    'count(*)::double as bars_1s',
    'count(distinct (symbol, window_start))::double as keys',
  ];
  const found = await readOutput(path, [
    ...columns,
    ...sums.map((name) => `sum(${name})::double as sum_${name}`),
  ]);
  const { rows_in: _, ...expected } = summary;
  assert.deepEqual(differences(found, [{ ...expected, keys: expected['bars_1s']! }], []), []);
});
