import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ANOMALY_TYPES, type AnomalyType, type MarketConfig, SECOND_NS } from './market-config.ts';
import { plantedAnomalies, plantings } from './planting.ts';

function config(total: number, more: Partial<MarketConfig> = {}): MarketConfig {
  const each = total / ANOMALY_TYPES.length;
  return {
    seed: 1,
    symbolCount: 50,
    start: 0n,
    sessionSeconds: 23_400,
    sessionCount: 1,
    tradeCount: 3_000_000,
    anomalies: Object.fromEntries(ANOMALY_TYPES.map((type) => [type, each])) as Record<
      AnomalyType,
      number
    >,
    outOfOrder: 0,
    delayNs: 0,
    late: 0,
    lateNs: 0,
    ...more,
  };
}

test('the default day has eight anomalies of each kind', () => {
  const counts = new Map<string, number>();
  for (const { type } of plantings(config(48))) counts.set(type, (counts.get(type) ?? 0) + 1);
  assert.deepEqual(
    ANOMALY_TYPES.map((type) => [type, counts.get(type)]),
    ANOMALY_TYPES.map((type) => [type, 8]),
  );
});

test('anomalies lie within sessions, each alone in its five minutes of its symbol', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 53 - 1 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 600, max: 86_400 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 50 }),
      (seed, symbolCount, sessionSeconds, sessionCount, sixth) => {
        const market = config(6 * sixth, { seed, symbolCount, sessionSeconds, sessionCount });
        const slots = new Set<string>();
        for (const { symbol, startNs, endNs } of plantings(market)) {
          assert(symbol < symbolCount && startNs < endNs);
          const inDay = startNs % (86_400 * SECOND_NS);
          assert(inDay + endNs - startNs <= sessionSeconds * SECOND_NS);
          const first = Math.floor(inDay / (300 * SECOND_NS));
          const last = Math.floor((inDay + endNs - startNs - 1) / (300 * SECOND_NS));
          assert.equal(first, last);
          const slot = `${symbol} ${startNs - inDay} ${first}`;
          assert(!slots.has(slot), `twice in ${slot}`);
          slots.add(slot);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('labels are those of the seed, whatever else is asked', () => {
  const start = 1_772_461_800_000_000_000n;
  const [first] = plantedAnomalies(config(48, { start }));
  const [sameWithout] = plantedAnomalies(config(48));
  assert.equal(first!.start, start + sameWithout!.start);
  assert.equal(first!.symbol, sameWithout!.symbol);
  assert.notDeepEqual(plantings(config(48, { seed: 2 })), plantings(config(48)));
});

test('a market too short for anomalies has none', () => {
  assert.deepEqual(plantings(config(48, { sessionSeconds: 200 })), []);
});
