/**
 * Runs rules over every row as column loops: what `threshold` does, and the last stage of every
 * detector. Only rows that meet a rule are looked at one by one.
 *
 * Cost: one mask a rule and batch, and about a microsecond an anomaly, most of it for its texts.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import type { SeverityLimits } from './anomaly.ts';
import { AnomalyIds } from './anomaly-ids.ts';
import { AnomalyWriter } from './anomaly-writer.ts';
import { Rule, type RuleConfig } from './rule.ts';
import { TimeTexts } from './time-texts.ts';

export class RulesOperator implements Operator {
  readonly #rules: readonly Rule[];
  readonly #ids: AnomalyIds;
  readonly #writer: AnomalyWriter;

  constructor(
    config: { readonly rules: readonly RuleConfig[]; readonly severity: SeverityLimits },
    context: OperatorContext,
    state?: StateTables,
  ) {
    const times = new TimeTexts();
    this.#rules = config.rules.map((rule) => new Rule(rule, context));
    this.#ids = new AnomalyIds(context.step, context.keys, state, times);
    this.#writer = new AnomalyWriter(this.#rules, config.severity, context, this.#ids, times);
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount === 0) return;
    let count = 0;
    for (const rule of this.#rules) count += rule.find(batch);
    if (count > 0) collector.emit(this.#writer.write(batch, count));
  }

  advance(watermark: bigint): bigint {
    this.#ids.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    return this.#ids.snapshot();
  }

  dispose(): void {}
}
