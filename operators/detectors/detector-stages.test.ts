import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { TextTable } from '../../engine/testing/rows.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import { LinearMemory } from '../../wasm/host/linear-memory.ts';
import { zscoreDetector } from '../zscore-detector/zscore-detector.ts';
import { type DetectorRule, detectorStages } from './detector-stages.ts';

const OPTIONS = { detector: 'mine', score: 'signed' } as const;
const HOUR = { over: '1h', exclude_current: false, min_rows: undefined };
const BEFORE = { over: '20 rows', exclude_current: true };

function rule(type: string, more: Partial<DetectorRule>): DetectorRule {
  return { type, when: 'x > 1', value: 'x', score: 'x', threshold: 3, ...more };
}

test('rules of one window share a stage, and in it a column for each call', () => {
  const { windows, rules } = detectorStages(
    [
      rule('a', { when: 'abs((zscore((x)))) > 3', score: 'zscore(x)', window: BEFORE }),
      rule('b', { when: 'x > 2 * mean(x)', baseline: 'mean(x)', window: { ...BEFORE } }),
      // What else a configuration has is none of the window's business.
      rule('c', { when: 'x > mean(x)', window: { ...HOUR, ...OPTIONS } }),
      rule('d', {}),
    ],
    OPTIONS,
  );
  assert.deepEqual(
    windows.map(({ name, columns, over }) => [name, over, columns]),
    [
      [
        '20 rows before',
        '20 rows',
        {
          'zscore(x) over 20 rows before': 'zscore(x)',
          'mean(x) over 20 rows before': 'mean(x)',
        },
      ],
      ['1h', '1h', { 'mean(x) over 1h': 'mean(x)' }],
    ],
  );
  const columns = { 'mean(x) over 1h': 'mean(x)' };
  assert.deepEqual(windows[1], { name: '1h', ...HOUR, columns });
  assert.deepEqual(
    rules.map(({ when, text, history }) => [when, text, history?.over]),
    [
      ['abs("zscore(x) over 20 rows before") > 3', 'abs(zscore(x)) > 3', '20 rows'],
      ['x > 2 * "mean(x) over 20 rows before"', 'x > 2 * mean(x)', '20 rows'],
      ['x > "mean(x) over 1h"', 'x > mean(x)', '1h'],
      ['x > 1', 'x > 1', undefined],
    ],
  );
});

test('what the user says of anomalies takes the place of what the rule says', () => {
  const severity = { medium: 1, high: 2 };
  const given = { ...OPTIONS, anomaly_type: 'other', severity, score: 'absolute' } as const;
  const [own] = detectorStages([rule('a', { direction: 'y' })], OPTIONS).rules;
  const [other] = detectorStages([rule('a', {})], given).rules;
  assert.deepEqual(
    [own!.type, own!.severity, own!.score, own!.direction],
    ['a', { medium: 4, high: 5 }, 'x', 'y'],
  );
  assert.deepEqual(
    [other!.type, other!.severity, other!.score, other!.direction, other!.detector],
    ['other', severity, 'abs(x)', 'x', 'mine'],
  );
});

const INPUT: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'close', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

test('a state of other windows is refused by name', () => {
  const memory = new LinearMemory();
  const kernels = new Kernels(memory);
  const open = (over: string, state?: StateTables): StateTables => {
    const config = z.object(zscoreDetector.fields).parse({ over });
    const context: OperatorContext = {
      ...{ input: INPUT, memory, kernels, step: 'spikes' },
      outputs: { main: INPUT },
      ...{ keys: new TextTable(), strings: new TextTable() },
      countRows: () => undefined,
      count: () => undefined,
    };
    const operator = zscoreDetector.open(config, context, state);
    const snapshot = operator.snapshot();
    operator.dispose();
    return snapshot;
  };
  const state = open('20 rows');
  assert.deepEqual(open('20 rows', state), state);
  assert.throws(() => open('1h', state), {
    code: 'config/invalid',
    message: 'step "spikes": cannot go on from a state of 20 rows before, got 1h before',
  });
});
