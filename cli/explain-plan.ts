/** A plan in words: as data for `--json`, and as a tree that follows the rows. */

import { isDeepStrictEqual } from 'node:util';
import { catalog } from '../catalog.ts';
import type { SinkDataset } from '../engine/contract/connector.ts';
import type { Fields } from '../engine/contract/fields.ts';
import type { Schema } from '../engine/contract/schema.ts';
import { flowText } from '../engine/plan/check-fields.ts';
import { isMapping, redactConfig } from '../engine/plan/field-schema.ts';
import type {
  PipelinePlan,
  QualityCheckPlan,
  SinkPlan,
  StepConfig,
} from '../engine/plan/pipeline-plan.ts';
import { parseReference, referenceText } from '../engine/plan/references.ts';
import { partitionsOfSlot } from '../engine/runtime/router.ts';
import { deadLetterPath, takesRejected } from '../index.ts';
import { sinkDataset } from './datasets.ts';
import {
  type ExplainedSize,
  explainSize,
  sizeText,
  type TotalSize,
  totalSize,
  totalText,
} from './explain-state.ts';
import { paletteFor, terminalWidth } from './terminal/palette.ts';
import { grid, type GridColumn } from './terminal/grid.ts';
import { plural } from './terminal/numbers.ts';
import { wrap } from './terminal/text.ts';

interface Option {
  readonly name: string;
  readonly value: unknown;
  readonly isDefault: boolean;
}

interface ExplainedStep {
  readonly name: string;
  readonly type: string;
  readonly input?: string;
  /** Of a step or sink: the columns it reads. */
  readonly inputSchema?: Schema;
  readonly options: readonly Option[];
  /** Output name to its columns. A sink has none. */
  readonly outputs: Readonly<Record<string, Schema>>;
  /** What the state of one partition holds, by table. */
  readonly state?: Readonly<Record<string, string>>;
  /** How large it gets, of an operator with state. */
  readonly stateSize?: ExplainedSize;
  readonly dataset?: SinkDataset;
  readonly guarantees: Readonly<Record<string, string>>;
}

export interface ExplainedPlan {
  readonly name: string;
  readonly key: string;
  readonly partitions: number;
  /** Partitions of each slot. */
  readonly slots: readonly (readonly number[])[];
  readonly sources: readonly ExplainedStep[];
  readonly operators: readonly ExplainedStep[];
  readonly sinks: readonly ExplainedStep[];
  /** Of all operators, by key. */
  readonly stateSize: TotalSize;
  /** Files for the rejected rows of sources that no sink reads them of. */
  readonly deadLetters: Readonly<Record<string, string>>;
  readonly quality: readonly QualityCheckPlan[];
}

/** @param slots Worker threads; at most as many as partitions are used. */
export function explainPlan(plan: PipelinePlan, slots: number): ExplainedPlan {
  const used = Math.min(slots, plan.partitions);
  const hasRejectedSink = (source: string): boolean =>
    plan.sinks.some((sink) => takesRejected(sink, source));
  const operators = explainOperators(plan);
  return {
    name: plan.name,
    key: plan.key,
    partitions: plan.partitions,
    slots: Array.from({ length: used }, (_, slot) => {
      return partitionsOfSlot(slot, used, plan.partitions);
    }),
    sources: plan.sources.map((source) => {
      const { fields, guarantees } = catalog.sources.find(({ name }) => name === source.type)!;
      const { maxOutOfOrdernessNs, idleTimeoutMs } = source.watermark;
      const common = [
        option('watermark.max_out_of_orderness', durationText(maxOutOfOrdernessNs), '0s'),
        option('watermark.idle_timeout', durationText(BigInt(idleTimeoutMs) * 1_000_000n), '30s'),
        option('batch_rows', source.batchRows, 65_536),
      ];
      const { name, type, schema } = source;
      const options = [...optionsOf(fields, source.config), ...common];
      return { name, type, options, outputs: { main: schema }, guarantees };
    }),
    operators,
    sinks: plan.sinks.map((sink) => explainSink(plan, sink)),
    stateSize: totalSize(operators),
    deadLetters: Object.fromEntries(
      plan.sources
        .filter(({ name }) => !hasRejectedSink(name))
        .map(({ name }) => [name, deadLetterPath(plan, name)]),
    ),
    quality: plan.quality,
  };
}

