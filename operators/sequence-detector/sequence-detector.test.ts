import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { sequenceDetector } from './sequence-detector.ts';

const SCHEMA = schemaOfTable(
  parseTable('event_time | symbol | venue:string | publisher:int64 | sequence:int64'),
);
const SECOND = 1_000_000_000n;
const REMEMBERED = 1024;

/** The definition: all numbers since the beginning of a symbol's venue, in a set. */
function sequenceOracle(rows: readonly Row[], by: string | undefined): [bigint, string][] {
  const found: [bigint, string][] = [];
  const states = new Map<string, { seen: Set<number>; time: bigint }>();
  for (const row of rows) {
    const time = row['event_time'] as bigint;
    const key = `${row['symbol'] as string} ${by === undefined ? '' : String(row[by])}`;
    if (row['sequence'] === null) continue;
    const number = Number(row['sequence']);
    const state = states.get(key);
    const highest = Math.max(...(state?.seen ?? []));
    if (state === undefined || (number <= highest && time - state.time >= 3600n * SECOND)) {
      states.set(key, { seen: new Set([number]), time });
      continue;
    }
    const { seen } = state;
    if (number > highest + 1) found.push([time, 'sequence_gap']);
    else if (number <= highest) {
      // What lies further back than is remembered is told as late.
      const isKnown = seen.has(number) && highest - number < REMEMBERED;
      found.push([time, isKnown ? 'duplicate_sequence' : 'out_of_sequence']);
    }
    seen.add(number);
    state.time = time;
  }
  return found;
}

const step = fc.record({
  symbol: fc.constantFrom('A', 'A', 'A', 'B'),
  venue: fc.constantFrom('Q', 'Q', 'N', null),
  move: fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 5, 0, -1, -3, 40, -40, 1023, 1024, -1023, -1024, null),
  wait: fc.constantFrom(1n, 1n, 1n, 1n, 1n, 3600n),
});

for (const by of [undefined, 'venue', 'publisher']) {
  test(`names what is wrong with each number, by ${by ?? 'symbol'}`, () => {
    const kinds = new Set<string>();
    const property = fc.property(
      fc.array(step, { maxLength: 120, size: 'max' }),
      fc.integer({ min: -5, max: 5 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
      (steps, start, sizes) => {
        const last = new Map<string, number>();
        let time = 1_700_000_000n * SECOND;
        const rows = steps.map(({ symbol, venue, move, wait }): Row => {
          const own = by === undefined ? symbol : `${symbol} ${venue}`;
          const number = (last.get(own) ?? start) + (move ?? 0);
          last.set(own, number);
          return {
            event_time: (time += wait * SECOND),
            ...{ symbol, venue, publisher: venue === null ? null : BigInt(venue.charCodeAt(0)) },
            sequence: move === null ? null : BigInt(number),
          };
        });
        const config = by === undefined ? {} : { by };
        const { outputs } = runOperator(sequenceDetector, config, SCHEMA, cut(rows, sizes), {
          restartAfterBatch: [0, 2],
        });
        const found = outputs['main']!.map((row) => [row['event_time'], row['type']]);
        const expected = sequenceOracle(rows, by);
        for (const [, type] of expected) kinds.add(type);
        assert.deepEqual(found, expected);
      },
    );
    fc.assert(property, { numRuns: 200 });
    assert.equal(kinds.size, 3);
  });
}

const ROWS = parseTable(`
  event_time | symbol | venue:string | publisher:int64 | sequence:int64
  09:30:00   | A      | Q            | 1               | 10
  09:30:01   | A      | N            | 2               | 5
  09:30:02   | A      | Q            | 1               | 12
  09:30:03   | A      | Q            | 1               | 11
  09:30:04   | A      |              |                 | 5
  09:30:05   | A      |              |                 | 5
`).rows;

test('an explanation names the venue', () => {
  const { outputs } = runOperator(sequenceDetector, { by: 'venue' }, SCHEMA, [ROWS]);
  const named = outputs['main']!.map(({ type, explanation }) => {
    return [type, (JSON.parse(explanation as string) as Record<string, unknown>)['by']];
  });
  assert.deepEqual(named, [
    ['sequence_gap', { venue: 'Q' }],
    ['out_of_sequence', { venue: 'Q' }],
    ['duplicate_sequence', { venue: '' }],
  ]);
});

test('gaps are left out where numbers are shared with others', () => {
  const { outputs } = runOperator(sequenceDetector, { by: 'venue', gaps: false }, SCHEMA, [ROWS]);
  assert.deepEqual(
    outputs['main']!.map(({ type }) => type),
    ['out_of_sequence', 'duplicate_sequence'],
  );
});

test('a column of groups must be there, and of texts or whole numbers', () => {
  const codes = (by: string): string[] =>
    planOperator(sequenceDetector, { by }, SCHEMA).problems.map(
      ({ path, code }) => `${path.join('.')}: ${code}`,
    );
  assert.deepEqual(codes('venue'), []);
  assert.deepEqual(codes('exchange'), ['by: config/unknown-column']);
  assert.deepEqual(codes('event_time'), ['by: config/column-type']);
});
