/**
 * The pipeline that reproduces a system with an isolation forest, over real trades: the trades of
 * high volume are those that its rule finds. Its forests are random, so of them it is tested that
 * they find about as many trades as they are told to, and the same ones each time.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { lintFile } from '../../config/lint.ts';
import { catalog, createPipeline } from '../../index.ts';
import { data, temporaryFolder, TRADES, withoutRealData as skip } from './command.ts';
import { readOracle, readOutput, type Row } from './oracle-rows.ts';

const PIPELINES = fileURLToPath(new URL('../../../config/pipelines/reference/', import.meta.url));
const DAY = data('us-equities/trades-2013-10-07.csv.gz');
const folder = temporaryFolder();
const COLUMNS = ['anomaly_id', 'symbol', 'type', 'value', 'score', 'threshold', 'explanation'];
let runs = 0;

async function anomaliesOf(
  name: string,
  path: string,
  slots: number,
  ...more: readonly string[]
): Promise<{ readonly anomalies: readonly Row[]; readonly rows: number }> {
  const out = join(folder, `${name}-${runs++}`);
  const overrides = [
    `sources.trades.path=${path}`,
    `sinks.anomalies.path=${join(out, 'anomalies')}`,
    `dead_letter.path=${join(out, 'dead-letter')}`,
    ...(name.endsWith('corrected') ? [`sinks.errors.path=${join(out, 'errors')}`] : []),
    ...more,
  ];
  const { plan, lints } = await lintFile(join(PIPELINES, `${name}.yaml`), { catalog, overrides });
  assert.deepEqual(lints, []);
  const result = await createPipeline(plan!, { slots }).run();
  assert.equal(result.failure, undefined);
  const { read, processed } = result.accounts;
  assert.equal(processed, read, 'every row is processed');
  return { anomalies: await readOutput(join(out, 'anomalies'), COLUMNS), rows: read };
}

test('trades of high volume are those of the original, by symbol', { skip }, async () => {
  // A forest of few trees, as it is not what is looked at.
  const few = ['operators.forest.trees=10', 'operators.forest.refit_every=100000'];
  const { anomalies } = await anomaliesOf('realtime-streams', TRADES, 2, ...few);
  const bySymbol = new Map<string, { rows: number; total: number }>();
  for (const { symbol, type, value, score, threshold } of anomalies) {
    if (type !== 'high_volume') continue;
    assert.equal(score, value);
    assert.equal(threshold, 20_000);
    const own = bySymbol.get(String(symbol)) ?? { rows: 0, total: 0 };
    bySymbol.set(String(symbol), { rows: own.rows + 1, total: own.total + Number(value) });
  }
  const found = [...bySymbol].map(([symbol, own]) => ({ symbol, ...own }));
  const expected = readOracle('high-volume-trades-2013-10-07_09.csv');
  assert.equal(expected.length, 4);
  assert.deepEqual(
    found.toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1)),
    expected,
  );
});

interface Explanation {
  readonly details: Readonly<Record<string, number>>;
}

/** Score, limit and reasons of a forest's anomalies agree with each other. */
function assertForest(anomalies: readonly Row[], features: readonly string[]): void {
  for (const { score, threshold, explanation } of anomalies) {
    assert(Number(score) > Number(threshold), `${score} above ${threshold}`);
    const { details } = JSON.parse(String(explanation)) as Explanation;
    const sum = features.reduce((total, name) => total + details[`contribution_${name}`]!, 0);
    const shorter = details['expected_path_length']! - details['path_length']!;
    assert(Math.abs(sum - shorter) < 1e-9, `${sum} is not ${shorter}`);
  }
}

test('the forest over prices finds about the share that it is told', { skip }, async () => {
  // The tenth part of the original's trees: enough to be of one mind.
  const trees = 'operators.forest.trees=100';
  const { anomalies, rows } = await anomaliesOf('realtime-streams', DAY, 1, trees);
  const own = anomalies.filter(({ type }) => type === 'isolation_forest');
  assertForest(own, ['price']);
  const share = own.length / rows;
  assert(share > 0.002 && share < 0.1, `${own.length} of ${rows} trades`);
});

test('the corrected pipeline finds few trades, the same with one slot and two', {
  skip,
}, async () => {
  const name = 'realtime-streams-corrected';
  const { anomalies, rows } = await anomaliesOf(name, DAY, 1);
  const again = await anomaliesOf(name, DAY, 2, 'sources.trades.batch_rows=5000');
  const idsOf = (given: readonly Row[]): string[] =>
    given.map((row) => `${row['anomaly_id']} ${row['score']} ${row['explanation']}`).sort();
  assert.deepEqual(idsOf(again.anomalies), idsOf(anomalies));
  const own = anomalies.filter(({ type }) => type === 'isolation_forest');
  assertForest(own, ['move_bp', 'reach', 'z_size', 'waited']);
  const symbols = new Set(own.map(({ symbol }) => symbol));
  assert.deepEqual(symbols, new Set(['AIG', 'BAC', 'IBM', 'SPY']));
  const share = own.length / rows;
  assert(share > 0.0005 && share < 0.005, `${own.length} of ${rows} trades`);
});
