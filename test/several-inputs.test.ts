/** Steps that read several others: what is wrong with a list, and whose watermark they wait for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalog } from '../catalog.ts';
import { planPipeline } from '../engine/plan/plan-pipeline.ts';
import { runInProcess } from '../engine/testing/run-in-process.ts';
import type { Row } from '../engine/testing/table.ts';

const SECOND = 1_000_000_000n;

function document(input: unknown, more: Record<string, unknown> = {}): unknown {
  return {
    name: 'several-inputs',
    partitions: 1,
    sources: {
      trades: {
        type: 'file',
        path: 'unused.csv',
        columns: { event_time: 'event_time', symbol: 'symbol', price: 'price' },
      },
    },
    operators: {
      bars: {
        type: 'tumbling_window',
        input: 'trades',
        size: '1m',
        aggregates: { high: 'max(price)' },
      },
      high_bars: {
        type: 'threshold',
        input: 'bars',
        rules: [{ type: 'high_bar', when: 'high > 10', value: 'high', score: 'high' }],
      },
      high_trades: {
        type: 'threshold',
        input: 'trades',
        rules: [{ type: 'high_trade', when: 'price > 10', value: 'price', score: 'price' }],
      },
      both: { type: 'composite', input, within: '1m' },
      ...more,
    },
    sinks: { none: { type: 'blackhole', input: ['both', 'high_bars', 'high_trades'] } },
  };
}

function told(given: unknown): string[] {
  return planPipeline(given, catalog).problems.map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
}

test('a list of steps with the same columns is read by a step that takes several', () => {
  assert.deepEqual(told(document(['high_bars', 'high_trades'])), []);
  assert.deepEqual(told(document('high_bars')), []);
  const { plan } = planPipeline(document(['high_bars', 'high_trades']), catalog);
  const names = plan!.operators.map(({ name }) => name);
  assert.equal(names.indexOf('both'), names.length - 1);
});

test('what is wrong with a list is told at its entry', () => {
  assert.deepEqual(told(document(['high_bars', 'high_bars'])), [
    'operators.both.input.1: input: "high_bars" is named twice',
  ]);
  assert.deepEqual(told(document(['high_bars', 'high_trade'])), [
    'operators.both.input.1: no source or step is called "high_trade"',
  ]);
  assert.match(told(document(['high_bars', 'trades']))[0]!, /^operators\.both\.input\.1: trades/);
  assert.deepEqual(told(document([])), [
    'operators.both.input: input: expected the name of one source or step, or a list, ' +
      'got an empty list',
  ]);
  const one = {
    rolled: { type: 'rolling', input: ['bars'], over: '2 rows', columns: { m: 'max(high)' } },
  };
  assert.deepEqual(
    told(document('high_bars', one))[0],
    'operators.rolled.input: input: expected the name of one source or step, got a list',
  );
});

test('steps of several inputs that feed each other are a ring', () => {
  const ring = { again: { type: 'composite', input: ['high_bars', 'both'] } };
  assert.deepEqual(told(document(['high_trades', 'again'], ring)), [
    'operators.both.input: steps feed each other in a ring: both -> again -> both',
  ]);
});

test('a step waits for the slowest of its inputs', async () => {
  const { plan } = planPipeline(document(['high_bars', 'high_trades']), catalog);
  const rows = [0n, 30n, 59n, 60n, 61n].map(
    (second, i): Row => ({
      event_time: 1_700_000_040n * SECOND + second * SECOND,
      symbol: 'A',
      price: 11 + i,
    }),
  );
  for (const size of [1, 5]) {
    const batches = Array.from({ length: 5 / size }, (_, i) =>
      rows.slice(i * size, i * size + size),
    );
    const { rows: out } = await runInProcess(plan!, catalog, {
      inputs: { trades: batches },
      outputs: ['both'],
    });
    const partsOf = ({ explanation }: Row): unknown =>
      (JSON.parse(String(explanation)) as { parts: { type: string; value: number }[] }).parts.map(
        ({ type, value }) => `${type} ${value}`,
      );
    assert.deepEqual(out['both']!.map(partsOf), [
      ['high_bar 13', 'high_trade 13'],
      ['high_bar 15', 'high_trade 15'],
    ]);
  }
});
