import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { END_OF_TIME, durationNs } from '../../engine/contract/time.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { DedupeTable } from '../../wasm/host/dedupe.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import { dedupe } from './dedupe.ts';
import { dedupeOracle } from './dedupe.oracle.ts';

const SECOND = 1_000_000_000n;

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'venue', type: 'string' },
    { name: 'sequence', type: 'int64' },
    { name: 'price', type: 'float64' },
    { name: 'isOdd', type: 'boolean' },
  ],
  time: 'event_time',
  key: 'symbol',
};

const COLUMNS = schema.columns.map(({ name }) => name);

/** Few values each, so that rows repeat; integers that are one double, zeroes of both signs. */
const step = fc.record({
  wait: fc.constantFrom(0n, 0n, 1n, SECOND / 2n, SECOND, 10n * SECOND, 400n * SECOND),
  back: fc.constantFrom(0n, 0n, 0n, 1n, SECOND, 7n * SECOND),
  symbol: fc.constantFrom('A', 'A', 'B'),
  venue: fc.constantFrom('XNAS', 'XNYS', '', null),
  sequence: fc.constantFrom(1n, 2n ** 53n, 2n ** 53n + 1n, null),
  price: fc.constantFrom(0, -0, 0.1, 0.1 + Number.EPSILON, null),
  isOdd: fc.constantFrom(true, false, null),
});

const stream = fc
  .record({
    steps: fc.array(step, { maxLength: 120, size: 'max' }),
    sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
    maxOutOfOrdernessNs: fc.constantFrom(0n, SECOND, 100n * SECOND),
    restartAfterBatch: fc.array(fc.nat(12), { maxLength: 2 }),
    // 2023, and around 1970, where times change their sign.
    start: fc.constantFrom(1_700_000_000n, -30n),
  })
  .map(({ steps, start, ...rest }) => {
    let now = start * SECOND;
    const rows = steps.map(({ wait, back, ...row }): Row => {
      now += wait;
      return { event_time: now - back, ...row };
    });
    return { rows, ...rest };
  });

