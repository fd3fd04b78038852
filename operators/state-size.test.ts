/**
 * What declarations say of the size of their state, against snapshots.
 *
 * For every operator of the catalogue that keeps state by key: bytes that a key takes whatever its
 * rows are, and parts that have a bound, must cover the snapshot (with 1 KiB for headers), and not
 * be far more than it takes. Parts without a bound are counted by the test.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../engine/contract/schema.ts';
import { boundedBytes, stateSizeOf, unboundedParts } from '../engine/contract/state-size.ts';
import { planOperator, type Row, runOperator } from '../engine/testing/harness.ts';
import { parseTable } from '../engine/testing/table.ts';
import { operators } from './catalog.ts';

const KEYS = 200;
const HEADERS_BYTES = 1024;
const SECOND = 1_000_000_000n;

const INPUT: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'size', type: 'float64' },
    ...(['anomaly_id', 'type', 'severity', 'direction', 'detector', 'explanation'] as const).map(
      (name) => ({ name, type: 'string' }) as const,
    ),
    { name: 'score', type: 'float64' },
    { name: 'confidence', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

/** As long as those of detectors are. */
const EXPLANATION = 'x'.repeat(250);

/** A batch each second, in each of which every key has one row. */
function batches(seconds: number): Row[][] {
  return Array.from({ length: seconds }, (_, second) =>
    Array.from({ length: KEYS }, (_key, key): Row => {
      const event_time = 1_700_000_000n * SECOND + BigInt(second) * SECOND + BigInt(key);
      const score = 3 + ((second * 7 + key) % 13) / 7;
      return {
        ...{ event_time, symbol: `SYM${key}`, price: 100 + ((second * 7 + key) % 13), size: 5 },
        ...{ anomaly_id: `scores/SYM${key}/${event_time}/price_spike`, type: 'price_spike' },
        ...{
          severity: 'medium',
          direction: 'up',
          detector: 'zscore',
          score,
          confidence: score / 9,
        },
        explanation: EXPLANATION,
      };
    }),
  );
}

const AGGREGATES = {
  open: 'first(price)',
  high: 'max(price)',
  vwap: 'sum(price * size) / sum(size)',
  vol: 'stddev(price)',
};

interface SizeCase {
  readonly config: Record<string, unknown>;
  /** How many each key has of the parts without a bound, in their order. */
  readonly counts?: readonly number[];
  /** For the `declared / measured` from which the bound is not worth much; 2.5 by default. */
  readonly slack?: number;
  /** How far the watermark stays behind. */
  readonly maxOutOfOrdernessNs?: bigint;
}

