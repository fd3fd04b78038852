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
  growForest(memory, forest, { matrix: pointer, count }, config, seed);
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
    training: { rows: count, ...training },
    trees: forest.trees(),
  };
}
