import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OperatorDefinition } from '../../engine/contract/operator.ts';
import { arbitrarySizes, cut } from '../../engine/testing/arbitrary.ts';
import { type RunOptions, type RunResult, runOperator } from '../../engine/testing/harness.ts';
import { assertSameRows, type Row } from '../../engine/testing/table.ts';
import { at } from '../aggregates/aggregates.oracle.ts';
import {
  ALL_AGGREGATES,
  arbitraryTrades,
  BAR_AGGREGATES,
  disorderedTrades,
  everyInput,
  TRADES,
} from '../aggregates/window.arbitrary.ts';
import { tumblingWindowOracle } from './tumbling-window.oracle.ts';
import type { TumblingWindowConfig } from './tumbling-window-operator.ts';
import { tumblingWindow } from './tumbling-window.ts';

const SECOND = 1_000_000_000n;

function configOf(config: Partial<TumblingWindowConfig>): TumblingWindowConfig {
  return {
    size: '10s',
    allowed_lateness: '0s',
    emit: 'final',
    aggregates: BAR_AGGREGATES,
    ...config,
  };
}

function run(
  config: TumblingWindowConfig,
  batches: readonly (readonly Row[])[],
  options: RunOptions = {},
): RunResult {
  return runOperator(tumblingWindow, config, TRADES, batches, options);
}

function assertOracle(
  config: TumblingWindowConfig,
  rows: readonly Row[],
  sizes: readonly number[],
  options: RunOptions,
): void {
  const result = run(config, cut(rows, sizes), options);
  const expected = tumblingWindowOracle(config, rows, TRADES, options);
  assertSameRows(result.outputs['main']!, expected.main, { message: 'main' });
  assertSameRows(result.outputs['late']!, expected.late, { message: 'late' });
  assert.equal(result.late, expected.late.length);
  assertStartsAscend(result.outputs['main']!, config.emit);
}

/** Windows of one key come in the order of their starts; revisions may go back. */
function assertStartsAscend(rows: readonly Row[], emit: 'final' | 'early'): void {
  const last = new Map<string, bigint>();
  for (const { symbol, window_start, revision } of rows) {
    if (emit === 'early' && revision !== 0n) continue;
    const before = last.get(symbol as string);
    if (emit === 'final' && before !== undefined) assert(before < (window_start as bigint));
    last.set(symbol as string, window_start as bigint);
  }
}

const arbitraryConfig: fc.Arbitrary<TumblingWindowConfig> = fc
  .record({
    size: fc.constantFrom('10s', '3s', '1ns', '7s'),
    allowed_lateness: fc.constantFrom('0s', '1ns', '5s', '25s'),
    emit: fc.constantFrom('final' as const, 'early' as const),
    aggregates: fc.constantFrom(BAR_AGGREGATES, ALL_AGGREGATES, {
      spread: 'max(price) - min(price)',
      latest: 'last(price)',
    }),
  })
  .map(configOf);

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
    const inputs = fc.tuple(arbitraryConfig, arbitraryTrades(SECOND, start), arbitrarySizes());
    fc.assert(
      fc.property(
        inputs,
        arbitraryRun,
        ([config, trades, sizes], { restart, finish, partitions }) => {
          const { rows, maxOutOfOrdernessNs } = trades;
          const restartAfterBatch = restart ?? [];
          assertOracle(config, rows, sizes, {
            maxOutOfOrdernessNs,
            restartAfterBatch,
            finish,
            partitions,
          });
        },
      ),
      { numRuns: 150 },
    );
  });
}

