import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { planOperator, runOperator } from '../../engine/testing/harness.ts';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { zscoreDetector } from './zscore-detector.ts';

const ROWS = `
  event_time | symbol | close
  09:30      | A      | 10
  09:31      | A      | 11
  09:32      | A      | 12
  09:33      | A      | 20
  09:33      | B      | 5
  09:34      | A      | 0
`;

test('equals rolling and threshold', () => {
  assertEqualsSteps({
    rows: ROWS,
    detector: zscoreDetector,
    config: { over: '3 rows', threshold: 1.5 },
    steps: [
      {
        ...{ type: 'rolling', over: '3 rows', exclude_current: true },
        columns: { z: 'zscore(close)', usual: 'mean(close)', deviation: 'stddev(close)' },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'outlier', detector: 'zscore', when: 'abs(z) > 1.5', score: 'z' },
            ...{ value: 'close', baseline: 'usual', details: { deviation: 'deviation' } },
          },
        ],
        severity: { medium: 2, high: 2.5 },
      },
    ],
    found: 2,
  });
});

test('a nested value, one side, a duration, the current row included', () => {
  assertEqualsSteps({
    rows: ROWS,
    detector: zscoreDetector,
    config: {
      ...{ value: 'delta(close)', over: '5m', exclude_current: false, side: 'below' },
      ...{ min_rows: 3, threshold: 1, score: 'absolute', anomaly_type: 'fall', detector: 'mine' },
      severity: { medium: 1.2, high: 1.3 },
    },
    steps: [
      {
        ...{ type: 'rolling', over: '5m', min_rows: 3 },
        columns: {
          change: 'delta(close)',
          z: 'zscore(delta(close))',
          usual: 'mean(delta(close))',
          deviation: 'stddev(delta(close))',
        },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ type: 'fall', detector: 'mine', when: 'z < -1', score: 'abs(z)', direction: 'z' },
            ...{ value: 'change', baseline: 'usual', details: { deviation: 'deviation' } },
            threshold: 1,
          },
        ],
        severity: { medium: 1.2, high: 1.3 },
      },
    ],
    found: 1,
  });
});

test('the explanation says what was compared with what', () => {
  const table = parseTable(ROWS);
  const config = { over: '3 rows', value: 'close / 2' };
  const { outputs } = runOperator(zscoreDetector, config, schemaOfTable(table), [table.rows]);
  assert.equal(
    outputs['main']![0]!['explanation'],
    '{"rule":"abs(zscore(close / 2)) > 3","observed":10,"score":9,"threshold":3,' +
      '"baseline":5.5,"window":null,"over":"3 rows","exclude_current":true,' +
      '"details":{"deviation":0.5}}',
  );
});

test('problems are told at the field where they are', () => {
  const schema = schemaOfTable(parseTable(ROWS));
  const told = (config: object, input = schema): string[] =>
    planOperator(zscoreDetector, config, input).problems.map(
      ({ path, offset, message }) => `${path.join('.')}@${offset} ${message}`,
    );
  assert.deepEqual(told({ value: '1 + colse' }), ['value@4 there is no column colse']);
  assert.deepEqual(told({ value: 'close > 1' }), [
    'value@undefined expected a number, got close > 1 of type boolean',
  ]);
  assert.deepEqual(told({ value: 'close) + (close' }), ['value@5 expected an operator, got )']);
  assert.deepEqual(told({ threshold: 0 }), ['threshold@undefined expected a number above 0']);
  assert.deepEqual(told({ over: '3 rows', min_rows: 4 }), [
    'min_rows@undefined must not exceed the window of 3 rows, got 4',
  ]);
  assert.deepEqual(told({ severity: { medium: 3, high: 2 } }), [
    'severity.high@undefined must not be below medium',
  ]);
  assert.match(told({}, { ...schema, revises: true })[0]!, /^input@undefined .* count them twice$/);
});
