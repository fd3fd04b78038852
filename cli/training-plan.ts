/**
 * The part of a pipeline that leads to a step: its sources and the steps before it, then its
 * features, then a sink that hands the rows to whoever wants to learn from them.
 */

import { availableParallelism } from 'node:os';
import { catalog } from '../catalog.ts';
import type { ColumnBatch } from '../engine/contract/batch.ts';
import { type Catalog, defineSink } from '../engine/contract/connector.ts';
import type { ExpressionValue } from '../engine/contract/fields.ts';
import { columnIndex, type Schema } from '../engine/contract/schema.ts';
import { systemClock } from '../engine/contract/time.ts';
import type { OperatorPlan, PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import { Pipeline } from '../engine/runtime/pipeline.ts';
import { threadWorkers } from '../engine/runtime/thread-workers.ts';
import type { SinkPort, Workers } from '../engine/runtime/workers.ts';

/** Unlike any column that people would make. */
const FEATURE_COLUMN = '__feature_';
const SINK = 'training';

export interface TrainingColumns {
  /** A column a feature. */
  readonly features: readonly Float64Array[];
  readonly times: BigInt64Array;
  readonly keys: { readonly codes: Uint32Array; readonly texts: readonly string[] };
}

const trainingSink = defineSink({
  name: SINK,
  since: '0.1.0',
  stability: 'stable',
  summary: 'Hands the rows on within the process.',
  guarantees: { order: 'As they come.', delivery: 'Once.', backPressure: 'None.' },
  fields: {},
  constraints: [],
  examples: [],
  plan: () => undefined,
  takesBack: true,
  open: () => {
    throw new Error('this sink stays on the thread of the pipeline');
  },
  commit: async () => undefined,
  discard: async () => undefined,
  dataset: () => undefined,
});

/** @param rowsOf Told the rows that arrive at the step, as they come. */
export function trainingPipeline(
  plan: PipelinePlan,
  step: OperatorPlan,
  features: Readonly<Record<string, ExpressionValue>>,
  options: {
    readonly slots: number | undefined;
    readonly signal: AbortSignal;
    readonly onRows: (columns: TrainingColumns) => void;
  },
): { readonly pipeline: Pipeline; readonly close: () => Promise<void> } {
  const names = Object.keys(features).map((_, index) => `${FEATURE_COLUMN}${index}`);
  const expressions = Object.values(features).map((value, i) => [names[i]!, value]);
  const config = { columns: Object.fromEntries(expressions) as Record<string, ExpressionValue> };
  const derive = catalog.operators.find(({ name }) => name === 'derive')!;
  const { inputSchema, inputs } = step;
  const outputs = derive.plan(config, inputSchema, () => undefined);
  const learning: OperatorPlan = {
    name: step.name,
    type: 'derive',
    config,
    inputs,
    inputSchema,
    outputs,
  };
  const { sources, operators } = leadingTo(plan, step);
  const shortened: PipelinePlan = {
    ...plan,
    sources,
    operators: [...operators, learning],
    sinks: [
      {
        name: SINK,
        type: SINK,
        config: {},
        inputs: [{ step: step.name, output: 'main' }],
        schema: outputs.main,
      },
    ],
    quality: [],
    checkpoint: undefined,
  };
  const cores = availableParallelism();
  const workers = workersWith({
    write: async (_sink, batch) => options.onRows(columnsOf(batch, outputs.main, names)),
    prepareCommit: async () => [{ committables: [] }],
    close: async () => undefined,
  });
  const own: Catalog = { ...catalog, sinks: [trainingSink] };
  const pipeline = new Pipeline(shortened, own, workers, {
    slots: Math.min(options.slots ?? cores, plan.partitions),
    lanes: Math.max(1, Math.floor(cores / 2)),
    clock: systemClock,
    signal: options.signal,
  });
  return { pipeline, close: () => workers.close() };
}

/** Threads for reading and computing; what comes out stays here. */
function workersWith(sinks: SinkPort): Workers {
  const threads = threadWorkers({
    reader: new URL('../threads/reader.js', import.meta.url),
    slot: new URL('../threads/slot.js', import.meta.url),
    sink: new URL('../threads/sink.js', import.meta.url),
  });
  return { ...threads, openSinks: async () => sinks };
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
