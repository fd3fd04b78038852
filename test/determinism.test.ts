/**
 * The same rows give the same output, bit for bit after sorting, however they are cut into batches
 * and over however many slots they are spread.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { catalog } from '../catalog.ts';
import { unaccountedRows } from '../engine/contract/row-accounts.ts';
import { planPipeline } from '../engine/plan/plan-pipeline.ts';
import { cut } from '../engine/testing/arbitrary.ts';
import { runInProcess } from '../engine/testing/run-in-process.ts';
import type { Row } from '../engine/testing/table.ts';

const SECOND = 1_000_000_000n;

const document = {
  name: 'determinism',
  key: 'symbol',
  partitions: 6,
  sources: {
    trades: {
      type: 'file',
      path: 'unused.csv',
      columns: {
        event_time: 'event_time',
        symbol: 'symbol',
        price: 'price',
        size: 'size',
        sequence: { from: 'sequence', type: 'int64' },
      },
      watermark: { max_out_of_orderness: '2s' },
    },
  },
  operators: {
    unique: { type: 'dedupe', input: 'trades', columns: ['sequence'], within: '5s' },
    bars: {
      type: 'tumbling_window',
      input: 'unique',
      size: '3s',
      allowed_lateness: '1s',
      aggregates: {
        open: 'first(price)',
        close: 'last(price)',
        vwap: 'sum(price * size) / sum(size)',
        volatility: 'stddev(price)',
      },
    },
    scores: {
      type: 'rolling',
      input: 'bars',
      over: '3 rows',
      exclude_current: true,
      columns: { z_close: 'zscore(close)', mean_vwap: 'mean(vwap)' },
    },
    odd: {
      type: 'threshold',
      input: 'scores',
      rules: [{ type: 'odd_close', when: 'abs(z_close) > 1', value: 'close', score: 'z_close' }],
    },
    panes: {
      type: 'hopping_window',
      input: 'trades',
      size: '4s',
      slide: '1s',
      aggregates: { high: 'max(price)', volume: 'sum(size)', spread: 'stddev(price)' },
    },
    sessions: {
      type: 'session_window',
      input: 'trades',
      gap: '2s',
      allowed_lateness: '1s',
      aggregates: { trades: 'count()', last: 'last(price)' },
    },
    early: {
      type: 'tumbling_window',
      input: 'trades',
      size: '5s',
      allowed_lateness: '2s',
      emit: 'early',
      aggregates: { trades: 'count()', mean: 'mean(price)' },
    },
    recent: {
      type: 'rolling',
      input: 'trades',
      over: '3s',
      columns: { mean: 'mean(price)', rows: 'count(price)' },
    },
    high: {
      type: 'threshold',
      input: 'recent',
      rules: [{ type: 'high', when: 'price > mean', value: 'price', score: 'price / mean' }],
    },
    // Behind windows, and behind rows that may be late: they wait for the slower.
    both: { type: 'composite', input: ['odd', 'high'], within: '4s' },
    episodes: {
      type: 'alerts',
      input: ['odd', 'high', 'both'],
      cool_down: '2s',
      emit: 'all',
    },
  },
  sinks: {
    none: { type: 'blackhole', input: 'odd' },
  },
};

const OUTPUTS = [
  'scores',
  'odd',
  'panes',
  'sessions',
  'early',
  'recent',
  'bars.late',
  'panes.late',
  'sessions.late',
  'early.late',
  'unique.duplicates',
  'both',
  'both.late',
  'episodes',
  'episodes.late',
];

const row = fc.record({
  step: fc.bigInt(0n, 2n * SECOND),
  back: fc.oneof({ weight: 5, arbitrary: fc.constant(0n) }, fc.bigInt(0n, 8n * SECOND)),
  symbol: fc.constantFrom('A', 'B', 'C', 'D', 'E'),
  price: fc.option(fc.double({ min: 1, max: 1000, noNaN: true }), { freq: 10 }),
  size: fc.integer({ min: 1, max: 500 }),
  sequence: fc.integer({ min: 0, max: 60 }),
});

/** Rows in arrival order: time moves on, and some rows come from the past. */
const stream = fc.array(row, { minLength: 1, maxLength: 80, size: 'max' }).map((steps) => {
  let now = 1_700_000_000n * SECOND;
  return steps.map(({ step, back, symbol, price, size, sequence }): Row => {
    now += step;
    return { event_time: now - back, symbol, price, size, sequence: BigInt(sequence) };
  });
});

function text(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}n` : inner,
  );
}

async function outputs(rows: readonly Row[], sizes: readonly number[], slots: number) {
  const { plan, problems } = planPipeline(document, catalog);
  assert(plan !== undefined, text(problems));
  const inputs = { trades: cut(rows, sizes) };
  const run = await runInProcess(plan, catalog, { inputs, outputs: OUTPUTS, slots });
  assert.equal(run.result.accounts.read, rows.length);
  assert.equal(unaccountedRows(run.result.accounts), 0);
  const { processed, late, duplicate } = run.result.accounts;
  const sorted = OUTPUTS.map((name) => [name, run.rows[name]!.map(text).sort()]);
  return { sorted, accounts: { processed, late, duplicate } };
}

let composites = 0;
let episodes = 0;

test('slots, batch sizes and random cuts leave every output as it is', async () => {
  await fc.assert(
    fc.asyncProperty(
      stream,
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
      async (rows, cuts) => {
        const expected = await outputs(rows, [4096], 1);
        const sorted = new Map(expected.sorted as [string, string[]][]);
        composites += sorted.get('both')!.length;
        episodes += sorted.get('episodes')!.length;
        assert.deepEqual(await outputs(rows, [1], 3), expected);
        assert.deepEqual(await outputs(rows, [7], 2), expected);
        assert.deepEqual(await outputs(rows, cuts, 2), expected);
      },
    ),
    { numRuns: 40 },
  );
  assert.ok(composites > 0 && episodes > composites, 'steps of several inputs had rows');
});
