/**
 * Anomalies that a detector with a state of its own finds, row by row, and their way out: the rows
 * of one batch are taken down while the state is gone through, then written in one go.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import type { Collector, OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import type { EventTime } from '../../engine/contract/time.ts';
import type { SeverityLimits } from './anomaly.ts';
import { AnomalyIds } from './anomaly-ids.ts';
import { AnomalyWriter, type Findings, type FoundNumbers } from './anomaly-writer.ts';
import { Explanation, type ExplanationFrame } from './explanation.ts';
import { TimeTexts } from './time-texts.ts';

const HITS_START = 64;

/** A column that grows. */
class Numbers implements FoundNumbers {
  readonly isGiven: boolean;
  values = new Float64Array(HITS_START).fill(Number.NaN);

  constructor(isGiven = true) {
    this.isGiven = isGiven;
  }

  /** What is not finite is kept as null. */
  set(index: number, value: number): void {
    if (index >= this.values.length) {
      const values = new Float64Array(2 * this.values.length).fill(Number.NaN);
      values.set(this.values);
      this.values = values;
    }
    this.values[index] = Number.isFinite(value) ? value : Number.NaN;
  }
}

export interface FoundFrame {
  readonly type: string;
  readonly detector: string;
  /** What the explanation says of the rule. */
  readonly rule: string;
  /** Names of further numbers for the explanation. */
  readonly details: readonly string[];
  readonly history?: ExplanationFrame['history'];
  readonly by?: ExplanationFrame['by'];
  /** Where it stands among those of the same row: needed where they are added as they are found. */
  readonly order?: string;
  readonly severity?: SeverityLimits | undefined;
  /** Whether each anomaly brings its confidence; else that follows from score and threshold. */
  readonly givesConfidence?: boolean;
}

/** What was found in one row. NaN stands for what is not known. */
export interface Found {
  readonly value: number;
  readonly baseline: number;
  /** Its sign is the direction. */
  readonly score: number;
  readonly threshold: number;
  readonly confidence?: number;
  /** In the order of the frame. */
  readonly details: readonly number[];
}

/** Anomalies of one type in the batch at hand. */
export class FoundAnomalies implements Findings {
  readonly config: Findings['config'];
  readonly order: string | undefined;
  readonly limits = { up: Number.NaN, down: Number.NaN };
  readonly explanation: Explanation;
  readonly value = new Numbers();
  readonly score = new Numbers();
  readonly baseline = new Numbers();
  readonly thresholds = new Numbers();
  readonly confidence: Numbers;
  readonly direction = new Numbers(false);
  readonly details: readonly Numbers[];
  rows = new Uint32Array(HITS_START);
  count = 0;

  constructor({ type, detector, rule, details, history, by, ...rest }: FoundFrame) {
    this.config = { type, detector, severity: rest.severity };
    this.order = rest.order;
    this.confidence = new Numbers(rest.givesConfidence === true);
    this.details = details.map(() => new Numbers());
    this.explanation = new Explanation({ rule, hasBaseline: true, history, by, details });
  }

  clear(): void {
    this.count = 0;
  }

  /** @param row Of the batch, at or behind the one added before. */
  add(row: number, found: Found): void {
    const i = this.count++;
    if (i >= this.rows.length) {
      const rows = new Uint32Array(2 * this.rows.length);
      rows.set(this.rows);
      this.rows = rows;
    }
    this.rows[i] = row;
    this.value.set(i, found.value);
    this.score.set(i, found.score);
    this.baseline.set(i, found.baseline);
    this.thresholds.set(i, found.threshold);
    if (found.confidence !== undefined) this.confidence.set(i, found.confidence);
    for (const [index, column] of this.details.entries()) column.set(i, found.details[index]!);
  }
}

/** Writes what was found, and keeps what ids need. */
export class AnomalyOutput {
  readonly #found: FoundAnomalies[];
  readonly #ids: AnomalyIds;
  readonly #writer: AnomalyWriter;

  constructor(
    found: readonly FoundAnomalies[],
    limits: SeverityLimits,
    context: OperatorContext,
    state?: StateTables,
  ) {
    const times = new TimeTexts();
    this.#found = [...found];
    this.#ids = new AnomalyIds(context.step, context.keys, state, times);
    this.#writer = new AnomalyWriter(found, limits, context, this.#ids, times);
  }

  /** Between two batches or within one, as long as nothing has been added to it. */
  add(found: FoundAnomalies): void {
    this.#found.push(found);
    this.#writer.add(found);
  }

  /** Emits the anomalies of the batch, if there are any, and forgets them. */
  emit(batch: Batch, collector: Collector, output?: string): void {
    let count = 0;
    for (const each of this.#found) count += each.count;
    if (count === 0) return;
    collector.emit(this.#writer.write(batch, count), output);
    for (const each of this.#found) each.clear();
  }

  advance(watermark: EventTime): void {
    this.#ids.advance(watermark);
  }

  snapshot(): StateTables {
    return this.#ids.snapshot();
  }
}
