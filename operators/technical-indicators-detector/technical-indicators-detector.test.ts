import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { assertEqualsSteps } from '../detectors/detector-steps.oracle.ts';
import { technicalIndicatorsDetector } from './technical-indicators-detector.ts';

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
  const rsi = { type: 'rsi', value: 'index', score: '(index - 50) / 20', baseline: 50 };
  const band = { value: 'close', baseline: 'usual', threshold: 0 };
  const severity = { medium: 0.5, high: 1 };
  const common = { detector: 'technical_indicators', severity };
  assertEqualsSteps({
    rows: ROWS,
    detector: technicalIndicatorsDetector,
    config: { rsi_rows: 3, overbought: 80, bollinger_rows: 4, bollinger_k: 1.2, severity },
    steps: [
      {
        ...{ type: 'rolling', over: '4 rows' },
        columns: {
          index: "rsi(close, 3, 'cutler')",
          usual: 'mean(close)',
          deviation: 'stddev_pop(close)',
          upper: 'bollinger_upper(close, 1.2)',
          lower: 'bollinger_lower(close, 1.2)',
        },
      },
      {
        type: 'threshold',
        rules: [
          {
            ...{ ...rsi, type: 'rsi_overbought', when: 'index > 80', threshold: 1.5 },
            ...{ detector: common.detector, details: { close: 'close' } },
          },
          {
            ...{ ...rsi, type: 'rsi_oversold', when: 'index < 30', threshold: 1 },
            ...{ detector: common.detector, details: { close: 'close' } },
          },
          ...['upper', 'lower'].map((side) => {
            const score = `(close - ${side}) / deviation`;
            return {
              ...{ ...band, type: `bollinger_breach_${side}`, score },
              when: side === 'upper' ? 'close > upper' : 'close < lower',
              confidence: `1 - pow(2, -1 - abs(${score}) / 1.2)`,
              detector: common.detector,
              details: { upper: 'upper', lower: 'lower', deviation: 'deviation' },
            };
          }),
        ],
        severity,
      },
    ],
    found: 3,
  });
});

test('limits of the index lie on their sides of 50', () => {
  const config = { overbought: 50, oversold: 60 };
  const { problems } = planOperator(
    technicalIndicatorsDetector,
    config,
    schemaOfTable(parseTable(ROWS)),
  );
  assert.deepEqual(
    problems.map(({ path, message }) => `${path.join('.')} ${message}`),
    ['overbought must be above 50', 'oversold must be below 50'],
  );
});
