/**
 * The arguments of a call: expressions first, then constants, by their places or as
 * `name => value`.
 */

import { parseExtent } from '../../engine/contract/fields.ts';
import { parseDuration } from '../../engine/contract/time.ts';
import { didYouMean } from '../../engine/contract/problem.ts';
import type { Expression, Literal } from '../../engine/expression/expression.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';
import type { SplitCall } from '../../engine/expression/split-calls.ts';
import {
  type Parameter,
  type ParameterValue,
  type ParameterValues,
  type RollingFunction,
  WINDOW_PARAMETERS,
} from './rolling-function.ts';

export interface CallArguments {
  readonly inputs: readonly Expression[];
  /** Of every parameter of the function; those of the window only where they were given. */
  readonly values: ParameterValues;
}

/** Tells what is wrong, at a place of the text. */
export type Complain = (offset: number, message: string, help?: string) => void;

/**
 * The arguments of a call with as many as the function takes, or undefined after all that is wrong
 * with them has been told.
 */
export function readArguments(
  call: SplitCall,
  spec: RollingFunction,
  complain: Complain,
): CallArguments | undefined {
  const parameters: Readonly<Record<string, Parameter>> = {
    ...spec.parameters,
    ...(spec.window === 'step' && WINDOW_PARAMETERS),
  };
  const placed = Object.keys(spec.parameters ?? {});
  const inputs = call.arguments.slice(0, spec.inputs.length);
  const given = new Map<string, Expression>();
  for (const [i, node] of call.arguments.slice(spec.inputs.length).entries()) {
    given.set(placed[i]!, node);
  }
  let isSound = true;
  const refuse: Complain = (...problem) => {
    isSound = false;
    complain(...problem);
  };
  for (const { name, value, offset } of call.named) {
    if (!Object.hasOwn(parameters, name)) {
      const help = didYouMean(name, Object.keys(parameters));
      refuse(offset, `expected ${spec.usage}, got ${name} =>`, help);
    } else if (given.has(name)) {
      refuse(offset, `${name} is given twice`);
    } else {
      given.set(name, value);
    }
  }
  const values: Record<string, ParameterValue | undefined> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const node = given.get(name);
    const problem = node === undefined ? undefined : parameterProblem(name, parameter, node);
    if (node !== undefined && problem !== undefined) refuse(node.offset, problem);
    else if (node !== undefined) values[name] = (node as { value: ParameterValue }).value;
    else if (parameter.default !== undefined) values[name] = parameter.default;
    else if (parameter.isOptional !== true) {
      refuse(call.offset, `expected ${spec.usage}, got no ${name}`);
    }
  }
  if (!isSound) return undefined;
  const problem = spec.check?.(values);
  if (problem !== undefined) refuse(call.offset, problem);
  return isSound ? { inputs, values } : undefined;
}

function parameterProblem(
  name: string,
  parameter: Parameter,
  node: Expression,
): string | undefined {
  const expected = expectation(name, parameter);
  return isWithin(name, parameter, node)
    ? undefined
    : `expected ${expected}, got ${formatExpression(node)}`;
}

function isWithin(name: string, parameter: Parameter, node: Expression): boolean {
  const { kind, least = -Infinity, most = Infinity, isAbove = false, choices } = parameter;
  const { kind: found, value } = node as Literal & { value?: unknown };
  if (kind === 'flag') return found === 'boolean';
  if (kind === 'text') {
    if (found !== 'string') return false;
    if (name === 'over') return parseExtent(String(value)) !== undefined;
    if (parameter.isDuration === true) return parseDuration(String(value)) !== undefined;
    return choices === undefined || choices.includes(String(value));
  }
  if (found !== 'number') return false;
  const number = Number(value);
  if (kind === 'integer' && !Number.isInteger(number)) return false;
  return number <= most && (isAbove ? number > least : number >= least);
}

function expectation(name: string, parameter: Parameter): string {
  const { kind, least, most, isAbove = false, choices } = parameter;
  if (kind === 'flag') return `${name} => true or false`;
  if (kind === 'text') {
    if (name === 'over') return "over => '20 rows' or a duration such as '1h'";
    if (parameter.isDuration === true) return `${name} => a duration such as '1d' or '13h30m'`;
    const listed = choices?.map((choice) => `'${choice}'`).join(' or ');
    return listed === undefined ? `${name} => 'text'` : `${name} => ${listed}`;
  }
  const what = `a ${kind === 'integer' ? 'whole ' : ''}number`;
  if (least !== undefined && most !== undefined) return `${what} from ${least} to ${most}`;
  if (least === undefined) return what;
  return `${what} ${isAbove ? 'above' : 'of at least'} ${least}`;
}
