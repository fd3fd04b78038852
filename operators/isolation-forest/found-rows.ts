/**
 * The anomalies of one batch, until they are written: rows with their score, the limit it is above,
 * and what each feature contributed.
 */

import type { Forest, ForestRows } from '../../wasm/host/forest.ts';
import type { Findings, FoundNumbers } from '../anomalies/anomaly-writer.ts';
import { Explanation, type ExplanationFrame } from '../anomalies/explanation.ts';

const HITS_START = 64;
const NOT_GIVEN: FoundNumbers = { isGiven: false, values: new Float64Array(0) };

/** Numbers of the rows found, in the order of the rows. */
class Numbers implements FoundNumbers {
  readonly isGiven = true;
  values = new Float64Array(HITS_START);

  grow(): void {
    const values = new Float64Array(2 * this.values.length);
    values.set(this.values);
    this.values = values;
  }
}

export interface FoundConfig {
  readonly type: string;
  /** Names of the features, in order. */
  readonly features: readonly string[];
  readonly history: ExplanationFrame['history'];
}

/** What a row is, beside what the forest knows of it. */
export interface FoundRow {
  readonly row: number;
  readonly value: number;
  readonly baseline: number;
  readonly score: number;
  /** By feature. */
  readonly features: readonly number[];
}

export class FoundRows implements Findings {
  readonly config: { readonly type: string; readonly detector: string };
  readonly limits = { up: Number.NaN, down: Number.NaN };
  readonly explanation: Explanation;
  readonly value = new Numbers();
  readonly score = new Numbers();
  readonly baseline = new Numbers();
  readonly direction = new Numbers();
  readonly thresholds = new Numbers();
  readonly details: readonly Numbers[];
  readonly confidence = NOT_GIVEN;
  rows = new Uint32Array(HITS_START);
  count = 0;

  constructor({ type, features, history }: FoundConfig) {
    this.config = { type, detector: 'isolation_forest' };
    const details = [
      ...features.map((name) => `value_${name}`),
      ...features.map((name) => `contribution_${name}`),
      'path_length',
      'expected_path_length',
    ];
    this.details = details.map(() => new Numbers());
    this.explanation = new Explanation({
      rule: `isolation_forest(${features.join(', ')}) > threshold`,
      hasBaseline: true,
      history,
      details,
    });
  }

  clear(): void {
    this.count = 0;
  }

  /** Adds the row at `order[at]`, with what its forest says of it. */
  add(found: FoundRow, forest: Forest, rows: ForestRows, at: number): void {
    const i = this.count;
    if (i === this.rows.length) this.#grow();
    this.count++;
    this.rows[i] = found.row;
    this.value.values[i] = found.value;
    this.score.values[i] = found.score;
    this.baseline.values[i] = found.baseline;
    this.direction.values[i] = found.value - found.baseline;
    this.thresholds.values[i] = forest.limit;
    const { path, expectedPath, contributions } = forest.explain(rows, at);
    const numbers = [...found.features, ...contributions, path, expectedPath];
    for (const [detail, number] of numbers.entries()) this.details[detail]!.values[i] = number;
  }

  /** Puts the rows into ascending order: they were found symbol by symbol. */
  sort(): void {
    const { count } = this;
    const order = Array.from({ length: count }, (_, i) => i);
    order.sort((a, b) => this.rows[a]! - this.rows[b]!);
    this.rows.set(order.map((i) => this.rows[i]!));
    const { value, score, baseline, direction, thresholds, details } = this;
    for (const { values } of [value, score, baseline, direction, thresholds, ...details]) {
      values.set(order.map((i) => values[i]!));
    }
  }

  #grow(): void {
    const rows = new Uint32Array(2 * this.rows.length);
    rows.set(this.rows);
    this.rows = rows;
    const { value, score, baseline, direction, thresholds, details } = this;
    for (const numbers of [value, score, baseline, direction, thresholds, ...details]) {
      numbers.grow();
    }
  }
}
