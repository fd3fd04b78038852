/** The corrected variants of other systems' pipelines: what they find, and what they do not. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { data, temporaryFolder, TRADES, withoutRealData as skip } from './command.ts';
import { readOracle } from './oracle-rows.ts';
import { anomaliesOf } from './reference-pipelines.ts';

const folder = temporaryFolder();
const COLUMNS = ['symbol', 'event_time', 'type', 'confidence', 'explanation'];

const VARIANTS = [
  ['fininsights', 'bars', data('us-equities/bars-1h-*.csv.gz'), 'fininsights-1h-aapl-aig-ibm.csv'],
  ['market-anomaly-platform', 'trades', TRADES, 'anomalies-5m-2013-10-07_09.csv'],
  ['marketpulse', 'bars', data('us-equities/bars-1d-*.csv'), 'marketpulse-1d-ibm-aig.csv'],
  ['stock-anomaly-mlops', 'trades', TRADES, 'volume-spikes-1m-2013-10-07_09.csv'],
] as const;

for (const [system, source, input, original] of VARIANTS) {
  test(`${system}-corrected is quieter than the original`, { skip }, async () => {
    const found = await anomaliesOf(folder, `${system}-corrected`, source, input, COLUMNS);
    const before = readOracle(original).length;
    assert.ok(found.length > 0 && found.length < 0.7 * before, `${found.length} of ${before}`);
    for (const { confidence, explanation } of found) {
      assert.ok(typeof confidence === 'number' && confidence >= 0.5 && confidence <= 1);
      const { rule, observed } = JSON.parse(explanation as string) as Record<string, unknown>;
      assert.equal(typeof rule, 'string');
      assert.equal(typeof observed, 'number');
    }
    if (system !== 'fininsights') return;
    // The flash crash, 14:00 to 15:00 in New York.
    const crash = found.filter(({ event_time: time }) => time === '2010-05-06T18:00:00Z');
    const symbols = new Set(crash.map(({ symbol }) => symbol));
    assert.deepEqual(symbols, new Set(['AAPL', 'AIG', 'IBM']));
  });
}
