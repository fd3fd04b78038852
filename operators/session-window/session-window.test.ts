import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitrarySizes, cut } from '../../engine/testing/arbitrary.ts';
import { type RunOptions, type RunResult, runOperator } from '../../engine/testing/harness.ts';
import { assertSameRows, type Row } from '../../engine/testing/table.ts';
import {
  ALL_AGGREGATES,
  arbitraryTrades,
  BAR_AGGREGATES,
  everyInput,
  TRADES,
} from '../aggregates/window.arbitrary.ts';
import { sessionWindowOracle } from './session-window.oracle.ts';
import type { SessionWindowConfig } from './session-window-operator.ts';
import { sessionWindow } from './session-window.ts';

const SECOND = 1_000_000_000n;

function configOf(config: Partial<SessionWindowConfig>): SessionWindowConfig {
  return {
    gap: '2s',
    allowed_lateness: '0s',
    emit: 'final',
    aggregates: BAR_AGGREGATES,
    ...config,
  };
}

function run(
  config: SessionWindowConfig,
  batches: readonly (readonly Row[])[],
  options: RunOptions = {},
): RunResult {
  return runOperator(sessionWindow, config, TRADES, batches, options);
}

function assertOracle(
  config: SessionWindowConfig,
  rows: readonly Row[],
  sizes: readonly number[],
  options: RunOptions = {},
): RunResult {
  const result = run(config, cut(rows, sizes), options);
  const expected = sessionWindowOracle(config, rows, TRADES, options);
  assertSameRows(result.outputs['main']!, expected.main, { message: 'main' });
  assertSameRows(result.outputs['late']!, expected.late, { message: 'late' });
  assert.equal(result.late, expected.late.length);
  return result;
}

const arbitraryConfig: fc.Arbitrary<SessionWindowConfig> = fc
  .record({
    gap: fc.constantFrom('1s', '2s', '5s', '1ns'),
    allowed_lateness: fc.constantFrom('0s', '1ns', '3s', '25s'),
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
          const options = { maxOutOfOrdernessNs, finish };
          const restarts = { ...options, restartAfterBatch: restart ?? [], partitions };
          const result = assertOracle(config, rows, sizes, restarts);
          const whole = run(config, [rows], options);
          assertSameRows(whole.outputs['main']!, result.outputs['main']!, { isExact: true });
        },
      ),
      { numRuns: 150 },
    );
  });
}

/** With the end of the input, and without. */
function assertEither(
  config: SessionWindowConfig,
  rows: readonly Row[],
  sizes: readonly number[],
): void {
  for (const finish of [true, false]) assertOracle(config, rows, sizes, { finish });
}

test('equals the oracle on every small input', () => {
  // Apart, a gap apart, and nearer.
  const times = [0n, SECOND, 2n * SECOND, 4n * SECOND];
  const aggregates = { open: 'first(price)', close: 'last(price)', sum: 'sum(price)' };
  const configs = [
    configOf({ aggregates }),
    configOf({ aggregates, allowed_lateness: '1s' }),
    configOf({ aggregates, allowed_lateness: '2s', emit: 'early' }),
  ];
  let count = 0;
  for (const rows of everyInput(['A', 'B', 'C'], times.slice(1), 3)) {
    for (const config of configs) assertEither(config, rows, [2]);
    count++;
  }
  for (const rows of everyInput(['A'], times, 4)) {
    for (const config of configs) assertEither(config, rows, [1, 3]);
    count++;
  }
  assert.equal(count, 1 + 9 + 81 + 729 + (1 + 4 + 16 + 64 + 256));
});

const trade = (event_time: bigint, price: number | null = 1, symbol = 'A'): Row => ({
  event_time,
  symbol,
  price,
  size: 1,
});

const sessionsOf = (rows: readonly Row[]): [bigint, bigint, bigint][] =>
  rows.map(({ window_start, window_end, rows: count }) => [
    window_start as bigint,
    window_end as bigint,
    count as bigint,
  ]);

test('a row at the end of a session begins the next one', () => {
  //   0s        2s        4s
  //   [---------)         |
  //             [---------)
  const config = configOf({ aggregates: { rows: 'count()' } });
  const { outputs } = run(config, [[trade(0n), trade(2n * SECOND)]]);
  assert.deepEqual(sessionsOf(outputs['main']!), [
    [0n, 2n * SECOND, 1n],
    [2n * SECOND, 4n * SECOND, 1n],
  ]);
  const nearer = run(config, [[trade(0n), trade(2n * SECOND - 1n)]]);
  assert.deepEqual(sessionsOf(nearer.outputs['main']!), [[0n, 4n * SECOND - 1n, 2n]]);
});

