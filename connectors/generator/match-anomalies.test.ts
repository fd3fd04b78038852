import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FoundAnomaly, matchAnomalies } from './match-anomalies.ts';
import type { AnomalyType } from './market-config.ts';
import type { PlantedAnomaly } from './planting.ts';

const planted = (
  symbol: string,
  type: AnomalyType,
  start: bigint,
  end: bigint,
): PlantedAnomaly => ({
  symbol,
  type,
  start,
  end,
  note: '',
});
const found = (
  symbol: string,
  type: string,
  windowStart: bigint,
  windowEnd: bigint,
): FoundAnomaly => ({ symbol, type, windowStart, windowEnd });

test('a found row matches by symbol, type and overlap; ends are exclusive', () => {
  //  A gap        [10,20)
  //  found  [0,10)[10,11)   [19,25)[20,30)
  const report = matchAnomalies(
    [planted('A', 'gap', 10n, 20n)],
    [
      found('A', 'gap', 0n, 10n),
      found('A', 'gap', 10n, 11n),
      found('A', 'gap', 19n, 25n),
      found('A', 'gap', 20n, 30n),
      found('B', 'gap', 10n, 20n),
      found('A', 'bad_print', 10n, 20n),
    ],
  );
  assert.deepEqual(report.types, {
    bad_print: { planted: 0, found: 1, matched: 0, correct: 0, precision: 0, recall: null },
    gap: { planted: 1, found: 5, matched: 1, correct: 2, precision: 0.4, recall: 1 },
  });
  assert.deepEqual(report.overall, {
    planted: 1,
    found: 6,
    matched: 1,
    correct: 2,
    precision: 2 / 6,
    recall: 1,
  });
  assert.equal(report.anyType.correct, 3);
});

test('the tolerance makes planted ones longer at their end', () => {
  const one = [planted('A', 'gap', 10n, 20n)];
  assert.equal(matchAnomalies(one, [found('A', 'gap', 20n, 30n)]).overall.matched, 0);
  assert.equal(matchAnomalies(one, [found('A', 'gap', 20n, 30n)], 1n).overall.matched, 1);
  assert.equal(matchAnomalies(one, [found('A', 'gap', 0n, 10n)], 1n).overall.matched, 0);
});

test('a row that overlaps two planted ones matches both, and counts once', () => {
  const { overall } = matchAnomalies(
    [planted('A', 'gap', 10n, 20n), planted('A', 'gap', 20n, 30n), planted('A', 'gap', 90n, 91n)],
    [found('A', 'gap', 15n, 25n)],
  );
  assert.deepEqual(overall, {
    planted: 3,
    found: 1,
    matched: 2,
    correct: 1,
    precision: 1,
    recall: 2 / 3,
  });
});

test('nothing planted and nothing found has neither precision nor recall', () => {
  const { overall, types } = matchAnomalies([], []);
  assert.deepEqual([overall.precision, overall.recall, types], [null, null, {}]);
});
