import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { sequenceDetector } from './sequence-detector.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | sequence:int64'));
const SECOND = 1_000_000_000n;

test('names what is wrong with each number, whatever the batches', () => {
  const step = fc.record({
    move: fc.constantFrom(1, 1, 1, 1, 1, 2, 5, 0, -1, -3),
    wait: fc.constantFrom(1n, 1n, 1n, 1n, 1n, 3600n),
  });
  const property = fc.property(
    fc.array(step, { maxLength: 100, size: 'max' }),
    fc.integer({ min: -5, max: 5 }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
    (steps, start, sizes) => {
      let number = start;
      let time = 1_700_000_000n * SECOND;
      const rows: Row[] = [];
      const expected: [bigint, string][] = [];
      // The definition: all numbers since the beginning, in a set.
      let seen = new Set<number>();
      for (const { move, wait } of steps) {
        number += move;
        time += wait * SECOND;
        rows.push({ event_time: time, symbol: 'A', sequence: BigInt(number) });
        const highest = Math.max(...seen);
        if (number <= highest && wait === 3600n) seen = new Set();
        else if (seen.has(number)) expected.push([time, 'duplicate_sequence']);
        else if (seen.size > 0 && number < highest) expected.push([time, 'out_of_sequence']);
        else if (seen.size > 0 && number > highest + 1) expected.push([time, 'sequence_gap']);
        seen.add(number);
      }
      const { outputs } = runOperator(sequenceDetector, {}, SCHEMA, cut(rows, sizes), {
        restartAfterBatch: 1,
      });
      const found = outputs['main']!.map((row) => [row['event_time'], row['type']]);
      // What lies further back than is remembered is told as late.
      if (Math.max(...seen) - Math.min(...seen) < 60) assert.deepEqual(found, expected);
      assert.equal(found.length, expected.length);
    },
  );
  fc.assert(property, { numRuns: 300 });
});
