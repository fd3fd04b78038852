import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { composite } from './composite.ts';
import { confidenceOfPart, noisyOr, scoreOf } from './confidence.ts';

const SECOND = 1_000_000_000n;

const schema: Schema = {
  columns: [
    { name: 'anomaly_id', type: 'string' },
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'window_start', type: 'timestamp' },
    { name: 'window_end', type: 'timestamp' },
    { name: 'type', type: 'string' },
    { name: 'detector', type: 'string' },
    { name: 'value', type: 'float64' },
    { name: 'score', type: 'float64' },
    { name: 'threshold', type: 'float64' },
    { name: 'severity', type: 'string' },
    { name: 'confidence', type: 'float64' },
    { name: 'direction', type: 'string' },
  ],
  time: 'event_time',
  key: 'symbol',
};

const LAG = 5n * SECOND;
const stream = fc
  .array(
    fc.record({
      wait: fc.constantFrom(0n, 0n, 1n, SECOND, 3n * SECOND, 20n * SECOND),
      back: fc.constantFrom(0n, 0n, SECOND, LAG),
      symbol: fc.constantFrom('A', 'A', 'B'),
      type: fc.constantFrom('spike', 'volume', 'gap'),
      detector: fc.constantFrom('zscore', 'iqr'),
      score: fc.constantFrom(3, 4.5, -6, null),
      threshold: fc.constantFrom(3, null),
      confidence: fc.constantFrom(0, 0.25, 0.5, 0.875, 1, 1.5, null),
      direction: fc.constantFrom('up', 'down', null),
      severity: fc.constantFrom('low', 'medium', 'high', null),
    }),
    { maxLength: 50, size: 'max' },
  )
  .map((steps) => {
    let now = 1_700_000_000n * SECOND;
    return steps.map(({ wait, back, ...row }, i): Row => {
      now += wait;
      const event_time = now - back;
      const window = { window_start: event_time, window_end: event_time + SECOND };
      return { event_time, anomaly_id: `id-${i}`, value: i, ...window, ...row };
    });
  });

/** The definition, key by key: stretches behind a first anomaly, in each the surest of a name. */
function compositesOracle(
  rows: readonly Row[],
  within: bigint,
  name: 'type' | 'detector',
  weights: Readonly<Record<string, number>>,
): { symbol: unknown; time: unknown; ids: string[]; confidence: number }[] {
  return ['A', 'B'].flatMap((symbol) => {
    const left = rows.filter((row) => row['symbol'] === symbol);
    left.sort((a, b) => {
      const [at, bt] = [a['event_time'] as bigint, b['event_time'] as bigint];
      if (at !== bt) return at < bt ? -1 : 1;
      return String(a['anomaly_id']) < String(b['anomaly_id']) ? -1 : 1;
    });
    const found = [];
    while (left.length > 0) {
      const end = (left[0]!['event_time'] as bigint) + within;
      const beyond = left.findIndex((row) => (row['event_time'] as bigint) >= end);
      const group = left.splice(0, beyond < 0 ? left.length : beyond);
      const names = [...new Set(group.map((row) => String(row[name])))].sort();
      const parts = names.flatMap((each) => {
        const own = group.filter((row) => row[name] === each && weightOf(row, weights) > 0);
        return own.length === 0
          ? []
          : [own.reduce((best, row) => (sure(row, weights) > sure(best, weights) ? row : best))];
      });
      if (parts.length < 2) continue;
      const confidence = 1 - parts.reduce((doubt, row) => doubt * (1 - sure(row, weights)), 1);
      const time = group[group.length - 1]!['event_time'];
      found.push({ symbol, time, ids: parts.map((row) => String(row['anomaly_id'])), confidence });
    }
    return found;
  });
}

function weightOf(row: Row, weights: Readonly<Record<string, number>>): number {
  return weights[String(row['type'])] ?? 1;
}

function sure(row: Row, weights: Readonly<Record<string, number>>): number {
  const { confidence, score, threshold } = row as Record<string, number | null>;
  const known = confidence !== null && confidence !== undefined;
  const fromScore =
    score === null || threshold === null ? 0 : 1 - 2 ** (-Math.abs(score!) / threshold!);
  return weightOf(row, weights) * Math.min(1, Math.max(0, known ? confidence : fromScore));
}