test('the fused kernel and the column kernels give the same bits', () => {
  const price = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
  const rows = fc.array(
    fc.record({
      symbol: fc.constantFrom('A', 'B'),
      moved: fc.bigInt({ min: 0n, max: SECOND / 4n }),
      back: fc.constantFrom(0n, 0n, 0n, SECOND),
      price: fc.option(price, { freq: 20 }),
      size: fc.option(price, { freq: 20 }),
    }),
    { maxLength: 400 },
  );
  const property = fc.property(rows, arbitrarySizes(), (steps, sizes) => {
    let now = 0n;
    const trades = steps.map(({ moved, back, ...values }): Row => {
      now += moved;
      return { event_time: now - back, ...values };
    });
    const options = { maxOutOfOrdernessNs: SECOND / 2n };
    const batches = cut(trades, sizes);
    const fused = run(configOf({}), batches, options).outputs['main']!;
    const aggregates = { ...BAR_AGGREGATES, other: 'min(size)' };
    const columns = run(configOf({ aggregates }), batches, options).outputs['main']!;
    const shared = columns.map(({ other: _other, ...row }) => row);
    assertSameRows(fused, shared, { isExact: true, isOrdered: true });
    const { volume: _1, vwap: _2, notional: _3, sizes: _4, ...prices } = BAR_AGGREGATES;
    const alone = run(configOf({ aggregates: prices }), batches, options).outputs['main']!;
    const kept = fused.map(({ volume: _a, vwap: _b, notional: _c, sizes: _d, ...row }) => row);
    assertSameRows(alone, kept, { isExact: true, isOrdered: true });
  });
  fc.assert(property, { numRuns: 60 });
});

/** With the end of the input, and without. */
function assertEither(
  config: TumblingWindowConfig,
  rows: readonly Row[],
  sizes: readonly number[],
): void {
  for (const finish of [true, false]) assertOracle(config, rows, sizes, { finish });
}

