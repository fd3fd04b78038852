/** What a pipeline has written, as views of DuckDB: one a sink that leaves files, by its name. */

import { catalog } from '../catalog.ts';
import { escapeGlob } from '../connectors/staging/part-files.ts';
import type { SinkDataset } from '../engine/contract/connector.ts';
import { EngineError } from '../engine/contract/error.ts';
import { type PipelinePlan, REJECTED_SCHEMA, type SinkPlan } from '../engine/plan/pipeline-plan.ts';
import { deadLetterPath, takesRejected } from '../index.ts';
import type { Datasets } from '../quality/datasets.ts';
import type { DatasetSpec } from '../quality/relation.ts';
import { note } from './command.ts';

/**
 * Loads DuckDB, which takes a tenth of a second. Close the datasets when done.
 * @throws {EngineError} quality/query-failed
 */
export async function openDatasets(plan: PipelinePlan): Promise<Datasets> {
  try {
    const { Datasets: datasets } = await import('../quality/datasets.ts');
    return await datasets.open(datasetSpecs(plan));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('quality/query-failed', `cannot start DuckDB: ${reason}`, { cause });
  }
}

/** Where the rows of a sink can be queried, or undefined where they cannot. */
export function sinkDataset(
  plan: PipelinePlan,
  { name, type, config, schema }: SinkPlan,
): SinkDataset | undefined {
  const definition = catalog.sinks.find((candidate) => candidate.name === type)!;
  return definition.dataset(config, { sink: name, pipeline: plan.name, schema });
}

/** The rejected rows of a source `trades` that no sink takes are the view `trades_rejected`. */
export function datasetSpecs(plan: PipelinePlan): readonly DatasetSpec[] {
  const sinks = plan.sinks.flatMap((sink): DatasetSpec[] => {
    const { name, schema } = sink;
    const dataset = sinkDataset(plan, sink);
    if (dataset === undefined) return [];
    return [{ name, ...dataset, ...(schema.time === '' ? {} : { time: schema.time }) }];
  });
  const names = new Set(sinks.map(({ name }) => name));
  const rejected = plan.sources.flatMap((source): DatasetSpec[] => {
    const name = `${source.name}_rejected`;
    const isTaken = plan.sinks.some((sink) => takesRejected(sink, source.name));
    if (isTaken || names.has(name)) return [];
    const glob = escapeGlob(deadLetterPath(plan, source.name));
    return [{ name, format: 'ndjson', glob, columns: REJECTED_SCHEMA.columns }];
  });
  return [...sinks, ...rejected];
}

/** Says so where there is nothing to look at: checks over no rows pass, which may surprise. */
export function noteUnwritten(datasets: Datasets, file: string): void {
  if (datasets.areWritten || datasets.specs.length === 0) return;
  note(
    `warning: nothing is written yet where ${file} writes to`,
    '  help: run it first, with the same -s and -e options, in the same folder;',
    '        rows of a run with checkpoints may wait a while (roll.age) until they are written',
  );
}
