/**
 * Writes an expression back as text, with the fewest parentheses that parse to the same tree.
 */

import type { Expression, Literal } from './expression.ts';
import { isBareName } from './expression.ts';

const OR = 1;
const AND = 2;
const NOT = 3;
const COMPARISON = 4;
const SUM = 5;
const PRODUCT = 6;
const NEGATION = 7;
const PRIMARY = 8;

function bindingOf(expression: Expression): number {
  switch (expression.kind) {
    case 'binary':
      switch (expression.operator) {
        case 'or':
          return OR;
        case 'and':
          return AND;
        case '+':
        case '-':
          return SUM;
        case '*':
        case '/':
        case '%':
          return PRODUCT;
        default:
          return COMPARISON;
      }
    case 'unary':
      return expression.operator === 'not' ? NOT : NEGATION;
    case 'is_null':
    case 'between':
    case 'in':
      return COMPARISON;
    default:
      return PRIMARY;
  }
}

/** The text of an expression; `parseExpression` gives the same tree again, but for the offsets. */
export function formatExpression(expression: Expression): string {
  return format(expression, OR);
}

/** Name of a column as an expression writes it. */
export function formatName(name: string): string {
  return isBareName(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The text, in parentheses where it binds less than its place demands. */
function format(expression: Expression, atLeast: number): string {
  const text = formatNode(expression);
  return bindingOf(expression) < atLeast ? `(${text})` : text;
}

function formatNode(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
    case 'string':
    case 'boolean':
    case 'null':
      return formatLiteral(expression);
    case 'column':
      return formatName(expression.name);
    case 'unary': {
      const { operator, operand } = expression;
      if (operator === 'not') return `not ${format(operand, NOT)}`;
      // A minus before a number is the number's own.
      return operand.kind === 'number'
        ? `-(${formatNode(operand)})`
        : `-${format(operand, NEGATION)}`;
    }
    case 'binary': {
      const own = bindingOf(expression);
      // Operators group to the left; comparisons do not group at all.
      const left = format(expression.left, own === COMPARISON ? own + 1 : own);
      return `${left} ${expression.operator} ${format(expression.right, own + 1)}`;
    }
    case 'is_null': {
      const operand = format(expression.operand, SUM);
      return `${operand} is ${expression.negated ? 'not null' : 'null'}`;
    }
    case 'between': {
      const [operand, low, high] = [expression.operand, expression.low, expression.high].map(
        (node) => format(node, SUM),
      );
      return `${operand} ${expression.negated ? 'not ' : ''}between ${low} and ${high}`;
    }
    case 'in': {
      const options = expression.options.map(formatLiteral).join(', ');
      const operand = format(expression.operand, SUM);
      return `${operand} ${expression.negated ? 'not ' : ''}in (${options})`;
    }
    case 'case': {
      const branches = expression.branches.map(
        ({ when, result }) => `when ${format(when, OR)} then ${format(result, OR)} `,
      );
      const { otherwise } = expression;
      const rest = otherwise === null ? '' : `else ${format(otherwise, OR)} `;
      return `case ${branches.join('')}${rest}end`;
    }
    case 'call': {
      const { name, arguments: given, named = [] } = expression;
      const names = named.map((each) => `${each.name} => ${formatLiteral(each.value)}`);
      return `${name}(${[...given.map(formatExpression), ...names].join(', ')})`;
    }
  }
}

function formatLiteral(literal: Literal): string {
  switch (literal.kind) {
    case 'number':
      return Object.is(literal.value, -0) ? '-0' : String(literal.value);
    case 'string':
      return `'${literal.value.replaceAll("'", "''")}'`;
    case 'boolean':
      return String(literal.value);
    case 'null':
      return 'null';
  }
}
