/**
 * Takes an expression over aggregates apart: what the window computes, and what is computed from
 * its results.
 *
 *   sum(price * size) / sum(size)   →   $0 = sum(price * size), $1 = sum(size);  "$0" / "$1"
 */

import type { Report } from '../contract/problem.ts';
import type { Expression, NamedArgument, Span } from './expression.ts';
import { formatExpression } from './format-expression.ts';

export interface SplitCall extends Span {
  /** In lower case. */
  readonly name: string;
  readonly arguments: readonly Expression[];
  readonly named: readonly NamedArgument[];
  /** Synthetic column that holds the result: by default `$0`, `$1`, … in the order of the text. */
  readonly column: string;
}

/**
 * Replaces every outermost call of one of the functions by a reference to a synthetic column.
 * Calls with the same text share one. Nodes of `outer` keep their place in the user's text.
 * @param columnOf Names the column of a call, given its text and how many others came before.
 */
export function splitCalls(
  expression: Expression,
  functions: ReadonlySet<string>,
  columnOf = (_text: string, index: number): string => `$${index}`,
): { readonly calls: readonly SplitCall[]; readonly outer: Expression } {
  const calls = new Map<string, SplitCall>();
  const replace = (node: Expression): Expression => {
    if (node.kind !== 'call' || !functions.has(node.name)) return mapChildren(node, replace);
    const text = formatExpression(node);
    const { name, named = [], offset, end } = node;
    let call = calls.get(text);
    if (call === undefined) {
      const column = columnOf(text, calls.size);
      call = { name, arguments: node.arguments, named, column, offset, end };
      calls.set(text, call);
    }
    return { kind: 'column', name: call.column, offset, end };
  };
  const outer = replace(expression);
  return { calls: [...calls.values()], outer };
}

/** The same node over other children. */
export function mapChildren(node: Expression, map: (child: Expression) => Expression): Expression {
  switch (node.kind) {
    case 'number':
    case 'string':
    case 'boolean':
    case 'null':
    case 'column':
      return node;
    case 'unary':
    case 'is_null':
    case 'in':
      return { ...node, operand: map(node.operand) };
    case 'binary':
      return { ...node, left: map(node.left), right: map(node.right) };
    case 'between':
      return { ...node, operand: map(node.operand), low: map(node.low), high: map(node.high) };
    case 'case':
      return {
        ...node,
        branches: node.branches.map(({ when, result }) => ({
          when: map(when),
          result: map(result),
        })),
        otherwise: node.otherwise === null ? null : map(node.otherwise),
      };
    case 'call':
      return { ...node, arguments: node.arguments.map(map) };
  }
}

/** Leaves out problems at these places, where there is one already. */
export function exceptAt(offsets: ReadonlySet<number>, report: Report): Report {
  return (problem) => {
    if (problem.offset === undefined || !offsets.has(problem.offset)) report(problem);
  };
}
