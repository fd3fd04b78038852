import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { changePointDetector } from './change-point-detector.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | price'));

interface Change {
  readonly row: number;
  readonly score: number;
  readonly baseline: number;
}

interface Settings {
  readonly threshold: number;
  readonly drift: number;
  readonly clip: number;
  readonly min_rows: number;
}

/** The definition: mean and deviation of the level are computed anew, from all of its values. */
function changesOracle(values: readonly number[], settings: Settings): Change[] {
  const { threshold, drift, clip, min_rows } = settings;
  const changes: Change[] = [];
  let level: number[] = [];
  let up = 0;
  let down = 0;
  for (const [row, value] of values.entries()) {
    if (level.length >= min_rows) {
      const mean = level.reduce((sum, x) => sum + x, 0) / level.length;
      const squares = level.reduce((sum, x) => sum + (x - mean) ** 2, 0);
      const z = (value - mean) / Math.sqrt(squares / (level.length - 1));
      const step = Math.max(-clip, Math.min(clip, z));
      up = Math.max(0, up + step - drift);
      down = Math.max(0, down - step - drift);
      if (up > threshold || down > threshold) {
        changes.push({ row, score: up > threshold ? up : -down, baseline: mean });
        [up, down, level] = [0, 0, []];
      }
    }
    level.push(value);
  }
  return changes;
}

function detect(values: readonly number[], config: object = {}, sizes: number[] = [7]): Row[] {
  const rows = values.map((price, i): Row => ({ event_time: BigInt(i), symbol: 'A', price }));
  const batches = cut(rows, sizes);
  return runOperator(changePointDetector, config, SCHEMA, batches, { restartAfterBatch: 2 })
    .outputs['main']!;
}

test('finds the changes of its definition', () => {
  const property = fc.property(
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
      minLength: 40,
      maxLength: 120,
      size: 'max',
    }),
    fc.integer({ min: 8, max: 100 }),
    fc.double({ min: -6, max: 6, noNaN: true }),
    (noise, at, shift) => {
      const values = noise.map((x, i) => 50 + x + (i % 3) / 10 + (i >= at ? shift : 0));
      const settings = { threshold: 8, drift: 0.5, clip: 4, min_rows: 8 };
      const found = detect(values, settings);
      const expected = changesOracle(values, settings);
      assert.deepEqual(
        found.map((row) => Number(row['event_time'])),
        expected.map(({ row }) => row),
      );
      for (const [i, { score, baseline }] of expected.entries()) {
        assert.ok(Math.abs((found[i]!['score'] as number) - score) < 1e-6);
        assert.ok(Math.abs((found[i]!['baseline'] as number) - baseline) < 1e-9);
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

/** A repeatable noise between -1 and 1. */
function noise(i: number): number {
  return Math.sin(i * 12.9898) * Math.cos(i * 78.233);
}

test('a shift is found soon, once, and where it began; spikes are not shifts', () => {
  const shifted = Array.from({ length: 300 }, (_, i) => 1e9 + (noise(i) + (i < 150 ? 0 : 2)) / 1e3);
  const found = detect(shifted);
  assert.equal(found.length, 1);
  const row = Number(found[0]!['event_time']);
  assert.ok(row >= 150 && row < 170, `found at ${row}`);
  const { details } = JSON.parse(found[0]!['explanation'] as string) as Record<string, Row>;
  const began = row + 1 - (details!['rows_since_change'] as number);
  assert.ok(Math.abs(began - 150) <= 5, `began at ${began}`);
  const spikes = Array.from({ length: 300 }, (_, i) => noise(i) + (i % 60 === 59 ? 500 : 0));
  assert.deepEqual(detect(spikes), []);
  assert.deepEqual(detect(new Array<number>(300).fill(7)), []);
  const step = [...new Array<number>(50).fill(7), ...new Array<number>(50).fill(7.001)];
  assert.equal(detect(step).length, 1);
});
