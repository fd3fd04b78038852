/**
 * Oracle of the expression language: its definition, one row at a time, in plain values. int64 is a
 * bigint, a timestamp an `Instant`, null is null.
 */

import { parseIsoTime } from '../contract/time.ts';
import type { CallExpression, Expression } from './expression.ts';

export interface Instant {
  readonly ns: bigint;
}

export type OracleValue = number | bigint | string | boolean | null | Instant;
export type OracleRow = Readonly<Record<string, OracleValue>>;

/** Functions whose last bit differs from library to library. */
export interface Transcendental {
  log(x: number): number;
  log10(x: number): number;
  exp(x: number): number;
  pow(x: number, y: number): number;
}

export function evaluateOracle(
  node: Expression,
  row: OracleRow,
  math: Transcendental = Math,
): OracleValue {
  const value = (child: Expression): OracleValue => evaluateOracle(child, row, math);
  switch (node.kind) {
    case 'number':
    case 'string':
    case 'boolean':
      return node.value;
    case 'null':
      return null;
    case 'column':
      return row[node.name] ?? null;
    case 'unary': {
      const operand = value(node.operand);
      if (node.operator === 'not') return not(operand);
      return operand === null ? null : finite(-Number(operand));
    }
    case 'binary':
      return binary(node.operator, value(node.left), value(node.right));
    case 'is_null':
      return (value(node.operand) === null) !== node.negated;
    case 'between': {
      const operand = value(node.operand);
      const isAbove = binary('>=', operand, value(node.low));
      const isBetween = and(isAbove, binary('<=', operand, value(node.high)));
      return node.negated ? not(isBetween) : isBetween;
    }
    case 'in': {
      const operand = value(node.operand);
      const found = node.options
        .map((option) => binary('=', operand, value(option)))
        .reduce((all, one) => not(and(not(all), not(one))), false);
      return node.negated ? not(found) : found;
    }
    case 'case': {
      const branch = node.branches.find(({ when }) => value(when) === true);
      if (branch !== undefined) return value(branch.result);
      return node.otherwise === null ? null : value(node.otherwise);
    }
    case 'call':
      return call(node, node.arguments.map(value), math);
  }
}

function not(a: OracleValue): OracleValue {
  return a === null ? null : !a;
}

function and(a: OracleValue, b: OracleValue): OracleValue {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function isInstant(value: OracleValue): value is Instant {
  return typeof value === 'object' && value !== null;
}

/** Both as values that JavaScript compares: times of texts beside times, numbers as they are. */
function comparable(a: OracleValue, b: OracleValue): readonly [OracleValue, OracleValue] {
  if (!isInstant(a) && !isInstant(b)) return [a, b];
  const ns = (value: OracleValue): OracleValue =>
    typeof value === 'string' ? parseIsoTime(value)! : isInstant(value) ? value.ns : value;
  return [ns(a), ns(b)];
}

function binary(operator: string, left: OracleValue, right: OracleValue): OracleValue {
  if (operator === 'and') return and(left, right);
  if (operator === 'or') return not(and(not(left), not(right)));
  if (left === null || right === null) return null;
  const [a, b] = comparable(left, right) as readonly [number, number];
  const order = a < b ? -1 : a > b ? 1 : 0; // a bigint may meet a number
  switch (operator) {
    case '=':
      return order === 0;
    case '<>':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '-':
      if (isInstant(left) || isInstant(right)) return Number(a - b) / 1e9;
      return finite(Number(a) - Number(b));
    case '+':
      return finite(Number(a) + Number(b));
    case '*':
      return finite(Number(a) * Number(b));
    case '/':
      return finite(Number(a) / Number(b));
    case '%':
      return finite(Number(a) % Number(b));
    default:
      throw new TypeError(`no operator ${operator}`);
  }
}

function call(node: CallExpression, values: OracleValue[], math: Transcendental): OracleValue {
  const present = values.filter((value) => value !== null);
  switch (node.name) {
    case 'coalesce':
      return present[0] ?? null;
    case 'least':
      return present.reduce((a, b) => (binary('<', b, a) === true ? b : a), present[0] ?? null);
    case 'greatest':
      return present.reduce((a, b) => (binary('>', b, a) === true ? b : a), present[0] ?? null);
  }
  if (present.length < values.length) return null;
  const [x, y = 0] = values.map(Number) as [number, number?];
  switch (node.name) {
    case 'abs':
      return finite(Math.abs(x));
    case 'ceil':
      return finite(Math.ceil(x));
    case 'floor':
      return finite(Math.floor(x));
    case 'sign':
      return finite(Math.sign(x));
    case 'sqrt':
      return finite(Math.sqrt(x));
    case 'round': {
      const scaled = Math.abs(x) * 10 ** y;
      if (scaled >= 2 ** 52) return finite(x);
      const whole = Math.floor(scaled) + (scaled - Math.floor(scaled) >= 0.5 ? 1 : 0);
      return finite((Math.sign(x) * whole) / 10 ** y);
    }
    case 'exp':
      return finite(math.exp(x));
    case 'ln':
    case 'log':
      return finite(math.log(x));
    case 'log10':
      return finite(math.log10(x));
    case 'pow':
      return finite(math.pow(x, y));
    default:
      throw new TypeError(`no function ${node.name}`);
  }
}
