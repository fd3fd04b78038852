/**
 * Windows at the first and the last event time that sources let through, longer than what 64 bits
 * hold before and behind them: no row is lost or late, and bounds stop at the ends of time.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import type { OperatorDefinition } from '../../engine/contract/operator.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { BEGINNING_OF_TIME, END_OF_TIME, parseIsoTime } from '../../engine/contract/time.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { hoppingWindow } from '../hopping-window/hopping-window.ts';
import { sessionWindow } from '../session-window/session-window.ts';
import { tumblingWindow } from '../tumbling-window/tumbling-window.ts';

const schema: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

const FIRST = parseIsoTime('1678-01-01')!;
const LAST = parseIsoTime('2262-01-01')!;
const DAY = 86_400_000_000_000n;

const aggregates = { rows: 'count()', total: 'sum(price)', low: 'min(price)' };
const row = (event_time: bigint, price: number): Row => ({ symbol: 'A', event_time, price });
const batches = [
  [row(FIRST, 1), row(FIRST + DAY, 2)],
  [row(0n, 4)],
  [row(LAST - DAY, 8), row(LAST, 16)],
];

function run(definition: OperatorDefinition, config: object): Row[] {
  const result = runOperator(definition, { ...config, aggregates }, schema, batches, {
    maxOutOfOrdernessNs: 400n * DAY,
  });
  assert.equal(result.late, 0);
  for (const { window_start: start, window_end: end } of result.outputs['main']!) {
    assert.ok((start as bigint) <= (end as bigint), `${start} to ${end}`);
    assert.ok((start as bigint) >= BEGINNING_OF_TIME && (end as bigint) <= END_OF_TIME);
  }
  return result.outputs['main']!;
}

const late = { allowed_lateness: '300d' };

for (const emit of ['final', 'early']) {
  test(`tumbling windows, ${emit}`, () => {
    const rows = run(tumblingWindow, { size: '365d', ...late, emit });
    assert.deepEqual(
      rows.map(({ total }) => total),
      [3, 4, 24],
    );
    assert.equal(rows[0]!['window_start'], BEGINNING_OF_TIME);
    assert.equal(rows.at(-1)!['window_end'], END_OF_TIME);
  });

  test(`sessions, ${emit}`, () => {
    const rows = run(sessionWindow, { gap: '200d', ...late, emit });
    assert.deepEqual(
      rows.map(({ total }) => total),
      [3, 4, 24],
    );
    assert.equal(rows[0]!['window_end'], FIRST + 201n * DAY);
    assert.equal(rows.at(-1)!['window_end'], END_OF_TIME);
  });

  test(`hopping windows, ${emit}`, () => {
    const rows = run(hoppingWindow, { size: '200d', slide: '50d', ...late, emit });
    // Each of the rows is in four windows.
    assert.equal(
      rows.reduce((sum, { rows: count }) => sum + Number(count), 0),
      4 * batches.flat().length,
    );
    assert.equal(rows.at(-1)!['window_end'], END_OF_TIME);
  });
}
