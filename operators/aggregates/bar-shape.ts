/**
 * Recognises market-data bars among aggregates: ends, extremes and moments of one column, sums of a
 * second and of their product, counts of any of them. `wasm/assembly/window-bars.ts` computes all
 * of it in one pass.
 */

import type { Expression } from '../../engine/expression/expression.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';
import { AGGREGATES } from './aggregate-functions.ts';
import type { AggregateCall, Argument } from './plan-aggregates.ts';
import { type Accumulator, type ArgumentColumn, columnOf } from './argument-columns.ts';

export interface BarShape {
  readonly price: Expression;
  /** Undefined where nothing is summed. */
  readonly size: Expression | undefined;
  readonly columns: readonly ArgumentColumn[];
  readonly accumulators: readonly Accumulator[];
  readonly bytes: number;
}

const BAR_BYTES = 128;
const PRICE = 0;
const SIZE = 1;
const PRODUCT = 2;

/** Fields of window-bars.ts. */
const PRICE_FIELDS: readonly Accumulator[] = [
  { kind: 'moments', column: PRICE, field: 32, counter: 12 },
  { kind: 'extremes', column: PRICE, field: 64, counter: 0 },
  { kind: 'ends', column: PRICE, field: 80, counter: 0 },
];
const SIZE_FIELDS: readonly Accumulator[] = [
  { kind: 'sum', column: SIZE, field: 112, counter: 0 },
  { kind: 'sum', column: PRODUCT, field: 120, counter: 0 },
  { kind: 'nulls', column: SIZE, field: 40, counter: 0 },
  { kind: 'nulls', column: PRODUCT, field: 44, counter: 0 },
];

/** The shape, or undefined where the calls need anything else. */
export function barShape(calls: readonly AggregateCall[]): BarShape | undefined {
  const columns = calls.map(columnOf);
  if (columns.some((column) => column !== undefined && column.representation !== 'f64')) {
    return undefined;
  }
  const ofKind = (isPrice: boolean): Map<string, Argument> =>
    new Map(
      calls
        .filter(({ name }) => name !== 'count')
        .filter(({ name }) => (AGGREGATES[name].keeps === 'sum') !== isPrice)
        .map(({ argument }) => [argument!.text, argument!]),
    );
  const prices = [...ofKind(true).values()];
  const price = prices[0];
  if (price === undefined || prices.length > 1) return undefined;
  const sums = [...ofKind(false).values()];
  const factors = factorsOf(price, sums);
  if (factors === undefined) return undefined;
  const { size, product } = factors;
  const known = [price.text, size?.text, product?.text];
  const isCounted = calls.every(({ argument }) => {
    return argument === undefined || known.includes(argument.text);
  });
  if (!isCounted) return undefined;
  const column = (argument: Argument): ArgumentColumn => ({ argument, representation: 'f64' });
  if (size === undefined) {
    return {
      price: price.expression,
      size: undefined,
      columns: [column(price)],
      accumulators: PRICE_FIELDS,
      bytes: BAR_BYTES,
    };
  }
  return {
    price: price.expression,
    size: size.expression,
    columns: [column(price), column(size), column(product)],
    accumulators: [...PRICE_FIELDS, ...SIZE_FIELDS],
    bytes: BAR_BYTES,
  };
}

/**
 * The second column and the product among the summed arguments; undefined where they are others.
 */
function factorsOf(
  price: Argument,
  sums: readonly Argument[],
): { size?: Argument; product: Argument } | undefined {
  const productOf = (size: Argument): Argument => {
    const { offset, end } = size.expression;
    const expression: Expression = {
      kind: 'binary',
      operator: '*',
      left: price.expression,
      right: size.expression,
      offset,
      end,
    };
    return { expression, text: formatExpression(expression), type: 'float64' };
  };
  if (sums.length === 0) return { product: productOf(price) };
  for (const sum of sums) {
    const other = otherFactor(price, sum);
    const size = other ?? sum;
    const product = other === undefined ? productOf(size) : sum;
    if (sums.every(({ text }) => text === size.text || text === product.text)) {
      return { size, product };
    }
  }
  return undefined;
}

/** `size`, where the argument is `price * size` or `size * price`. */
function otherFactor(price: Argument, { expression }: Argument): Argument | undefined {
  if (expression.kind !== 'binary' || expression.operator !== '*') return undefined;
  const { left, right } = expression;
  const other =
    formatExpression(left) === price.text
      ? right
      : formatExpression(right) === price.text
        ? left
        : undefined;
  if (other === undefined) return undefined;
  return { expression: other, text: formatExpression(other), type: 'float64' };
}
