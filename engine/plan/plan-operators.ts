/** Steps: inputs, order, rings, and the schemas that each makes of its input's. */

import type { OperatorDefinition, Outputs } from '../contract/operator.ts';
import type { Problem, Report } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import { checkEntry, doubtsOf, guarded } from './plan-step.ts';
import type { Planning, StepNode } from './planning.ts';
import { referenceText, REJECTED_OUTPUT } from './references.ts';
import { keysWithin } from './repair-fields.ts';
import { orderSteps } from './step-order.ts';

const RESERVED = ['type', 'input'];

/** Plans every step whose input is sound, inputs first. */
export function planOperators(planning: Planning): void {
  for (const entry of planning.entries('operators', planning.catalog.operators)) {
    const checked = checkEntry(planning, entry, RESERVED);
    const input = planning.resolveInput(entry, 'step');
    planning.steps.set(entry.name, { entry, checked, input });
  }
  const inputs = new Map([...planning.steps].map(([name, { input }]) => [name, input?.step]));
  const { order, rings } = orderSteps(inputs);
  for (const ring of rings) {
    const isGuessed = ring.some((name) => planning.steps.get(name)?.input?.isGuessed === true);
    if (!isGuessed) reportRing(planning, ring);
  }
  planning.ordered = order.map((name) => planning.steps.get(name)!);
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
  const { entry, checked, input } = step;
  if (input === undefined) return;
  const inputPath = [...entry.path, 'input'];
  if (planning.isSource(input.step) && input.output === REJECTED_OUTPUT) {
    planning.report({
      path: inputPath,
      code: 'config/unknown-input',
      message: `a step cannot read ${referenceText(input)}: rejected rows have no key and no time`,
      help: 'let a sink read it',
    });
    return;
  }
  const known = planning.schemaOf(input, inputPath, 'value');
  const { definition } = entry;
  if (known === undefined || checked === undefined || definition === undefined) return;
  const { schema: inputSchema, doubts: names } = known;
  const doubts = doubtsOf(checked, names);
  const {
    result: outputs,
    isSound,
    hasErrors,
  } = guarded(planning, entry, doubts, (report) =>
    planOutputs(definition, step, inputSchema, report),
  );
  if (outputs === undefined) return;
  step.outputs = outputs;
  if (isSound) {
    const { config } = checked;
    const { name } = entry;
    step.plan = { name, type: definition.name, config, input, inputSchema, outputs };
  } else {
    step.doubts = keysWithin(hasErrors ? entry.values : undefined, new Set(names));
  }
}

function planOutputs(
  definition: OperatorDefinition,
  { entry, checked, input }: StepNode,
  inputSchema: Schema,
  report: Report,
): Outputs {
  let isRevisionReported = false;
  const outputs = definition.plan(checked!.config, inputSchema, (problem) => {
    isRevisionReported ||= problem.code === 'config/revised-input';
    report(problem);
  });
  if (!isRevisionReported && countsTwice(definition, inputSchema, outputs)) {
    report(revisedInput(entry.name, referenceText(input!)));
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
