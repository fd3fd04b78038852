/**
 * The functions of the expression language.
 *
 *   'number'   numbers in, float64 out; null where an argument is null or the result is not finite
 *   'choice'   one of the arguments, which all have one type
 */

export interface FunctionSpec {
  readonly kind: 'number' | 'choice';
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  /** How it is called, for messages: `round(x, digits)`. */
  readonly usage: string;
}

function numeric(usage: string, argumentsMin: number, argumentsMax = argumentsMin): FunctionSpec {
  return { kind: 'number', argumentsMin, argumentsMax, usage };
}

function choice(usage: string): FunctionSpec {
  return { kind: 'choice', argumentsMin: 1, argumentsMax: Number.POSITIVE_INFINITY, usage };
}

/** By name, in lower case. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map([
  ['abs', numeric('abs(x)', 1)],
  ['ceil', numeric('ceil(x)', 1)],
  ['coalesce', choice('coalesce(a, b, …)')],
  ['exp', numeric('exp(x)', 1)],
  ['floor', numeric('floor(x)', 1)],
  ['greatest', choice('greatest(a, b, …)')],
  ['least', choice('least(a, b, …)')],
  ['ln', numeric('ln(x)', 1)],
  ['log', numeric('log(x)', 1)],
  ['log10', numeric('log10(x)', 1)],
  ['pow', numeric('pow(x, y)', 2)],
  ['round', numeric('round(x, digits)', 1, 2)],
  ['sign', numeric('sign(x)', 1)],
  ['sqrt', numeric('sqrt(x)', 1)],
]);

/** Digits that `round` takes, as a literal. */
export const ROUND_DIGITS_MAX = 15;
