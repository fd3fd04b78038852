import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitrarySizes, cut } from '../../engine/testing/arbitrary.ts';
import {
  planOperator,
  type RunOptions,
  type RunResult,
  runOperator,
} from '../../engine/testing/harness.ts';
import { assertSameRows, type Row } from '../../engine/testing/table.ts';
import {
  ALL_AGGREGATES,
  arbitraryTrades,
  BAR_AGGREGATES,
  disorderedTrades,
  everyInput,
  TRADES,
} from '../aggregates/window.arbitrary.ts';
import { hoppingWindowOracle } from './hopping-window.oracle.ts';
import type { HoppingWindowConfig } from './hopping-window-operator.ts';
import { hoppingWindow } from './hopping-window.ts';

const SECOND = 1_000_000_000n;

function configOf(config: Partial<HoppingWindowConfig>): HoppingWindowConfig {
  return {
    size: '10s',
    slide: '2s',
    allowed_lateness: '0s',
    emit: 'final',
    aggregates: BAR_AGGREGATES,
    ...config,
  };
}

function run(
  config: HoppingWindowConfig,
  batches: readonly (readonly Row[])[],
  options: RunOptions = {},
): RunResult {
  return runOperator(hoppingWindow, config, TRADES, batches, options);
}

function assertOracle(
  config: HoppingWindowConfig,
  rows: readonly Row[],
  sizes: readonly number[],
  options: RunOptions = {},
): RunResult {
  const result = run(config, cut(rows, sizes), options);
  const expected = hoppingWindowOracle(config, rows, TRADES, options);
  assertSameRows(result.outputs['main']!, expected.main, { message: 'main' });
  assertSameRows(result.outputs['late']!, expected.late, { message: 'late' });
  assert.equal(result.late, expected.late.length);
  return result;
}

const arbitraryConfig: fc.Arbitrary<HoppingWindowConfig> = fc
  .record({
    spans: fc.constantFrom(
      { size: '10s', slide: '2s' },
      { size: '3s', slide: '1s' },
      { size: '4s', slide: '4s' },
      { size: '7s', slide: '500ms' },
    ),
    allowed_lateness: fc.constantFrom('0s', '1ns', '3s', '25s'),
    emit: fc.constantFrom('final' as const, 'early' as const),
    aggregates: fc.constantFrom(BAR_AGGREGATES, ALL_AGGREGATES, {
      spread: 'max(price) - min(price)',
      latest: 'last(price)',
    }),
  })
  .map(({ spans, ...config }) => configOf({ ...spans, ...config }));

/** Without a finish, only what the watermark has reached may come out, and all of that must. */
const arbitraryRun = fc.record({
  restart: fc.option(fc.nat(5)),
  finish: fc.boolean(),
  // With several, the watermark of one may move without rows of its own, also after a restart.
  partitions: fc.constantFrom(1, 1, 2),
});

for (const [name, start] of [
  ['after the epoch', 1_700_000_000n * SECOND],
  ['about the epoch', -30n * SECOND],
] as const) {
  test(`equals the oracle, however the rows are cut, ${name}`, () => {
    const trades = arbitraryTrades(SECOND, start, 40);
    const inputs = fc.tuple(arbitraryConfig, trades, arbitrarySizes());
    fc.assert(
      fc.property(
        inputs,
        arbitraryRun,
        ([config, trades, sizes], { restart, finish, partitions }) => {
          const { rows, maxOutOfOrdernessNs } = trades;
          const options = { maxOutOfOrdernessNs, finish };
          const restarts = { ...options, restartAfterBatch: restart ?? [], partitions };
          const result = assertOracle(config, rows, sizes, restarts);
          const whole = run(config, [rows], options);
          assertSameRows(whole.outputs['main']!, result.outputs['main']!, { isExact: true });
        },
      ),
      { numRuns: 120 },
    );
  });
}

/** With the end of the input, and without. */
function assertEither(
  config: HoppingWindowConfig,
  rows: readonly Row[],
  sizes: readonly number[],
): void {
  for (const finish of [true, false]) assertOracle(config, rows, sizes, { finish });
}

test('equals the oracle on every small input', () => {
  const times = [0n, SECOND, 2n * SECOND];
  const aggregates = { open: 'first(price)', close: 'last(price)', sum: 'sum(price)' };
  const configs = [
    configOf({ size: '2s', slide: '1s', aggregates }),
    configOf({ size: '2s', slide: '1s', aggregates, allowed_lateness: '1s', emit: 'early' }),
  ];
  let count = 0;
  for (const rows of everyInput(['A', 'B', 'C'], times, 3)) {
    for (const config of configs) assertEither(config, rows, [2]);
    count++;
  }
  for (const rows of everyInput(['A'], times, 4)) {
    for (const config of configs) assertEither(config, rows, [1, 3]);
    count++;
  }
  assert.equal(count, 1 + 9 + 81 + 729 + (1 + 3 + 9 + 27 + 81));
});

const trade = (event_time: bigint, price: number | null, symbol = 'A'): Row => ({
  event_time,
  symbol,
  price,
  size: 1,
});

