/** What every function of a rolling step owes, whatever it computes: found from the table alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { extents, stream, value } from './rolling.arbitrary.ts';
import type { RollingFunction } from './rolling-function.ts';
import { ROLLING_FUNCTIONS, ROLLING_GROUPS, ROLLING_NAMES } from './rolling-functions.ts';
import { rolling } from './rolling.ts';

const INPUTS = ['x', 'y', 'price', 'size', 'open', 'high', 'low', 'close'];

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    ...INPUTS.map((name) => ({ name, type: 'float64' as const })),
    { name: 'anchor', type: 'string' },
  ],
  time: 'event_time',
  key: 'symbol',
};

/** What must be given beside the inputs. */
const REQUIRED: Readonly<Record<string, string>> = {
  quantile: ', 0.3',
  ewm_mean: ', 0.3',
  ewm_variance: ', span => 5',
  ewm_stddev: ', halflife => 2, adjust => true',
  ewm_zscore: ', alpha => 0.1, clamp => 3',
  seeded_mean: ', 0.5, 3, 1',
};

function callOf(name: string, { inputs }: RollingFunction): string {
  return `${name}(${inputs.join(', ')}${REQUIRED[name] ?? ''})`;
}

const columns: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ROLLING_FUNCTIONS).map(([name, spec]) => [`f_${name}`, callOf(name, spec)]),
);

/** The rows of `stream` with more columns: now of one kind, now of another. */
const wideStream = fc
  .tuple(stream, fc.array(value, { minLength: 8, maxLength: 60, size: 'max' }))
  .map(([{ rows, ...rest }, values]) => ({
    ...rest,
    rows: rows.map((row, i): Row => {
      const cells = INPUTS.map((name, j) => [name, values[(i * 3 + j) % values.length]!] as const);
      const { event_time, symbol, x } = row;
      const anchor = i % 7 === 6 ? null : `session ${Math.floor(i / 5)}`;
      return {
        event_time: event_time!,
        symbol: symbol!,
        ...Object.fromEntries(cells),
        x: x!,
        anchor,
      };
    }),
  }));

test('no bit of any result depends on batches, restarts, or when memory is freed', () => {
  const property = fc.property(wideStream, fc.constantFrom(...extents), (given, over) => {
    const { rows, sizes, maxOutOfOrdernessNs, restartAfterBatch } = given;
    const config = { over, min_rows: 1, columns };
    const whole = runOperator(rolling, config, schema, [rows], { maxOutOfOrdernessNs });
    const run = { maxOutOfOrdernessNs, restartAfterBatch };
    const parts = runOperator(rolling, config, schema, cut(rows, sizes), run);
    assert.deepEqual(parts.outputs['main'], whole.outputs['main']);
  });
  fc.assert(property, { numRuns: 40 });
});

test('no result is infinite, NaN or a minus zero that its definition would not give', () => {
  const property = fc.property(wideStream, fc.constantFrom(...extents), (given, over) => {
    const { rows, sizes, maxOutOfOrdernessNs } = given;
    const config = { over, min_rows: 1, columns };
    const run = { maxOutOfOrdernessNs };
    const { outputs } = runOperator(rolling, config, schema, cut(rows, sizes), run);
    for (const row of outputs['main']!) {
      for (const [name, text] of Object.entries(columns)) {
        const result = row[name];
        if (/^(min|max|lag)\(/.test(text)) continue;
        const isSound = typeof result !== 'number' || Number.isFinite(result);
        assert(isSound, `${text}: ${String(result)}`);
      }
    }
  });
  fc.assert(property, { numRuns: 25 });
});

test('a window that is long gone leaves nothing behind', () => {
  // A day of wild values, a gap of days, then ten quiet rows: as if the wild had never been.
  const property = fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), (wild) => {
    const quiet = Array.from({ length: 12 }, (_, i) => 100 + (i % 5) / 8);
    const rowsOf = (values: readonly (number | null)[], start: number): Row[] =>
      values.map((x, i) => ({
        event_time: BigInt(start + i) * 1_000_000_000n,
        symbol: 'A',
        ...Object.fromEntries(INPUTS.map((name) => [name, x])),
        anchor: `${start}`,
      }));
    const windowed = Object.fromEntries(
      Object.entries(ROLLING_FUNCTIONS)
        .filter(([, spec]) => spec.window === 'step')
        .map(([name, spec]) => [name, callOf(name, spec)]),
    );
    const config = { over: '10s', columns: windowed };
    const late = rowsOf(quiet, 400_000);
    const alone = runOperator(rolling, config, schema, [late]).outputs['main']!;
    const after = runOperator(rolling, config, schema, [[...rowsOf(wild, 1000), ...late]]);
    const tail = after.outputs['main']!.slice(wild.length);
    for (const [i, row] of tail.entries()) {
      for (const name of Object.keys(windowed)) {
        const [actual, expected] = [row[name], alone[i]![name]];
        const isSame =
          actual === expected ||
          (typeof actual === 'number' && Math.abs(actual - Number(expected)) < 1e-9);
        assert(isSame, `${windowed[name]} of row ${i}: ${String(actual)}, not ${String(expected)}`);
      }
    }
  });
  fc.assert(property, { numRuns: 30 });
});

