/** The corrected variants of other systems' pipelines: what they find, and what they do not. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { data, temporaryFolder, TRADES, withoutRealData as skip } from './command.ts';
import { readOracle, readOutput, type Row } from './oracle-rows.ts';
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
    const events = await readOutput(join(folder, `${system}-corrected`, 'events'), COLUMNS);
    LOOK[system](found, events);
  });
}

/** `symbol time` of rows of a type. */
function places(rows: readonly Row[], type?: string): string[] {
  const chosen = rows.filter((row) => type === undefined || row['type'] === type);
  return chosen.map(({ symbol, event_time: time }) => `${symbol} ${time}`).sort();
}

/** Bad prints of three days of trades, as they can be seen in them, to the second. */
const PRINTS = ['BAC 2013-10-08T14:28:41Z', 'BAC 2013-10-09T19:43:34Z'];

function lookAtTrades(found: readonly Row[], events: readonly Row[]): void {
  assert.deepEqual(places(events, 'bad_print'), PRINTS);
  assert.deepEqual(places(events, 'corporate_action'), []);
  // Nothing before the opening, nor after the close.
  for (const { event_time: time } of found) {
    const clock = String(time).slice('2013-10-07T'.length);
    assert.ok(clock >= '13:30' && clock < '20:00', clock);
  }
}

/** What of each system is put right: its anomalies, and what is told apart from them. */
const LOOK = {
  fininsights: (found: readonly Row[], events: readonly Row[]) => {
    const splits = places(events, 'corporate_action');
    assert.equal(splits.length, 9);
    const gaps = new Set(places(found, 'price_gap'));
    for (const split of splits) assert.ok(!gaps.has(split), split);
    // The flash crash, 14:00 to 15:00 in New York.
    const crash = found.filter(({ event_time: time }) => time === '2010-05-06T18:00:00Z');
    const symbols = new Set(crash.map(({ symbol }) => symbol));
    assert.deepEqual(symbols, new Set(['AAPL', 'AIG', 'IBM']));
  },
  'market-anomaly-platform': lookAtTrades,
  'stock-anomaly-mlops': lookAtTrades,
  marketpulse: (found: readonly Row[], events: readonly Row[]) => {
    // One for twenty, and a print of a hundred times the price.
    assert.deepEqual(places(events, 'corporate_action'), ['AIG 2009-07-01T00:00:00Z']);
    assert.deepEqual(places(events, 'bad_print'), ['AIG 2009-05-05T00:00:00Z']);
    assert.ok(!places(found, 'price_movement').includes('AIG 2009-07-01T00:00:00Z'));
    // The Monday after Lehman, when AIG fell by 61 percent.
    assert.ok(places(found, 'price_movement').includes('AIG 2008-09-15T00:00:00Z'));
  },
} as const;