test('the bits do not depend on the cuts where sums round', () => {
  const step = fc.record({
    moved: fc.bigInt({ min: 0n, max: SECOND }),
    back: fc.constantFrom(0n, 0n, 0n, 2n * SECOND, 5n * SECOND),
    price: fc.double({ noNaN: true, min: -1e3, max: 1e3 }),
  });
  const property = fc.property(
    fc.array(step, { maxLength: 80, size: 'max' }),
    fc.constantFrom('final' as const, 'early' as const),
    arbitrarySizes(),
    (steps, emit, sizes) => {
      let now = 0n;
      const rows = steps.map(({ moved, back, price }) => {
        now += moved;
        return trade(now - back, price);
      });
      const options = { maxOutOfOrdernessNs: SECOND };
      const config = configOf({ size: '3s', slide: '1s', allowed_lateness: '2s', emit });
      const whole = run(config, [rows], options);
      for (const each of [[1], sizes]) {
        const { outputs } = run(config, cut(rows, each), options);
        assertSameRows(outputs['main']!, whole.outputs['main']!, { isExact: true });
      }
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test('windows of a key come in order, one for each slide that has a row in reach', () => {
  const rows = Array.from({ length: 300 }, (_, i) =>
    trade(BigInt((i * 7919) % 400) * (SECOND / 4n), i, `S${i % 5}`),
  ).sort((a, b) => Number((a['event_time'] as bigint) - (b['event_time'] as bigint)));
  const { outputs } = assertOracle(configOf({}), rows, [50]);
  const last = new Map<string, bigint>();
  for (const { symbol, window_start } of outputs['main']!) {
    const before = last.get(symbol as string);
    assert(before === undefined || before < (window_start as bigint));
    last.set(symbol as string, window_start as bigint);
  }
});

test('a gap in time is passed over, however small the slide', () => {
  const day = 86_400n * SECOND;
  const rows = [trade(0n, 1), trade(400n * day, 2), trade(400n * day + 1n, 3)];
  const config = configOf({ size: '5ms', slide: '1ms', aggregates: { rows: 'count()' } });
  const { outputs } = assertOracle(config, rows, [1]);
  assert.equal(outputs['main']!.length, 10);
});

test('a constant window has exactly no variance, across panes and blocks', () => {
  for (const value of [0.1, 1e9 + 1e-3, 1 / 3]) {
    const rows = Array.from({ length: 500 }, (_, i) => trade(BigInt(i) * (SECOND / 20n), value));
    const { outputs } = run(configOf({}), cut(rows, [64]));
    for (const { variance, volatility_all, mean } of outputs['main']!) {
      assert(variance === 0 || variance === null);
      assert.equal(volatility_all, 0);
      assert.equal(mean, value);
    }
  }
});

test('small steps far from zero keep their variance', () => {
  const rows = Array.from({ length: 2000 }, (_, i) =>
    trade(BigInt(i) * (SECOND / 100n), 1e9 + i * 1e-3),
  );
  const aggregates = { variance: 'variance(price)', mean: 'mean(price)' };
  assertOracle(configOf({ aggregates }), rows, [256]);
});

test('rows in great disorder find their windows', () => {
  const rows = disorderedTrades(4000, 1600, 1);
  const aggregates = { rows: 'count()', sum: 'sum(price)' };
  const config = configOf({ size: '3s', slide: '1s', aggregates });
  const options = { maxOutOfOrdernessNs: 500n * SECOND, restartAfterBatch: [15, 25] };
  assertOracle(config, rows, [64, 100], options);
});

test('twenty thousand keys', () => {
  const rows = Array.from({ length: 40_000 }, (_, i) =>
    trade(BigInt(i) * 50_000n, i, `S${(i * 7919) % 20_000}`),
  );
  const config = configOf({ size: '2s', slide: '1s', aggregates: { rows: 'count()' } });
  const { outputs } = run(config, cut(rows, [8192]));
  assert.equal(outputs['main']!.length, 60_000);
});

test('a watermark that comes before the first row after a restart finds room for every key', () => {
  const keys = Array.from({ length: 100 }, (_, i) => `K${i}`);
  const rowsAt = (seconds: bigint, symbols: readonly string[]): Row[] =>
    symbols.map((symbol, i) => ({ event_time: seconds * SECOND, symbol, price: i, size: 1 }));
  // Of two partitions, one gets no row of the second batch, but its watermark.
  const batches = [rowsAt(0n, keys), rowsAt(5n, keys.slice(0, 1)), rowsAt(6n, keys)];
  for (const emit of ['final', 'early'] as const) {
    const config = configOf({ emit });
    const options = { partitions: 2, restartAfterBatch: [0, 1] };
    const { outputs } = run(config, batches, options);
    const expected = hoppingWindowOracle(config, batches.flat(), TRADES, {});
    assertSameRows(outputs['main']!, expected.main, { message: emit });
  }
});

test('size must be a multiple of slide', () => {
  const problems = planOperator(hoppingWindow, configOf({ slide: '3s' }), TRADES).problems;
  assert.deepEqual(problems, [
    { path: ['size'], code: 'config/constraint', message: 'must be a multiple of slide, 3s' },
  ]);
});
