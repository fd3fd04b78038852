/**
 * Decades of hourly bars as printed: splits and bad prints are called what they are, crashes are of
 * the market, and nobody gets more alerts than they can read.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { data, temporaryFolder, withoutRealData as skip } from './command.ts';
import { readOutput, type Row } from './oracle-rows.ts';
import { anomaliesOf } from './reference-pipelines.ts';

const COLUMNS = ['symbol', 'event_time', 'type', 'explanation'];
/** Bars with at least one anomaly, for each symbol and year. */
const BARS_A_YEAR = 12;

/** `symbol time` of the labels of these kinds. */
function labels(...kinds: readonly string[]): string[] {
  const lines = readFileSync(data('us-equities/labels-1h.csv'), 'utf8').trim().split('\n');
  const rows = lines.slice(1).map((line) => line.split(','));
  return rows
    .filter(([, , kind]) => kinds.includes(kind!))
    .map(([symbol, at]) => `${symbol} ${at}`);
}

function places(rows: readonly Row[], type?: string): Set<string> {
  const chosen = rows.filter((row) => type === undefined || row['type'] === type);
  return new Set(chosen.map(({ symbol, event_time: time }) => `${symbol} ${time}`));
}

test('splits, bad prints and crashes are told apart', { skip }, async () => {
  const folder = temporaryFolder();
  const bars = data('us-equities/bars-1h-*.csv.gz');
  const market = await anomaliesOf(folder, '../hourly-bars', 'bars', bars, COLUMNS);
  const events = await readOutput(join(folder, 'hourly-bars', 'events'), COLUMNS);

  const splits = labels('split');
  assert.ok(splits.length > 0);
  assert.deepEqual([...places(events, 'corporate_action')].sort(), splits.sort());
  const ofMarket = places(market);
  for (const split of splits) assert.ok(!ofMarket.has(split), split);

  const prints = places(events, 'bad_print');
  const bad = labels('bad_wick_print', 'bad_open_print');
  assert.ok(bad.length > 0);
  for (const print of bad) {
    assert.ok(prints.has(print), print);
    assert.ok(!ofMarket.has(print), `${print} is no move of the market`);
  }
  assert.ok(prints.size < 20, `${prints.size} bars with bad prints`);

  for (const symbol of ['AAPL', 'AIG', 'IBM']) {
    const own = [...ofMarket].filter((place) => place.startsWith(`${symbol} `));
    for (const day of ['2010-05-06T18', '2015-08-24T13', '2020-03-16T13']) {
      assert.ok(
        own.some((place) => place.startsWith(`${symbol} ${day}`)),
        `${symbol} ${day}`,
      );
    }
    const perYear = own.length / 23.2;
    assert.ok(perYear > 1 && perYear < BARS_A_YEAR, `${symbol}: ${perYear} bars a year`);
  }
});
