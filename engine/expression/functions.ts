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
  readonly doc: string;
}

type Shape = Omit<FunctionSpec, 'usage' | 'doc'>;

const ONE_NUMBER: Shape = { kind: 'number', argumentsMin: 1, argumentsMax: 1 };
const CHOICE: Shape = {
  kind: 'choice',
  argumentsMin: 1,
  argumentsMax: Number.POSITIVE_INFINITY,
};

/** By name, in lower case. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map([
  ['abs', { ...ONE_NUMBER, usage: 'abs(x)', doc: 'x without its sign.' }],
  ['ceil', { ...ONE_NUMBER, usage: 'ceil(x)', doc: 'Next whole number above.' }],
  ['coalesce', { ...CHOICE, usage: 'coalesce(a, b, …)', doc: 'The first that is not null.' }],
  ['exp', { ...ONE_NUMBER, usage: 'exp(x)', doc: 'e to the power x.' }],
  ['floor', { ...ONE_NUMBER, usage: 'floor(x)', doc: 'Next whole number below.' }],
  ['greatest', { ...CHOICE, usage: 'greatest(a, b, …)', doc: 'The largest that is not null.' }],
  ['least', { ...CHOICE, usage: 'least(a, b, …)', doc: 'The smallest that is not null.' }],
  ['ln', { ...ONE_NUMBER, usage: 'ln(x)', doc: 'Natural logarithm; null at 0 and below.' }],
  ['log', { ...ONE_NUMBER, usage: 'log(x)', doc: 'The same as ln(x).' }],
  ['log10', { ...ONE_NUMBER, usage: 'log10(x)', doc: 'Logarithm to base 10.' }],
  [
    'pow',
    {
      ...ONE_NUMBER,
      argumentsMin: 2,
      argumentsMax: 2,
      usage: 'pow(x, y)',
      doc: 'x to the power y.',
    },
  ],
  [
    'round',
    {
      ...ONE_NUMBER,
      argumentsMax: 2,
      usage: 'round(x, digits)',
      doc: 'x rounded to whole numbers or to some digits, halves away from 0.',
    },
  ],
  ['sign', { ...ONE_NUMBER, usage: 'sign(x)', doc: '-1, 0 or 1.' }],
  ['sqrt', { ...ONE_NUMBER, usage: 'sqrt(x)', doc: 'Square root; null below 0.' }],
]);

/** Digits that `round` takes, as a literal. */
export const ROUND_DIGITS_MAX = 15;
