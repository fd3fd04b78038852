import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EngineError } from '../../engine/contract/error.ts';
import type { OperatorDefinition } from '../../engine/contract/operator.ts';
import type { Row } from '../../engine/testing/harness.ts';
import { planOperator, runOperator } from '../../engine/testing/harness.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import {
  assertNear,
  extents,
  rowOf,
  schema,
  SECOND,
  stream,
  windowOf,
} from './rolling.arbitrary.ts';
import { rolling } from './rolling.ts';
import {
  arrivals,
  finite,
  lagsOf,
  type Statistics,
  statisticsOf,
  windowsOf,
} from './rolling.oracle.ts';

const FUNCTIONS = ['sum', 'mean', 'min', 'max', 'variance', 'stddev', 'zscore'] as const;
const columns = Object.fromEntries([
  ...FUNCTIONS.map((name) => [name, `${name}(x)`]),
  ['count', 'count(x)'],
]);

test('every statistic is what its definition says, whatever the window has seen before', () => {
  const options = fc.record({
    over: fc.constantFrom(...extents),
    excludeCurrent: fc.boolean(),
    minRows: fc.constantFrom(undefined, undefined, 1),
  });
  const property = fc.property(stream, options, ({ rows, sizes, ...run }, config) => {
    const { over, excludeCurrent, minRows } = config;
    const { outputs } = runOperator(
      rolling,
      { over, exclude_current: excludeCurrent, columns, ...(minRows && { min_rows: minRows }) },
      schema,
      cut(rows, sizes),
      run,
    );
    const window = windowOf(over, excludeCurrent, minRows);
    const windows = windowsOf(arrivals(rows, run.maxOutOfOrdernessNs), 'x', window);
    assert.equal(outputs['main']!.length, rows.length);
    for (const [i, actual] of outputs['main']!.entries()) {
      const values = windows[i]!;
      const current = rows[i]!['x'] as number | null;
      const expected = statisticsOf(values, current, window.minRows);
      assert.equal(actual['count'], BigInt(expected.count), `count of row ${i}`);
      const largest = Math.max(0, ...values.map(Math.abs));
      for (const name of FUNCTIONS) {
        const scale = name === 'sum' ? largest * values.length : name === 'mean' ? largest : 0;
        const isIllPosed = isCancelled(name, values, current, expected);
        if (!isIllPosed) assertNear(actual[name], expected[name], scale, `${name} of row ${i}`);
      }
    }
  });
  fc.assert(property, { numRuns: 400 });
});

/**
 * Where no double could hold the answer: distances that differ by more than 2^53 (1e12 beside
 * 1e-3) or that overflow, so that two right ways of rounding differ in every digit.
 */
function isCancelled(
  name: keyof Statistics,
  values: readonly number[],
  current: number | null,
  expected: Statistics,
): boolean {
  if (name === 'min' || name === 'max' || name === 'sum' || name === 'mean') return false;
  const spread = Math.max(...values) - Math.min(...values);
  if (spread > 1e150) return Number.isFinite(spread);
  if (name !== 'zscore' || current === null || expected.stddev === null) return false;
  // The score's digits are those of its distance from the mean.
  return Math.abs(expected.zscore ?? 0) * expected.stddev < spread * 1e-5;
}

