/**
 * The forest of one symbol (or of a partition) and the rows from which the next one will be grown.
 *
 *     rows  0 ………… min_rows ………… + refit_every ………… + refit_every …
 *           no forest │ forest 1       │ forest 2         │
 *
 * A row is scored by the forest grown from rows before it; then it is kept. What a forest is grown
 * from depends on the rows of its symbol alone, and its seed on the symbol and their number: not on
 * batches, threads or other symbols.
 */

import type { Kernels } from '../../wasm/host/kernels.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import { Forest, type ForestRows } from '../../wasm/host/forest.ts';
import { type Keep, Reservoir } from '../../wasm/host/forest-rows.ts';
import { limitByContamination } from './score-limit.ts';
import { streamSeed } from './seeds.ts';

export interface GrowthConfig {
  readonly trees: number;
  readonly sample_size: number;
  readonly contamination?: number | undefined;
  readonly threshold?: number | undefined;
  readonly seed: number;
  readonly standardize: boolean;
}

export interface RefitConfig extends GrowthConfig {
  readonly reservoir: number;
  readonly keep: Keep;
  readonly min_rows: number;
  readonly refit_every: number;
}

/** Score at which nothing can be told apart: the limit where no other is given. */
const NEUTRAL_SCORE = 0.5;

/**
 * Grows a forest from a matrix f64[count * features] and sets its limit. Uses the arena.
 * @param onScores Told the scores of the rows; they are its own to change.
 */
export function growForest(
  memory: LinearMemory,
  forest: Forest,
  { matrix, count }: { readonly matrix: number; readonly count: number },
  config: GrowthConfig,
  seed: bigint,
  onScores?: (scores: Float64Array) => void,
): void {
  const mark = memory.arena.mark();
  const scores = forest.grow(matrix, count, {
    trees: config.trees,
    sampleSize: config.sample_size,
    seed,
    isStandardized: config.standardize,
  });
  onScores?.(memory.f64(scores, count).slice());
  const { contamination, threshold } = config;
  forest.limit =
    contamination === undefined
      ? (threshold ?? NEUTRAL_SCORE)
      : limitByContamination(memory.f64(scores, count), contamination);
  memory.arena.release(mark);
}

export class ForestState {
  readonly forest: Forest;
  readonly #reservoir: Reservoir;
  readonly #memory: LinearMemory;
  readonly #config: RefitConfig;
  readonly #name: string;

  /** @param name Of the symbol, or of the partition: part of the seeds. */
  constructor(kernels: Kernels, features: number, config: RefitConfig, name: string) {
    this.#memory = kernels.memory;
    this.#config = config;
    this.#name = name;
    this.forest = new Forest(kernels, features);
    const { reservoir: capacity, keep, seed } = config;
    const spec = { capacity, keep, seed: streamSeed(seed, name, 0) };
    this.#reservoir = new Reservoir(kernels, features, spec);
  }

  /** Rows until the next forest is grown; at least 1. */
  get rowsLeft(): number {
    const { min_rows: first, refit_every: every } = this.#config;
    const { seen } = this.#reservoir;
    return seen < first ? first - seen : every - ((seen - first) % every);
  }

  /** Keeps rows, at most `rowsLeft`. @returns Whether a forest was grown. */
  absorb(rows: ForestRows, from: number, end: number): boolean {
    const isDue = end - from === this.rowsLeft;
    this.#reservoir.absorb(rows, from, end);
    if (!isDue) return false;
    const { seen } = this.#reservoir;
    const seed = streamSeed(this.#config.seed, this.#name, seen);
    growForest(this.#memory, this.forest, this.#reservoir, this.#config, seed);
    return true;
  }

  snapshot(): { readonly rows: Uint8Array; readonly forest: Uint8Array } {
    return { rows: this.#reservoir.snapshot(), forest: this.forest.snapshot() };
  }

  restore({ rows, forest }: { readonly rows: Uint8Array; readonly forest: Uint8Array }): void {
    this.#reservoir.restore(rows);
    this.forest.restore(forest);
  }

  /** Gives all memory back; call it once. */
  dispose(): void {
    this.forest.dispose();
    this.#reservoir.dispose();
  }
}
