import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { formatTime, parseIsoTime } from '../../engine/contract/time.ts';
import { planOperator, runOperator } from '../../engine/testing/harness.ts';
import { assertSameRows, parseTable, type Row, schemaOfTable } from '../../engine/testing/table.ts';
import { anomaliesOracle, type OracleRule } from './threshold.oracle.ts';
import { threshold } from './threshold.ts';

const TICKS: Schema = schemaOfTable(
  parseTable(
    'event_time | symbol | z | volume:int64 | window_start:timestamp | window_end:timestamp',
  ),
);

const CONFIG = {
  rules: [
    { type: 'spike', when: 'abs(z) > 3', value: 'z * 2', score: 'z', baseline: 'volume' },
    {
      type: 'surge',
      when: 'volume >= 4 or z is null',
      value: 'volume',
      score: '-volume',
      detector: 'd',
    },
    { type: 'spike', when: '4 < z', value: '1', score: 'z' },
  ],
};

const float = (value: unknown): number | null => (value === null ? null : Number(value));

const RULES: readonly OracleRule[] = [
  {
    ...{ type: 'spike', detector: 'threshold', text: 'abs(z) > 3', limit: 3 },
    when: ({ z }) => z !== null && Math.abs(Number(z)) > 3,
    value: ({ z }) => (z === null ? null : Number(z) * 2),
    score: ({ z }) => float(z),
    baseline: ({ volume }) => float(volume),
  },
  {
    ...{ type: 'surge', detector: 'd', text: 'volume >= 4 or z is null', limit: null },
    when: ({ z, volume }) => z === null || (volume !== null && Number(volume) >= 4),
    value: ({ volume }) => float(volume),
    score: ({ volume }) => (volume === null ? null : -Number(volume)),
    baseline: () => null,
  },
  {
    ...{ type: 'spike', detector: 'threshold', text: '4 < z', limit: 4 },
    when: ({ z }) => z !== null && Number(z) > 4,
    value: () => 1,
    score: ({ z }) => float(z),
    baseline: () => null,
  },
];

const arbitraryTick = fc.record(
  {
    event_time: fc.bigInt({ min: 0n, max: 8n }),
    symbol: fc.constantFrom('A', 'B/1', 'C'),
    z: fc.option(fc.constantFrom(-9, -3, 0, 2, 3, 3.5, 4, 4.5, 5, 6)),
    volume: fc.option(fc.constantFrom(-5n, 0n, 4n, 5n, 6n)),
    window_start: fc.option(fc.bigInt({ min: 0n, max: 8n })),
    window_end: fc.option(fc.bigInt({ min: 0n, max: 8n })),
  },
  { noNullPrototype: true },
);

