/**
 * Isolation forests against one that scikit-learn has grown, and SHAP values that its package gives
 * for it: on the same trees the same numbers, and from the same rows trees that rank them alike.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { meanPathLength, type ForestTree } from '../../wasm/host/forest-trees.ts';
import { Forest } from '../../wasm/host/forest.ts';
import { RowGroups } from '../../wasm/host/forest-rows.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import { limitByContamination } from '../../operators/isolation-forest/score-limit.ts';
import { oracle, withoutRealData } from './command.ts';

interface Oracle {
  readonly max_samples: number;
  readonly offset: number;
  readonly features: readonly string[];
  readonly X: readonly (readonly number[])[];
  readonly score_samples: readonly number[];
  readonly decision: readonly number[];
  readonly predict: readonly number[];
  readonly trees: readonly ForestTree[];
  readonly shap_first50: readonly (readonly number[])[];
  readonly shap_expected: readonly number[];
}

const file = oracle('isolation-forest-ibm-daily.json');
const skip = withoutRealData || (existsSync(file) ? false : `there is no ${file}`);
const read = (): Oracle => JSON.parse(readFileSync(file, 'utf8')) as Oracle;

/** The rows as columns of a batch. */
function open({ X, features }: Oracle) {
  const kernels = new Kernels();
  const { memory } = kernels;
  const columns = features.map((_, feature) => {
    const column = memory.allocate(X.length * 8);
    memory.f64(column, X.length).set(X.map((row) => row[feature]!));
    return column;
  });
  const rows = new RowGroups(kernels).group(0, 1, columns, X.length);
  assert.equal(rows.count, X.length);
  const scores = memory.allocate(X.length * 8);
  const forest = new Forest(kernels, features.length);
  const score = (): number[] => {
    forest.score(rows, 0, X.length, scores);
    return [...memory.f64(scores, X.length)];
  };
  return { kernels, memory, rows, forest, score };
}

function assertNear(found: number, expected: number, tolerance: number, what: string): void {
  const distance = Math.abs(found - expected);
  assert(distance <= tolerance, `${what}: ${found}, expected ${expected}, off by ${distance}`);
}

test('scores of given trees equal those of scikit-learn', { skip }, () => {
  const expected = read();
  const { forest, score } = open(expected);
  const plain = [...expected.features.flatMap(() => [0, 1]), ...expected.features.map(() => 0)];
  forest.load(expected.trees, expected.max_samples, plain);
  for (const [i, own] of score().entries()) {
    assertNear(-own, expected.score_samples[i]!, 1e-12, `score_samples of row ${i}`);
    const decision = -own - expected.offset;
    assertNear(decision, expected.decision[i]!, 1e-12, `decision_function of row ${i}`);
    assert.equal(decision < 0 ? -1 : 1, expected.predict[i], `predict of row ${i}`);
  }
});

test('the limit of a contamination is that of scikit-learn', { skip }, () => {
  const { score_samples: scores, predict, offset } = read();
  const contamination = predict.filter((each) => each < 0).length / predict.length;
  assert(contamination > 0.05 && contamination < 0.15, `${contamination}`);
  const limit = limitByContamination(
    Float64Array.from(scores, (each) => -each),
    0.1,
  );
  assertNear(-limit, offset, 1e-15, 'offset_');
});

test('SHAP values equal those of the shap package', { skip }, () => {
  const expected = read();
  const { forest, rows } = open(expected);
  const plain = [...expected.features.flatMap(() => [0, 1]), ...expected.features.map(() => 0)];
  forest.load(expected.trees, expected.max_samples, plain);
  assert.equal(expected.shap_first50.length, 50);
  for (const [i, values] of expected.shap_first50.entries()) {
    const { contributions, path, expectedPath } = forest.explain(rows, i);
    assertNear(expectedPath, expected.shap_expected[0]!, 1e-11, 'expected value');
    const sum = contributions.reduce((total, each) => total + each, 0);
    assertNear(sum, expectedPath - path, 1e-11, `sum of row ${i}`);
    // They explain the path length, ours how anomalous a row is: a short path is.
    for (const [feature, value] of values.entries()) {
      assertNear(-contributions[feature]!, value, 1e-11, `row ${i}, feature ${feature}`);
    }
    const mean = -Math.log2(-expected.score_samples[i]!) * meanPathLength(expected.max_samples);
    assertNear(path, mean, 1e-11, `mean path length of row ${i}`);
  }
});

/** Ranks, ties sharing theirs. */
function ranks(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const [i, value] of sorted.entries()) {
    if (!first.has(value)) first.set(value, i);
    last.set(value, i);
  }
  return values.map((value) => (first.get(value)! + last.get(value)!) / 2);
}

function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length - 1) / 2;
  const sum = (f: (i: number) => number): number => x.reduce((total, _, i) => total + f(i), 0);
  const covariance = sum((i) => (x[i]! - mean) * (y[i]! - mean));
  return covariance / Math.sqrt(sum((i) => (x[i]! - mean) ** 2) * sum((i) => (y[i]! - mean) ** 2));
}

for (const isStandardized of [false, true]) {
  const name = isStandardized ? 'standardized rows' : 'the same rows';
  test(`trees grown from ${name} rank them as scikit-learn's do`, { skip }, () => {
    const expected = read();
    const { forest, memory, score } = open(expected);
    const { X, features } = expected;
    const matrix = memory.allocate(X.length * features.length * 8);
    memory.f64(matrix, X.length * features.length).set(X.flat());
    const correlations = [1n, 2n, 3n, 4n, 5n].map((seed) => {
      forest.grow(matrix, X.length, { trees: 100, sampleSize: 256, seed, isStandardized });
      const own = score();
      const mean = own.reduce((sum, each) => sum + each, 0) / own.length;
      const theirs = expected.score_samples.reduce((sum, each) => sum - each, 0) / own.length;
      assertNear(mean, theirs, 0.01, 'mean score');
      return rankCorrelation(
        own,
        expected.score_samples.map((each) => -each),
      );
    });
    assert(Math.min(...correlations) > 0.95, correlations.join(', '));
    process.stdout.write(
      `# rank correlations: ${correlations.map((c) => c.toFixed(4)).join(', ')}\n`,
    );
  });
}
