/** Trains a model from a sample of rows, as `tidemark train` does. */

import type { ExpressionValue } from '../../engine/contract/fields.ts';
import { Forest } from '../../wasm/host/forest.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import { type GrowthConfig, growForest } from './forest-state.ts';
import { featureTexts, MODEL_FORMAT, MODEL_VERSION, type Model } from './model-file.ts';
import { streamSeed } from './seeds.ts';

export interface TrainingConfig extends GrowthConfig {
  readonly features: Readonly<Record<string, ExpressionValue>>;
}

/**
 * The same rows in the same order make the same model.
 *
 * @param matrix f64[rows * features], at least one row; finite, also in single precision.
 * @param training What the model says of where it comes from.
 */
export function trainModel(
  matrix: Float64Array,
  config: TrainingConfig,
  training: Readonly<Record<string, unknown>>,
): Model {
  const kernels = new Kernels();
  const { memory } = kernels;
  const features = featureTexts(config.features);
  const names = Object.keys(features);
  const count = matrix.length / names.length;
  const forest = new Forest(kernels, names.length);
  const pointer = memory.allocate(matrix.length * 8);
  memory.f64(pointer, matrix.length).set(matrix);
  const seed = streamSeed(config.seed, '', count);
  let scores: Float64Array = new Float64Array(0);
  growForest(memory, forest, { matrix: pointer, count }, config, seed, (own) => {
    scores = own.sort();
  });
  const { moments, limit, sampleSize } = forest;
  const { trees, sample_size, contamination, threshold, standardize } = config;
  return {
    format: MODEL_FORMAT,
    version: MODEL_VERSION,
    features,
    parameters: { trees, sample_size, contamination, threshold, seed: config.seed, standardize },
    sample_size: sampleSize,
    limit,
    moments: Object.fromEntries(
      names.map((name, i) => [
        name,
        {
          mean: moments[2 * names.length + i]!,
          shift: moments[2 * i]!,
          scale: moments[2 * i + 1]!,
        },
      ]),
    ),
    training: {
      ...training,
      rows: count,
      scores: {
        median: quantile(scores, 0.5),
        p99: quantile(scores, 0.99),
        largest: quantile(scores, 1),
      },
      above_limit: scores.filter((score) => score > limit).length,
    },
    trees: forest.trees(),
  };
}

/** The score below which this share of the others lie. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)]!;
}
