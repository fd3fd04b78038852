/**
 * Random well-typed expressions and rows for them, for property tests.
 */

import fc from 'fast-check';
import type { Schema } from '../contract/schema.ts';
import { formatTime } from '../contract/time.ts';
import type { Row } from '../testing/table.ts';
import type { Expression, Literal } from './expression.ts';

const SPAN = { offset: 0, end: 0 };

export const EXPRESSION_SCHEMA: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'size', type: 'float64' },
    { name: 'seen', type: 'timestamp' },
    { name: 'trades', type: 'int64' },
    { name: 'end', type: 'int64' },
    { name: 'venue', type: 'string' },
    { name: 'odd "name"', type: 'string' },
    { name: 'is_open', type: 'boolean' },
  ],
  time: 'event_time',
  key: 'symbol',
};

const TEXTS = ['AAPL', 'IBM', 'MSFT', "o'clock", ''];
const TIMES = [0n, 1n, -1n, 1_381_152_600_000_000_000n, 1_381_152_600_000_000_001n, 2n ** 62n];

const floats = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -4, max: 4 }) },
  { weight: 2, arbitrary: fc.constantFrom(-0, 0.5, -0.5, 2.5, 1e-300, 1e300, -1e308) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);
const ints = fc.oneof(
  fc.bigInt({ min: -4n, max: 4n }),
  fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }),
);

/** Rows of the schema, many of them null; a float64 may be infinite. */
export const arbitraryRow: fc.Arbitrary<Row> = fc.record({
  event_time: fc.constantFrom(...TIMES),
  symbol: fc.constantFrom(...TEXTS),
  price: fc.option(fc.oneof(floats, fc.constantFrom(Infinity, -Infinity)), { freq: 4 }),
  size: fc.option(floats, { freq: 4 }),
  seen: fc.option(fc.constantFrom(...TIMES), { freq: 4 }),
  trades: fc.option(ints, { freq: 4 }),
  end: fc.option(ints, { freq: 4 }),
  venue: fc.option(fc.constantFrom(...TEXTS, 'XNAS'), { freq: 4 }),
  'odd "name"': fc.option(fc.constantFrom(...TEXTS, 'XNYS'), { freq: 4 }),
  is_open: fc.option(fc.boolean(), { freq: 4 }),
});

function column(name: string): Expression {
  return { kind: 'column', name, ...SPAN };
}

const nothing: Expression = { kind: 'null', ...SPAN };
const numberLiteral = floats.map((value): Literal => ({ kind: 'number', value, ...SPAN }));
const textLiteral = fc
  .constantFrom(...TEXTS, 'XNAS', 'unheard of')
  .map((value): Literal => ({ kind: 'string', value, ...SPAN }));
const timeLiteral = fc
  .constantFrom(...TIMES)
  .map((time): Literal => ({ kind: 'string', value: formatTime(time), ...SPAN }));

function columns(...names: string[]): fc.Arbitrary<Expression> {
  return fc.constantFrom(...names.map(column));
}

function binary(
  operators: readonly string[],
  left: fc.Arbitrary<Expression>,
  right = left,
): fc.Arbitrary<Expression> {
  return fc
    .tuple(fc.constantFrom(...operators), left, right)
    .map(
      ([operator, l, r]) =>
        ({ kind: 'binary', operator, left: l, right: r, ...SPAN }) as Expression,
    );
}

function call(
  names: readonly string[],
  ...parts: fc.Arbitrary<Expression>[]
): fc.Arbitrary<Expression> {
  return fc
    .tuple(fc.constantFrom(...names), fc.tuple(...parts))
    .map(([name, parameters]) => ({ kind: 'call', name, arguments: parameters, ...SPAN }));
}

function choices(
  names: readonly string[],
  part: fc.Arbitrary<Expression>,
): fc.Arbitrary<Expression> {
  return fc
    .tuple(fc.constantFrom(...names), fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([name, parameters]) => ({ kind: 'call', name, arguments: parameters, ...SPAN }));
}

function caseOf(
  when: fc.Arbitrary<Expression>,
  result: fc.Arbitrary<Expression>,
): fc.Arbitrary<Expression> {
  return fc
    .tuple(
      fc.array(fc.record({ when, result }), { minLength: 1, maxLength: 3 }),
      fc.option(result, { nil: null }),
    )
    .map(([branches, otherwise]) => ({ kind: 'case', branches, otherwise, ...SPAN }));
}

