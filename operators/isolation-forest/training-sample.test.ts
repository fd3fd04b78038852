import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TrainingSample } from './training-sample.ts';

type GivenRow = readonly [a: number, b: number, time: number, key: number];

function sampleOf(rows: readonly GivenRow[], rowsMax: number, cut: number): TrainingSample {
  const sample = new TrainingSample(2, rowsMax, 7);
  for (let from = 0; from < rows.length; from += cut) {
    const some = rows.slice(from, from + cut);
    const column = (i: 0 | 1): Float64Array => Float64Array.from(some, (row) => row[i]);
    const times = new BigInt64Array(some.map((row) => BigInt(row[2])));
    const keys = Int32Array.from(some, (row) => row[3]);
    sample.add([column(0), column(1)], new Int32Array(times.buffer), keys);
  }
  return sample;
}

const number = fc.oneof(fc.nat(3), fc.double({ noNaN: true }), fc.constant(Number.NaN));
const row = fc.tuple(number, number, fc.nat(5), fc.nat(2));

test('a sample does not depend on the order of the rows, nor on their batches', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(row, fc.nat()), { maxLength: 300, size: 'max' }),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 50 }),
      (given, rowsMax, cut) => {
        const rows = given.map(([each]) => each);
        const shuffled = given.toSorted(([, a], [, b]) => a - b).map(([each]) => each);
        const sample = sampleOf(rows, rowsMax, rows.length + 1);
        const other = sampleOf(shuffled, rowsMax, cut);
        assert.deepEqual([...other.matrix()], [...sample.matrix()]);
        const sound = rows.filter(([a, b]) => [a, b].every((x) => Number.isFinite(Math.fround(x))));
        assert.equal(sample.seen, rows.length);
        assert.equal(sample.skipped, rows.length - sound.length);
        assert.equal(sample.matrix().length, 2 * Math.min(sound.length, rowsMax));
      },
    ),
    { numRuns: 200 },
  );
});

test('a sample of many rows is bounded, and spread over all of them', () => {
  const rows = Array.from({ length: 20_000 }, (_, i): GivenRow => [i, 0, i, 0]);
  const matrix = sampleOf(rows, 1000, 512).matrix();
  assert.equal(matrix.length, 2000);
  const values = [...matrix.filter((_, i) => i % 2 === 0)];
  assert.equal(new Set(values).size, 1000);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  // Of a uniform sample of 1,000: 10,000 with a deviation of 183.
  assert(Math.abs(mean - 10_000) < 900, `${mean}`);
  const early = values.filter((value) => value < 2000).length;
  assert(early > 50 && early < 150, `${early} of the first tenth`);
});