test('equals the oracle on every small input', () => {
  // Two windows of 2 s and the border between them, with watermarks at, before and after it.
  const times = [0n, SECOND, 2n * SECOND];
  const aggregates = { open: 'first(price)', close: 'last(price)', rows: 'count()' };
  const configs = [
    configOf({ size: '2s', aggregates }),
    configOf({ size: '1s', aggregates }),
    configOf({ size: '1s', aggregates, allowed_lateness: '1s', emit: 'early' }),
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

test('a row is late from the moment its window is closed', () => {
  const row = (event_time: bigint): Row => ({ event_time, symbol: 'A', price: 1, size: 1 });
  const config = configOf({ allowed_lateness: '5s', aggregates: { rows: 'count()' } });
  const lateAfter = (latest: bigint): number =>
    run(config, [[row(0n), row(latest), row(9n * SECOND)]]).late;
  //  0s        10s  15s
  //  [----------)....|   the window takes rows until the watermark is at 15 s
  assert.equal(lateAfter(15n * SECOND - 1n), 0);
  assert.equal(lateAfter(15n * SECOND), 1);
});

test('windows floor towards the past, also before the epoch', () => {
  const rows = [-1n, 0n, -10n * SECOND, -10n * SECOND - 1n].map((event_time) => {
    return { event_time, symbol: 'A', price: 1, size: 1 };
  });
  const config = configOf({ aggregates: { rows: 'count()' } });
  const { outputs } = run(config, [rows], { maxOutOfOrdernessNs: 60n * SECOND });
  assertSameRows(outputs['main']!, [
    { symbol: 'A', window_start: -20n * SECOND, window_end: -10n * SECOND, rows: 1n },
    { symbol: 'A', window_start: -10n * SECOND, window_end: 0n, rows: 2n },
    { symbol: 'A', window_start: 0n, window_end: 10n * SECOND, rows: 1n },
  ]);
});

const trade = (ns: bigint, price: number | null, size: number | null = 1): Row => ({
  event_time: ns,
  symbol: 'A',
  price,
  size,
});

for (const [name, aggregates] of [
  ['fused kernel', BAR_AGGREGATES],
  ['column kernels', ALL_AGGREGATES],
] as const) {
  test(`a constant window has exactly no variance: ${name}`, () => {
    for (const value of [0.1, 1e9 + 1e-3, 1 / 3, -7.7e-9]) {
      const rows = Array.from({ length: 1000 }, (_, i) => trade(BigInt(i), value));
      const [bar] = run(configOf({ aggregates }), [rows]).outputs['main']!;
      assert.equal(bar!['variance'], 0);
      assert.equal(bar!['volatility_all'], 0);
      assert.equal(bar!['mean'], value);
    }
  });

  test(`small steps far from zero keep their variance: ${name}`, () => {
    for (const count of [2, 63, 64, 65, 66, 1000, 5000]) {
      const rows = Array.from({ length: count }, (_, i) => trade(BigInt(i), 1e9 + i * 1e-3));
      assertOracle(configOf({ aggregates }), rows, [rows.length], {});
    }
  });

  test(`an outlier at either end of a window does no harm: ${name}`, () => {
    const calm = Array.from({ length: 3000 }, (_, i) => trade(BigInt(i), 100 + (i % 7) * 1e-4));
    for (const rows of [
      [trade(0n, 1e-4), ...calm],
      [...calm, trade(9000n, 1e7)],
      [trade(0n, -1e9), ...calm],
    ]) {
      assertOracle(configOf({ aggregates }), rows, [rows.length], {});
    }
  });

  test(`nulls and infinities do not enter aggregates: ${name}`, () => {
    const rows = [
      trade(0n, null, 5),
      trade(1n, Infinity, 5),
      trade(2n, 3, null),
      trade(3n, 4, -Infinity),
      trade(4n, null, null),
      trade(5n, 1e300, 1e300),
    ];
    assertOracle(configOf({ aggregates }), rows, [2], {});
    const nothing = [trade(0n, null, null), trade(1n, null, null)];
    assertOracle(configOf({ aggregates }), nothing, [2], {});
    const [bar] = run(configOf({ aggregates }), [nothing]).outputs['main']!;
    assert.deepEqual(
      [bar!['volume'], bar!['trades'], bar!['prices'], bar!['open'], bar!['high'], bar!['mean']],
      [null, 2n, 0n, null, null, null],
    );
  });
}

test('rows in great disorder find their windows', () => {
  const rows = disorderedTrades(4000, 1600, 1);
  const aggregates = { rows: 'count()', sum: 'sum(price)' };
  const config = configOf({ size: '1s', aggregates });
  const options = { maxOutOfOrdernessNs: 500n * SECOND, restartAfterBatch: [15, 25] };
  assertOracle(config, rows, [64, 100], options);
});

test('the room of windows in disorder is used again', () => {
  const rows = disorderedTrades(40_000, 400, 2);
  const config = configOf({ size: '250ms', aggregates: { rows: 'count()' } });
  const options = { maxOutOfOrdernessNs: 110n * SECOND };
  const { outputs, late } = run(config, cut(rows, [100]), options);
  assert(late > 0 && late < 20_000, 'most rows are in time');
  assert.equal(outputs['main']!.length + late, 40_000);
});

test('a hundred thousand keys, and as many windows of one key', () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => ({
    ...trade(BigInt(i % 7), i),
    symbol: `S${i}`,
  }));
  const config = configOf({ size: '1s', aggregates: { price: 'last(price)', rows: 'count()' } });
  const all = run(config, [keys]).outputs['main']!;
  assert.equal(all.length, 100_000);
  assert.equal(new Set(all.map(({ symbol }) => symbol)).size, 100_000);
  // Alternately from both ends, so that windows are made in the middle of all others.
  const count = 20_000;
  const windows = Array.from({ length: count }, (_, i) =>
    trade(BigInt(i % 2 === 0 ? i : 2 * count - i) * SECOND, i),
  );
  const options = { maxOutOfOrdernessNs: 10n ** 6n * SECOND };
  const rows = run(config, cut(windows, [5000]), options).outputs['main']!;
  assert.equal(rows.length, count);
  const starts = rows.map(({ window_start }) => window_start as bigint);
  assert.deepEqual(
    starts,
    starts.toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

test('a state of another configuration is refused', () => {
  const first = configOf({});
  const restoredAs = (config: TumblingWindowConfig): void => {
    const definition: OperatorDefinition = {
      ...tumblingWindow,
      open: (own, context, state) =>
        tumblingWindow.open(state === undefined ? own : { ...config }, context, state),
    };
    const rows = [trade(at('09:30:00'), 1)];
    runOperator(definition, first, TRADES, [rows], { restartAfterBatch: 0 });
  };
  restoredAs(first);
  restoredAs(configOf({ allowed_lateness: '1m' }));
  assert.throws(() => restoredAs(configOf({ size: '20s' })), { code: 'config/invalid' });
  const aggregates = { ...BAR_AGGREGATES, more: 'min(size)' };
  assert.throws(() => restoredAs(configOf({ aggregates })), { code: 'config/invalid' });
});
