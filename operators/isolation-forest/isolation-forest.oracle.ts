/** What `isolation_forest` does, row by row, over rows of the columns `symbol`, `a` and `b`. */

import type { Row } from '../../engine/testing/table.ts';
import {
  growTree,
  momentsOf,
  type OracleMoments,
  prepared,
  scoreOf,
  shapOf,
  SplitMix,
} from '../../wasm/host/forest.oracle.ts';
import type { ForestTree } from '../../wasm/host/forest-trees.ts';
import { streamSeed } from './seeds.ts';

export interface OracleConfig {
  readonly scope: 'symbol' | 'partition';
  readonly trees: number;
  readonly sample_size: number;
  readonly contamination?: number | undefined;
  readonly threshold?: number | undefined;
  readonly reservoir: number;
  readonly keep: 'latest' | 'uniform';
  readonly min_rows: number;
  readonly refit_every: number;
  readonly seed: number;
  readonly standardize: boolean;
}

interface OracleForest {
  readonly trees: readonly ForestTree[];
  readonly moments: OracleMoments;
  readonly size: number;
  readonly limit: number;
}

interface OracleState {
  readonly random: SplitMix;
  readonly kept: number[][];
  seen: number;
  forest: OracleForest | undefined;
}

export interface OracleScore {
  /** Null where the row is not scored. */
  readonly score: number | null;
  readonly limit?: number;
  readonly baseline?: number;
  /** Shapley values of the mean path length. */
  readonly shap?: readonly number[];
}

export function isolationForestOracle(config: OracleConfig, rows: readonly Row[]): OracleScore[] {
  const states = new Map<string, OracleState>();
  return rows.map((row) => {
    const features = [row['a'], row['b']].map((value) => (value ?? Number.NaN) as number);
    if (!features.every((value) => Number.isFinite(Math.fround(value)))) return { score: null };
    const name = config.scope === 'symbol' ? String(row['symbol']) : '';
    let state = states.get(name);
    if (state === undefined) {
      const random = new SplitMix(streamSeed(config.seed, name, 0));
      state = { random, kept: [], seen: 0, forest: undefined };
      states.set(name, state);
    }
    const found = scored(state.forest, features);
    keep(state, features, config);
    if (isDue(state.seen, config)) state.forest = grown(state, name, config);
    return found;
  });
}

function scored(forest: OracleForest | undefined, features: readonly number[]): OracleScore {
  if (forest === undefined) return { score: null };
  const row = prepared(features, forest.moments);
  const score = scoreOf(forest.trees, row, forest.size);
  const { limit, moments } = forest;
  return { score, limit, baseline: moments.means[0]!, shap: shapOf(forest.trees, row) };
}

function keep(state: OracleState, features: number[], config: OracleConfig): void {
  const { reservoir, keep: which } = config;
  let slot = state.seen;
  if (slot >= reservoir) {
    slot = which === 'latest' ? slot % reservoir : state.random.below(slot + 1);
  }
  if (slot < reservoir) state.kept[slot] = features;
  state.seen++;
}

function isDue(seen: number, { min_rows: first, refit_every: every }: OracleConfig): boolean {
  return seen >= first && (seen - first) % every === 0;
}

function grown(state: OracleState, name: string, config: OracleConfig): OracleForest {
  const { trees: count, sample_size, contamination, threshold, seed, standardize } = config;
  const moments = momentsOf(state.kept, standardize);
  const rows = state.kept.map((row) => prepared(row, moments));
  const treeSeed = streamSeed(seed, name, state.seen);
  const trees = Array.from({ length: count }, (_, i) => growTree(rows, sample_size, treeSeed, i));
  const size = Math.min(sample_size, rows.length);
  if (contamination === undefined) return { trees, moments, size, limit: threshold ?? 0.5 };
  const scores = rows.map((row) => scoreOf(trees, row, size)).sort((a, b) => b - a);
  const position = (scores.length - 1) * contamination;
  const [above, below] = [scores[Math.floor(position)]!, scores[Math.ceil(position)]!];
  return { trees, moments, size, limit: above + (below - above) * (position % 1) };
}
