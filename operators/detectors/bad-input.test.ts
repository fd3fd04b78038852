/** Whatever a feed sends, an anomaly has no number that is not finite, and nothing fails. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseTable, schemaOfTable, type Value } from '../../engine/testing/table.ts';
import { operators } from '../catalog.ts';

/** Those that are called otherwise. (`classify_bars` has such a test of its own, with bars.) */
const OTHERS = ['threshold', 'isolation_forest'];
const detectors = operators.filter(
  ({ name }) => name.endsWith('_detector') || OTHERS.includes(name),
);

const NUMBERS = ['open', 'high', 'low', 'close', 'volume', 'price', 'size'] as const;
const COLUMNS = ['event_time', 'symbol', 'venue:string', ...NUMBERS].join(' | ');

const HOUR = 3_600_000_000_000n;
const bad = fc.constantFrom(
  ...[0, -0, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  ...[-40, 5e-324, 1e308, -1e308, Number.MAX_VALUE, 2 ** 53],
);
/** Values of one column, one after the other. */
const series = (length: number): fc.Arbitrary<(number | null)[]> =>
  fc.oneof(
    fc.constantFrom(0, 100, -5, 1e9, 0.1).map((same) => new Array<number>(length).fill(same)),
    fc.constant(Array.from({ length }, (_, i) => 1e9 + i * 1e-3)),
    fc.nat(length).map((at) => Array.from({ length }, (_, i) => (i === at ? 1e6 : 100 + (i % 3)))),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), bad), {
      minLength: length,
      maxLength: length,
      size: 'max',
    }),
  );

const stream: fc.Arbitrary<Row[]> = fc
  .nat({ max: 80 })
  .chain((length) =>
    fc.tuple(
      fc.array(fc.constantFrom('A', 'A', 'A', 'A', 'A', 'A', 'B', 'once'), {
        ...{ minLength: length, maxLength: length, size: 'max' },
      }),
      fc.array(fc.constantFrom('Q', 'N', 'P', null), {
        ...{ minLength: length, maxLength: length, size: 'max' },
      }),
      fc.array(fc.constantFrom(0n, HOUR / 60n, HOUR, 24n * 5n * HOUR), {
        ...{ minLength: length, maxLength: length, size: 'max' },
      }),
      fc.tuple(...NUMBERS.map(() => series(length))),
    ),
  )
  .map(([symbols, venues, gaps, columns]) => {
    let time = 1_700_000_000_000_000_000n;
    return symbols.map((symbol, i) => {
      time += gaps[i]!;
      const values = NUMBERS.map((name, column) => [name, columns[column]![i]!] as const);
      // A symbol that is there once and never again.
      const own = symbol === 'once' ? `once-${i}` : symbol;
      return { event_time: time, symbol: own, venue: venues[i]!, ...Object.fromEntries(values) };
    });
  });

test('there are detectors', () => assert.ok(detectors.length >= 20, `${detectors.length}`));

/** The columns of the streams, and those that the example of a detector has besides. */
function schemaFor(example: string): Schema {
  const own = schemaOfTable(parseTable(COLUMNS));
  const more =
    parseTable(example).rows.length === 0 ? [] : schemaOfTable(parseTable(example)).columns;
  const names = new Set(own.columns.map(({ name }) => name));
  return { ...own, columns: [...own.columns, ...more.filter(({ name }) => !names.has(name))] };
}

for (const detector of detectors) {
  let total = 0;
  for (const { title, config, input } of detector.examples) {
    test(`${detector.name} makes sense of anything (${title})`, () => {
      const schema = schemaFor(input as string);
      const more = schema.columns.slice(3 + NUMBERS.length);
      const property = fc.property(stream, fc.integer({ min: 1, max: 90 }), (given, size) => {
        const rows = given.map((row) => {
          const others = more.map(({ name, type }, i) => {
            return [name, type === 'float64' ? row[NUMBERS[i % NUMBERS.length]!]! : null] as const;
          });
          return { ...row, ...Object.fromEntries(others) };
        });
        const batches = [rows.slice(0, size), rows.slice(size)];
        const { outputs } = runOperator(detector, config, schema, batches);
        const found = outputs['main']!;
        for (const anomaly of found) assertSound(anomaly, detector.name !== 'threshold');
        const ids = new Set(found.map(({ anomaly_id: id }) => id));
        assert.equal(ids.size, found.length);
        total += found.length;
      });
      fc.assert(property, { numRuns: 40 });
    });
  }

  test(`${detector.name} has found something in that`, () => assert.ok(total > 0));
}

/** JSON has no -0. */
function withoutSign(value: Value | undefined): Value | undefined {
  return value === 0 ? 0 : value;
}

/** @param hasValue Whether something was observed: a rule may show what it does not look at. */
function assertSound(anomaly: Row, hasValue: boolean): void {
  for (const name of ['value', 'baseline', 'score', 'threshold', 'confidence']) {
    const value = anomaly[name]!;
    assert.ok(value === null || Number.isFinite(value), `${name} is ${String(value)}`);
  }
  const { confidence, value, score, severity, direction } = anomaly;
  if (hasValue) assert.notEqual(value, null, 'something was observed');
  assert.ok(confidence === null || (Number(confidence) >= 0 && Number(confidence) <= 1));
  assert.ok(['low', 'medium', 'high'].includes(severity as string));
  assert.ok(direction === null || direction === 'up' || direction === 'down');
  const explanation = JSON.parse(anomaly['explanation'] as string) as Record<string, unknown>;
  assert.deepEqual(Object.keys(explanation).slice(0, 6), [
    'rule',
    'observed',
    'score',
    'threshold',
    'baseline',
    'window',
  ]);
  assert.equal(explanation['observed'], withoutSign(value));
  assert.equal(explanation['score'], withoutSign(score));
}
