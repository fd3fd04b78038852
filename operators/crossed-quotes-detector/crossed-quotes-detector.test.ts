import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { crossedQuotesDetector } from './crossed-quotes-detector.ts';
import { crossedQuotesOracle } from './crossed-quotes.oracle.ts';

const QUOTES = parseTable(`
  event_time   | symbol | bid  | ask
  09:30:00     | A      | 99   | 100
  09:30:01     | A      | 100  | 100
  09:30:02     | A      | 100  | 100
  09:30:03     | A      | 100  | 100
  09:30:03.5   | A      | 101  | 100
  09:30:06     | A      | 99   | 100
  09:30:07     | A      | 101  | 100
  09:30:08     | A      |      | 100
  09:30:10     | A      | 101  | 100
  09:30:11     | A      | 0    | 100
`);

function found(config: object): unknown[] {
  const batches = cut(QUOTES.rows, [3]);
  const { outputs } = runOperator(crossedQuotesDetector, config, schemaOfTable(QUOTES), batches, {
    restartAfterBatch: [0, 1],
  });
  return outputs['main']!.map((row) => {
    const { details } = JSON.parse(row['explanation'] as string) as { details: object };
    return [row['type'], Number((row['event_time'] as bigint) % 60_000_000_000n) / 1e9, details];
  });
}

test('states are reported once, when they have lasted, also by the row that ends them', () => {
  assert.deepEqual(found({ lasting: '2s' }), [['crossed_quotes', 6, { seconds: 2.5 }]]);
  assert.deepEqual(found({ lasting: '2s', locked: true }), [
    ['locked_quotes', 3, { seconds: 2 }],
    ['crossed_quotes', 6, { seconds: 2.5 }],
  ]);
  assert.deepEqual(found({ lasting: '3s' }), []);
  assert.equal(found({ lasting: '0s' }).length, 3);
});

const SECOND = 1_000_000_000n;
const BY_VENUE = schemaOfTable(parseTable('event_time | symbol | venue:string | bid | ask'));

const quote = fc.record({
  symbol: fc.constantFrom('A', 'A', 'A', 'B'),
  venue: fc.constantFrom('N', 'Q', 'P', ''),
  bid: fc.constantFrom(98, 99, 99, 100, 101, null, 0, -1, Number.POSITIVE_INFINITY),
  ask: fc.constantFrom(99, 100, 100, 101, 102, null, Number.NaN),
  wait: fc.constantFrom(0, 1, 1, 2, 3, 12, -1, -4),
});

test('with venues and an age it finds what the definition finds', () => {
  const types = new Map<string, number>();
  const property = fc.property(
    fc.array(quote, { maxLength: 80, size: 'max' }),
    fc.record({
      age: fc.constantFrom(undefined, 1, 2, 5, 10),
      lasting: fc.constantFrom(0, 1, 2, 4),
      locked: fc.boolean(),
      by: fc.constantFrom('venue', undefined),
    }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
    (quotes, { age, lasting, locked, by }, sizes) => {
      let time = 1_700_000_000;
      const timed = quotes.map((each) => ({ ...each, time: (time += each.wait) }));
      const rows = timed.map(({ time: at, symbol, venue, bid, ask }): Row => {
        // A venue without a name is a venue, too.
        const named = venue === '' ? null : venue;
        return { event_time: BigInt(at) * SECOND, symbol, venue: named, bid, ask };
      });
      const config = {
        ...{ lasting: `${lasting}s`, locked },
        ...(age !== undefined && { max_age: `${age}s` }),
        ...(by !== undefined && { by }),
      };
      const { outputs } = runOperator(crossedQuotesDetector, config, BY_VENUE, cut(rows, sizes), {
        restartAfterBatch: [0, 2],
      });
      for (const symbol of ['A', 'B']) {
        const own = timed
          .filter((each) => each.symbol === symbol)
          .map((each) => ({
            ...each,
            venue: by === undefined ? '' : each.venue,
            bid: each.bid === Number.POSITIVE_INFINITY ? null : each.bid,
          }));
        const expected = crossedQuotesOracle(own, {
          ...{ lasting, locked, maxAge: age ?? Number.POSITIVE_INFINITY },
        }).map(({ row, type, seconds }) => [BigInt(own[row]!.time) * SECOND, type, seconds]);
        for (const [, type] of expected) {
          types.set(type as string, (types.get(type as string) ?? 0) + 1);
        }
        const found = outputs['main']!.filter((row) => row['symbol'] === symbol).map((row) => {
          const { details } = JSON.parse(row['explanation'] as string) as {
            readonly details: { readonly seconds: number };
          };
          return [row['event_time'], row['type'], details.seconds];
        });
        // The order of those of one row is no matter of the definition.
        assert.deepEqual(found.map(String).sort(), expected.map(String).sort());
      }
    },
  );
  fc.assert(property, { numRuns: 500 });
  for (const type of ['crossed_quotes', 'locked_quotes']) assert.ok(types.get(type)! > 100, type);
});

test('an explanation names the venues of the bid and of the ask', () => {
  const { rows } = parseTable(`
    event_time | symbol | venue:string | bid | ask
    09:30:00   | A      | N            | 99  | 100
    09:30:01   | A      | P            | 100 | 101
    09:30:01   | A      | Q            | 101 | 102
    09:30:02   | A      | Q            | 101 | 102
  `);
  const { outputs } = runOperator(crossedQuotesDetector, { by: 'venue' }, BY_VENUE, [rows]);
  const explanations = outputs['main']!.map((row) => JSON.parse(row['explanation'] as string));
  assert.deepEqual(
    explanations.map((explanation: Record<string, unknown>) => explanation['by']),
    [{ bid: 'Q', ask: 'N' }],
  );
});
