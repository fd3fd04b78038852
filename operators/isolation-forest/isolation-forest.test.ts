import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { isolationForest } from './isolation-forest.ts';
import {
  isolationForestOracle,
  type OracleConfig,
  type OracleScore,
} from './isolation-forest.oracle.ts';
import { trainModel } from './train-model.ts';

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'a', type: 'float64' },
    { name: 'b', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};
const FEATURES = { a: 'a', b: 'b' };

/** Prices of 1e9 that move by 1e-3, constants, tails, and what is no number. */
const number = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
  { weight: 4, arbitrary: fc.nat(20).map((step) => 1e9 + step * 1e-3) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 100) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<(number | null)[]>(
      null,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e39,
      -1e300,
      5,
      -3e38,
    ),
  },
);
const rowOf = (numbers: fc.Arbitrary<number | null>) =>
  fc.record({ symbol: fc.constantFrom('A', 'A', 'B', 'C/1'), a: numbers, b: numbers });
const constantRow = fc.record({
  symbol: fc.constantFrom('A', 'B'),
  a: fc.constant(5),
  b: fc.constantFrom(1e9, 1e9, 1e9, 1e9 + 1e-3),
});

const stream = fc
  .record({
    rows: fc.oneof<fc.Arbitrary<readonly Row[]>[]>(
      fc.array(rowOf(number), { maxLength: 150, size: 'max' }),
      fc.array(constantRow, { maxLength: 80, size: 'max' }),
      fc.array(rowOf(number), { maxLength: 1 }),
    ),
    sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
    restartAfterBatch: fc.array(fc.nat(8), { maxLength: 2 }),
  })
  .map(({ rows, ...rest }) => ({
    rows: rows.map((row, i): Row => ({ event_time: BigInt(i) * 1_000_000_000n, ...row })),
    ...rest,
  }));

const limits = fc.oneof(
  fc.record({ contamination: fc.constantFrom(0, 0.01, 0.1, 0.5) }),
  fc.record({ threshold: fc.constantFrom(0, 0.4, 0.55, 1) }),
  fc.constant({}),
);
const config: fc.Arbitrary<OracleConfig> = fc
  .record({
    scope: fc.constantFrom('symbol' as const, 'partition' as const),
    trees: fc.integer({ min: 1, max: 6 }),
    sample_size: fc.integer({ min: 2, max: 20 }),
    reservoir: fc.integer({ min: 2, max: 30 }),
    keep: fc.constantFrom('latest' as const, 'uniform' as const),
    min_rows: fc.integer({ min: 2, max: 20 }),
    refit_every: fc.integer({ min: 1, max: 25 }),
    seed: fc.nat(),
    standardize: fc.boolean(),
    limits,
  })
  .map(({ limits: own, ...rest }) => ({ ...rest, ...own }));

interface Details {
  readonly details: Readonly<Record<string, number>>;
  readonly threshold: number;
  readonly score: number;
}

