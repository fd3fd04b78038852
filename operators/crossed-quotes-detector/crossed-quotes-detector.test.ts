import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut } from '../../engine/testing/arbitrary.ts';
import { runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { crossedQuotesDetector } from './crossed-quotes-detector.ts';

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
