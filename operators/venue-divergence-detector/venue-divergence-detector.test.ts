import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { venueDivergenceDetector } from './venue-divergence-detector.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | venue:string | price'));
const VENUES = ['A', 'B', 'C'] as const;
const PRICES = Object.fromEntries(
  VENUES.map((venue) => [venue, `case when venue = '${venue}' then price end`]),
);

interface Tick {
  readonly second: number;
  readonly venue: (typeof VENUES)[number];
  readonly price: number;
}

/** `second venue` of what is reported: all prices of the past are looked through at each tick. */
function divergenceOracle(ticks: readonly Tick[], lasting: number, age: number): string[] {
  const found: string[] = [];
  const since = new Map<string, { at: number; isReported: boolean }>();
  for (const [i, { second }] of ticks.entries()) {
    const past = ticks.slice(0, i + 1);
    const fresh = VENUES.flatMap((venue) => {
      const last = past.findLast((tick) => tick.venue === venue);
      return last !== undefined && second - last.second <= age ? [last] : [];
    });
    for (const venue of VENUES) {
      const own = fresh.find((tick) => tick.venue === venue);
      const others = fresh.filter((tick) => tick !== own).map(({ price }) => price);
      const sum = others.reduce((a, b) => a + b, 0);
      const median = sum / others.length;
      if (own === undefined || others.length === 0 || Math.abs(own.price / median - 1) <= 0.01) {
        since.delete(venue);
        continue;
      }
      const state = since.get(venue) ?? { at: second, isReported: false };
      since.set(venue, state);
      if (state.isReported || second - state.at < lasting) continue;
      state.isReported = true;
      found.push(`${second} ${venue}`);
    }
  }
  return found;
}

test('finds what its definition finds', () => {
  const step = fc.record({
    wait: fc.constantFrom(1, 1, 1, 2, 20),
    venue: fc.constantFrom(...VENUES),
    price: fc.constantFrom(100, 100, 100, 100.5, 103),
  });
  const property = fc.property(
    fc.array(step, { maxLength: 80, size: 'max' }),
    fc.constantFrom(0, 2),
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
    (steps, lasting, sizes) => {
      let second = 0;
      const ticks = steps.map(({ wait, ...rest }): Tick => ({ second: (second += wait), ...rest }));
      const rows = ticks.map(({ second: at, ...rest }): Row => {
        return { event_time: BigInt(at) * 1_000_000_000n, symbol: 'S', ...rest };
      });
      const config = { prices: PRICES, lasting: `${lasting}s`, max_age: '5s' };
      const { outputs } = runOperator(venueDivergenceDetector, config, SCHEMA, cut(rows, sizes), {
        restartAfterBatch: 1,
      });
      const found = outputs['main']!.map((row) => {
        const { rule } = JSON.parse(row['explanation'] as string) as { rule: string };
        return `${(row['event_time'] as bigint) / 1_000_000_000n} ${rule.split(' ')[0]}`;
      });
      assert.deepEqual(found, divergenceOracle(ticks, lasting, 5));
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test('problems stand at their fields', () => {
  const got = (prices: object): string[] =>
    planOperator(venueDivergenceDetector, { prices }, SCHEMA).problems.map(
      ({ path, code }) => `${path.join('.')}: ${code}`,
    );
  assert.deepEqual(got({ a: 'price' }), ['prices: config/constraint']);
  assert.deepEqual(got({ a: 'price', b: 'prize' }), ['prices.b: config/unknown-column']);
});