function explainOperators(plan: PipelinePlan): readonly ExplainedStep[] {
  return plan.operators.map(({ name, type, config, inputs, inputSchema, outputs }) => {
    const definition = catalog.operators.find((candidate) => candidate.name === type)!;
    const { fields, guarantees, state } = definition;
    const options = optionsOf(fields, config);
    const stateSize = explainSize(definition, config, inputSchema);
    return {
      ...{ name, type, input: inputs.map(referenceText).join(', ') },
      ...{ inputSchema, options, outputs, guarantees },
      state: state.tables,
      ...(stateSize === undefined ? {} : { stateSize }),
    };
  });
}

function explainSink(plan: PipelinePlan, sink: SinkPlan): ExplainedStep {
  const { name, type, config, inputs, schema } = sink;
  const definition = catalog.sinks.find((candidate) => candidate.name === type)!;
  const dataset = sinkDataset(plan, sink);
  return {
    ...{
      name,
      type,
      input: inputs.map(referenceText).join(', '),
      inputSchema: schema,
      outputs: {},
    },
    options: optionsOf(definition.fields, config),
    guarantees: definition.guarantees,
    ...(dataset === undefined ? {} : { dataset }),
  };
}

function option(name: string, value: unknown, fallback: unknown): Option {
  return { name, value, isDefault: isDeepStrictEqual(value, fallback) };
}

function optionsOf(fields: Fields, config: StepConfig): readonly Option[] {
  const shown = redactConfig(fields, config);
  return Object.entries(fields).flatMap(([name, field]) => {
    const value = shown[name];
    if (value === undefined) return [];
    const fallback = field.safeParse(undefined);
    return [option(name, value, fallback.success ? fallback.data : undefined)];
  });
}

const UNITS = [
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1_000n],
  ['ns', 1n],
] as const;

/** The duration in as few units as it needs: `1h30m`, `0s`. */
export function durationText(nanoseconds: bigint): string {
  let rest = nanoseconds;
  let text = '';
  for (const [unit, size] of UNITS) {
    if (rest >= size) text += `${rest / size}${unit}`;
    rest %= size;
  }
  return text === '' ? '0s' : text;
}

/** The tree. A step stands below what it reads; one of several inputs in full once. */
export function renderPlan(plan: ExplainedPlan): readonly string[] {
  const { bold, dim } = paletteFor(process.stdout);
  const { slots, partitions, key } = plan;
  const each = [...new Set(slots.map((own) => own.length))].sort((a, b) => a - b).join(' or ');
  const lines = [
    `${bold(plan.name)}  ${plural(partitions, 'partition')} by ${key}, ` +
      `${each} on each of ${plural(slots.length, 'slot')}`,
  ];
  if (plan.operators.some(({ state = {} }) => Object.keys(state).length > 0)) {
    lines.push(`state  ${totalText(plan.stateSize, key)}`);
  }
  const shown = new Set<string>();
  for (const source of plan.sources) {
    lines.push('', ...renderStep(plan, source, 'source', '', shown));
  }
  for (const [source, path] of Object.entries(plan.deadLetters)) {
    lines.push('', `rejected rows of ${source} ${dim('->')} ${path}`);
  }
  if (plan.quality.length > 0) lines.push('', bold('quality checks'));
  const checks = plan.quality.map(({ name, dataset, check, severity, warnIf, errorIf }) => [
    `  ${name}`,
    dataset,
    Object.entries(check)
      .map(([kind, value]) => `${kind}: ${flowText(value)}`)
      .join(', '),
    severity === 'error' ? `fails if rows ${errorIf}` : `warns if rows ${warnIf}`,
  ]);
  const columns: GridColumn[] = [{ paint: bold }, {}, { cut: 'end' }, { paint: dim }];
  return [...lines, ...grid(checks, columns, terminalWidth(process.stdout))];
}

type Kind = 'source' | 'operator' | 'sink';

