/** Sinks: inputs, options, and whether they can write the rows they will get. */

import type { SinkDefinition } from '../contract/connector.ts';
import type { Schema } from '../contract/schema.ts';
import type { InputReference, SinkPlan, StepConfig } from './pipeline-plan.ts';
import { REJECTED_SCHEMA } from './pipeline-plan.ts';
import { checkEntry, guarded } from './plan-step.ts';
import type { Planning } from './planning.ts';
import { REJECTED_OUTPUT } from './references.ts';

export interface SinkNode {
  readonly name: string;
  readonly definition: SinkDefinition | undefined;
  readonly config: StepConfig | undefined;
  readonly plan?: SinkPlan;
}

export function planSinks(planning: Planning): readonly SinkNode[] {
  return planning.entries('sinks', planning.catalog.sinks).map((entry) => {
    const { name, definition } = entry;
    const config = checkEntry(planning, entry, ['type', 'input']);
    const input = planning.resolveInput(entry, 'sink');
    const node: SinkNode = { name, definition, config };
    const schema = input && schemaOf(planning, input, [...entry.path, 'input']);
    if (definition === undefined || config === undefined || schema === undefined) return node;
    const isSound = guarded(planning, entry, (report) => {
      definition.plan(config, schema, report);
      return true;
    });
    if (isSound !== true) return node;
    return { ...node, plan: { name, type: definition.name, config, input: input!, schema } };
  });
}

function schemaOf(
  planning: Planning,
  input: InputReference,
  path: readonly (string | number)[],
): Schema | undefined {
  if (planning.isSource(input.step) && input.output === REJECTED_OUTPUT) return REJECTED_SCHEMA;
  return planning.schemaOf(input, path, 'value');
}
