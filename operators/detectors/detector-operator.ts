/**
 * A detector at work: the stages of its plan, each handing its batch to the next. The stages are
 * the operators `rolling` and that of `threshold`, opened with configurations of the detector's.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import { EngineError } from '../../engine/contract/error.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import type { EventTime } from '../../engine/contract/time.ts';
import { RulesOperator } from '../anomalies/rules-operator.ts';
import type { RollingConfig } from '../rolling/rolling-program.ts';
import { rolling } from '../rolling/rolling.ts';
import { readSections, type Section, writeSections } from '../snapshots/sections.ts';
import type { DetectorStages } from './detector-stages.ts';

/** Limits that no rule of a detector uses: each has its own. */
const NO_LIMITS = { medium: Number.POSITIVE_INFINITY, high: Number.POSITIVE_INFINITY };

interface OpenWindow {
  readonly name: string;
  readonly operator: Operator;
}

export class DetectorOperator implements Operator {
  readonly #windows: readonly OpenWindow[];
  readonly #rules: RulesOperator;

  constructor(stages: DetectorStages, context: OperatorContext, state: StateTables | undefined) {
    const saved = savedWindows(stages, context, state);
    let schema = context.input;
    this.#windows = stages.windows.map(({ name, ...config }) => {
      const input = schema;
      schema = rollingSchema(config, input);
      const own = { ...context, input, outputs: { main: schema } };
      const bytes = saved.get(name);
      return {
        name,
        operator: rolling.open(config, own, bytes === undefined ? undefined : { windows: bytes }),
      };
    });
    const rules = { rules: stages.rules, severity: NO_LIMITS };
    this.#rules = new RulesOperator(rules, { ...context, input: schema }, state);
  }

  process(batch: Batch, collector: Collector): void {
    this.#from(0, batch, collector);
  }

  #from(stage: number, batch: Batch, collector: Collector): void {
    const window = this.#windows[stage];
    if (window === undefined) this.#rules.process(batch, collector);
    else {
      window.operator.process(batch, {
        emit: (scored) => this.#from(stage + 1, scored, collector),
      });
    }
  }

  advance(watermark: EventTime, collector: Collector): EventTime {
    for (const { operator } of this.#windows) operator.advance(watermark, collector);
    return this.#rules.advance(watermark);
  }

  snapshot(): StateTables {
    const sections = this.#windows.map(
      ({ name, operator }): Section => ({ name, bytes: operator.snapshot()['windows']! }),
    );
    return { ...this.#rules.snapshot(), windows: writeSections('windows', sections) };
  }

  dispose(): void {
    for (const { operator } of this.#windows) operator.dispose();
    this.#rules.dispose();
  }
}

/** The schema behind a rolling stage that has been planned without problems. */
function rollingSchema(config: RollingConfig, input: Schema): Schema {
  return rolling.plan({ ...config }, input, ({ message }) => {
    throw new TypeError(`not a window: ${message}`);
  }).main;
}

/** State of each window by its name; a state of other windows is refused. */
function savedWindows(
  { windows }: DetectorStages,
  { step }: OperatorContext,
  state: StateTables | undefined,
): ReadonlyMap<string, Uint8Array> {
  if (state === undefined) return new Map();
  const { sections } = readSections(state['windows']!);
  const names = windows.map(({ name }) => name).sort();
  const found = sections.map(({ name }) => name).sort();
  if (names.join() !== found.join()) {
    throw new EngineError(
      'config/invalid',
      `step "${step}": cannot go on from a state of ${found.join(' and ') || 'no windows'}, ` +
        `got ${names.join(' and ') || 'none'}`,
    );
  }
  return new Map(sections.map(({ name, bytes }) => [name, bytes]));
}
