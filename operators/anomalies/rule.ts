/**
 * A rule: finds its rows as column loops, and holds what it found until the anomalies are written.
 */

import { columnKernels, gather } from '../../wasm/host/columns.ts';
import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import { type ExpressionValue, expressionText } from '../../engine/contract/fields.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import { elementBytes } from '../../engine/contract/schema.ts';
import { compileToFloat64, compileToMask } from '../../engine/expression/compile-expression.ts';
import { columnsOf } from '../../engine/expression/expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { rowsWhere } from '../../engine/expression/select-rows.ts';
import type { SeverityLimits } from './anomaly.ts';
import { Explanation, type ExplanationFrame } from './explanation.ts';
import { limitsOf } from './limits.ts';

export interface RuleConfig {
  readonly type: string;
  readonly when: ExpressionValue;
  readonly value: ExpressionValue;
  readonly score: ExpressionValue;
  readonly baseline?: ExpressionValue | undefined;
  readonly detector?: string | undefined;
  readonly confidence?: ExpressionValue | undefined;
  /** Its sign is the direction, in place of that of the score. */
  readonly direction?: ExpressionValue | undefined;
  /** What |score| is compared with, where the condition does not say it of the score. */
  readonly threshold?: number | undefined;
  /** Further numbers for the explanation, by name. */
  readonly details?: Readonly<Record<string, ExpressionValue>> | undefined;
  /** In place of the limits of the operator. */
  readonly severity?: SeverityLimits | undefined;
  /** What the explanation says of the rule; the condition itself by default. */
  readonly text?: string | undefined;
  readonly history?: ExplanationFrame['history'];
}

const HITS_START = 64;

/** Numbers of the rows found, NaN where there is none: an expression and a place for its values. */
class Numbers {
  readonly #compiled: ((batch: Batch) => Pointer) | undefined;
  #pointer: Pointer = 0;
  values = new Float64Array(HITS_START).fill(Number.NaN);

  constructor(compiled: ((batch: Batch) => Pointer) | undefined) {
    this.#compiled = compiled;
  }

  get isGiven(): boolean {
    return this.#compiled !== undefined;
  }

  /** May grow the memory. */
  compute(selected: Batch): void {
    if (this.#compiled !== undefined) this.#pointer = this.#compiled(selected);
  }

  /** What is not finite is kept as null: an input column may hold it, an anomaly may not. */
  keep(memory: Float64Array, count: number): void {
    if (this.values.length < count) this.values = new Float64Array(2 * count).fill(Number.NaN);
    if (this.#compiled === undefined) return;
    const from = this.#pointer / 8;
    for (let i = 0; i < count; i++) {
      const value = memory[from + i]!;
      this.values[i] = Number.isFinite(value) ? value : Number.NaN;
    }
  }
}

export class Rule {
  readonly config: RuleConfig;
  /** Limits of |score| for a score that is not negative, and for one that is; NaN for none. */
  readonly limits: { readonly up: number; readonly down: number };
  readonly explanation: Explanation;
  readonly value: Numbers;
  readonly score: Numbers;
  readonly baseline: Numbers;
  readonly confidence: Numbers;
  readonly direction: Numbers;
  readonly details: readonly Numbers[];
  /** Rows of the last batch that meet the rule, ascending; numbers stand at the same index. */
  rows = new Uint32Array(HITS_START);
  count = 0;
  readonly #context: OperatorContext;
  readonly #mask: (batch: Batch) => Pointer;
  /** Whether an expression reads the column, for each of the input. */
  readonly #reads: readonly boolean[];

  constructor(config: RuleConfig, context: OperatorContext) {
    const { input } = context;
    this.config = config;
    this.#context = context;
    const when = parseAccepted(config.when);
    const reads = new Set<string>();
    const numbers = (value: ExpressionValue | undefined): Numbers => {
      if (value === undefined) return new Numbers(undefined);
      const expression = parseAccepted(value);
      for (const name of columnsOf(expression)) reads.add(name);
      return new Numbers(compileToFloat64(expression, input, context));
    };
    this.#mask = compileToMask(when, input, context);
    this.value = numbers(config.value);
    this.score = numbers(config.score);
    this.baseline = numbers(config.baseline);
    this.confidence = numbers(config.confidence);
    this.direction = numbers(config.direction);
    const details = Object.entries(config.details ?? {});
    this.details = details.map(([, value]) => numbers(value));
    this.#reads = input.columns.map(({ name }) => reads.has(name));
    const { up, down } = limitsOf(when, parseAccepted(config.score));
    const { threshold = Number.NaN } = config;
    this.limits = { up: up ?? threshold, down: down ?? threshold };
    this.explanation = new Explanation({
      rule: config.text ?? expressionText(config.when),
      limits: this.limits,
      hasBaseline: this.baseline.isGiven,
      history: config.history,
      details: details.map(([name]) => name),
    });
  }

  /** Finds and counts the rows of the batch that meet the rule. */
  find(batch: Batch): number {
    const { arena } = this.#context.memory;
    const mark = arena.mark();
    const { pointer, count } = rowsWhere(this.#mask(batch), batch.rowCount, this.#context);
    this.count = count;
    if (count > 0) this.#read(batch, pointer);
    arena.release(mark);
    return count;
  }

  #read(batch: Batch, rowsPointer: Pointer): void {
    const { memory } = this.#context;
    const { count } = this;
    const selected = this.#select(batch, rowsPointer);
    const { value, score, baseline, confidence, direction, details } = this;
    const all = [value, score, baseline, confidence, direction, ...details];
    for (const numbers of all) numbers.compute(selected);
    const { buffer } = memory.memory;
    const values = new Float64Array(buffer);
    for (const numbers of all) numbers.keep(values, count);
    if (this.rows.length < count) this.rows = new Uint32Array(2 * count);
    this.rows.set(new Uint32Array(buffer, rowsPointer, count));
  }

  /** The rows found as a batch that holds only what the expressions read. */
  #select(batch: Batch, rowsPointer: Pointer): Batch {
    const { kernels, memory } = this.#context;
    const { count } = this;
    if (count === batch.rowCount) return batch;
    const loops = columnKernels(kernels);
    const columns = batch.columns.map((column, index) => {
      if (this.#reads[index] !== true) return column;
      const bytes = elementBytes(column.type);
      const pointer = memory.arena.allocate(count * bytes);
      gather(loops, bytes, column.pointer, rowsPointer, count, pointer);
      return { ...column, pointer };
    });
    return { rowCount: count, columns, rowWatermarks: 0, origin: 'none' };
  }
}
