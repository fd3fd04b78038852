/** `when: true` and `baseline: 0` say in YAML what `when: "true"` and `baseline: "0"` say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from '../engine/contract/fields.ts';
import type { Schema } from '../engine/contract/schema.ts';
import { planOperator, type Row, runOperator } from '../engine/testing/harness.ts';
import { operators } from './catalog.ts';

const INPUT: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

/** Enough of each symbol for every operator to have learnt what is usual. */
const ROWS = Array.from({ length: 600 }, (_, i): Row => {
  const price = [10, 11, null, 9][i % 4]!;
  return { event_time: BigInt(i) * 1_000_000_000n, symbol: i % 2 === 0 ? 'A' : 'B', price };
});

const BARE_NUMBERS = { one: 1, tiny: -1e-7, huge: 1e21 };
const BARE = { ...BARE_NUMBERS, yes: true, no: false };
const WINDOW = { aggregates: { ...BARE, rows: 'count()' } };

const configs: Readonly<Record<string, object>> = {
  classify_bars: { open: 3, high: 1e21, low: 1e-7, close: 3, volume: -1 },
  derive: { columns: BARE },
  filter: { where: true },
  hopping_window: { ...WINDOW, size: '2s', slide: '1s' },
  isolation_forest: { features: { ...BARE_NUMBERS, price: 'price' }, value: 3, baseline: 2 },
  limits_detector: { value: 1e21, above: 0, below: -1e-7 },
  rolling: { over: '2 rows', columns: BARE },
  session_window: { ...WINDOW, gap: '5s' },
  threshold: {
    rules: [{ type: 'any', when: true, value: 1, score: -2.5, baseline: 0, confidence: 0.5 }],
  },
  tumbling_window: { ...WINDOW, size: '2s' },
};

/** The same with every number and boolean in quotes. */
function quoted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(quoted);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, quoted(each)]));
}

for (const [name, config] of Object.entries(configs)) {
  test(`${name} takes bare numbers and booleans for expressions`, () => {
    const definition = operators.find((each) => each.name === name)!;
    const bare = runOperator(definition, config, INPUT, [ROWS]);
    const want = runOperator(definition, quoted(config), INPUT, [ROWS]);
    assert.deepEqual(bare.outputs, want.outputs);
    assert.deepEqual(bare.outputsPlan, want.outputsPlan);
    assert.ok(bare.outputs['main']!.length > 0);
  });
}

test('every operator with expressions is among them', () => {
  const withExpressions = operators.filter(({ fields }) => {
    const schema = z.toJSONSchema(z.strictObject(fields), { io: 'input', unrepresentable: 'any' });
    return JSON.stringify(schema).includes('"kind":"expression"');
  });
  // Detectors have their expressions from one place; one of them stands for all.
  const names = withExpressions
    .map(({ name }) => name)
    .filter((name) => name in configs || !name.endsWith('_detector'));
  assert.deepEqual(names, Object.keys(configs));
});

test('what is no condition or number is told as if it stood in quotes', () => {
  const threshold = operators.find(({ name }) => name === 'threshold')!;
  const config = { rules: [{ type: 'x', when: 3, value: true, score: -1, baseline: 'x' }] };
  const { problems } = planOperator(threshold, config, INPUT);
  assert.deepEqual(
    problems.map(({ path, offset, message }) => `${path.join('.')}@${offset} ${message}`),
    [
      'rules.0.when@0 expected a condition, such as price > 0, got 3 of type float64',
      'rules.0.value@0 expected a number, got true of type boolean',
      'rules.0.baseline@0 there is no column x',
    ],
  );
});
