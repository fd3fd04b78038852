import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnVector } from '../contract/batch.ts';
import type { SinkPlan } from '../plan/pipeline-plan.ts';
import { AnomalyTally } from './anomaly-tally.ts';

function sink(columns: readonly string[], step: string): SinkPlan {
  return {
    ...{ name: step, type: 'blackhole', config: {}, inputs: [{ step, output: 'main' }] },
    schema: {
      columns: columns.map((name) => ({ name, type: 'string' })),
      ...{ time: 'event_time', key: 'symbol' },
    },
  };
}

function texts(...values: string[]): ColumnVector {
  const dictionary = [...new Set(values)];
  const codes = Uint32Array.from(values, (value) => dictionary.indexOf(value));
  return { type: 'string', codes, dictionary };
}

test('anomalies are counted once, and of alerts the openings', () => {
  const anomaly = ['anomaly_id', 'type', 'severity'];
  const tally = new AnomalyTally([
    sink(anomaly, 'spikes'),
    sink(anomaly, 'spikes'),
    sink([...anomaly, 'episode_id', 'status'], 'alerts'),
    sink(['symbol'], 'bars'),
  ]);
  const columns = [texts('a', 'b'), texts('spike', 'spike'), texts('low', 'high')];
  tally.add(0, { rowCount: 2, columns });
  tally.add(1, { rowCount: 2, columns });
  tally.add(3, { rowCount: 1, columns: [texts('IBM')] });
  tally.add(2, {
    rowCount: 3,
    columns: [
      ...[texts('a', 'b', 'e/close'), texts('gap', 'gap', 'gap'), texts('low', 'high', 'high')],
      ...[texts('e', 'e', 'e'), texts('open', 'update', 'close')],
    ],
  });
  assert.equal(tally.total, 3);
  assert.deepEqual(tally.counts(), [
    { type: 'spike', severity: 'low', count: 1 },
    { type: 'spike', severity: 'high', count: 1 },
    { type: 'gap', severity: 'low', count: 1 },
  ]);
});
