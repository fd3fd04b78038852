import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { seasonalDetector } from './seasonal-detector.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | volume'));
const HOUR = 3_600_000_000_000n;
const DAY = 24n * HOUR;

interface Point {
  readonly time: bigint;
  readonly value: number;
}

/** z of the value at `index` from the daily means of its hour, all days written out. */
function seasonalOracle(points: readonly Point[], index: number, days: number): number | undefined {
  const { time, value } = points[index]!;
  const hour = (time % DAY) / HOUR;
  const byDay = new Map<bigint, number[]>();
  for (const point of points.slice(0, index)) {
    if ((point.time % DAY) / HOUR !== hour || point.time / DAY >= time / DAY) continue;
    const values = byDay.get(point.time / DAY) ?? [];
    byDay.set(point.time / DAY, values);
    values.push(point.value);
  }
  if (byDay.size < 2) return undefined;
  let mean = 0;
  let variance = 0;
  let count = 0;
  for (const values of byDay.values()) {
    const weight = Math.max(2 / (days + 1), 1 / ++count);
    const off = values.reduce((sum, x) => sum + x, 0) / values.length - mean;
    mean += weight * off;
    variance = (1 - weight) * (variance + weight * off * off);
  }
  return variance > 0 ? (value - mean) / Math.sqrt(variance) : undefined;
}

test('scores are those of the definition', () => {
  const step = fc.record({
    wait: fc.constantFrom(HOUR / 2n, HOUR, 6n * HOUR, DAY, DAY),
    value: fc.integer({ min: 1, max: 40 }),
  });
  const property = fc.property(
    fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
    // 2023, and times before 1970.
    fc.constantFrom(19_000n * DAY, -10n * DAY),
    (steps, start) => {
      let time = start;
      const points = steps.map(({ wait, value }) => ({ time: (time += wait), value }));
      const rows = points.map(({ time: at, value }): Row => {
        return { event_time: at, symbol: 'A', volume: value };
      });
      const config = { bucket: '1h', days: 3, min_days: 2, threshold: 1 };
      const { outputs } = runOperator(seasonalDetector, config, SCHEMA, cut(rows, [9]), {
        restartAfterBatch: [0, 3],
      });
      // Counted from a day long before, so that the division rounds down.
      const shifted = points.map((point) => ({ ...point, time: point.time + 100n * DAY }));
      const expected = shifted.flatMap((_, i) => {
        const z = seasonalOracle(shifted, i, 3);
        return z !== undefined && Math.abs(z) > 1 + 1e-9 ? [{ time: points[i]!.time, z }] : [];
      });
      const found = outputs['main']!.filter((row) => Math.abs(row['score'] as number) > 1 + 1e-9);
      assert.deepEqual(
        found.map((row) => row['event_time']),
        expected.map(({ time: at }) => at),
      );
      for (const [i, { z }] of expected.entries()) {
        assert.ok(Math.abs((found[i]!['score'] as number) / z - 1) < 1e-9);
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test('a stretch must divide a day, into no more than its minutes', () => {
  const codes = (bucket: string): string[] =>
    planOperator(seasonalDetector, { bucket }, SCHEMA).problems.map(({ message }) => message);
  assert.deepEqual(codes('30m'), []);
  assert.deepEqual(codes('7m'), ['must divide a day']);
  assert.deepEqual(codes('0s'), ['must divide a day']);
  assert.deepEqual(codes('1s'), ['must be at least 1m']);
});
