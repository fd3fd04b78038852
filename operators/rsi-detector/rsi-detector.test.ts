import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOperator } from '../../engine/testing/harness.ts';
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
          { ...rule, type: 'rsi_overbought', when: 'index > 80', threshold: 1.5 },
          { ...rule, type: 'rsi_oversold', when: 'index < 30', threshold: 1 },
        ],
        severity: { medium: 1.2, high: 2 },
      },
    ],
    found: 2,
  });
});

test('limits of the index lie on their sides of 50', () => {
  const config = { overbought: 50, oversold: 60 };
  const { problems } = planOperator(rsiDetector, config, schemaOfTable(parseTable(ROWS)));
  assert.deepEqual(
    problems.map(({ path, message }) => `${path.join('.')} ${message}`),
    ['overbought must be above 50', 'oversold must be below 50'],
  );
});