function renderStep(
  plan: ExplainedPlan,
  step: ExplainedStep,
  kind: Kind,
  prefix: string,
  shown: Set<string>,
): readonly string[] {
  const { bold, cyan, dim } = paletteFor(process.stdout);
  if (kind === 'operator' && shown.has(step.name)) {
    return [`${bold(step.name)}  ${cyan(step.type)} ${dim('as above')}`];
  }
  shown.add(step.name);
  const readers: readonly (readonly [ExplainedStep, Kind])[] =
    kind === 'sink'
      ? []
      : [
          ...plan.operators
            .filter((other) => reads(other, step))
            .map((it) => [it, 'operator'] as const),
          ...plan.sinks.filter((other) => reads(other, step)).map((it) => [it, 'sink'] as const),
        ];
  const from = step.input?.includes('.') === true ? dim(` of ${step.input}`) : '';
  const bar = readers.length > 0 ? dim('│ ') : '  ';
  const lines = [
    `${bold(step.name)}  ${kind === 'sink' ? dim('sink ') : ''}${cyan(step.type)}${from}`,
  ];
  const width = terminalWidth(process.stdout) - prefix.length - 6;
  for (const line of detailLines(step, plan.key, width)) {
    lines.push(`${bar}  ${line}`);
  }
  for (const [index, [reader, readerKind]] of readers.entries()) {
    const isLast = index === readers.length - 1;
    const [first, ...rest] = renderStep(plan, reader, readerKind, `${prefix}   `, shown);
    lines.push(`${dim(isLast ? '└─ ' : '├─ ')}${first}`);
    for (const line of rest) lines.push(`${isLast ? '   ' : dim('│  ')}${line}`);
  }
  return lines;
}

function reads({ input }: ExplainedStep, { name }: ExplainedStep): boolean {
  return input?.split(', ').some((each) => parseReference(each).step === name) === true;
}

function detailLines(step: ExplainedStep, key: string, width: number): readonly string[] {
  const { dim } = paletteFor(process.stdout);
  const entries: (readonly [label: string, value: string, isDim: boolean])[] = [];
  for (const { name, value, isDefault } of step.options) {
    const texts = optionLines(value);
    texts.forEach((text, index) => entries.push([index === 0 ? name : '', text, isDefault]));
  }
  for (const [output, schema] of Object.entries(step.outputs)) {
    const label = output === 'main' ? 'output' : `.${output}`;
    entries.push([label, schemaText(schema, step), false]);
  }
  for (const [table, doc] of Object.entries(step.state ?? {})) {
    entries.push(['state', `${table}: ${doc}`, false]);
  }
  if (step.stateSize !== undefined) {
    entries.push([`per ${key}`, sizeText(step.stateSize), false]);
  }
  if (step.dataset !== undefined) {
    entries.push(['dataset', `${step.dataset.glob} (${step.dataset.format})`, false]);
  }
  const labels = Math.max(0, ...entries.map(([label]) => label.length));
  return entries.flatMap(([label, value, isDefault]) => {
    const wrapped = wrap(value, Math.max(20, width - labels - 2));
    const texts = wrapped.map((text) => text.replaceAll(NO_BREAK, ' '));
    return texts.map((text, index) => {
      const line = `${(index === 0 ? label : '').padEnd(labels)}  ${text}`;
      return isDefault ? dim(`${line}${index === texts.length - 1 ? '  (default)' : ''}`) : line;
    });
  });
}

/** A value on one line, or an entry a line where that would be long. */
function optionLines(value: unknown): readonly string[] {
  const flow = flowText(value);
  if (flow.length <= 60) return [flow];
  if (Array.isArray(value)) return value.map((item) => `- ${flowText(item)}`);
  if (!isMapping(value)) return [flow];
  return Object.entries(value).map(([key, item]) => `${key}: ${flowText(item)}`);
}

/** A column stays on one line with its type. */
const NO_BREAK = '\ue000';

/** Columns with their types; where the input is passed on, only what is added to it. */
function schemaText(schema: Schema, { input, inputSchema }: ExplainedStep): string {
  const { columns, time, key, revises } = schema;
  const given = inputSchema?.columns ?? [];
  const isPassedOn = given.length > 0 && isDeepStrictEqual(columns.slice(0, given.length), given);
  const texts = (isPassedOn ? columns.slice(given.length) : columns).map(({ name, type }) => {
    const role = name === time ? ' (time)' : name === key ? ' (key)' : '';
    return `${name} ${type}${role}`.replaceAll(' ', NO_BREAK);
  });
  if (isPassedOn) texts.unshift(`the columns of ${input}`);
  return `${texts.join(', ')}${revises === true ? '; rows may be stated again' : ''}`;
}