function assertNear(found: unknown, expected: number, tolerance: number, what: string): void {
  assert.equal(typeof found, 'number', what);
  const distance = Math.abs((found as number) - expected);
  assert(
    distance <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${found as number}, ${expected}`,
  );
}

/** The anomaly is that of the row, and its explanation gives reasons that add up. */
function assertAnomaly(found: Row, row: Row, expected: OracleScore): void {
  assert.equal(found['symbol'], row['symbol']);
  assert.equal(found['event_time'], row['event_time']);
  assert.equal(found['value'], row['a']);
  assertNear(found['score'], expected.score!, 1e-12, 'score');
  assertNear(found['threshold'], expected.limit!, 1e-12, 'threshold');
  assertNear(found['baseline'], expected.baseline!, 1e-12, 'baseline');
  const ratio = expected.score! / expected.limit!;
  if (expected.limit === 0) assert.equal(found['confidence'], null);
  else assertNear(found['confidence'], 1 - 2 ** -ratio, 1e-9, 'confidence');
  const { details, threshold, score } = JSON.parse(String(found['explanation'])) as Details;
  assert.equal(threshold, found['threshold']);
  assert.equal(score, found['score']);
  assert.equal(details['value_b'], row['b'] === 0 ? 0 : row['b']);
  const own = [details['contribution_a']!, details['contribution_b']!];
  for (const [i, value] of expected.shap!.entries()) {
    assertNear(own[i], -value, 1e-9, `contribution of feature ${i}`);
  }
  const difference = details['expected_path_length']! - details['path_length']!;
  assertNear(own[0]! + own[1]!, difference, 1e-9, 'sum of the contributions');
}

test('scores, anomalies and reasons are those of the definition, row by row', () => {
  let anomalies = 0;
  fc.assert(
    fc.property(stream, config, ({ rows, sizes, restartAfterBatch }, given) => {
      const options = { restartAfterBatch };
      const run = { ...given, features: FEATURES };
      const result = runOperator(isolationForest, run, schema, cut(rows, sizes), options);
      const expected = isolationForestOracle(given, rows);
      const scores = result.outputs['scores']!;
      assert.equal(scores.length, rows.length);
      for (const [i, { score }] of expected.entries()) {
        if (score === null) assert.equal(scores[i]!['anomaly_score'], null);
        else assertNear(scores[i]!['anomaly_score'], score, 1e-12, `score of row ${i}`);
      }
      // A score at its limit may lie on either side of it by rounding.
      const [found, sure] = [result.outputs['main']!, [] as number[]];
      for (const [i, { score, limit }] of expected.entries()) {
        const isFound = found.some((row) => row['event_time'] === rows[i]!['event_time']);
        if (score === null) assert(!isFound);
        else if (Math.abs(score - limit!) > 1e-12)
          assert.equal(isFound, score > limit!, `row ${i}`);
        if (isFound) sure.push(i);
      }
      assert.equal(found.length, sure.length);
      for (const [i, row] of found.entries()) {
        assertAnomaly(row, rows[sure[i]!]!, expected[sure[i]!]!);
        anomalies++;
      }
    }),
    { numRuns: 150 },
  );
  assert(anomalies > 200, `${anomalies} anomalies`);
});

test('rows that are not scored are counted, each as what it is', () => {
  const rows = Array.from({ length: 20 }, (_, i): Row => {
    const a = i === 3 ? null : i === 15 ? Number.POSITIVE_INFINITY : i;
    return { event_time: BigInt(i), symbol: 'A', a, b: 1 };
  });
  const run = { features: FEATURES, min_rows: 8, refit_every: 4, trees: 5 };
  const { metrics } = runOperator(isolationForest, run, schema, [rows]);
  assert.equal(metrics['unscored_rows_total'], 2);
  assert.equal(metrics['unready_rows_total'], 8);
  assert.equal(metrics['refits_total'], 3);
});

test('a forest of constant features finds nothing', () => {
  const rows = Array.from({ length: 50 }, (_, i): Row => {
    return { event_time: BigInt(i), symbol: 'A', a: 7, b: i === 49 ? 1e6 : 0 };
  });
  for (const limit of [{}, { contamination: 0.1 }, { threshold: 0.5 }]) {
    const run = { features: FEATURES, min_rows: 8, refit_every: 8, ...limit };
    const { outputs } = runOperator(isolationForest, run, schema, [rows]);
    assert.deepEqual(outputs['main'], []);
    assert.equal(outputs['scores']![49]!['anomaly_score'], 0.5);
  }
});

test('prices of a milliard keep the digits that single precision lacks', () => {
  const rows = Array.from({ length: 300 }, (_, i): Row => {
    const a = 1e9 + (i === 299 ? 1 : (i % 16) * 1e-3);
    return { event_time: BigInt(i), symbol: 'A', a, b: 0 };
  });
  const run = { features: FEATURES, contamination: 0.01 };
  const last = (standardize: boolean): number => {
    const given = { ...run, standardize };
    const { outputs } = runOperator(isolationForest, given, schema, [rows]);
    return outputs['scores']![299]!['anomaly_score'] as number;
  };
  assert(last(true) > 0.55, `${last(true)}`);
  assert.equal(last(false), 0.5);
});

const folder = mkdtempSync(join(tmpdir(), 'tidemark-forest-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A model trained on values around 0, as a file. */
function modelFile(name: string, change: (model: Record<string, unknown>) => void = () => {}) {
  const matrix = Float64Array.from({ length: 600 }, (_, i) => Math.sin(i * 12.9898) * 1.5);
  const growth = {
    trees: 50,
    sample_size: 128,
    contamination: 0.02,
    seed: 5,
    standardize: true,
  };
  const model = structuredClone(trainModel(matrix, { features: FEATURES, ...growth }, {}));
  change(model as unknown as Record<string, unknown>);
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(model));
  return path;
}

const SOME: readonly Row[] = [
  { event_time: 1n, symbol: 'A', a: 0.1, b: 0.2 },
  { event_time: 2n, symbol: 'B', a: 9, b: -9 },
  { event_time: 3n, symbol: 'B', a: null, b: 0 },
];

test('a model scores from the first row on, all symbols alike', () => {
  const model = modelFile('model.json');
  const run = { features: FEATURES, model };
  const { outputs, metrics } = runOperator(isolationForest, run, schema, [[...SOME]]);
  assert.deepEqual(
    outputs['main']!.map((row) => [row['symbol'], row['direction']]),
    [['B', 'up']],
  );
  assert.equal(metrics['unscored_rows_total'], 1);
  assert.equal(metrics['unready_rows_total'], undefined);
  const loose = { ...run, threshold: 0 };
  assert.equal(runOperator(isolationForest, loose, schema, [[...SOME]]).outputs['main']!.length, 2);
});

const REFUSED: readonly [
  name: string,
  code: string,
  message: RegExp,
  change: (model: Record<string, unknown>) => void,
][] = [
  ['version', 'model/invalid', /of version 2, expected 1/, (m) => (m['version'] = 2)],
  ['format', 'model/invalid', /not a file of format/, (m) => (m['format'] = 'onnx')],
  [
    'features',
    'model/mismatch',
    /features \[a\], the step has \[a, b\]/,
    (m) => {
      m['features'] = { a: 'a' };
    },
  ],
  [
    'expression',
    'model/mismatch',
    /\[a, b = b \* 2\]/,
    (m) => {
      m['features'] = { a: 'a', b: 'b * 2' };
    },
  ],
  ['limit', 'model/invalid', /limit is no number/, (m) => (m['limit'] = null)],
  [
    'moments',
    'model/invalid',
    /moments of b/,
    (m) => {
      m['moments'] = { a: { mean: 0, shift: 0, scale: 1 } };
    },
  ],
  [
    'child',
    'model/invalid',
    /tree 0 is broken: node 0 has a wrong child/,
    (m) => {
      (m['trees'] as { left: number[] }[])[0]!.left[0] = 100_000;
    },
  ],
  [
    'ring',
    'model/invalid',
    /tree 0 is broken/,
    (m) => {
      (m['trees'] as { left: number[] }[])[0]!.left[1] = 1;
    },
  ],
  [
    'feature',
    'model/invalid',
    /compares feature 2/,
    (m) => {
      (m['trees'] as { feature: number[] }[])[0]!.feature[0] = 2;
    },
  ],
  ['trees', 'model/invalid', /no trees/, (m) => (m['trees'] = [])],
];

for (const [name, code, message, change] of REFUSED) {
  test(`a model is refused by name, and what to do is said: ${name}`, () => {
    const model = modelFile(`${name}.json`, change);
    const run = { features: FEATURES, model };
    assert.throws(
      () => runOperator(isolationForest, run, schema, [[...SOME]]),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert(error.message.includes(`step "step": cannot use the model ${model}`));
        assert.match(error.message, /tidemark train FILE --operator step --out/);
        return true;
      },
    );
  });
}

test('a model that is missing, or no JSON, is refused', () => {
  const run = { features: FEATURES, model: join(folder, 'none.json') };
  const expected = { code: 'model/unreadable', message: /there is no such file/ };
  assert.throws(() => runOperator(isolationForest, run, schema, []), expected);
  writeFileSync(join(folder, 'text.json'), '{');
  const text = { ...run, model: join(folder, 'text.json') };
  const invalid = { code: 'model/invalid', message: /not JSON/ };
  assert.throws(() => runOperator(isolationForest, text, schema, []), invalid);
});

test('what does not go together is told', () => {
  const cases: readonly [config: object, code: string, at: string][] = [
    [{ features: {} }, 'config/constraint', 'features'],
    [{ threshold: 0.6, contamination: 0.1 }, 'config/constraint', 'threshold'],
    [{ contamination: 0.6 }, 'config/invalid-value', 'contamination'],
    [{ trees: 10_000, sample_size: 65_535 }, 'config/constraint', 'trees'],
    [{ reservoir: 16_777_216 }, 'config/constraint', 'reservoir'],
    [{ severity: { medium: 0.7, high: 0.6 } }, 'config/constraint', 'severity'],
    [{ features: { a: 'symbol' } }, 'config/expression-type', 'features'],
    [{ value: 'none' }, 'config/unknown-column', 'value'],
  ];
  for (const [given, code, at] of cases) {
    const { problems } = planOperator(isolationForest, { features: FEATURES, ...given }, schema);
    assert.deepEqual(
      problems.map((problem) => [problem.code, problem.path[0]]),
      [[code, at]],
    );
  }
  const revised = planOperator(
    isolationForest,
    { features: FEATURES },
    { ...schema, revises: true },
  );
  assert.equal(revised.problems[0]?.code, 'config/revised-input');
});