test('anomalies equal the oracle, also with late rows, equal times and restarts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(arbitraryTick, { maxLength: 12, size: 'max' }), { maxLength: 6 }),
      fc.bigInt({ min: 0n, max: 9n }),
      fc.array(fc.nat(5), { maxLength: 3 }),
      (batches, maxOutOfOrdernessNs, restartAfterBatch) => {
        const run = runOperator(threshold, CONFIG, TICKS, batches, {
          maxOutOfOrdernessNs,
          restartAfterBatch,
        });
        const want = anomaliesOracle(batches.flat(), RULES, maxOutOfOrdernessNs, formatTime);
        assertSameRows(run.outputs['main']!, want, { isOrdered: true, isExact: true });
        const ids = want.map(({ anomaly_id: id }) => id);
        assert.equal(new Set(ids).size, ids.length, 'every id is given once');
        assert.equal(
          run.metrics['anomalies_high_total'] ?? 0,
          want.filter(({ severity }) => severity === 'high').length,
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('hundreds of anomalies in one batch, some explained alike, equal the oracle', () => {
  const rows = Array.from({ length: 700 }, (_, i): Row => {
    return {
      event_time: BigInt(1000 + (i % 2 === 0 ? i : -i % 7)),
      symbol: `K${i % 5}`,
      z: [9, 0, null, 4.5, -3.5][i % 5]!,
      volume: [5n, 0n, 6n][i % 3]!,
      window_start: i % 4 === 0 ? null : BigInt(i),
      window_end: i % 6 === 0 ? null : BigInt(i + 5),
    };
  });
  const want = anomaliesOracle(rows, RULES, 100n, formatTime);
  assert.ok(want.length > 700);
  for (const batches of [[rows], [rows.slice(0, 30), rows.slice(30, 31), rows.slice(31)]]) {
    const { outputs } = runOperator(threshold, CONFIG, TICKS, batches, {
      maxOutOfOrdernessNs: 100n,
    });
    assertSameRows(outputs['main']!, want, { isOrdered: true, isExact: true });
  }
});

test('a row that is stated again has its revision in the id', () => {
  const schema = {
    ...schemaOfTable(parseTable('event_time|symbol|z|revision:int64')),
    revises: true,
  };
  const row = { event_time: 7n, symbol: 'A', z: 9 };
  const config = { rules: [{ type: 'spike', when: 'abs(z) > 3', value: 'z', score: 'z' }] };
  const batch = [0n, 1n].map((revision) => ({ ...row, revision }));
  const { outputs, outputsPlan } = runOperator(threshold, config, schema, [batch]);
  assert.deepEqual(
    outputs['main']?.map(({ anomaly_id: id }) => id),
    ['step/A/7.0/spike', 'step/A/7.1/spike'],
  );
  assert.equal(outputsPlan.main.revises, true);
});

test('confidence: half at the threshold, given values cut to 0..1', () => {
  const confidences = (rule: Record<string, string>, zs: readonly (number | null)[]): unknown[] => {
    const config = { rules: [{ type: 'x', value: 'z', score: 'z', ...rule }] };
    const rows: Row[] = zs.map((z) => ({ event_time: 1n, symbol: 'A', z, volume: null }));
    const { outputs } = runOperator(threshold, config, TICKS, [rows]);
    return outputs['main']!.map(({ confidence }) => confidence);
  };
  assert.deepEqual(confidences({ when: 'abs(z) >= 3' }, [3, -6, 9]), [0.5, 0.75, 0.875]);
  assert.deepEqual(confidences({ when: 'z <> 0' }, [3]), [null]);
  const given = { when: 'true', confidence: 'z / 4' };
  assert.deepEqual(confidences(given, [-1, 1, 8, null]), [0, 0.25, 1, null]);
});

test('threshold, direction and details are given where the score does not say them', () => {
  const rule = {
    ...{ type: 'x', when: 'abs(z) > 3', value: 'z', score: 'abs(z) / 3' },
    ...{ threshold: 1, direction: 'z', details: { volume: 'volume', none: 'volume / 0' } },
  };
  const rows: Row[] = [-6, 4.5].map((z) => ({ event_time: 1n, symbol: 'A', z, volume: 8n }));
  const { outputs } = runOperator(threshold, { rules: [rule] }, TICKS, [rows]);
  const { explanation } = outputs['main']![0]!;
  assert.deepEqual(
    outputs['main']!.map((row) => [row['score'], row['threshold'], row['direction']]),
    [
      [2, 1, 'down'],
      [1.5, 1, 'up'],
    ],
  );
  assert.equal(outputs['main']![0]!['confidence'], 0.75);
  assert.deepEqual(JSON.parse(explanation as string), {
    ...{ rule: 'abs(z) > 3', observed: -6, score: 2, threshold: 1, baseline: null, window: null },
    details: { volume: 8, none: null },
  });
});

test('what is not finite is null in an anomaly', () => {
  const schema = schemaOfTable(parseTable('event_time | symbol | z'));
  const rows = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((z) => {
    return { event_time: 1n, symbol: 'A', z };
  });
  const rule = { type: 'x', when: 'true', value: 'z', score: 'z', baseline: 'z', confidence: 'z' };
  const { outputs } = runOperator(threshold, { rules: [rule] }, schema, [rows]);
  for (const { value, score, baseline, confidence, severity } of outputs['main']!) {
    assert.deepEqual([value, score, baseline, confidence], [null, null, null, null]);
    assert.equal(severity, 'low');
  }
  assert.equal(outputs['main']!.length, 2);
});

test('every problem of every rule is told where it stands', () => {
  const config = {
    rules: [
      { type: 'a', when: 'z', value: 'zz', score: 'symbol', baseline: '1 +', confidence: 'true' },
      { type: 'b', when: 'zz > 3', value: 'z', score: 'z' },
    ],
    severity: { medium: 5, high: 4 },
  };
  const { problems } = planOperator(threshold, config, TICKS);
  assert.deepEqual(
    problems.map(({ path, offset, message }) => `${path.join('.')}@${offset} ${message}`),
    [
      'severity.high@undefined must not be below medium',
      'rules.0.when@0 expected a condition, such as price > 0, got z of type float64',
      'rules.0.value@0 there is no column zz',
      'rules.0.score@0 expected a number, got symbol of type string',
      'rules.0.baseline@3 expected a value, got the end',
      'rules.0.confidence@0 expected a number, got true of type boolean',
      'rules.1.when@0 there is no column zz',
    ],
  );
});

test('a key with the name of an anomaly column is refused', () => {
  const schema = {
    ...TICKS,
    columns: [...TICKS.columns, { name: 'type', type: 'string' as const }],
  };
  const { problems } = planOperator(threshold, CONFIG, { ...schema, key: 'type' });
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['config/duplicate-column'],
  );
});

const ORACLE = new URL('../../../../shared/oracle/', import.meta.url);

function readCsv(name: string): Record<string, string>[] {
  const [header, ...lines] = readFileSync(new URL(name, ORACLE), 'utf8').trim().split('\n');
  const names = header!.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(names.map((column, i) => [column, cells[i]!]));
  });
}

