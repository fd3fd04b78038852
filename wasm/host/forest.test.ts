import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PoisonedMemory } from '../../engine/testing/poisoned-memory.ts';
import { Forest } from './forest.ts';
import { growTree, momentsOf, pathLength, prepared, scoreOf, shapOf } from './forest.oracle.ts';
import { type Keep, Reservoir, RowGroups } from './forest-rows.ts';
import { type ForestTree, meanPathLength } from './forest-trees.ts';

/** Runs in a memory of its own and gives it back. */
function withMemory<T>(body: (memory: PoisonedMemory) => T): T {
  const memory = PoisonedMemory.lease();
  try {
    return body(memory);
  } finally {
    memory.release();
  }
}

type Rows = readonly (readonly number[])[];

function matrixOf(memory: PoisonedMemory, rows: Rows): number {
  const numbers = rows.flat();
  const pointer = memory.arena.allocate(numbers.length * 8);
  memory.f64(pointer, numbers.length).set(numbers);
  return pointer;
}

function groupsOf(memory: PoisonedMemory, rows: Rows, keys?: readonly number[]) {
  const columns = rows[0]!.map((_, feature) => {
    const column = memory.arena.allocate(rows.length * 8);
    memory.f64(column, rows.length).set(rows.map((row) => row[feature]!));
    return column;
  });
  const codes = memory.arena.allocate(rows.length * 4);
  memory.u32(codes, rows.length).set(keys ?? []);
  const groups = new RowGroups(memory.kernels);
  const keyCount = keys === undefined ? 1 : Math.max(...keys) + 1;
  return groups.group(keys === undefined ? 0 : codes, keyCount, columns, rows.length);
}

/** Features of many kinds: constants, ties, prices of 1e9 that move by 1e-3, tails. */
const feature: fc.Arbitrary<fc.Arbitrary<number>> = fc.constantFrom<fc.Arbitrary<number>[]>(
  fc.constant(7),
  fc.constantFrom(0, -0, 1),
  fc.nat(9).map((step) => 1e9 + step * 1e-3),
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: -3e38, max: 3e38, noNaN: true }),
  fc.constantFrom(1e-40, -1e-40, 1e-45, 0, 3e38),
);

function rowsOf(rowsMax: number): fc.Arbitrary<Rows> {
  return fc
    .array(feature, { minLength: 1, maxLength: 4 })
    .chain((features) =>
      fc.array(fc.tuple(...features), { minLength: 1, maxLength: rowsMax, size: 'max' }),
    );
}

const growth = fc.record({
  trees: fc.integer({ min: 1, max: 8 }),
  sampleSize: fc.integer({ min: 2, max: 40 }),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  isStandardized: fc.boolean(),
});

test('forests grow as their definition says, and score as their trees do', () => {
  fc.assert(
    fc.property(rowsOf(60), growth, (rows, parameters) => {
      withMemory((memory) => {
        const forest = new Forest(memory.kernels, rows[0]!.length);
        const scores = forest.grow(matrixOf(memory, rows), rows.length, parameters);
        const moments = momentsOf(rows, parameters.isStandardized);
        const seen = rows.map((row) => prepared(row, moments));
        const { trees: count, sampleSize, seed } = parameters;
        const trees = Array.from({ length: count }, (_, number) =>
          growTree(seen, sampleSize, seed, number),
        );
        assert.deepEqual(forest.trees(), trees);
        const own = memory.f64(scores, rows.length).slice();
        const size = Math.min(sampleSize, rows.length);
        for (const [i, row] of seen.entries()) assertNear(own[i]!, scoreOf(trees, row, size));
        const groups = groupsOf(memory, rows);
        const again = memory.arena.allocate(rows.length * 8);
        forest.score(groups, 0, rows.length, again);
        assert.deepEqual([...memory.f64(again, rows.length)], [...own]);
      });
    }),
    { numRuns: 300 },
  );
});

function assertNear(found: number, expected: number, tolerance = 1e-12): void {
  const distance = Math.abs(found - expected);
  assert(distance <= tolerance * Math.max(1, Math.abs(expected)), `${found} is not ${expected}`);
}

test('contributions are the Shapley values of all subsets, and shorter paths count as more', () => {
  fc.assert(
    fc.property(rowsOf(40), growth, fc.nat(), (rows, parameters, at) => {
      withMemory((memory) => {
        const forest = new Forest(memory.kernels, rows[0]!.length);
        forest.grow(matrixOf(memory, rows), rows.length, parameters);
        const trees = forest.trees();
        const groups = groupsOf(memory, rows);
        const row = prepared(rows[at % rows.length]!, momentsOf(rows, parameters.isStandardized));
        const { path, expectedPath, contributions } = forest.explain(groups, at % rows.length);
        const mean = trees.reduce((sum, tree) => sum + pathLength(tree, row), 0) / trees.length;
        assertNear(path, mean);
        const expected = shapOf(trees, row);
        for (const [i, value] of expected.entries()) assertNear(contributions[i]!, -value, 1e-9);
        const sum = contributions.reduce((total, each) => total + each, 0);
        assertNear(sum, expectedPath - path, 1e-9);
      });
    }),
    { numRuns: 200 },
  );
});

