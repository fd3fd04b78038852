import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseExtent } from '../../engine/contract/fields.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { alerts } from './alerts.ts';
import { episodesOracle } from './alerts.oracle.ts';

const SECOND = 1_000_000_000n;

const schema: Schema = {
  columns: [
    { name: 'anomaly_id', type: 'string' },
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'type', type: 'string' },
    { name: 'score', type: 'float64' },
    { name: 'severity', type: 'string' },
    { name: 'direction', type: 'string' },
    { name: 'isTest', type: 'boolean' },
    { name: 'trades', type: 'int64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

/** Anomalies up to 5 s out of order, none of them late at the lag below. */
const LAG = 5n * SECOND;
const stream = fc
  .array(
    fc.record({
      wait: fc.constantFrom(0n, 0n, 1n, SECOND, 3n * SECOND, 20n * SECOND),
      back: fc.constantFrom(0n, 0n, SECOND, LAG),
      symbol: fc.constantFrom('A', 'A', 'B'),
      type: fc.constantFrom('spike', 'spike', 'gap/1'),
      score: fc.constantFrom(0, 1, 2, 2.5, -3, 3, 4, -5, null),
      severity: fc.constantFrom('low', 'medium', 'high'),
      direction: fc.constantFrom('up', 'down', null),
      isTest: fc.constantFrom(true, false, null),
      trades: fc.constantFrom(2n ** 53n + 1n, null),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((steps) => {
    let now = 1_700_000_000n * SECOND;
    return steps.map(({ wait, back, ...row }, i): Row => {
      now += wait;
      return { event_time: now - back, anomaly_id: `id-${i}`, ...row };
    });
  });

const config = fc
  .record({
    cool_down: fc.constantFrom('1ns', '3s', '10s', '1 row', '2 rows'),
    open_above: fc.constantFrom(undefined, 2, 3),
    close_below: fc.constantFrom(0, 1, 2),
    by_direction: fc.boolean(),
  })
  .map(({ open_above, ...rest }) => ({
    ...(open_above === undefined ? {} : { open_above }),
    ...rest,
    close_below: rest.cool_down.includes('row') ? 2 : rest.close_below,
  }));

const options = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
  restartAfterBatch: fc.array(fc.nat(12), { maxLength: 2 }),
});

test('episodes are those of the definition, whatever the order, batches and restarts', () => {
  let closed = 0;
  const property = fc.property(stream, config, options, (rows, given, { sizes, ...run }) => {
    const batches = cut(rows, sizes);
    const result = runOperator(alerts, { ...given, emit: 'all' }, schema, batches, {
      maxOutOfOrdernessNs: LAG,
      ...run,
    });
    const got = result.outputs['main']!;
    const want = episodesOracle(rows, {
      coolDown: parseExtent(given.cool_down)!,
      openAbove: given.open_above,
      closeBelow: given.close_below,
      byDirection: given.by_direction,
    });
    assert.equal(new Set(got.map((row) => row['episode_id'])).size, want.length);
    for (const { opener, anomalies, peak, closedAt } of want) {
      const id = `step/${String(opener['anomaly_id'])}`;
      const own = got.filter((row) => row['episode_id'] === id);
      const last = anomalies[anomalies.length - 1]!;
      const expected = anomalies.map(
        (anomaly, i): Row => ({
          ...anomaly,
          status: i === 0 ? 'open' : 'update',
          last_seen: anomaly['event_time']!,
          anomalies: BigInt(i + 1),
        }),
      );
      if (closedAt !== undefined) {
        closed++;
        expected.push({
          ...peak,
          ...{ anomaly_id: `${id}/close`, event_time: closedAt, status: 'close' },
          ...{ last_seen: last['event_time']!, anomalies: BigInt(anomalies.length) },
        });
      }
      const opened_at = opener['event_time']!;
      assert.deepEqual(
        own.map(({ peak_score: _peak, ...row }) => row),
        expected.map((row) => ({ ...row, episode_id: id, opened_at })),
      );
      assert.equal(own[own.length - 1]!['peak_score'], peak['score']);
    }
    const times = got.map((row) => row['event_time'] as bigint);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    );
  });
  fc.assert(property, { numRuns: 300 });
  assert.ok(closed > 100, 'many episodes were closed');
});

test('what is put out less often is part of what is put out always', () => {
  const property = fc.property(stream, config, (rows, given) => {
    const put = (emit: string): Row[] =>
      runOperator(alerts, { ...given, emit }, schema, [rows], { maxOutOfOrdernessNs: LAG }).outputs[
        'main'
      ]!;
    const all = put('all');
    assert.deepEqual(
      put('open'),
      all.filter(({ status }) => status === 'open'),
    );
    const gravest = new Map<unknown, number>();
    const changes = all.filter(({ status, episode_id, severity }) => {
      const rank = ['low', 'medium', 'high'].indexOf(String(severity));
      const isGraver = rank > (gravest.get(episode_id) ?? -1);
      if (isGraver) gravest.set(episode_id, rank);
      return status !== 'update' || isGraver;
    });
    assert.deepEqual(put('changes'), changes);
  });
  fc.assert(property, { numRuns: 100 });
});

test('late anomalies go to their output and change nothing', () => {
  const at = (second: bigint, id: string): Row => ({
    ...{ anomaly_id: id, symbol: 'A', event_time: second * SECOND, type: 'spike', score: 4 },
    ...{ severity: 'low', direction: 'up', isTest: null, trades: null },
  });
  const rows = [at(10n, 'a'), at(30n, 'b'), at(29n, 'late'), at(31n, 'c')];
  for (const sizes of [[1], [4]]) {
    const result = runOperator(alerts, { cool_down: '5s' }, schema, cut(rows, sizes));
    assert.deepEqual(
      result.outputs['late']!.map((row) => row['anomaly_id']),
      ['late'],
    );
    assert.equal(result.late, 1);
    const ids = result.outputs['main']!.map((row) => row['anomaly_id']);
    assert.deepEqual(ids, ['a', 'step/a/close', 'b', 'step/b/close']);
  }
});

test('an anomaly that comes twice is counted once', () => {
  const row: Row = {
    ...{ anomaly_id: 'a', symbol: 'A', event_time: SECOND, type: 'spike', score: 4 },
    ...{ severity: 'low', direction: 'up', isTest: null, trades: null },
  };
  const { outputs, metrics } = runOperator(alerts, { cool_down: '5s', emit: 'all' }, schema, [
    [row, row, { ...row, anomaly_id: null }, { ...row, anomaly_id: null }],
  ]);
  assert.deepEqual(
    outputs['main']!.map(({ anomalies, status }) => [status, anomalies]),
    [
      ['open', 1n],
      ['update', 2n],
      ['update', 3n],
      ['close', 3n],
    ],
  );
  assert.equal(metrics['repeated_anomalies_total'], 1);
});

test('no alerts in suppressed times, of New York too, on both sides of daylight saving', () => {
  const cases: readonly [suppress: unknown[], time: string, isSuppressed: boolean][] = [
    [[{ daily: '16:00-09:30', time_zone: 'America/New_York' }], '2024-07-01T13:29:59Z', true],
    [[{ daily: '16:00-09:30', time_zone: 'America/New_York' }], '2024-07-01T13:30:00Z', false],
    [[{ daily: '16:00-09:30', time_zone: 'America/New_York' }], '2024-01-02T14:29:59Z', true],
    [
      [{ daily: '16:00-09:30', time_zone: 'America/New_York' }],
      '2024-01-02T20:59:59.999999999Z',
      false,
    ],
    [[{ daily: '16:00-09:30', time_zone: 'America/New_York' }], '2024-01-02T21:00:00Z', true],
    [[{ daily: '09:30-16:00' }], '1969-12-31T15:59:59.5Z', true],
    [[{ daily: '09:30-16:00', types: ['gap'] }], '2024-01-02T12:00:00Z', false],
    [[{ daily: '09:30-16:00', keys: ['A'] }], '2024-01-02T12:00:00Z', true],
    [[{ from: '2024-01-02', to: '2024-01-03' }], '2024-01-02T00:00:00Z', true],
    [[{ from: '2024-01-02', to: '2024-01-03' }], '2024-01-03T00:00:00Z', false],
  ];
  for (const [suppress, time, isSuppressed] of cases) {
    const row: Row = {
      ...{ anomaly_id: 'a', symbol: 'A', event_time: parseIsoTime(time)!, type: 'spike' },
      ...{ score: 4, severity: 'low', direction: 'up', isTest: null, trades: null },
    };
    const { outputs } = runOperator(alerts, { cool_down: '5s', suppress }, schema, [[row]]);
    assert.equal(outputs['suppressed']!.length, isSuppressed ? 1 : 0, `${time}`);
    assert.equal(outputs['main']!.length, isSuppressed ? 0 : 2, `${time}`);
  }
});

const problems: readonly [name: string, config: Record<string, unknown>, want: string[]][] = [
  ['none', {}, []],
  ['no duration', { cool_down: '5' }, ['cool_down: config/invalid-value']],
  ['rows without a limit', { cool_down: '5 rows' }, ['cool_down: config/constraint']],
  ['limits the wrong way', { open_above: 2, close_below: 3 }, ['close_below: config/constraint']],
  ['half a range', { suppress: [{ from: '2024-01-02' }] }, ['suppress.0: config/invalid-value']],
  ['no hours', { suppress: [{ daily: '9-16' }] }, ['suppress.0.daily: config/invalid-value']],
];

for (const [name, given, want] of problems) {
  test(`problems: ${name}`, () => {
    const planned = planOperator(alerts, { cool_down: '5m', ...given }, schema);
    const got = planned.problems.map(({ path, code }) => `${path.join('.')}: ${code}`);
    assert.deepEqual(got, want);
  });
}

test('problems: rows that are no anomalies', () => {
  const columns = schema.columns.filter(({ name }) => name !== 'score');
  const other = columns.map(({ name, type }) =>
    name === 'severity' ? ({ name, type: 'float64' } as const) : { name, type },
  );
  const { problems: found } = planOperator(
    alerts,
    { cool_down: '5m' },
    { ...schema, columns: other },
  );
  assert.deepEqual(
    found.map(({ message }) => message),
    [
      'expected anomalies, which have a column score',
      'severity: expected a string column, got float64',
    ],
  );
});
