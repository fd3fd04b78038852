/** Steps: inputs, order, rings, and the schemas that each makes of its input's. */

import type { OperatorDefinition, Outputs } from '../contract/operator.ts';
import type { Path, Problem, Report } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import { commonSchema } from './common-schema.ts';
import { type KnownSchema, opened } from './doubts.ts';
import { checkEntry, guarded } from './plan-step.ts';
import type { Planning, ResolvedInput, StepNode } from './planning.ts';
import { referenceText, REJECTED_OUTPUT } from './references.ts';
import { orderSteps } from './step-order.ts';

const RESERVED = ['type', 'input'];

/** Plans every step, inputs first; what reads a step of a ring cannot know all of its columns. */
export function planOperators(planning: Planning): void {
  for (const entry of planning.entries('operators', planning.catalog.operators)) {
    const checked = checkEntry(planning, entry, RESERVED);
    const inputs = planning.resolveInputs(entry, 'step', entry.definition?.inputs === 'several');
    planning.steps.set(entry.name, { entry, checked, inputs });
  }
  const inputs = new Map(
    [...planning.steps].map(([name, step]) => [
      name,
      step.inputs.flatMap((input) => input?.step ?? []),
    ]),
  );
  const { order, rings } = orderSteps(inputs);
  for (const ring of rings) {
    const isGuessed = ring.some((name) =>
      planning.steps.get(name)?.inputs.some((input) => input?.isGuessed === true),
    );
    if (!isGuessed) reportRing(planning, ring);
  }
  planning.ordered = [...rings.flat(), ...order].map((name) => planning.steps.get(name)!);
  for (const step of planning.ordered) planStep(planning, step);
}

function reportRing(planning: Planning, ring: readonly string[]): void {
  const [first] = ring;
  planning.report({
    path: [...planning.steps.get(first!)!.entry.path, 'input'],
    code: 'config/cycle',
    message:
      ring.length === 1
        ? `${first} reads its own output`
        : `steps feed each other in a ring: ${[...ring, first].join(' -> ')}`,
    help: 'let one of them read a source or a step outside of the ring',
  });
}

function planStep(planning: Planning, step: StepNode): void {
  const { entry, checked, inputs } = step;
  const known = commonSchema(planning, inputs, [...entry.path, 'input'], {
    schemaOf: (input, path) => schemaOf(planning, input, path),
    help: 'let it read steps of the same columns only',
  });
  const { definition } = entry;
  if (checked === undefined || definition === undefined) return;
  const { schema: inputSchema } = known;
  const { result, isSound, doubts } = guarded(planning, entry, checked, known, (report) =>
    planOutputs(definition, step, inputSchema, report),
  );
  if (result === undefined) return;
  const outputs = doubts.isOpaque ? openedOutputs(result) : result;
  step.outputs = outputs;
  const found = inputs.filter((input) => input !== undefined);
  if (isSound && found.length === inputs.length) {
    const { config } = checked;
    const { name } = entry;
    step.plan = { name, type: definition.name, config, inputs: found, inputSchema, outputs };
  } else {
    step.doubts = doubts.settled();
  }
}

function schemaOf(planning: Planning, input: ResolvedInput | undefined, path: Path): KnownSchema {
  if (input !== undefined && planning.isSource(input.step) && input.output === REJECTED_OUTPUT) {
    planning.report({
      path,
      code: 'config/unknown-input',
      message: `a step cannot read ${referenceText(input)}: rejected rows have no key and no time`,
      help: 'let a sink read it',
    });
  }
  return planning.schemaOf(input, path, 'value');
}

function openedOutputs(outputs: Outputs): Outputs {
  const entries = Object.entries(outputs).map(([name, schema]) => [name, opened(schema)]);
  return Object.fromEntries(entries) as Outputs;
}

function planOutputs(
  definition: OperatorDefinition,
  { entry, checked, inputs }: StepNode,
  inputSchema: Schema,
  report: Report,
): Outputs {
  let isRevisionReported = false;
  const outputs = definition.plan(checked!.config, inputSchema, (problem) => {
    isRevisionReported ||= problem.code === 'config/revised-input';
    report(problem);
  });
  if (!isRevisionReported && countsTwice(definition, inputSchema, outputs)) {
    report(revisedInput(entry.name, inputs.map((input) => referenceText(input!)).join(', ')));
  }
  return outputs;
}

/** A step with state that says nothing of revised rows, neither in a problem nor in its output. */
function countsTwice({ state }: OperatorDefinition, input: Schema, { main }: Outputs): boolean {
  return state.scope === 'keyed' && input.revises === true && main.revises !== true;
}

function revisedInput(step: string, input: string): Problem {
  return {
    path: ['input'],
    code: 'config/revised-input',
    message: `${step} would count windows of ${input} twice, because ${input} states them again`,
    help: 'set emit: final on the window',
  };
}