test('a row joins no session that was closed, and is not late while its own would be open', () => {
  // The session [0 s, 2 s) is closed when the watermark is at 2 s; a row at 1 s alone would end at
  // 3 s.
  const config = configOf({ aggregates: { rows: 'count()' } });
  const late = (time: bigint): RunResult =>
    run(config, [[trade(0n), trade(2n * SECOND, 1, 'B'), trade(time)]]);
  const joined = late(1n * SECOND);
  assert.equal(joined.late, 0);
  assert.deepEqual(sessionsOf(joined.outputs['main']!.filter(({ symbol }) => symbol === 'A')), [
    [0n, 2n * SECOND, 1n],
    [SECOND, 3n * SECOND, 1n],
  ]);
  assert.equal(late(0n).late, 1);
  assert.equal(late(1n).late, 0);
});

test('rows may join several sessions into one, one after the other', () => {
  const apart = Array.from({ length: 40 }, (_, i) => trade(BigInt(i) * 3n * SECOND, i));
  const between = Array.from({ length: 39 }, (_, i) =>
    trade(BigInt((i * 7) % 39) * 3n * SECOND + (3n * SECOND) / 2n, i),
  );
  const options = { maxOutOfOrdernessNs: 1000n * SECOND };
  const aggregates = { rows: 'count()', open: 'first(price)', close: 'last(price)' };
  const result = assertOracle(configOf({ aggregates }), [...apart, ...between], [16], options);
  assert.deepEqual(sessionsOf(result.outputs['main']!), [[0n, 119n * SECOND, 79n]]);
});

test('a session that was stated, went on, and then began earlier is withdrawn', () => {
  const seconds = (time: number): bigint => BigInt(time * 2) * (SECOND / 2n);
  const rows = [
    trade(seconds(10)),
    trade(seconds(12), 1, 'clock'), // the watermark reaches the end of [10 s, 12 s): revision 0
    trade(seconds(11.5)), // it now ends at 13.5 s, and is not stated before that
    trade(seconds(9)), // and begins at 9 s
    trade(seconds(14), 1, 'clock'),
  ];
  const aggregates = { rows: 'count()' };
  const config = configOf({ aggregates, allowed_lateness: '10s', emit: 'early' });
  for (const sizes of [[1], [5]]) {
    const { outputs } = assertOracle(config, rows, sizes, { finish: false });
    const stated = outputs['main']!.filter(({ symbol }) => symbol === 'A');
    assertSameRows(stated, [
      { window_start: seconds(10), window_end: seconds(12), revision: 0n, rows: 1n },
      { window_start: seconds(10), window_end: seconds(10), revision: 1n, rows: 0n },
      { window_start: seconds(9), window_end: seconds(13.5), revision: 0n, rows: 3n },
    ]);
  }
});

test('a constant session has exactly no variance, also where sessions were joined', () => {
  const rows = [0n, 3n, 6n, 1n, 4n, 2n].map((time) => trade(time * SECOND, 1e9 + 1e-3));
  const { outputs } = run(configOf({ gap: '2100ms' }), [rows], {
    maxOutOfOrdernessNs: 10n * SECOND,
  });
  const [session] = outputs['main']!;
  assert.equal(outputs['main']!.length, 1);
  assert.equal(session!['variance'], 0);
  assert.equal(session!['mean'], 1e9 + 1e-3);
});

test('one long session does not hold up the room of a hundred thousand short ones', () => {
  const rows = Array.from({ length: 150_000 }, (_, i) => {
    const time = BigInt(i) * SECOND;
    return i % 3 === 0 ? trade(time, 1, 'long') : trade(time, 1, `S${i % 50_000}`);
  });
  const config = configOf({ gap: '10s', aggregates: { rows: 'count()' } });
  const result = run(config, cut(rows, [16_384]));
  assert.equal(result.outputs['main']!.length, 1 + 100_000);
  assert.equal(result.leakedSlabs, 0);
  // The watermark of the output waits for the long session.
  assert.equal(result.watermarks[0]!.at(-2), 0n);
});