function isIn(
  operand: fc.Arbitrary<Expression>,
  option: fc.Arbitrary<Literal>,
): fc.Arbitrary<Expression> {
  const literal = fc.oneof(
    { weight: 6, arbitrary: option },
    { weight: 1, arbitrary: fc.constant<Literal>({ kind: 'null', ...SPAN }) },
  );
  return fc
    .tuple(operand, fc.array(literal, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([inner, options, negated]) => ({
      kind: 'in',
      operand: inner,
      options,
      negated,
      ...SPAN,
    }));
}

function isBetween(
  operand: fc.Arbitrary<Expression>,
  bound: fc.Arbitrary<Expression>,
): fc.Arbitrary<Expression> {
  return fc.tuple(operand, bound, bound, fc.boolean()).map(
    ([inner, low, high, negated]) =>
      ({
        ...{ kind: 'between', operand: inner, low, high, negated, ...SPAN },
      }) as Expression,
  );
}

/** One arbitrary a type. */
type Typed = Record<'number' | 'text' | 'time' | 'condition', Expression>;

/** Parts that recur: each stands for an expression of its type, at the next depth. */
type Parts = { readonly [T in keyof Typed]: fc.Arbitrary<Expression> };

const LEAF = {
  maxDepth: 4,
  depthIdentifier: 'expression',
  depthSize: 'small',
  withCrossShrink: true,
} as const;

const ORDER = ['=', '<>', '<', '<=', '>', '>='];
const UNARY_CALLS = ['abs', 'ceil', 'floor', 'sign', 'sqrt', 'log', 'ln', 'log10', 'exp', 'round'];

function numbers({ number, time, condition }: Parts): fc.Arbitrary<Expression> {
  const rounded = fc
    .tuple(number, fc.integer({ min: 0, max: 15 }))
    .map(([x, digits]): Expression => {
      const literal: Expression = { kind: 'number', value: digits, ...SPAN };
      return { kind: 'call', name: 'round', arguments: [x, literal], ...SPAN };
    });
  const negated = number.map(
    (operand): Expression => ({ kind: 'unary', operator: '-', operand, ...SPAN }),
  );
  return fc.oneof(
    LEAF,
    columns('price', 'size', 'trades', 'end'),
    numberLiteral,
    binary(['+', '-', '*', '/', '%'], number),
    binary(['-'], time),
    negated,
    call(UNARY_CALLS, number),
    call(['pow'], number, number),
    rounded,
    choices(['least', 'greatest', 'coalesce'], number),
    caseOf(condition, fc.oneof(number, fc.constant(nothing))),
  );
}

function texts({ text, condition }: Parts): fc.Arbitrary<Expression> {
  return fc.oneof(
    LEAF,
    columns('symbol', 'venue', 'odd "name"'),
    textLiteral,
    choices(['coalesce'], text),
    caseOf(condition, text),
  );
}

function times({ time, condition }: Parts): fc.Arbitrary<Expression> {
  return fc.oneof(
    LEAF,
    columns('event_time', 'seen'),
    choices(['least', 'greatest', 'coalesce'], time),
    caseOf(condition, time),
  );
}

function conditions({ number, text, time, condition }: Parts): fc.Arbitrary<Expression> {
  const isNull = fc
    .tuple(fc.oneof(number, text, time, condition, fc.constant(nothing)), fc.boolean())
    .map(([operand, negated]): Expression => ({ kind: 'is_null', operand, negated, ...SPAN }));
  const inverted = condition.map(
    (operand): Expression => ({ kind: 'unary', operator: 'not', operand, ...SPAN }),
  );
  const timeOrLiteral = fc.oneof(time, timeLiteral);
  return fc.oneof(
    LEAF,
    columns('is_open'),
    fc.boolean().map((value): Expression => ({ kind: 'boolean', value, ...SPAN })),
    binary(ORDER, number),
    binary(ORDER, time, timeOrLiteral),
    binary(['=', '<>'], text),
    binary(['=', '<>', 'and', 'or'], condition, fc.oneof(condition, fc.constant(nothing))),
    isIn(number, numberLiteral),
    isIn(text, textLiteral),
    isIn(time, timeLiteral),
    isBetween(number, number),
    isBetween(time, timeOrLiteral),
    isNull,
    inverted,
    choices(['coalesce'], condition),
    caseOf(condition, condition),
  );
}

const typed = fc.letrec<Typed>((tie) => {
  const parts: Parts = {
    number: tie('number'),
    text: tie('text'),
    time: tie('time'),
    condition: tie('condition'),
  };
  return {
    number: numbers(parts),
    text: texts(parts),
    time: times(parts),
    condition: conditions(parts),
  };
});

/** Expressions over the schema that have a type. */
export const arbitraryExpression: fc.Arbitrary<Expression> = fc.oneof(
  typed.number,
  typed.condition,
  typed.text,
  typed.time,
);
