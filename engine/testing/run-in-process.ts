/**
 * Runs a planned pipeline on the calling thread over given rows: its sources replaced by scripted
 * ones, its sinks by collectors. Everything between them is the real engine.
 */

import type { ColumnBatch, RejectedRow } from '../contract/batch.ts';
import { type Catalog, defineSink, defineSource } from '../contract/connector.ts';
import { text } from '../contract/fields.ts';
import type { Schema } from '../contract/schema.ts';
import {
  type InputReference,
  type PipelinePlan,
  REJECTED_SCHEMA,
  type SinkPlan,
} from '../plan/pipeline-plan.ts';
import { REJECTED_OUTPUT } from '../plan/references.ts';
import { Pipeline } from '../runtime/pipeline.ts';
import type { RunResult } from '../runtime/run-result.ts';
import { inlineWorkers, type Workers } from '../runtime/workers.ts';
import { toColumnBatch, toRows } from './column-rows.ts';
import type { Row } from './table.ts';

const guarantees = {
  order: 'As scripted.',
  delivery: 'As scripted.',
  backPressure: 'None.',
};
const declaration = {
  since: '0.1.0',
  stability: 'stable',
  guarantees,
  constraints: [],
  examples: [],
} as const;

/** What a source hands out at one poll. */
interface ScriptedBatch extends ColumnBatch {
  readonly rejected: readonly RejectedRow[];
}

/** Hands out the given batches, one a poll. */
function scriptedSource(batches: ReadonlyMap<string, readonly ScriptedBatch[]>) {
  return defineSource({
    ...declaration,
    name: 'scripted',
    summary: 'Hands out given batches.',
    fields: {},
    plan: () => {
      throw new Error('a scripted source is never planned');
    },
    splits: async (_config, { source }) => [{ id: source, lanesMax: 1, details: {} }],
    open: async (_config, { source }) => {
      let next = 0;
      return {
        poll: async () => {
          const batch = batches.get(source)?.[next];
          if (batch === undefined) return 'end';
          return { ...batch, unit: next++, bytesRead: 0 };
        },
        position: () => ({ batch: next }),
        close: async () => undefined,
      };
    },
  });
}

function collectingSink(collected: Map<string, Row[]>) {
  return defineSink({
    ...declaration,
    name: 'collected',
    summary: 'Keeps its rows.',
    fields: { output: text({ doc: 'Where the rows come from.' }) },
    plan: () => undefined,
    takesBack: true,
    open: async (config, { schema }) => ({
      write: async (batch) => {
        collected.get(config.output)!.push(...toRows(schema, batch));
      },
      prepareCommit: async () => ({ committables: [] }),
      close: async () => undefined,
    }),
    commit: async () => undefined,
    discard: async () => undefined,
    dataset: () => undefined,
  });
}

export interface InProcessRun {
  /** Rows of each source, already cut into batches. */
  readonly inputs: Readonly<Record<string, readonly (readonly Row[])[]>>;
  /** Rows that each source rejects, before all others. */
  readonly rejected?: Readonly<Record<string, readonly RejectedRow[]>>;
  /** Outputs to collect: `step`, or `step.output`. Default: what the sinks of the plan read. */
  readonly outputs?: readonly string[];
  readonly slots?: number;
  /** Default: everything on the calling thread. */
  readonly workers?: (catalog: Catalog) => Workers;
}

export async function runInProcess(
  plan: PipelinePlan,
  catalog: Catalog,
  { inputs, rejected = {}, outputs, slots = 1, workers = inlineWorkers }: InProcessRun,
): Promise<{ rows: Record<string, Row[]>; result: RunResult }> {
  const names = outputs ?? [
    ...new Set(plan.sinks.flatMap(({ inputs: read }) => read.map(outputName))),
  ];
  const collected = new Map<string, Row[]>(names.map((name) => [name, []]));
  const batches = new Map(
    plan.sources.map(({ name, schema }) => [
      name,
      scriptedBatches(schema, inputs[name] ?? [], rejected[name] ?? []),
    ]),
  );
  const sources = plan.sources.map((source) => ({ ...source, type: 'scripted', config: {} }));
  const sinks = names.map((name): SinkPlan => {
    const input = reference(name);
    return {
      name,
      type: 'collected',
      config: { output: name },
      inputs: [input],
      schema: schemaOf(plan, input),
    };
  });
  const scripted: Catalog = {
    operators: catalog.operators,
    sources: [scriptedSource(batches)],
    sinks: [collectingSink(collected)],
  };
  const pipeline = new Pipeline({ ...plan, sources, sinks }, scripted, workers(scripted), {
    slots,
    lanes: 1,
    clock: { nowMs: () => 0, sleep: async () => undefined },
  });
  const result = await pipeline.run();
  return { rows: Object.fromEntries(collected), result };
}

function scriptedBatches(
  schema: Schema,
  batches: readonly (readonly Row[])[],
  rejected: readonly RejectedRow[],
): readonly ScriptedBatch[] {
  const given = rejected.length > 0 ? [[], ...batches] : batches;
  return given.map((rows, index) => ({
    ...toColumnBatch(schema, rows),
    rejected: index === 0 ? rejected : [],
  }));
}

function outputName({ step, output }: InputReference): string {
  return output === 'main' ? step : `${step}.${output}`;
}

function reference(name: string): InputReference {
  const [step, output = 'main'] = name.split('.');
  return { step: step!, output };
}

/** @throws {RangeError} Where the plan has no such output. */
function schemaOf(plan: PipelinePlan, { step, output }: InputReference): Schema {
  const isSource = plan.sources.some(({ name }) => name === step);
  if (isSource && output === REJECTED_OUTPUT) return REJECTED_SCHEMA;
  const schema =
    plan.operators.find(({ name }) => name === step)?.outputs[output] ??
    (output === 'main' ? plan.sources.find(({ name }) => name === step)?.schema : undefined);
  if (schema === undefined) throw new RangeError(`no output ${step}.${output}`);
  return schema;
}
