import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { breakoutDetector } from './breakout-detector.ts';

const ROWS = `
  event_time | symbol | close
  09:30      | A      | 10
  09:31      | A      | 11
  09:32      | A      | 10
  09:33      | A      | 20
  09:33      | B      | 5
  09:34      | A      |
  09:35      | A      | 0
  09:36      | A      | 21
  09:37      | A      | 21
`;

const RECENT = "over => '2 rows', min_rows => 1, exclude_current => false";

test('equals rolling, derive and threshold', () => {
  for (const side of ['both', 'above', 'below'] as const) {
    const size = { both: 'greatest(up, down)', above: 'up', below: 'down' }[side];
    assertEqualsSteps({
      rows: ROWS,
      detector: breakoutDetector,
      config: { over: '5 rows', min_rows: 2, level_rows: 2, rest_rows: 3, threshold: 0.1, side },
      steps: [
        {
          ...{ type: 'rolling', over: '5 rows', exclude_current: true, min_rows: 2 },
          columns: {
            ...{ high: 'max(close)', low: 'min(close)' },
            ...{ floor: `min(close, ${RECENT})`, ceiling: `max(close, ${RECENT})` },
            ...{
              high_floor: `max(min(close, ${RECENT}))`,
              low_floor: `min(min(close, ${RECENT}))`,
            },
            high_ceiling: `max(max(close, ${RECENT}))`,
            low_ceiling: `min(max(close, ${RECENT}))`,
          },
        },
        {
          type: 'derive',
          columns: {
            value_up: '(close - high) / (high - low)',
            floor_up: '(floor - high_floor) / (high_floor - low_floor)',
            value_down: '(low - close) / (high - low)',
            ceiling_down: '(low_ceiling - ceiling) / (high_ceiling - low_ceiling)',
            up: 'greatest(value_up, floor_up)',
            down: 'greatest(value_down, ceiling_down)',
            size,
            z: 'case when up >= down then up else -down end',
          },
        },
        {
          ...{ type: 'rolling', over: '3 rows', exclude_current: true, min_rows: 1 },
          columns: { rest: 'max(size)' },
        },
        {
          type: 'threshold',
          rules: [
            {
              ...{ type: 'breakout', detector: 'breakout', value: 'close', score: 'z' },
              when: 'size > 0.1 and (rest is null or size > rest) and close - close = 0',
              threshold: 0.1,
              details: { highest: 'high', lowest: 'low', floor: 'floor', ceiling: 'ceiling' },
            },
          ],
          severity: { medium: (0.1 * 4) / 3, high: (0.1 * 5) / 3 },
        },
      ],
      found: 1,
    });
  }
});

test('a new level is found that is within the range of all values', () => {
  // Up to 10 every fourth row, between them 0 or 1; from row 40 on 8 and no more.
  const values = Array.from({ length: 60 }, (_, row) =>
    row >= 40 ? 8 : row % 4 === 3 ? 10 : row % 8 < 4 ? 0 : 1,
  );
  const lines = values.map((value, row) => `09:30:${row < 10 ? '0' : ''}${row} | A | ${value}`);
  const table = parseTable(['event_time | symbol | close', ...lines].join('\n'));
  const found = (level_rows: number): readonly (readonly unknown[])[] => {
    const config = { over: '30 rows', level_rows };
    const { outputs } = runOperator(breakoutDetector, config, schemaOfTable(table), [table.rows]);
    const times = table.rows.map((row) => row['event_time']);
    return outputs['main']!.map((row) => [times.indexOf(row['event_time']!), row['score']]);
  };
  assert.deepEqual(found(1), []);
  // Floors of three rows were 0 or 1: at row 41 the last three are 10, 8 and 8.
  assert.deepEqual(found(3), [[41, 7]]);
});
