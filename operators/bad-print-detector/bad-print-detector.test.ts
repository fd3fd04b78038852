import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { badPrintDetector } from './bad-print-detector.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | price'));
const SECOND = 1_000_000_000n;

interface Tick {
  readonly time: bigint;
  readonly price: number;
}

const SETTINGS = { window: 20, deviations: 3, min_pct: 1, confirm: 3, min_rows: 10 };
const WITHIN_S = 60n;

/** The definition, with all that was believed in a list. */
function badPrintsOracle(ticks: readonly Tick[]): bigint[] {
  const { window, deviations, min_pct, confirm, min_rows } = SETTINGS;
  const bad: bigint[] = [];
  let believed: number[] = [];
  let doubted: Tick[] = [];
  const isDoubted = (price: number): boolean => {
    if (believed.length < min_rows) return false;
    const last = believed.at(-1)!;
    if (Math.abs(price - last) <= (min_pct / 100) * last) return false;
    const sorted = believed.slice(-window).sort((a, b) => a - b);
    const trim = Math.floor(sorted.length / 10);
    const kept = sorted.slice(trim, sorted.length - trim);
    const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
    const variance = kept.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (kept.length - 1);
    return Math.abs(price - mean) > deviations * Math.sqrt(variance) + (min_pct / 100) * mean;
  };
  for (const tick of ticks) {
    if (doubted.length > 0 && tick.time >= doubted[0]!.time + WITHIN_S * SECOND) {
      believed = doubted.map(({ price }) => price);
      doubted = [];
    }
    if (isDoubted(tick.price)) {
      doubted.push(tick);
      if (doubted.length === confirm) {
        believed = doubted.map(({ price }) => price);
        doubted = [];
      }
    } else {
      bad.push(...doubted.map(({ time }) => time));
      doubted = [];
      believed.push(tick.price);
    }
  }
  return bad;
}

test('finds the prices that its definition finds', () => {
  const step = fc.record({
    wait: fc.constantFrom(1n, 1n, 1n, 5n, 61n),
    move: fc.double({ min: -0.004, max: 0.004, noNaN: true }),
    off: fc.constantFrom(1, 1, 1, 1, 1, 1, 1.1, 0.1, 10, 0.97),
    /** A move that stays. */
    jump: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 1, 1, 1.2, 0.8),
  });
  let total = 0;
  const property = fc.property(
    fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }),
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
    (steps, sizes) => {
      let time = 1_700_000_000n * SECOND;
      let level = 100;
      const ticks = steps.map(({ wait, move, off, jump }): Tick => {
        time += wait * SECOND;
        level *= (1 + move) * jump;
        return { time, price: level * off };
      });
      const rows = ticks.map(({ time: at, price }): Row => {
        return { event_time: at, symbol: 'A', price };
      });
      const config = { ...SETTINGS, within: `${WITHIN_S}s` };
      const { outputs } = runOperator(badPrintDetector, config, SCHEMA, cut(rows, sizes), {
        restartAfterBatch: [0, 2],
      });
      const found = outputs['main']!.map((row) => row['event_time']);
      const expected = badPrintsOracle(ticks);
      total += expected.length;
      assert.deepEqual(found, expected);
    },
  );
  fc.assert(property, { numRuns: 200 });
  assert.ok(total > 100, 'there were bad prints');
});

test('an anomaly has the time of its price, and the watermark waits for it', () => {
  const rows = Array.from({ length: 30 }, (_, i): Row => {
    const price = i === 25 || i === 26 ? 10 : 100;
    return { event_time: BigInt(i) * SECOND, symbol: 'A', price };
  });
  const { outputs, watermarks } = runOperator(badPrintDetector, {}, SCHEMA, cut(rows, [1]));
  assert.deepEqual(
    outputs['main']!.map(({ event_time: time, score }) => [time, score]),
    [
      [25n * SECOND, -90],
      [26n * SECOND, -90],
    ],
  );
  assert.deepEqual(
    watermarks[0]!.slice(24, 28).map((time) => time / SECOND),
    [24n, 25n, 25n, 27n],
  );
});
