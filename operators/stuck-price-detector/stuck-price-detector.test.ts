import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { stuckPriceDetector } from './stuck-price-detector.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | price | size'));
const SECOND = 1_000_000_000n;

interface Trade {
  readonly price: number | null;
  readonly size: number;
}

/** Rows of one symbol that complete a run: every run is written out whole. */
function stuckOracle(trades: readonly Trade[], rows: number, seconds: number): number[] {
  const counted = trades.map((trade, i) => ({ ...trade, i })).filter((t) => t.price !== null);
  const traded = counted.filter(({ size }) => size > 0);
  const found: number[] = [];
  for (let start = 0; start < traded.length; ) {
    let end = start;
    while (end < traded.length && traded[end]!.price === traded[start]!.price) end++;
    const run = traded.slice(start, end);
    let due = rows;
    for (const [length, { i }] of run.entries()) {
      if (length + 1 < due || i - run[0]!.i < seconds) continue;
      found.push(i);
      due = 2 * (length + 1);
    }
    start = end;
  }
  return found;
}

test('finds the rows that its definition finds', () => {
  const trade = fc.record({
    price: fc.constantFrom(100, 100, 100, 100, 101, -1, null),
    size: fc.constantFrom(0, 1, 1, 1),
  });
  const property = fc.property(
    fc.array(trade, { maxLength: 120, size: 'max' }),
    fc.integer({ min: 2, max: 6 }),
    fc.constantFrom(0, 4, 9),
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
    (trades, rows, seconds, sizes) => {
      const stream = trades.map((t, i): Row => {
        return { event_time: BigInt(i) * SECOND, symbol: 'A', ...t };
      });
      const config = { rows, at_least: `${seconds}s` };
      const { outputs } = runOperator(stuckPriceDetector, config, SCHEMA, cut(stream, sizes), {
        restartAfterBatch: 1,
      });
      const found = outputs['main']!.map((row) => Number((row['event_time'] as bigint) / SECOND));
      assert.deepEqual(found, stuckOracle(trades, rows, seconds));
    },
  );
  fc.assert(property, { numRuns: 200 });
});
