import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { limitsDetector } from './limits-detector.ts';

import { planOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';

const ROWS = `
  event_time | symbol | price
  09:30      | A      | 10
  09:31      | A      | 25
  09:32      | A      | 1
  09:32      | B      | 25
  09:33      | B      | -3
`;

test('equals threshold', () => {
  const above = "case when symbol = 'B' then 30 else 20 end";
  assertEqualsSteps({
    rows: ROWS,
    detector: limitsDetector,
    config: { above, below: 2 },
    steps: [
      { type: 'derive', columns: { upper: above } },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'outside_limits', detector: 'limits', when: 'price > upper' },
            ...{ value: 'price', baseline: 'upper', direction: 'price - upper', threshold: 1 },
            score: '1 * (1 + (price - upper) / abs(upper))',
          },
          {
            ...{ type: 'outside_limits', detector: 'limits', when: 'price < 2' },
            ...{ value: 'price', baseline: 2, direction: 'price - 2', threshold: 1 },
            score: '-1 * (1 + (2 - price) / 2)',
          },
        ],
        severity: { medium: 4 / 3, high: 5 / 3 },
      },
    ],
    found: 3,
  });
});

test('one limit is needed', () => {
  const { problems } = planOperator(limitsDetector, {}, schemaOfTable(parseTable(ROWS)));
  assert.deepEqual(
    problems.map(({ path, message }) => [path, message]),
    [[['above'], 'must be given, or below']],
  );
});