test('keeps and drops the rows of its definition, whatever the batches and restarts', () => {
  const property = fc.property(
    stream,
    fc.subarray(COLUMNS, { minLength: 1 }),
    fc.constantFrom('1ns', '1s', '8s', '30s', '36500d'),
    ({ rows, sizes, ...options }, columns, within) => {
      const result = runOperator(dedupe, { columns, within }, schema, cut(rows, sizes), options);
      const { maxOutOfOrdernessNs } = options;
      const expected = dedupeOracle(rows, columns, durationNs(within), maxOutOfOrdernessNs);
      assert.deepEqual(result.outputs['main'], expected.kept);
      assert.deepEqual(result.outputs['duplicates'], expected.duplicates);
      assert.equal(result.duplicate, expected.duplicates.length);
      assert.equal(result.metrics['duplicate_rows_total'] ?? 0, expected.duplicates.length);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test('a large table tells all rows apart, and grows and forgets on the way', () => {
  const rows = Array.from({ length: 40_000 }, (_, i): Row => {
    // Each third row repeats one of 5,000 rows before, which is 5 s.
    const of = i % 3 === 2 ? i - 5_000 : i;
    return {
      event_time: 1_700_000_000n * SECOND + BigInt(i) * (SECOND / 1000n),
      symbol: `K${of % 7}`,
      venue: `V${of % 11}`,
      sequence: BigInt(of),
      price: null,
      isOdd: null,
    };
  });
  for (const [within, isRepeated] of [
    ['6s', true],
    ['5s', false],
  ] as const) {
    const config = { columns: ['venue', 'sequence'], within };
    const { outputs } = runOperator(dedupe, config, schema, cut(rows, [4096]), {
      restartAfterBatch: 5,
    });
    const seen = new Set<bigint>();
    const duplicates = rows.filter(({ sequence }) => {
      const known = seen.has(sequence as bigint);
      seen.add(sequence as bigint);
      return known && isRepeated;
    });
    assert.equal(outputs['duplicates']!.length, duplicates.length);
    assert.deepEqual(outputs['duplicates'], duplicates);
  }
});

/** A table on its own: rows with these keys, times and values of one column. */
function openTable(withinNs: bigint): {
  readonly table: DedupeTable;
  readonly sort: (
    rowCount: number,
    row: (i: number) => readonly [key: number, time: bigint, value: bigint],
  ) => number;
} {
  const kernels = new Kernels();
  const { memory } = kernels;
  const table = new DedupeTable(kernels, withinNs, 1);
  return {
    table,
    sort: (rowCount, row) => {
      const rows = Array.from({ length: rowCount }, (_, i) => row(i));
      const keys = memory.arena.allocate(rowCount * 4);
      memory.u32(keys, rowCount).set(rows.map(([key]) => key));
      const times = memory.arena.allocate(rowCount * 8);
      memory.i64(times, rowCount).set(rows.map(([, time]) => time));
      const values = memory.arena.allocate(rowCount * 8);
      memory.i64(values, rowCount).set(rows.map(([, , value]) => value));
      const column = { kind: 'i64', pointer: values, codes: 0 } as const;
      const { keptCount } = table.sort({
        ...{ rowCount, keys, times, rowWatermarks: 0 },
        columns: [column],
      });
      memory.arena.reset();
      return keptCount;
    },
  };
}

test('rows whose hashes are equal by chance are told apart', () => {
  // Among 300,000 rows some twenty pairs share their 31 bits of hash.
  const rowCount = 300_000;
  const byValue = openTable(SECOND);
  assert.equal(
    byValue.sort(rowCount, (i) => [0, 0n, BigInt(i)]),
    rowCount,
  );
  assert.equal(
    byValue.sort(rowCount, (i) => [0, 0n, BigInt(i)]),
    0,
  );
  const byKey = openTable(SECOND);
  assert.equal(
    byKey.sort(rowCount, (i) => [i, 0n, 0n]),
    rowCount,
  );
  assert.equal(
    byKey.sort(rowCount, (i) => [i, 0n, 0n]),
    0,
  );
});

test('a value that is kept again and again makes no chain without end', () => {
  // Nothing is forgotten, so 200,000 entries of one value are in the table at once.
  const { table, sort } = openTable(1_000n);
  assert.equal(
    sort(200_000, (i) => [0, BigInt(i) * 1_000n, 0n]),
    200_000,
  );
  assert.equal(table.size, 200_000);
  assert.equal(
    sort(200_000, (i) => [0, BigInt(i) * 1_000n + 500n, 0n]),
    0,
  );
});

test('what is forgotten is freed', () => {
  const { table, sort } = openTable(SECOND);
  const rowCount = 4_096;
  const timeOf = (number: number): bigint => (BigInt(number) * SECOND) / 1000n;
  const sizes = new Set<number>();
  for (let batch = 0; batch < 50; batch++) {
    const start = batch * rowCount;
    sort(rowCount, (i) => [0, timeOf(start + i), BigInt(start + i)]);
    table.advance(timeOf(start + rowCount - 1));
    sizes.add(table.size);
  }
  // A row a millisecond and a second of memory: a thousand of them at any time.
  assert.deepEqual([...sizes], [1000]);
  table.advance(END_OF_TIME);
  assert.equal(table.size, 0);
});

const problems: readonly [name: string, config: Record<string, unknown>, want: string[]][] = [
  ['none', {}, []],
  ['no columns', { columns: [] }, ['columns: config/invalid-value']],
  ['a typo', { columns: ['venu'] }, ['columns.0: config/unknown-column']],
  ['a repetition', { columns: ['venue', 'venue'] }, ['columns.1: config/duplicate-column']],
  ['no duration', { within: '5' }, ['within: config/invalid-value']],
  ['nothing', { within: '0s' }, ['within: config/constraint']],
  ['too long', { within: '99999d' }, ['within: config/constraint']],
];

for (const [name, config, want] of problems) {
  test(`problems: ${name}`, () => {
    const planned = planOperator(dedupe, { columns: ['venue'], within: '1m', ...config }, schema);
    const got = planned.problems.map(({ path, code }) => `${path.join('.')}: ${code}`);
    assert.deepEqual(got, want);
  });
}
