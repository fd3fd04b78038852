/**
 * Writes the anomaly rows of what the rules have found in a batch: numbers and words in one go,
 * what an anomaly takes over from its row by kernels, its texts last.
 */

import { columnKernels, gather } from '../../wasm/host/columns.ts';
import type { Batch, Column, Dictionary, Pointer } from '../../engine/contract/batch.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import { columnIndex, STRING_NULL } from '../../engine/contract/schema.ts';
import { confidenceOf, type Severity, type SeverityLimits, severityOf } from './anomaly.ts';
import { AnomalyBlock, LONG, SHORT } from './anomaly-block.ts';
import type { AnomalyIds } from './anomaly-ids.ts';
import { AnomalyTexts, type TextRule, type Texts } from './anomaly-texts.ts';
import type { Explanation } from './explanation.ts';
import type { TimeTexts } from './time-texts.ts';

/** Numbers of the rows found; not given, they are NaN. */
export interface FoundNumbers {
  readonly isGiven: boolean;
  readonly values: Float64Array;
}

/** What was found in a batch: by a rule, or by a detector that has no rules. */
export interface Findings {
  /** Where it stands among those that find the same row, as texts go; first unless given. */
  readonly order?: string | undefined;
  readonly config: {
    readonly type: string;
    readonly detector?: string | undefined;
    readonly severity?: SeverityLimits | undefined;
  };
  /** Of |score| for a score that is not negative, and for one that is; NaN for none. */
  readonly limits: { readonly up: number; readonly down: number };
  /** In place of the limits, where each anomaly has a threshold of its own. */
  readonly thresholds?: FoundNumbers;
  readonly explanation: Explanation;
  readonly value: FoundNumbers;
  readonly score: FoundNumbers;
  readonly baseline: FoundNumbers;
  readonly confidence: FoundNumbers;
  readonly direction: FoundNumbers;
  readonly details: readonly FoundNumbers[];
  /** Rows of the batch, ascending; numbers stand at the same index. */
  readonly rows: Uint32Array;
  readonly count: number;
}

/** Findings with the words of their anomalies, as codes of the slot's strings. */
interface FoundRule extends TextRule {
  readonly rule: Findings;
  readonly type: number;
  readonly detector: number;
  /** How many of the rows found have been written. */
  next: number;
}

export class AnomalyWriter {
  readonly #rules: FoundRule[] = [];
  readonly #ids: AnomalyIds;
  readonly #limits: SeverityLimits;
  readonly #context: OperatorContext;
  readonly #texts: AnomalyTexts;
  readonly #severities: Readonly<Record<Severity, number>>;
  readonly #up: number;
  readonly #down: number;
  /** Positions in the input, -1 where it has no such column. */
  readonly #at: { key: number; time: number; start: number; end: number; revision: number };

