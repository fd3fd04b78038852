import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { runOperator } from '../../engine/testing/harness.ts';
import { operatorCompliance } from '../../engine/testing/operator-compliance.ts';
import { tickRule } from './tick-rule.ts';

operatorCompliance(tickRule);

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

interface Trade {
  readonly symbol: string;
  readonly price: number | null;
}

/** The definition, for one trade: compare it with the nearest earlier, different price. */
function directionOracle(trades: readonly Trade[], index: number): number | null {
  const own = trades.slice(0, index + 1).filter(({ symbol }) => symbol === trades[index]!.symbol);
  const prices = own.flatMap(({ price }) => (price === null ? [] : [price]));
  for (let i = prices.length - 1; i > 0; i--) {
    if (prices[i] !== prices[i - 1]) return prices[i]! > prices[i - 1]! ? 1 : -1;
  }
  return null;
}

test('the direction is that of the last change of the price', () => {
  const trade = fc.record({
    symbol: fc.constantFrom('SPY', 'IBM'),
    price: fc.option(fc.constantFrom(99, 100, 101)),
  });
  fc.assert(
    fc.property(fc.array(trade), (trades) => {
      const rows = trades.map((each, index) => ({ ...each, event_time: BigInt(index) }));
      const { outputs } = runOperator(tickRule, {}, schema, [rows]);
      assert.deepEqual(
        outputs['main']!.map(({ direction }) => direction),
        trades.map((_, index) => directionOracle(trades, index)),
      );
    }),
  );
});
