/**
 * Runs the rules over every row as column loops; only rows that meet one are looked at one by one.
 *
 * Cost: one mask a rule and batch. An anomaly costs some microseconds and two texts, which is fine
 * as long as anomalies are rare.
 */

import type { Batch, Column, Pointer } from '../../engine/contract/batch.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex, INT64_NULL, STRING_NULL } from '../../engine/contract/schema.ts';
import { compileToFloat64, compileToMask } from '../../engine/expression/compile-expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { rowsWhere, selectRows } from '../../engine/expression/select-rows.ts';
import {
  confidenceOf,
  directionOf,
  Explainer,
  type SeverityLimits,
  severityOf,
} from './anomaly.ts';
import { AnomalyIds } from './anomaly-ids.ts';
import { type Limits, limitOf, limitsOf } from './limits.ts';
import { textColumn } from './text-column.ts';

export interface RuleConfig {
  readonly type: string;
  readonly when: string;
  readonly value: string;
  readonly score: string;
  readonly baseline?: string | undefined;
  readonly detector?: string | undefined;
  readonly confidence?: string | undefined;
}

type Values = (batch: Batch) => Pointer;

interface Rule {
  readonly config: RuleConfig;
  readonly order: number;
  readonly limits: Limits;
  readonly mask: Values;
  readonly value: Values;
  readonly score: Values;
  readonly baseline: Values | undefined;
  readonly confidence: Values | undefined;
}

/** One row that meets one rule, in plain values. */
interface Hit {
  readonly rule: Rule;
  readonly row: number;
  readonly key: number;
  readonly time: bigint;
  readonly start: bigint | null;
  readonly end: bigint | null;
  readonly revision: bigint | null;
  /** Watermark of the row, or null where the batch has none. */
  readonly rowWatermark: bigint | null;
  readonly value: number | null;
  readonly score: number | null;
  readonly baseline: number | null;
  readonly confidence: number | null;
}

