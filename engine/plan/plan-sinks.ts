/** Sinks: inputs, options, and whether they can write the rows they will get. */

import { normalize } from 'node:path/posix';
import type { SinkDataset } from '../contract/connector.ts';
import type { Report } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import { REJECTED_SCHEMA, type SinkPlan } from './pipeline-plan.ts';
import { commonSchema } from './common-schema.ts';
import type { DoubtfulNames, KnownSchema } from './doubts.ts';
import { checkEntry, guarded } from './plan-step.ts';
import type { Planning, ResolvedInput } from './planning.ts';
import { REJECTED_OUTPUT } from './references.ts';

export interface SinkNode {
  readonly name: string;
  readonly type?: string;
  /** Only where the sink, and all before it, are sound. */
  readonly plan?: SinkPlan;
  /** As far as they can be told. */
  readonly schema?: Schema;
  readonly dataset?: SinkDataset | undefined;
  readonly doubts?: DoubtfulNames;
}

export function planSinks(planning: Planning): readonly SinkNode[] {
  /** By the file that they write: the sink named first. */
  const writers = new Map<string, string>();
  return planning.entries('sinks', planning.catalog.sinks).map((entry): SinkNode => {
    const { name, definition } = entry;
    const checked = checkEntry(planning, entry, ['type', 'input']);
    const inputs = planning.resolveInputs(entry, 'sink', true);
    const known = commonSchema(planning, inputs, [...entry.path, 'input'], {
      schemaOf: (input, path) => schemaOf(planning, input, path),
      help: 'give rows of different columns a sink each',
    });
    if (definition === undefined || checked === undefined) return { name };
    const { schema, doubts: names } = known;
    const { config } = checked;
    const { result: dataset, isSound } = guarded(planning, entry, checked, known, (report) => {
      definition.plan(config, schema, report);
      const written = definition.dataset(config, { sink: name, pipeline: planning.name, schema });
      reportSameFile(name, written, writers, report);
      return written;
    });
    const { name: type } = definition;
    const node = { name, type, schema, dataset };
    const found = inputs.filter((input) => input !== undefined);
    if (!isSound || found.length < inputs.length) return { ...node, doubts: names ?? new Set() };
    return { ...node, plan: { name, type, config, inputs: found, schema } };
  });
}

function schemaOf(
  planning: Planning,
  input: ResolvedInput | undefined,
  path: readonly (string | number)[],
): KnownSchema {
  if (input !== undefined && planning.isSource(input.step) && input.output === REJECTED_OUTPUT) {
    return { schema: REJECTED_SCHEMA, doubts: undefined };
  }
  return planning.schemaOf(input, path, 'value');
}

/** Two sinks would each replace what the other has written to their file. */
function reportSameFile(
  sink: string,
  dataset: SinkDataset | undefined,
  writers: Map<string, string>,
  report: Report,
): void {
  if (dataset?.file === undefined) return;
  const file = normalize(dataset.file);
  const other = writers.get(file);
  writers.set(file, other ?? sink);
  if (other === undefined) return;
  report({
    path: ['path'],
    code: 'config/constraint',
    message: `sink ${other} writes to ${dataset.file} as well`,
    help: 'give each sink a file of its own',
  });
}