test('every usage names the inputs and parameters that there are', () => {
  for (const [name, { usage, inputs, parameters = {}, inputsOptional = 0 }] of Object.entries(
    ROLLING_FUNCTIONS,
  )) {
    assert(usage.startsWith(`${name}(`), usage);
    for (const word of [
      ...inputs.slice(0, inputs.length - inputsOptional),
      ...Object.keys(parameters),
    ]) {
      assert.match(usage, new RegExp(`\\b${word}\\b`), `${usage} names ${word}`);
    }
  }
  const listed = Object.values(ROLLING_GROUPS).flatMap((group) => Object.keys(group));
  assert.equal(new Set(listed).size, listed.length, 'no function is in two groups');
  assert.deepEqual(new Set(listed), ROLLING_NAMES);
});

const problems: readonly [text: string, problem: string][] = [
  ['quantile(x)', '0: expected quantile(x, p), got no p'],
  ['quantile(x, 1.5)', '12: expected a number from 0 to 1, got 1.5'],
  ['quantile(x, y)', '12: expected a number from 0 to 1, got y'],
  ['quantile(x, 0.5, 3)', '0: expected quantile(x, p), got 3 arguments'],
  ['quantile(x, 0.5, p => 0.5)', '22: p is given twice'],
  ['median(x, q => 1)', '15: expected median(x), got q =>'],
  [
    "median(x, over => 'soon')",
    "18: expected over => '20 rows' or a duration such as '1h', got 'soon'",
  ],
  [
    "median(x, over => '5 rows', min_rows => 6)",
    '18: min_rows must not exceed the window of 5 rows, got 6',
  ],
  ["mean(x, over => '99999d')", '16: over must not exceed 36500d, got 99999d'],
  ["rsi(x, 14, 'sma')", "11: expected method => 'wilder' or 'cutler' or 'ewm', got 'sma'"],
  ['rsi(anchor)', '4: rsi takes a number, got column anchor of type string'],
  ['rsi(x, 0)', '7: expected a whole number from 1 to 100000, got 0'],
  ['vwap(price)', '0: expected vwap(price, size), got 1 argument'],
];

for (const [text, want] of problems) {
  test(`problems: ${text}`, () => {
    const told: string[] = [];
    rolling.plan({ over: '20 rows', exclude_current: false, columns: { z: text } }, schema, (p) =>
      told.push(`${p.offset}: ${p.message}`),
    );
    assert.deepEqual(told, [want]);
  });
}

test('a step whose calls have no window of the step needs none', () => {
  const plan = (text: string): string[] => {
    const told: string[] = [];
    rolling.plan({ exclude_current: false, columns: { z: text } }, schema, ({ code, message }) =>
      told.push(`${code}: ${message}`),
    );
    return told;
  };
  assert.deepEqual(plan("rsi(x, method => 'cutler') + mean(x, over => '3 rows')"), []);
  assert.deepEqual(plan('median(x) + mean(x)'), [
    'config/missing-field: over is missing, and median looks at the window that it gives',
  ]);
});

test('indicators within indicators are refused before they grow without bound', () => {
  const nested = Array.from({ length: 12 }).reduce<string>(
    (text) => `rsi(${text}, 2, 'cutler')`,
    'x',
  );
  const told: string[] = [];
  const config = { exclude_current: false, columns: { z: nested } };
  rolling.plan(config, schema, ({ message }) => told.push(message));
  assert(told.length <= 1, String(told));
});