test('composites are those of the definition, whatever the order, batches and restarts', () => {
  let count = 0;
  const property = fc.property(
    stream,
    fc.record({
      within: fc.constantFrom(undefined, '2s', '10s'),
      names: fc.constantFrom('types' as const, 'detectors' as const),
      weights: fc.constantFrom({}, { gap: 0.5, volume: 0 }),
      sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      restartAfterBatch: fc.array(fc.nat(12), { maxLength: 2 }),
    }),
    (rows, { within, names, weights, sizes, restartAfterBatch }) => {
      const config = { count: names, weights, ...(within === undefined ? {} : { within }) };
      const { outputs } = runOperator(composite, config, schema, cut(rows, sizes), {
        ...{ maxOutOfOrdernessNs: LAG, restartAfterBatch },
      });
      const got = outputs['main']!.map((row) => {
        const { parts } = JSON.parse(String(row['explanation'])) as {
          parts: { anomaly_id: string }[];
        };
        const ids = parts.map((part) => part.anomaly_id);
        assert.equal(row['value'], parts.length);
        assert.equal(Math.abs(row['score'] as number), scoreOf(row['confidence'] as number));
        const { symbol, event_time: time, confidence } = row;
        return { symbol, time, ids, confidence };
      });
      const name = names === 'types' ? 'type' : 'detector';
      const want = compositesOracle(
        rows,
        within === undefined ? 1n : durationNs(within),
        name,
        weights,
      );
      const sorted = <T extends { symbol: unknown; time: unknown }>(list: T[]): T[] =>
        list.sort((a, b) => ([a.symbol, a.time].join() < [b.symbol, b.time].join() ? -1 : 1));
      assert.deepEqual(sorted(got), sorted(want));
      count += want.length;
    },
  );
  fc.assert(property, { numRuns: 300 });
  assert.ok(count > 300, 'there were many composites');
});

test('confidence is within 0 to 1, at least that of each part, and grows with every part', () => {
  const part = fc.record({
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    weight: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30, size: 'max' }), part, (parts, more) => {
      const confidence = noisyOr(parts);
      assert.ok(confidence >= 0 && confidence <= 1);
      const boosted = noisyOr([...parts, more]);
      assert.ok(boosted >= confidence);
      for (const each of parts) assert.ok(confidence >= each.weight * each.confidence - 1e-15);
      assert.ok(Number.isFinite(scoreOf(boosted)));
    }),
  );
});

test('a score at n times its threshold is sure by 1 - 2^-n, and two of them add up', () => {
  const parts = [3, 6].map((score) => ({
    confidence: confidenceOfPart(Number.NaN, score, 3),
    weight: 1,
  }));
  assert.deepEqual(
    parts.map(({ confidence }) => confidence),
    [0.5, 0.75],
  );
  assert.equal(scoreOf(noisyOr(parts)), 3);
  assert.equal(confidenceOfPart(Number.NaN, 4, 0), 0);
  assert.equal(confidenceOfPart(Number.NaN, Number.NaN, 3), 0);
});

const at = (type: string, confidence: number, severity: string | null): Row => ({
  ...{ anomaly_id: type, symbol: 'A', event_time: SECOND, window_start: null, window_end: null },
  ...{ type, detector: type, value: 1, score: 3, threshold: 3, severity, confidence },
  direction: 'down',
});

const severities: readonly [severity: unknown, confidences: number[], want: string][] = [
  [undefined, [0.3, 0.3], 'low'],
  [undefined, [0.5, 0.5], 'medium'],
  [undefined, [0.75, 0.75], 'high'],
  [{ medium: 0.1, high: 0.99 }, [0.75, 0.75], 'medium'],
  [{ by: 'parts' }, [0.1, 0.1], 'medium'],
  [{ by: 'parts' }, [0.1, 0.1, 0.1], 'high'],
  [{ by: 'parts', medium: 3, high: 4 }, [0.9, 0.9], 'low'],
  [{ by: 'highest' }, [0.9, 0.9], 'medium'],
];

for (const [severity, confidences, want] of severities) {
  test(`severity ${JSON.stringify(severity)} of ${confidences.join()} is ${want}`, () => {
    const rows = confidences.map((confidence, i) =>
      at(`t${i}`, confidence, i === 1 ? 'medium' : null),
    );
    const config = severity === undefined ? {} : { severity };
    const { outputs, metrics } = runOperator(composite, config, schema, [rows]);
    const [row] = outputs['main']!;
    assert.equal(row!['severity'], want);
    assert.equal(row!['direction'], 'down');
    assert.ok((row!['score'] as number) < 0);
    assert.equal(metrics[`anomalies_${want}_total`], 1);
  });
}

const problems: readonly [name: string, config: Record<string, unknown>, want: string[]][] = [
  ['none', {}, []],
  ['nothing', { within: '0s' }, ['within: config/constraint']],
  ['a weight above 1', { weights: { gap: 2 } }, ['weights.gap: config/invalid-value']],
  [
    'limits the wrong way',
    { severity: { by: 'parts', medium: 4 } },
    ['severity.high: config/constraint'],
  ],
  [
    'limits of nothing',
    { severity: { by: 'highest', high: 4 } },
    ['severity.by: config/constraint'],
  ],
];

for (const [name, given, want] of problems) {
  test(`problems: ${name}`, () => {
    const planned = planOperator(composite, given, schema);
    const got = planned.problems.map(({ path, code }) => `${path.join('.')}: ${code}`);
    assert.deepEqual(got, want);
  });
}