test('no bit depends on batches, restarts, or when memory is freed', () => {
  const some = { s: 'stddev(x)', z: 'zscore(x)', t: 'sum(x)', u: 'max(x)', l: 'lag(x, 3)' };
  const property = fc.property(
    stream,
    fc.constantFrom(...extents),
    fc.boolean(),
    ({ rows, sizes, maxOutOfOrdernessNs, restartAfterBatch }, over, exclude_current) => {
      const config = { over, exclude_current, min_rows: 1, columns: some };
      const whole = runOperator(rolling, config, schema, [rows], { maxOutOfOrdernessNs });
      const options = { maxOutOfOrdernessNs, restartAfterBatch };
      const parts = runOperator(rolling, config, schema, cut(rows, sizes), options);
      assert.deepEqual(parts.outputs['main'], whole.outputs['main']);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test('an outlier or an infinity leaves no trace once it has left', () => {
  for (const outlier of [1e12, -1e15, Infinity, -Infinity]) {
    for (const over of ['20 rows', '20s']) {
      const rows = Array.from({ length: 120 }, (_, i) => {
        return rowOf(i, 'A', i === 50 || i === 57 ? outlier : 100 + Math.sin(i) * 1e-3);
      });
      const config = { over, exclude_current: true, columns };
      const { outputs } = runOperator(rolling, config, schema, [rows]);
      for (let i = 78; i < rows.length; i++) {
        const values = rows.slice(i - 20, i).map((row) => row['x'] as number);
        const used = over === '20s' ? values.slice(1) : values;
        const expected = statisticsOf(used, rows[i]!['x'] as number, 1);
        const actual = outputs['main']![i]!;
        for (const name of FUNCTIONS) assertNear(actual[name], expected[name], 0, `${name} ${i}`);
      }
    }
  }
});

test('a window keeps its digits where its anchor is the outlier, up to the longest windows', () => {
  const rows = Array.from({ length: 3_000 }, (_, i) => {
    return rowOf(i, 'A', i % 1024 === 1023 ? 1e5 : 100 + Math.sin(i * i));
  });
  for (const length of [64, 1023, 1024, 1025]) {
    const config = { over: `${length} rows`, exclude_current: true, columns };
    const { outputs } = runOperator(rolling, config, schema, [rows]);
    for (let i = length; i < rows.length; i += 61) {
      const values = rows.slice(i - length, i).map((row) => row['x'] as number);
      const expected = statisticsOf(values, rows[i]!['x'] as number, 1);
      const actual = outputs['main']![i]!;
      for (const name of FUNCTIONS) assertNear(actual[name], expected[name], 0, `${name} at ${i}`);
    }
  }
});

test('a ramp of 1e-3 on 1e9 keeps its digits over a long run', () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => rowOf(i, 'A', 1e9 + i * 1e-3));
  for (const over of ['20 rows', '500 rows', '100s']) {
    const config = { over, exclude_current: false, columns };
    const { outputs } = runOperator(rolling, config, schema, [rows]);
    const length = Number.parseInt(over, 10);
    for (let i = length; i < rows.length; i += 997) {
      const values = rows.slice(i - length + 1, i + 1).map((row) => row['x'] as number);
      const expected = statisticsOf(values, rows[i]!['x'] as number, 1);
      const actual = outputs['main']![i]!;
      for (const name of FUNCTIONS) assertNear(actual[name], expected[name], 0, `${name} at ${i}`);
    }
  }
});

test('a window of equal values has exactly no variance and no score', () => {
  const before = [3, 1e12, -7.1, 0.3, 1e-9];
  const values = [...before, ...Array.from({ length: 30 }, () => 0.1)];
  const rows = values.map((x, i) => rowOf(i, 'A', x));
  for (const over of ['7 rows', '7s']) {
    const { outputs } = runOperator(rolling, { over, columns }, schema, [rows]);
    for (const row of outputs['main']!.slice(before.length + 6)) {
      assert.equal(row['variance'], 0);
      assert.equal(row['stddev'], 0);
      assert.equal(row['mean'], 0.1);
      assert.equal(row['zscore'], null);
    }
  }
});

test('sums of whole numbers are exact', () => {
  const rows = Array.from({ length: 500 }, (_, i) => rowOf(i, 'A', ((i * 7919) % 1000) * 100));
  const { outputs } = runOperator(rolling, { over: '30 rows', columns }, schema, [rows]);
  for (let i = 29; i < rows.length; i++) {
    const window = rows.slice(i - 29, i + 1).map((row) => row['x'] as number);
    assert.equal(
      outputs['main']![i]!['sum'],
      window.reduce((a, b) => a + b),
    );
  }
});

test('lag, delta and pct_change look back over values, not rows', () => {
  const distance = fc.integer({ min: 1, max: 6 });
  const property = fc.property(
    stream,
    fc.constantFrom(...extents),
    distance,
    ({ rows, sizes, ...run }, over, n) => {
      const columns = { l: `lag(x, ${n})`, d: `delta(x, ${n})`, p: `pct_change(x, ${n})` };
      const batches = cut(rows, sizes);
      const { outputs } = runOperator(rolling, { over, columns }, schema, batches, run);
      const all = arrivals(rows, run.maxOutOfOrdernessNs);
      const lags = lagsOf(all, 'x', n, windowOf(over, true, 1).over);
      for (const [i, actual] of outputs['main']!.entries()) {
        const before = lags[i]!;
        const x = rows[i]!['x'] as number | null;
        assert.equal(actual['l'], before);
        const isNull = before === null || x === null;
        assert.equal(actual['d'], isNull ? null : finite(x - before));
        assert.equal(actual['p'], isNull ? null : finite((x - before) / before));
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test('whole numbers keep all their digits in lag and delta, times become seconds', () => {
  const numbers = [2n ** 62n + 1n, 2n ** 62n + 4n, null, -(2n ** 62n) - 9n, 5n];
  const rows = numbers.map((n, i): Row => ({ ...rowOf(i * 1.5, 'A', 0), n }));
  const config = {
    over: '1 row',
    columns: { l: 'lag(n)', d: 'delta(n)', t: 'lag(event_time)', s: 'delta(event_time)' },
  };
  const { outputs, outputsPlan } = runOperator(rolling, config, schema, [rows]);
  const types = outputsPlan.main.columns.slice(-4).map(({ type }) => type);
  assert.deepEqual(types, ['int64', 'int64', 'timestamp', 'float64']);
  const column = (name: string): unknown[] => outputs['main']!.map((row) => row[name]);
  assert.deepEqual(column('l'), [null, numbers[0], numbers[1], numbers[1], numbers[3]]);
  // The difference of 2^62 and -2^62 has no 64-bit integer.
  assert.deepEqual(column('d'), [null, 3n, null, null, 2n ** 62n + 14n]);
  assert.deepEqual(column('t').slice(0, 2), [null, 0n]);
  assert.deepEqual(column('s'), [null, 1.5, 1.5, 1.5, 1.5]);
});

test('calls nest: the score of a change is the score of a column of changes', () => {
  const property = fc.property(stream, ({ rows, sizes }) => {
    const config = { over: '4 rows', columns: { z: 'zscore(delta(x) * 100)' } };
    const nested = runOperator(rolling, config, schema, cut(rows, sizes)).outputs['main']!;
    const deltas = runOperator(
      rolling,
      { over: '4 rows', columns: { y: 'delta(x) * 100' } },
      schema,
      [rows],
    ).outputs['main']!;
    const changed = deltas.map((row): Row => ({ ...row, x: row['y']! }));
    const scored = runOperator(rolling, { over: '4 rows', columns: { z: 'zscore(x)' } }, schema, [
      changed,
    ]).outputs['main']!;
    assert.deepEqual(
      nested.map((row) => row['z']),
      scored.map((row) => row['z']),
    );
  });
  fc.assert(property, { numRuns: 60 });
});

test('count takes anything, with or without a column', () => {
  const rows = ['x', null, 'y', null].map((venue, i): Row => ({ ...rowOf(i, 'A', 1), venue }));
  const config = { over: '3 rows', columns: { all: 'count()', venues: 'count(venue)' } };
  const { outputs } = runOperator(rolling, config, schema, [rows]);
  const counts = outputs['main']!.map((row) => [row['all'], row['venues']]);
  assert.deepEqual(counts, [
    [1n, 1n],
    [2n, 1n],
    [3n, 2n],
    [3n, 2n],
  ]);
});

test('what lies behind the watermark by more than the duration is freed', () => {
  const rows = Array.from({ length: 60_000 }, (_, i) => rowOf(i / 100, `K${i % 50}`, i % 7));
  const memory = memoryAfterBatches({ over: '1s', columns }, cut(rows, [500]));
  // Kept for good, the values would take 3 MiB more.
  assert.equal(memory.at(-1), memory[Math.floor(memory.length / 4)]);
});

/** Bytes of the linear memory after each batch. */
function memoryAfterBatches(config: object, batches: readonly Row[][]): number[] {
  const bytes: number[] = [];
  const watched: OperatorDefinition = {
    ...rolling,
    open: (parsed, context, state) => {
      const operator = rolling.open(parsed, context, state);
      const process = operator.process.bind(operator);
      operator.process = (batch, collector): void => {
        process(batch, collector);
        bytes.push(context.memory.memory.buffer.byteLength);
      };
      return operator;
    },
  };
  runOperator(watched, config, schema, batches);
  return bytes;
}

test('a restart remembers how far the window had moved, also by a row without a value', () => {
  // The null at 100 s takes the window past the 7 at 10 s; the row at 65 s still sees it.
  const rows = [rowOf(10, 'A', 7), rowOf(100, 'A', null), rowOf(65, 'A', 5), rowOf(66, 'A', 1)];
  const config = { over: '60s', columns: { total: 'sum(x)' } };
  const { outputs } = runOperator(rolling, config, schema, cut(rows, [1]), {
    maxOutOfOrdernessNs: 200n * SECOND,
    restartAfterBatch: [1, 2],
  });
  const totals = outputs['main']!.map((row) => row['total']);
  assert.deepEqual(totals, [7, null, 12, 13]);
});

test('a memory that is full is an error that says whose window does not fit', () => {
  const full: OperatorDefinition = {
    ...rolling,
    open: (parsed, context, state) => {
      const operator = rolling.open(parsed, context, state);
      const process = operator.process.bind(operator);
      operator.process = (batch, collector): void => {
        context.memory.allocate = (): number => {
          throw new RangeError('out of memory');
        };
        process(batch, collector);
      };
      return operator;
    },
  };
  const config = { over: '60s', columns: { total: 'sum(x)' } };
  assert.throws(
    () => runOperator(full, config, schema, [[rowOf(1, 'A', 1)]]),
    (error) =>
      error instanceof EngineError &&
      error.code === 'memory/exhausted' &&
      error.message.startsWith('step "step": the values of 60s'),
  );
});

const problems: readonly [name: string, config: Record<string, unknown>, want: string[]][] = [
  ['none', { columns: { z: 'zscore(x)' } }, []],
  ['no column', { columns: {} }, ['columns: config/constraint']],
  ['a text', { columns: { z: 'zscore(venue)' } }, ['columns.z@7: config/expression-type']],
  ['a time', { columns: { z: 'mean(event_time)' } }, ['columns.z@5: config/expression-type']],
  ['no argument', { columns: { z: '1 + mean()' } }, ['columns.z@4: config/argument-count']],
  ['a distance', { columns: { z: 'lag(x, 0)' } }, ['columns.z@7: config/expression-type']],
  ['no literal', { columns: { z: 'delta(x, n)' } }, ['columns.z@9: config/expression-type']],
  ['a taken name', { columns: { x: 'mean(x)' } }, ['columns.x: config/duplicate-column']],
  ['a nested typo', { columns: { z: 'mean(lag(y))' } }, ['columns.z@9: config/unknown-column']],
  ['a function', { columns: { z: 'nonsense(x)' } }, ['columns.z@0: config/unknown-function']],
  ['syntax', { columns: { z: 'mean(x' } }, ['columns.z@6: config/expression-syntax']],
  ['too few rows', { min_rows: 21, columns: { z: 'mean(x)' } }, ['min_rows: config/constraint']],
  ['a long time', { over: '99999d', columns: { z: 'mean(x)' } }, ['over: config/constraint']],
  [
    'many rows',
    { over: '99999999999 rows', columns: { z: 'mean(x)' } },
    ['over: config/constraint'],
  ],
];

for (const [name, config, want] of problems) {
  test(`problems: ${name}`, () => {
    const planned = planOperator(rolling, { over: '20 rows', ...config }, schema);
    const got = planned.problems.map(({ path, offset, code }) => {
      return `${path.join('.')}${offset === undefined ? '' : `@${offset}`}: ${code}`;
    });
    assert.deepEqual(got, want);
  });
}

test('problems: an input that states rows again', () => {
  const config = { over: '20 rows', columns: { z: 'mean(x)' } };
  const { problems } = planOperator(rolling, config, { ...schema, revises: true });
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['config/revised-input'],
  );
});