  constructor(
    rules: readonly Findings[],
    limits: SeverityLimits,
    context: OperatorContext,
    ids: AnomalyIds,
    times: TimeTexts,
  ) {
    const { input, strings } = context;
    this.#limits = limits;
    this.#context = context;
    this.#ids = ids;
    for (const rule of rules) this.add(rule);
    this.#severities = {
      low: strings.intern('low'),
      medium: strings.intern('medium'),
      high: strings.intern('high'),
    };
    this.#up = strings.intern('up');
    this.#down = strings.intern('down');
    const typed = (name: string, type: 'timestamp' | 'int64'): number => {
      const index = columnIndex(input, name);
      return input.columns[index]?.type === type ? index : -1;
    };
    this.#at = {
      key: columnIndex(input, input.key),
      time: columnIndex(input, input.time),
      start: typed('window_start', 'timestamp'),
      end: typed('window_end', 'timestamp'),
      revision: typed('revision', 'int64'),
    };
    const { start, end, revision } = this.#at;
    const has = { start: start >= 0, end: end >= 0, revision: revision >= 0 };
    this.#texts = new AnomalyTexts(ids, times, has);
  }

  /** A rule behind those whose order is not above its own. */
  add(rule: Findings): void {
    const { strings } = this.#context;
    this.#rules.push({
      rule,
      explanation: rule.explanation,
      details: rule.details,
      typeCode: this.#ids.typeCode(rule.config.type),
      type: strings.intern(rule.config.type),
      detector: strings.intern(rule.config.detector ?? 'threshold'),
      next: 0,
    });
    // Stable; in a run most rules are there before the first is found.
    this.#rules.sort(({ rule: { order: a = '' } }, { rule: { order: b = '' } }) =>
      a < b ? -1 : a > b ? 1 : 0,
    );
  }

  /** The anomalies of all rules, in the order of the rows and then of the rules. */
  write(batch: Batch, count: number): Batch {
    const block = new AnomalyBlock(this.#context.memory, count);
    const rules = this.#writeNumbers(block);
    this.#gather(batch, block);
    const texts = this.#texts.write(block, rules, batch.rowWatermarks !== 0);
    const { origin, rowWatermarks } = batch;
    return {
      rowCount: count,
      columns: this.#columnsOf(block, texts, batch.columns[this.#at.key]!),
      rowWatermarks: rowWatermarks === 0 ? 0 : block.long(LONG.rowWatermark),
      origin: origin === 'none' ? 'none' : block.short(origin === 0 ? SHORT.row : SHORT.origin),
    };
  }

  #columnsOf(block: AnomalyBlock, { ids, explanations }: Texts, key: Column): Column[] {
    const { strings } = this.#context;
    const number = (column: number): Column => ({ type: 'float64', pointer: block.long(column) });
    const time = (column: number): Column => ({ type: 'timestamp', pointer: block.long(column) });
    const text = (column: number, dictionary: Dictionary): Column => {
      return { type: 'string', pointer: block.short(column), dictionary };
    };
    return [
      text(SHORT.id, ids),
      { ...key, pointer: block.short(SHORT.key) },
      time(LONG.time),
      time(LONG.start),
      time(LONG.end),
      text(SHORT.type, strings),
      text(SHORT.detector, strings),
      number(LONG.value),
      number(LONG.baseline),
      number(LONG.score),
      number(LONG.threshold),
      text(SHORT.severity, strings),
      number(LONG.confidence),
      text(SHORT.direction, strings),
      text(SHORT.explanation, explanations),
    ];
  }

  /** Merges the rules by row. Writes rows, numbers and words; returns the rule of each anomaly. */
  #writeNumbers({ count, numbers, codes }: AnomalyBlock): readonly FoundRule[] {
    const found = this.#rules.filter(({ rule }) => rule.count > 0);
    for (const each of found) each.next = 0;
    const totals = { low: 0, medium: 0, high: 0 };
    const rules = new Array<FoundRule>(count);
    for (let i = 0; i < count; i++) {
      const first = firstOf(found);
      const { rule } = first;
      const from = first.next++;
      const score = rule.score.values[from]!;
      const limit = score < 0 ? rule.limits.down : rule.limits.up;
      const threshold = rule.thresholds?.values[from] ?? limit;
      const severity = severityOf(score, rule.config.severity ?? this.#limits);
      const sign = rule.direction.isGiven ? rule.direction.values[from]! : score;
      rules[i] = first;
      totals[severity]++;
      numbers[LONG.value * count + i] = rule.value.values[from]!;
      numbers[LONG.baseline * count + i] = rule.baseline.values[from]!;
      numbers[LONG.score * count + i] = score;
      numbers[LONG.threshold * count + i] = threshold;
      numbers[LONG.confidence * count + i] = rule.confidence.isGiven
        ? Math.min(1, Math.max(0, rule.confidence.values[from]!))
        : confidenceOf(score, threshold);
      codes[SHORT.row * count + i] = rule.rows[from]!;
      codes[SHORT.found * count + i] = from;
      codes[SHORT.type * count + i] = first.type;
      codes[SHORT.detector * count + i] = first.detector;
      codes[SHORT.severity * count + i] = this.#severities[severity];
      codes[SHORT.direction * count + i] =
        sign > 0 ? this.#up : sign < 0 ? this.#down : STRING_NULL;
    }
    this.#countAll(totals);
    return rules;
  }

  #countAll(totals: Readonly<Record<Severity, number>>): void {
    for (const severity of ['low', 'medium', 'high'] as const) {
      const total = totals[severity];
      if (total > 0) this.#context.count(`anomalies_${severity}_total`, total);
    }
  }

  /** What an anomaly takes over from its row. */
  #gather(batch: Batch, block: AnomalyBlock): void {
    const loops = columnKernels(this.#context.kernels);
    const rows = block.short(SHORT.row);
    const long = (values: Pointer, column: number): void => {
      gather(loops, 8, values, rows, block.count, block.long(column));
    };
    const short = (values: Pointer, column: number): void => {
      gather(loops, 4, values, rows, block.count, block.short(column));
    };
    const { key, time, start, end, revision } = this.#at;
    const input = (index: number): Pointer => batch.columns[index]!.pointer;
    short(input(key), SHORT.key);
    long(input(time), LONG.time);
    long(input(start < 0 ? time : start), LONG.start);
    long(input(end < 0 ? time : end), LONG.end);
    if (revision >= 0) long(input(revision), LONG.revision);
    if (batch.rowWatermarks !== 0) long(batch.rowWatermarks, LONG.rowWatermark);
    if (batch.origin !== 'none' && batch.origin !== 0) short(batch.origin, SHORT.origin);
  }
}

/** Of the rules that have rows left, the one whose next row comes first. */
function firstOf(found: readonly FoundRule[]): FoundRule {
  let first: FoundRule | undefined;
  let firstRow = Number.POSITIVE_INFINITY;
  for (const each of found) {
    if (each.next === each.rule.count) continue;
    const row = each.rule.rows[each.next]!;
    if (row >= firstRow) continue;
    first = each;
    firstRow = row;
  }
  return first!;
}
