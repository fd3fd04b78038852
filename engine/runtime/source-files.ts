/** Keeps a run from writing over the files that it reads. */

import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Catalog, SourceSplit } from '../contract/connector.ts';
import { EngineError } from '../contract/error.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { sinkContext, sinkDefinition } from './sink-host.ts';

export interface FoundSplit {
  /** Which source of the plan. */
  readonly index: number;
  readonly split: SourceSplit;
}

/** @throws {EngineError} sink/is-source */
export async function refuseSourcesAsSinks(
  plan: PipelinePlan,
  catalog: Catalog,
  found: readonly FoundSplit[],
): Promise<void> {
  const readers = new Map<string, string>();
  for (const { index, split } of found) {
    for (const file of split.files ?? []) {
      readers.set(await trueName(file), plan.sources[index]!.name);
    }
  }
  for (const [index, { name, config }] of plan.sinks.entries()) {
    const dataset = sinkDefinition(plan, index, catalog).dataset(config, sinkContext(plan, index));
    if (dataset?.file === undefined) continue;
    const source = readers.get(await trueName(dataset.file));
    if (source === undefined) continue;
    throw new EngineError(
      'sink/is-source',
      `sink "${name}": cannot write ${dataset.file}: source "${source}" reads it, expected ` +
        'another file',
    );
  }
}

/** The path without links and detours; as it stands where there is no such file. */
async function trueName(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return resolve(path);
  }
}