test('the anomalies of three days of real bars', (t) => {
  if (!existsSync(ORACLE)) {
    t.skip('no expected values in ../shared/oracle');
    return;
  }
  const numbers = ['return_pct', 'volume', 'volatility', 'z_return', 'z_volume', 'z_volatility'];
  const schema: Schema = {
    columns: [
      { name: 'symbol', type: 'string' },
      { name: 'window_start', type: 'timestamp' },
      ...numbers.map((name) => ({ name, type: 'float64' }) as const),
    ],
    time: 'window_start',
    key: 'symbol',
  };
  const bars = readCsv('bars-5m-2013-10-07_09.csv').map((cells): Row => {
    const values = numbers.map((name) => [name, cells[name] === '' ? null : Number(cells[name])]);
    const start = parseIsoTime(cells['window_start']!)!;
    return { symbol: cells['symbol']!, window_start: start, ...Object.fromEntries(values) };
  });
  bars.sort((a, b) => Number((a['window_start'] as bigint) - (b['window_start'] as bigint)));
  const rule = (type: string, value: string, score: string): Record<string, string> => {
    return { type, when: `abs(${score}) > 3`, value, score };
  };
  const config = {
    rules: [
      rule('price_spike', 'return_pct', 'z_return'),
      rule('volume_surge', 'volume', 'z_volume'),
      rule('volatility_burst', 'volatility', 'z_volatility'),
    ],
    severity: { medium: 4, high: 5 },
  };
  const want = readCsv('anomalies-5m-2013-10-07_09.csv').map((cells): Row => {
    const { symbol, window_start: start, type, value, score, severity } = cells;
    const time = parseIsoTime(start!)!;
    return {
      ...{ symbol: symbol!, window_start: time, type: type!, severity: severity! },
      ...{ value: Number(value), score: Number(score), event_time: time },
    };
  });
  assert.equal(want.length, 183);
  const batches = [bars.slice(0, 1000), bars.slice(1000)];
  assertSameRows(runOperator(threshold, config, schema, batches).outputs['main']!, want);
});
