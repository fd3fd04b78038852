/**
 * The part of a pipeline that leads to a step: its sources and the steps before it, then its
 * features, then a sink that hands the rows to whoever wants to learn from them.
 */

import { catalog } from '../catalog.ts';
import type { ColumnBatch } from '../engine/contract/batch.ts';
import type { ExpressionValue } from '../engine/contract/fields.ts';
import { columnIndex, type Schema } from '../engine/contract/schema.ts';
import type { OperatorPlan, PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import { collectingPipeline } from './collecting-pipeline.ts';

/** Unlike any column that people would make. */
const FEATURE_COLUMN = '__feature_';

export interface TrainingColumns {
  /** A column a feature. */
  readonly features: readonly Float64Array[];
  readonly times: BigInt64Array;
  readonly keys: { readonly codes: Uint32Array; readonly texts: readonly string[] };
}

/** Hands on the features of the rows that arrive at the step, as they come. */
export function trainingPipeline(
  plan: PipelinePlan,
  step: OperatorPlan,
  features: Readonly<Record<string, ExpressionValue>>,
  options: {
    readonly slots: number | undefined;
    readonly signal: AbortSignal;
    readonly onRows: (columns: TrainingColumns) => void;
  },
): ReturnType<typeof collectingPipeline> {
  const names = Object.keys(features).map((_, index) => `${FEATURE_COLUMN}${index}`);
  const expressions = Object.values(features).map((value, i) => [names[i]!, value]);
  const config = { columns: Object.fromEntries(expressions) as Record<string, ExpressionValue> };
  const derive = catalog.operators.find(({ name }) => name === 'derive')!;
  const { name, inputSchema, inputs } = step;
  const outputs = derive.plan(config, inputSchema, () => undefined);
  const learning: OperatorPlan = { name, type: 'derive', config, inputs, inputSchema, outputs };
  const { sources, operators } = leadingTo(plan, step);
  const shortened = { ...plan, sources, operators: [...operators, learning] };
  const schema = outputs.main;
  return collectingPipeline(shortened, [{ name, input: { step: name, output: 'main' }, schema }], {
    ...options,
    onRows: (_, batch) => options.onRows(columnsOf(batch, schema, names)),
  });
}

function leadingTo(
  { sources, operators }: PipelinePlan,
  step: OperatorPlan,
): Pick<PipelinePlan, 'sources' | 'operators'> {
  const names = new Set(step.inputs.map((input) => input.step));
  // A set goes on to what is added to it meanwhile.
  for (const name of names) {
    const { inputs = [] } = operators.find((each) => each.name === name) ?? {};
    for (const input of inputs) names.add(input.step);
  }
  return {
    sources: sources.filter(({ name }) => names.has(name)),
    operators: operators.filter(({ name }) => names.has(name)),
  };
}

function columnsOf(batch: ColumnBatch, schema: Schema, names: readonly string[]): TrainingColumns {
  const column = (name: string) => batch.columns[columnIndex(schema, name)]!;
  const times = column(schema.time);
  const keys = column(schema.key);
  if (times.type !== 'timestamp' || keys.type !== 'string') throw new TypeError('no time or key');
  return {
    features: names.map((name) => numbersOf(column(name))),
    times: times.values,
    keys: { codes: keys.codes, texts: keys.dictionary },
  };
}

/** Whole numbers as floating ones, nulls as NaN. */
function numbersOf(column: ColumnBatch['columns'][number]): Float64Array {
  if (column.type === 'float64') return column.values;
  if (column.type !== 'int64') throw new TypeError(`a feature of type ${column.type}`);
  return Float64Array.from(column.values, (value) =>
    value === -(2n ** 63n) ? Number.NaN : Number(value),
  );
}