const CASES: Readonly<Record<string, readonly SizeCase[]>> = {
  alerts: [
    // One of each second's anomalies waits for the watermark, and each key has an open episode.
    { config: { cool_down: '1h' }, counts: [1, 1] },
    { config: { cool_down: '1h' }, counts: [4, 1], maxOutOfOrdernessNs: 3n * SECOND },
  ],
  composite: [{ config: { within: '5s' }, counts: [6] }],
  dedupe: [
    { config: { columns: ['price', 'size'], within: '10s' }, counts: [10] },
    { config: { columns: ['event_time'], within: '3s' }, counts: [3] },
  ],
  tumbling_window: [
    { config: { size: '5s', aggregates: AGGREGATES } },
    { config: { size: '5s', aggregates: AGGREGATES, emit: 'early' } },
    { config: { size: '2s', aggregates: { n: 'count()' }, allowed_lateness: '9s' } },
    { config: { size: '2s', aggregates: AGGREGATES, allowed_lateness: '4s', emit: 'early' } },
  ],
  hopping_window: [
    { config: { size: '10s', slide: '2s', aggregates: AGGREGATES } },
    { config: { size: '10s', slide: '1s', aggregates: AGGREGATES, allowed_lateness: '5s' } },
    { config: { size: '8s', slide: '2s', aggregates: AGGREGATES, emit: 'early' }, counts: [0] },
  ],
  session_window: [
    { config: { gap: '5s', aggregates: AGGREGATES } },
    { config: { gap: '500ms', aggregates: AGGREGATES, allowed_lateness: '4s' }, slack: 4 },
    { config: { gap: '500ms', aggregates: AGGREGATES, emit: 'early' } },
  ],
  isolation_forest: [
    {
      config: {
        features: { price: 'price', size: 'size' },
        trees: 5,
        sample_size: 8,
        reservoir: 20,
        min_rows: 8,
        refit_every: 8,
        threshold: 1,
      },
      counts: [0],
    },
  ],
  rolling: [
    { config: { over: '10 rows', columns: { z: 'zscore(price)', m: 'mean(size) - price' } } },
    { config: { over: '10 rows', columns: { d: 'lag(price, 3)', m: 'max(delta(price))' } } },
    {
      config: { over: '5s', exclude_current: true, columns: { m: 'sum(price)', n: 'max(size)' } },
      counts: [5, 5],
    },
  ],
  threshold: [
    {
      config: { rules: [{ type: 'spike', when: 'price > 0', value: 'price', score: 'price' }] },
      counts: [1],
      maxOutOfOrdernessNs: SECOND - 1n,
    },
    {
      config: { rules: [{ type: 'spike', when: 'price > 0', value: 'price', score: 'price' }] },
      counts: [3],
      maxOutOfOrdernessNs: 3n * SECOND - 1n,
    },
  ],
  zscore_detector: [
    { config: { value: 'price', over: '10 rows' }, counts: [0] },
    { config: { value: 'price', over: '5s', threshold: 100 }, counts: [5, 0] },
  ],
};

function measure(name: string, each: SizeCase): [declared: number, got: number] {
  const { config, counts = [], maxOutOfOrdernessNs = 0n } = each;
  const definition = operators.find((operator) => operator.name === name)!;
  const planned = planOperator(definition, config, INPUT);
  assert.deepEqual(planned.problems, []);
  const size = stateSizeOf(definition, planned.config as Record<string, unknown>, INPUT);
  assert(size !== undefined, `${name} states the size of its state`);
  const parts = unboundedParts(size);
  assert.equal(parts.length, counts.length, parts.map((part) => part.each).join());
  const own = parts.reduce((sum, { bytes }, i) => sum + bytes * counts[i]!, boundedBytes(size));
  const { stateBytes } = runOperator(definition, config, INPUT, batches(30), {
    finish: false,
    measuresState: true,
    maxOutOfOrdernessNs,
  });
  return [own * KEYS, stateBytes];
}

for (const [name, cases] of Object.entries(CASES)) {
  for (const each of cases) {
    test(`${name}: the state is as large as declared (${JSON.stringify(each.config)})`, () => {
      const [declared, got] = measure(name, each);
      const told = `declared ${declared} bytes, got ${got}`;
      assert.ok(got <= declared + HEADERS_BYTES, told);
      assert.ok(declared <= got * (each.slack ?? 2.5) + HEADERS_BYTES, told);
    });
  }
}

for (const definition of operators) {
  const { name, state, examples } = definition;
  if (state.scope === 'none') continue;
  test(`${name}: states the size of its state for every example`, () => {
    for (const { config, input } of examples) {
      const { columns } = parseTable(input);
      const schema: Schema = { columns, time: 'event_time', key: 'symbol' };
      const planned = planOperator(definition, config, schema);
      const size = stateSizeOf(definition, planned.config as Record<string, unknown>, schema);
      assert(size !== undefined, `${name} needs state.bytesPerKey`);
      for (const bytes of [
        size.key,
        ...size.parts.flatMap((part) => [part.bytes, part.atMost ?? 0]),
      ])
        assert.ok(Number.isSafeInteger(bytes) && bytes >= 0, JSON.stringify(size));
      for (const { each } of size.parts) assert.match(each, /^\S.*\S$/);
    }
  });
}
