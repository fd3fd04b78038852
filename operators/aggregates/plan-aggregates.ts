/**
 * Aggregates of a configuration, taken apart: the calls that a window computes, each once however
 * often it is written, and the expressions over their results.
 *
 *   vwap: sum(price * size) / sum(size)   →   call 0: sum(price * size), call 1: sum(size)
 *                                             vwap = $0 / $1
 */

import type { ExpressionValue } from '../../engine/contract/fields.ts';
import { didYouMean, type Path, type Report } from '../../engine/contract/problem.ts';
import type { ColumnType, Schema } from '../../engine/contract/schema.ts';
import { childrenOf, type Expression } from '../../engine/expression/expression.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';
import { FUNCTIONS } from '../../engine/expression/functions.ts';
import { parseExpression } from '../../engine/expression/parse-expression.ts';
import { exceptAt, type SplitCall, splitCalls } from '../../engine/expression/split-calls.ts';
import { typeOf, typesOf } from '../../engine/expression/type-of.ts';
import {
  acceptedTypes,
  AGGREGATE_NAMES,
  type AggregateName,
  AGGREGATES,
  resultType,
} from './aggregate-functions.ts';

export interface Argument {
  readonly expression: Expression;
  /** As `formatExpression` writes it: equal texts are one argument. */
  readonly text: string;
  readonly type: ColumnType;
}

export interface AggregateCall {
  readonly name: AggregateName;
  /** Undefined for `count()`. */
  readonly argument: Argument | undefined;
  readonly type: ColumnType;
}

export interface AggregateOutput {
  readonly name: string;
  readonly type: ColumnType;
  /** Over the columns of `schema`. */
  readonly expression: Expression;
  /** One column for each call in the expression: `$0`, `$1`, … */
  readonly schema: Schema;
  /** Number of the call behind each column of `schema`. */
  readonly calls: readonly number[];
}

export interface AggregatePlan {
  readonly calls: readonly AggregateCall[];
  /** In the order of the configuration. */
  readonly outputs: readonly AggregateOutput[];
}

/** The plan without the aggregates that have a problem, after every problem has been reported. */
export function planAggregates(
  aggregates: Readonly<Record<string, ExpressionValue>>,
  input: Schema,
  report: Report,
): AggregatePlan {
  const planner = new Planner(input, report);
  for (const [name, value] of Object.entries(aggregates)) planner.add(name, value);
  return { calls: planner.calls, outputs: planner.outputs };
}

/** The plan of aggregates that `planAggregates` has accepted. */
export function acceptedAggregates(
  aggregates: Readonly<Record<string, ExpressionValue>>,
  input: Schema,
): AggregatePlan {
  return planAggregates(aggregates, input, ({ path, message }) => {
    throw new TypeError(`${path.join('.')}: ${message}`);
  });
}

/** What other systems call our aggregates. */
const OTHER_NAMES: Readonly<Record<string, AggregateName>> = {
  avg: 'mean',
  average: 'mean',
  std: 'stddev',
  stdev: 'stddev',
  stddev_samp: 'stddev',
  var: 'variance',
  var_samp: 'variance',
  var_pop: 'variance_pop',
};

