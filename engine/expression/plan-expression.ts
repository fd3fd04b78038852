/**
 * Expressions in a configuration: checked when the pipeline is planned, parsed again when it runs.
 */

import type { ExpressionValue } from '../contract/fields.ts';
import type { Path, Report } from '../contract/problem.ts';
import type { ColumnType, Schema } from '../contract/schema.ts';
import type { Expression } from './expression.ts';
import { formatExpression } from './format-expression.ts';
import { parseExpression } from './parse-expression.ts';
import { typeOf } from './type-of.ts';

export interface PlannedExpression {
  readonly expression: Expression;
  readonly type: ColumnType;
}

/** What an expression may be for, and how a message calls it. */
export type ExpectedType = 'any' | 'condition' | 'number';

const EXPECTED: Readonly<Record<'condition' | 'number', readonly [ColumnType[], string]>> = {
  condition: [['boolean'], 'a condition, such as price > 0'],
  number: [['float64', 'int64'], 'a number'],
};

/** The tree and type of an expression, or undefined after its problems have been reported. */
export function planExpression(
  value: ExpressionValue,
  schema: Schema,
  expected: ExpectedType,
  at: Path,
  report: Report,
): PlannedExpression | undefined {
  const expression = parseExpression(value, at, report);
  if (expression === undefined) return undefined;
  const type = typeOf(expression, schema, at, report);
  if (type === undefined) return undefined;
  if (expected !== 'any') {
    const [types, words] = EXPECTED[expected];
    if (!types.includes(type)) {
      report({
        path: at,
        offset: expression.offset,
        code: 'config/expression-type',
        message: `expected ${words}, got ${formatExpression(expression)} of type ${type}`,
      });
      return undefined;
    }
  }
  return { expression, type };
}

/** The tree of an expression that `planExpression` has accepted. */
export function parseAccepted(value: ExpressionValue): Expression {
  return parseExpression(value, [], ({ message }) => {
    throw new TypeError(`not an expression: ${value}: ${message}`);
  })!;
}
