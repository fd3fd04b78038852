import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planOperator, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, type Row, schemaOfTable } from '../../engine/testing/table.ts';
import { filter } from './filter.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | price | size'));

test('exactly the rows for which the condition is true pass, late or not', () => {
  const row = fc.record(
    {
      event_time: fc.bigInt({ min: 0n, max: 20n }),
      symbol: fc.constantFrom('A', 'B'),
      price: fc.option(fc.integer({ min: -3, max: 3 })),
      size: fc.option(fc.integer({ min: -3, max: 3 })),
    },
    { noNullPrototype: true },
  );
  const batches = fc.array(fc.array(row, { maxLength: 30, size: 'max' }), { maxLength: 4 });
  fc.assert(
    fc.property(batches, (given) => {
      const run = runOperator(filter, { where: "price < size and symbol <> 'B'" }, SCHEMA, given);
      const passes = ({ symbol, price, size }: Row): boolean =>
        symbol !== 'B' && price !== null && size !== null && price! < size!;
      assert.deepEqual(run.outputs['main'], given.flat().filter(passes));
      assert.equal(run.late, 0);
    }),
  );
});

test('a row watermark stays with its row', () => {
  const rows: Row[] = [5n, 3n, 9n, 1n].map((event_time) => {
    return { event_time, symbol: 'A', price: event_time === 3n ? 0 : 1, size: 1 };
  });
  const { emissions } = runOperator(filter, { where: 'price = size' }, SCHEMA, [rows]);
  assert.deepEqual(emissions[0]?.rowWatermarks?.slice(1), [5n, 9n]);
  assert.deepEqual(
    emissions[0]?.rows.map(({ event_time }) => event_time),
    [5n, 9n, 1n],
  );
});

test('a condition must be one', () => {
  const messages = (where: string): string[] =>
    planOperator(filter, { where }, SCHEMA).problems.map(({ message }) => message);
  assert.deepEqual(messages('price'), [
    'expected a condition, such as price > 0, got price of type float64',
  ]);
  assert.deepEqual(messages('prise > 0'), ['there is no column prise']);
  assert.deepEqual(messages('price >'), ['expected a value, got the end']);
});