test('given trees score by thresholds in double precision, whatever their order of nodes', () => {
  const threshold = fc.oneof(
    fc.double({ min: -2, max: 2, noNaN: true }),
    fc.constantFrom(0, -0, 1e-46, -1e-46, 0.1, Math.fround(0.1), -0.1, 1e300, -1e300),
  );
  const value = fc.oneof(threshold, fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(threshold, threshold, value, (first, second, number) => {
      const tree: ForestTree = {
        left: [3, -1, -1, 2, -1],
        right: [1, -1, -1, 4, -1],
        feature: [0, -2, -2, 0, -2],
        threshold: [first, -2, -2, second, -2],
        n: [100, 40, 59, 60, 1],
      };
      withMemory((memory) => {
        const forest = new Forest(memory.kernels, 1);
        forest.load([tree], 100, [0, 1, 0]);
        const groups = groupsOf(memory, [[number]]);
        const scores = memory.arena.allocate(8);
        if (groups.count === 0) {
          assert(!Number.isFinite(Math.fround(number)));
          return;
        }
        forest.score(groups, 0, 1, scores);
        const path = pathLength(tree, [Math.fround(number)]);
        assertNear(memory.f64(scores, 1)[0]!, 2 ** -(path / meanPathLength(100)));
      });
    }),
    { numRuns: 500 },
  );
});

test('a forest goes on elsewhere from its snapshot, and from its trees', () => {
  fc.assert(
    fc.property(rowsOf(30), growth, (rows, parameters) => {
      withMemory((memory) => {
        const features = rows[0]!.length;
        const forest = new Forest(memory.kernels, features);
        forest.grow(matrixOf(memory, rows), rows.length, parameters);
        forest.limit = 0.625;
        const restored = new Forest(memory.kernels, features);
        const loaded = new Forest(memory.kernels, features);
        restored.restore(forest.snapshot());
        loaded.load(forest.trees(), forest.sampleSize, [...forest.moments]);
        assert.deepEqual(restored.snapshot(), forest.snapshot());
        assert.equal(restored.limit, 0.625);
        const groups = groupsOf(memory, rows);
        const scoresOf = (each: Forest): number[] => {
          const scores = memory.arena.allocate(rows.length * 8);
          each.score(groups, 0, rows.length, scores);
          return [...memory.f64(scores, rows.length)];
        };
        assert.deepEqual(scoresOf(restored), scoresOf(forest));
        assert.deepEqual(scoresOf(loaded), scoresOf(forest));
        // Loaded trees have their nodes in another order, in which their leaves are added up.
        assert.deepEqual(restored.explain(groups, 0), forest.explain(groups, 0));
        assertNear(loaded.explain(groups, 0).expectedPath, forest.explain(groups, 0).expectedPath);
        const slabs = memory.slabCount;
        for (const each of [forest, restored, loaded]) each.dispose();
        assert.equal(memory.slabCount, slabs - 6);
      });
    }),
    { numRuns: 100 },
  );
});

test('rows are dealt out by key in their order, without those that have no number', () => {
  const number = fc.constantFrom(1, -2.5, 0, Number.NaN, Number.POSITIVE_INFINITY, 1e39, -3e38);
  const row = fc.tuple(fc.nat(5), fc.tuple(number, number));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 50, size: 'max' }), (given) => {
      withMemory((memory) => {
        const keys = given.map(([key]) => key);
        const rows = given.map(([, numbers]) => numbers);
        const { order, groups, count } = groupsOf(memory, rows, keys);
        const isSound = (numbers: readonly number[]): boolean =>
          numbers.every((each) => Number.isFinite(Math.fround(each)));
        const expected = new Map<number, number[]>();
        for (const [i, [key, numbers]] of given.entries()) {
          if (isSound(numbers)) expected.set(key, [...(expected.get(key) ?? []), i]);
        }
        const places = memory.u32(order, count);
        const found = new Map<number, number[]>();
        for (let i = 0, from = 0; i < groups.length; i += 2) {
          found.set(groups[i]!, [...places.subarray(from, groups[i + 1]!)]);
          from = groups[i + 1]!;
        }
        assert.deepEqual([...found], [...expected]);
      });
    }),
    { numRuns: 200 },
  );
});

test('the latest reservoir holds the last rows', () => {
  withMemory((memory) => {
    const rows = Array.from({ length: 100 }, (_, i) => [i]);
    const { columns, order } = groupsOf(memory, rows);
    const reservoir = new Reservoir(memory.kernels, 1, { capacity: 8, keep: 'latest', seed: 1n });
    reservoir.absorb({ columns, order }, 0, 3);
    reservoir.absorb({ columns, order }, 3, 30);
    reservoir.absorb({ columns, order }, 30, 100);
    assert.equal(reservoir.seen, 100);
    const held = [...memory.f64(reservoir.matrix, reservoir.count)].sort((a, b) => a - b);
    assert.deepEqual(held, [92, 93, 94, 95, 96, 97, 98, 99]);
  });
});

test('a uniform reservoir holds every row equally often, and goes on from a snapshot', () => {
  withMemory((memory) => {
    const rows = Array.from({ length: 60 }, (_, i) => [i]);
    const groups = groupsOf(memory, rows);
    const keep: Keep = 'uniform';
    const held = new Float64Array(60);
    for (let seed = 0n; seed < 3000n; seed++) {
      const spec = { capacity: 12, keep, seed: seed * 0x9e3779b97f4a7c15n };
      let reservoir = new Reservoir(memory.kernels, 1, spec);
      reservoir.absorb(groups, 0, 40);
      const next = new Reservoir(memory.kernels, 1, { capacity: 12, keep, seed: 0n });
      next.restore(reservoir.snapshot());
      reservoir.dispose();
      reservoir = next;
      reservoir.absorb(groups, 40, 60);
      for (const value of memory.f64(reservoir.matrix, reservoir.count)) held[value]!++;
      reservoir.dispose();
    }
    // 3,000 draws at 12 / 60: 600 each, with a deviation of 22.
    assert(Math.min(...held) > 490, held.join(' '));
    assert(Math.max(...held) < 710, held.join(' '));
  });
});
