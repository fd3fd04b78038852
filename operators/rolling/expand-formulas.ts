/**
 * Replaces calls of functions that are formulas by what they stand for, down to the first call that
 * a kernel computes:
 *
 *   vwap(price, size * 100)   →   sum(price * (size * 100)) / sum(case … end)
 *
 * What a call says of its window goes to every call of the formula that does not say so itself.
 */

import type {
  CallExpression,
  Expression,
  NamedArgument,
} from '../../engine/expression/expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { mapChildren } from '../../engine/expression/split-calls.ts';
import type { CallArguments } from './call-arguments.ts';
import { type Formula, type RollingFunction, WINDOW_PARAMETERS } from './rolling-function.ts';
import { ROLLING_FUNCTIONS } from './rolling-functions.ts';

/** The expression that a call of this formula stands for, at the place of the call. */
export function expandFormula(
  call: CallExpression,
  spec: RollingFunction & { readonly computes: Formula },
  { inputs, values }: CallArguments,
): Expression {
  const { offset, end } = call;
  const window = (call.named ?? []).filter(({ name }) => Object.hasOwn(WINDOW_PARAMETERS, name));
  const place = (node: Expression): Expression => {
    if (node.kind === 'column') return inputs[spec.inputs.indexOf(node.name)]!;
    const placed = { ...mapChildren(node, place), offset, end };
    return placed.kind === 'call' ? withWindow(placed, window) : placed;
  };
  return place(parseAccepted(spec.computes.text(values, inputs.length)));
}

function withWindow(call: CallExpression, window: readonly NamedArgument[]): CallExpression {
  if (window.length === 0 || ROLLING_FUNCTIONS[call.name]?.window !== 'step') return call;
  const own = call.named ?? [];
  // A length of its own is complete by itself.
  if (own.some(({ name }) => name === 'over')) return call;
  const more = window.filter(({ name }) => !own.some((each) => each.name === name));
  return { ...call, named: [...own, ...more] };
}
