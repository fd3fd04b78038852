import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOperator, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { rsiDetector } from './rsi-detector.ts';

const ROWS = `
  event_time | symbol | close
  09:30      | A      | 100
  09:31      | A      | 101
  09:32      | A      | 102
  09:33      | A      | 107
  09:33      | B      | 107
  09:34      | A      | 80
  09:35      | A      |
  09:36      | A      | 70
`;

test('equals rolling and threshold', () => {
  const rule = {
    ...{ detector: 'rsi', value: 'index', score: '(index - 50) / 20', baseline: 50 },
    details: { close: 'close' },
  };
  assertEqualsSteps({
    rows: ROWS,
    detector: rsiDetector,
    config: { rows: 3, overbought: 80, severity: { medium: 1.2, high: 2 } },
    steps: [
      {
        ...{ type: 'rolling', over: '1 row' },
        columns: { index: "rsi(close, 3, 'cutler')" },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...rule,
            type: 'rsi_overbought',
            when: 'index > 80 and close is not null',
            threshold: 1.5,
          },
          { ...rule, type: 'rsi_oversold', when: 'index < 30 and close is not null', threshold: 1 },
        ],
        severity: { medium: 1.2, high: 2 },
      },
    ],
    found: 2,
  });
});

test('waits for as many prices as it is told to', () => {
  const table = parseTable(ROWS);
  const found = (min_rows?: number): number =>
    runOperator(rsiDetector, { rows: 2, min_rows }, schemaOfTable(table), [table.rows]).outputs[
      'main'
    ]!.length;
  assert.deepEqual([undefined, 1, 3, 4, 5, 6, 7].map(found), [4, 4, 4, 3, 2, 1, 0]);
});

test('limits of the index lie on their sides of 50', () => {
  const config = { overbought: 50, oversold: 60 };
  const { problems } = planOperator(rsiDetector, config, schemaOfTable(parseTable(ROWS)));
  assert.deepEqual(
    problems.map(({ path, message }) => `${path.join('.')} ${message}`),
    ['overbought must be above 50', 'oversold must be below 50'],
  );
});