export class ThresholdOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #rules: readonly Rule[];
  readonly #severity: SeverityLimits;
  readonly #ids: AnomalyIds;
  readonly #columns: { key: number; time: number; start: number; end: number; revision: number };

  constructor(
    config: { readonly rules: readonly RuleConfig[]; readonly severity: SeverityLimits },
    context: OperatorContext,
    state?: StateTables,
  ) {
    this.#context = context;
    this.#severity = config.severity;
    this.#rules = config.rules.map((rule, order) => compileRule(rule, order, context));
    this.#ids = new AnomalyIds(context.step, state);
    const { input } = context;
    const typed = (name: string, type: 'timestamp' | 'int64'): number => {
      const index = columnIndex(input, name);
      return input.columns[index]?.type === type ? index : -1;
    };
    this.#columns = {
      key: columnIndex(input, input.key),
      time: columnIndex(input, input.time),
      start: typed('window_start', 'timestamp'),
      end: typed('window_end', 'timestamp'),
      revision: typed('revision', 'int64'),
    };
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount === 0) return;
    const hits = this.#rules.flatMap((rule) => this.#hitsOf(rule, batch));
    if (hits.length === 0) return;
    hits.sort((a, b) => a.row - b.row || a.rule.order - b.rule.order);
    collector.emit(this.#anomalies(hits, batch));
  }

  advance(watermark: bigint): bigint {
    this.#ids.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    return this.#ids.snapshot();
  }

  dispose(): void {}

  #hitsOf(rule: Rule, batch: Batch): readonly Hit[] {
    const { memory } = this.#context;
    const mark = memory.arena.mark();
    const { pointer, count } = rowsWhere(rule.mask(batch), batch.rowCount, this.#context);
    const hits = count === 0 ? [] : this.#readHits(rule, batch, pointer, count);
    memory.arena.release(mark);
    return hits;
  }

  #readHits(rule: Rule, batch: Batch, rowsPointer: Pointer, count: number): readonly Hit[] {
    const { memory } = this.#context;
    const rows = memory.u32(rowsPointer, count).slice();
    const selected = selectRows(batch, rowsPointer, count, this.#context);
    const numbers = (values: Values | undefined): readonly (number | null)[] => {
      if (values === undefined) return [];
      return Array.from(memory.f64(values(selected), count), (x) => (Number.isNaN(x) ? null : x));
    };
    const integers = (pointer: Pointer | undefined): readonly (bigint | null)[] => {
      if (pointer === undefined || pointer === 0) return [];
      return Array.from(memory.i64(pointer, count), (x) => (x === INT64_NULL ? null : x));
    };
    const at = this.#columns;
    const keys = memory.u32(selected.columns[at.key]!.pointer, count).slice();
    const times = integers(selected.columns[at.time]!.pointer);
    const starts = integers(selected.columns[at.start]?.pointer);
    const ends = integers(selected.columns[at.end]?.pointer);
    const revisions = integers(selected.columns[at.revision]?.pointer);
    const rowWatermarks = integers(selected.rowWatermarks);
    const values = numbers(rule.value);
    const scores = numbers(rule.score);
    const baselines = numbers(rule.baseline);
    const confidences = numbers(rule.confidence);
    return Array.from(
      rows,
      (row, i): Hit => ({
        rule,
        row,
        key: keys[i]!,
        time: times[i]!,
        start: starts[i] ?? null,
        end: ends[i] ?? null,
        revision: revisions[i] ?? null,
        rowWatermark: rowWatermarks[i] ?? null,
        value: values[i]!,
        score: scores[i]!,
        baseline: baselines[i] ?? null,
        confidence: confidences[i] ?? null,
      }),
    );
  }

  /** The anomaly rows of the hits, in their order. */
  #anomalies(hits: readonly Hit[], batch: Batch): Batch {
    const { memory } = this.#context;
    const key = batch.columns[this.#columns.key]!;
    const ids = hits.map((hit) => this.#idOf(hit, key));
    const thresholds = hits.map(({ rule, score }) => limitOf(rule.limits, score));
    const severities = hits.map(({ score }) => severityOf(score, this.#severity));
    for (const severity of severities) this.#context.count(`threshold_${severity}_total`, 1);
    const confidences = hits.map(({ rule, confidence, score }, i) => {
      if (rule.confidence === undefined) return confidenceOf(score, thresholds[i]!);
      return confidence === null ? null : Math.min(1, Math.max(0, confidence));
    });
    const explainer = new Explainer();
    const explanations = hits.map(({ rule, value, score, baseline, start, end }, i) =>
      explainer.explain({
        rule: rule.config.when,
        observed: value,
        score,
        threshold: thresholds[i]!,
        baseline,
        window: start === null || end === null ? null : { start, end },
      }),
    );
    const columns: Column[] = [
      textColumn(memory, ids),
      { ...key, pointer: this.#u32(hits.map((hit) => hit.key)) },
      this.#times(hits.map(({ time }) => time)),
      this.#times(hits.map(({ start, time }) => start ?? time)),
      this.#times(hits.map(({ end, time }) => end ?? time)),
      this.#words(hits.map(({ rule }) => rule.config.type)),
      this.#words(hits.map(({ rule }) => rule.config.detector ?? 'threshold')),
      this.#numbers(hits.map(({ value }) => value)),
      this.#numbers(hits.map(({ baseline }) => baseline)),
      this.#numbers(hits.map(({ score }) => score)),
      this.#numbers(thresholds),
      this.#words(severities),
      this.#numbers(confidences),
      this.#words(hits.map(({ score }) => directionOf(score))),
      textColumn(memory, explanations),
    ];
    return { rowCount: hits.length, columns, ...this.#provenance(hits, batch) };
  }

  #idOf({ rule, key, time, revision, rowWatermark }: Hit, { dictionary }: Column): string {
    return this.#ids.next({
      key: dictionary!.text(key),
      time,
      type: rule.config.type,
      revision,
      isLate: rowWatermark !== null && time < rowWatermark,
    });
  }

  /** Row watermarks and origins of the rows behind the hits. */
  #provenance(
    hits: readonly Hit[],
    { rowWatermarks, origin, rowCount }: Batch,
  ): Pick<Batch, 'rowWatermarks' | 'origin'> {
    const { memory } = this.#context;
    const marks =
      rowWatermarks === 0 ? 0 : this.#times(hits.map((hit) => hit.rowWatermark!)).pointer;
    if (origin === 'none') return { rowWatermarks: marks, origin };
    const sources = origin === 0 ? undefined : memory.u32(origin, rowCount).slice();
    const rows = hits.map(({ row }) => sources?.[row] ?? row);
    return { rowWatermarks: marks, origin: this.#u32(rows) };
  }

  #numbers(values: readonly (number | null)[]): Column {
    const { memory } = this.#context;
    const pointer = memory.arena.allocate(values.length * 8);
    memory.f64(pointer, values.length).set(values.map((value) => value ?? Number.NaN));
    return { type: 'float64', pointer };
  }

  #times(values: readonly bigint[]): Column {
    const { memory } = this.#context;
    const pointer = memory.arena.allocate(values.length * 8);
    memory.i64(pointer, values.length).set(values);
    return { type: 'timestamp', pointer };
  }

  /** Few different words: codes of the slot's strings. */
  #words(values: readonly (string | null)[]): Column {
    const { strings } = this.#context;
    const codes = values.map((word) => (word === null ? STRING_NULL : strings.intern(word)));
    return { type: 'string', pointer: this.#u32(codes), dictionary: strings };
  }

  #u32(values: readonly number[]): Pointer {
    const { memory } = this.#context;
    const pointer = memory.arena.allocate(values.length * 4);
    memory.u32(pointer, values.length).set(values);
    return pointer;
  }
}

function compileRule(config: RuleConfig, order: number, context: OperatorContext): Rule {
  const { input } = context;
  const compiled = (text: string): Values => compileToFloat64(parseAccepted(text), input, context);
  const optional = (text: string | undefined): Values | undefined =>
    text === undefined ? undefined : compiled(text);
  const when = parseAccepted(config.when);
  return {
    config,
    order,
    limits: limitsOf(when, parseAccepted(config.score)),
    mask: compileToMask(when, input, context),
    value: compiled(config.value),
    score: compiled(config.score),
    baseline: optional(config.baseline),
    confidence: optional(config.confidence),
  };
}
