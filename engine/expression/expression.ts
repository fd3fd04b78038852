/**
 * The syntax tree of an expression: plain data, so that a plan can cross threads. Every node knows
 * where it stands in the text the user wrote: `offset` is its first character, `end` is one past
 * its last.
 */

import { COLUMN_NAME } from '../contract/fields.ts';

/** Place of a node in the text, in UTF-16 units. */
export interface Span {
  readonly offset: number;
  readonly end: number;
}

export interface NumberLiteral extends Span {
  readonly kind: 'number';
  readonly value: number;
}

export interface StringLiteral extends Span {
  readonly kind: 'string';
  readonly value: string;
}

export interface BooleanLiteral extends Span {
  readonly kind: 'boolean';
  readonly value: boolean;
}

export interface NullLiteral extends Span {
  readonly kind: 'null';
}

export type Literal = NumberLiteral | StringLiteral | BooleanLiteral | NullLiteral;

export interface ColumnReference extends Span {
  readonly kind: 'column';
  readonly name: string;
}

export interface UnaryExpression extends Span {
  readonly kind: 'unary';
  readonly operator: '-' | 'not';
  readonly operand: Expression;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type LogicalOperator = 'and' | 'or';

export interface BinaryExpression extends Span {
  readonly kind: 'binary';
  readonly operator: ArithmeticOperator | ComparisonOperator | LogicalOperator;
  readonly left: Expression;
  readonly right: Expression;
}

export interface IsNullExpression extends Span {
  readonly kind: 'is_null';
  readonly operand: Expression;
  /** `is not null`. */
  readonly negated: boolean;
}

export interface BetweenExpression extends Span {
  readonly kind: 'between';
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
  readonly negated: boolean;
}

export interface InExpression extends Span {
  readonly kind: 'in';
  readonly operand: Expression;
  /** At least one. */
  readonly options: readonly Literal[];
  readonly negated: boolean;
}

export interface CaseExpression extends Span {
  readonly kind: 'case';
  /** At least one. */
  readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
  /** Null where the user wrote no `else`. */
  readonly otherwise: Expression | null;
}

/** `name => value`, where `offset` and `end` are those of the value. */
export interface NamedArgument extends Span {
  /** In lower case. */
  readonly name: string;
  readonly value: Literal;
}

export interface CallExpression extends Span {
  readonly kind: 'call';
  /** In lower case. */
  readonly name: string;
  readonly arguments: readonly Expression[];
  /** Those behind the others; absent where there are none. */
  readonly named?: readonly NamedArgument[];
}

export type Expression =
  | Literal
  | ColumnReference
  | UnaryExpression
  | BinaryExpression
  | IsNullExpression
  | BetweenExpression
  | InExpression
  | CaseExpression
  | CallExpression;

/** How deep operators may nest in one expression; every walk over the tree is recursive. */
export const EXPRESSION_DEPTH_MAX = 200;

/** Words that cannot be the name of a column unless quoted. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...['and', 'or', 'not', 'is', 'null', 'true', 'false', 'between', 'in'],
  ...['case', 'when', 'then', 'else', 'end'],
]);

/** Whether the name of a column can be written without quotes. */
export function isBareName(name: string): boolean {
  return COLUMN_NAME.test(name) && !KEYWORDS.has(name.toLowerCase());
}

/** The nodes directly below, in the order of the text. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'number':
    case 'string':
    case 'boolean':
    case 'null':
    case 'column':
      return [];
    case 'unary':
    case 'is_null':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'between':
      return [expression.operand, expression.low, expression.high];
    case 'in':
      return [expression.operand, ...expression.options];
    case 'case': {
      const nodes = expression.branches.flatMap(({ when, result }) => [when, result]);
      return expression.otherwise === null ? nodes : [...nodes, expression.otherwise];
    }
    case 'call':
      return expression.arguments;
  }
}

/** Names of the columns that an expression reads. */
export function columnsOf(expression: Expression): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: Expression): void => {
    if (node.kind === 'column') names.add(node.name);
    childrenOf(node).forEach(visit);
  };
  visit(expression);
  return names;
}
