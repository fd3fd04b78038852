/**
 * What a rule compares its score with, read off the condition: `abs(z) > 3` over the score `z` says
 * 3 in both directions, `z > 3 or z < -4` says 3 upwards and 4 downwards.
 */

import type { ComparisonOperator, Expression } from '../../engine/expression/expression.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';

/** Limits of |score|, each at least 0; null where the condition names none. */
export interface Limits {
  /** For a score that is not negative. */
  readonly up: number | null;
  /** For a negative score. */
  readonly down: number | null;
}

const MIRRORED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Limits of the score in a condition; where there are several, the first of each direction. */
export function limitsOf(when: Expression, score: Expression): Limits {
  const own = formatExpression(score);
  let up: number | null = null;
  let down: number | null = null;
  const compare = (subject: Expression, operator: ComparisonOperator, limit: number): void => {
    const text = formatExpression(subject);
    const isAbove = operator === '>' || operator === '>=';
    const isBelow = operator === '<' || operator === '<=';
    if (text === `abs(${own})` && isAbove && limit >= 0) {
      up ??= limit;
      down ??= limit;
    } else if (text === own) {
      if (isAbove && limit >= 0) up ??= limit;
      if (isBelow && limit <= 0) down ??= Math.abs(limit);
    }
  };
  const visit = (node: Expression): void => {
    if (node.kind === 'between' && node.negated) {
      if (node.high.kind === 'number') compare(node.operand, '>', node.high.value);
      if (node.low.kind === 'number') compare(node.operand, '<', node.low.value);
    }
    if (node.kind !== 'binary') return;
    const { operator, left, right } = node;
    if (operator === 'and' || operator === 'or') {
      visit(left);
      visit(right);
    } else if (operator in MIRRORED) {
      const comparison = operator as ComparisonOperator;
      if (right.kind === 'number') compare(left, comparison, right.value);
      else if (left.kind === 'number') compare(right, MIRRORED[comparison], left.value);
    }
  };
  visit(when);
  return { up, down };
}