class Planner {
  readonly calls: AggregateCall[] = [];
  readonly outputs: AggregateOutput[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #input: Schema;
  readonly #report: Report;

  constructor(input: Schema, report: Report) {
    this.#input = input;
    this.#report = report;
  }

  add(name: string, value: ExpressionValue): void {
    const at = ['aggregates', name];
    const parsed = parseExpression(value, at, this.#report);
    if (parsed === undefined) return;
    const { calls, outer } = splitCalls(parsed, AGGREGATE_NAMES);
    const planned = calls.map((call) => this.#call(call, at));
    const told = this.#refuseRows(outer, at);
    calls.forEach(({ offset }, i) => planned[i] === undefined && told.add(offset));
    const columns = calls.flatMap(({ column }, i) => {
      const number = planned[i];
      return number === undefined ? [] : [{ name: column, type: this.calls[number]!.type }];
    });
    const schema: Schema = { columns, time: '', key: '' };
    const type = typeOf(outer, schema, at, exceptAt(told, this.#report));
    if (type === undefined || told.size > 0) return;
    this.outputs.push({ name, type, expression: outer, schema, calls: planned as number[] });
  }

  /** Number of the call, or undefined where it has a problem. */
  #call({ name, arguments: given, named, offset }: SplitCall, at: Path): number | undefined {
    const { usage } = AGGREGATES[name as AggregateName];
    if (given.length > 1 || (given.length === 0 && name !== 'count')) {
      for (const argument of given) {
        if (findCall(argument) === undefined) typesOf(argument, this.#input, at, this.#report);
      }
      const got = `${given.length} argument${given.length === 1 ? '' : 's'}`;
      const message = `expected ${usage}, got ${got}`;
      this.#report({ path: at, offset, code: 'config/argument-count', message });
      return undefined;
    }
    if (named[0] !== undefined) {
      return this.#refuse(at, named[0].offset, `expected ${usage}, got ${named[0].name} =>`);
    }
    const argument = given[0] === undefined ? undefined : this.#argument(name, given[0], at);
    if (given.length > 0 && argument === undefined) return undefined;
    const text = `${name}(${argument?.text ?? ''})`;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.calls.length;
      this.#numbers.set(text, number);
      const type = resultType(name as AggregateName, argument?.type);
      this.calls.push({ name: name as AggregateName, argument, type });
    }
    return number;
  }

  #argument(name: string, expression: Expression, at: Path): Argument | undefined {
    const nested = findCall(expression);
    if (nested !== undefined) {
      const message = `${name} takes values of rows, got ${formatExpression(nested)}`;
      return this.#refuse(at, nested.offset, message);
    }
    const type = typeOf(expression, this.#input, at, this.#report);
    if (type === undefined) return undefined;
    const accepted = acceptedTypes(name as AggregateName);
    if (!accepted.includes(type)) {
      const what = `${formatExpression(expression)} of type ${type}`;
      const message = `${name} takes ${accepted.join(', ')}, got ${what}`;
      return this.#refuse(at, expression.offset, message);
    }
    return { expression, text: formatExpression(expression), type };
  }

  /** Reports what has no value for a window as a whole; the places of all such nodes. */
  #refuseRows(node: Expression, at: Path, told: Set<number> = new Set()): Set<number> {
    if (node.kind === 'column' && !node.name.startsWith('$')) {
      const column = formatExpression(node);
      this.#report({
        path: at,
        offset: node.offset,
        code: 'config/expression-type',
        message: `expected an aggregate, got column ${column}, which differs from row to row`,
        help: `did you mean last(${column})?`,
      });
      told.add(node.offset);
    } else if (node.kind === 'call' && !FUNCTIONS.has(node.name)) {
      this.#refuseFunction(node.name, node.offset, at);
      // What it would take, rows or aggregates, is not known.
      for (const offset of offsetsWithin(node)) told.add(offset);
    } else {
      for (const child of childrenOf(node)) this.#refuseRows(child, at, told);
    }
    return told;
  }

  #refuseFunction(name: string, offset: number, at: Path): void {
    const other = OTHER_NAMES[name];
    const near =
      other === undefined
        ? didYouMean(name, [...AGGREGATE_NAMES, ...FUNCTIONS.keys()])
        : `did you mean ${other}?`;
    const listed = `aggregates: ${[...AGGREGATE_NAMES].join(', ')}`;
    this.#report({
      path: at,
      offset,
      code: 'config/unknown-function',
      message: `there is no function ${name}`,
      help: near === undefined ? listed : `${near}; ${listed}`,
    });
  }

  #refuse(path: Path, offset: number, message: string): undefined {
    this.#report({ path, offset, code: 'config/expression-type', message });
    return undefined;
  }
}

function offsetsWithin(node: Expression): readonly number[] {
  return [node.offset, ...childrenOf(node).flatMap(offsetsWithin)];
}

function findCall(node: Expression): Expression | undefined {
  if (node.kind === 'call' && AGGREGATE_NAMES.has(node.name)) return node;
  for (const child of childrenOf(node)) {
    const found = findCall(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
