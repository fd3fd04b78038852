/**
 * Types of expressions. One walk gives every node a type and reports each mismatch where it stands;
 * the compiler uses the types it found.
 *
 * int64 becomes float64 in arithmetic, in numeric functions and beside a float64. Beside a
 * timestamp, a string literal is an ISO time. A null fits everywhere.
 */

import type { Path, Problem, Report } from '../contract/problem.ts';
import { didYouMean } from '../contract/problem.ts';
import type { ColumnType, Schema } from '../contract/schema.ts';
import { parseIsoTime } from '../contract/time.ts';
import {
  columnsOf,
  type BetweenExpression,
  type BinaryExpression,
  type CallExpression,
  type CaseExpression,
  type ColumnReference,
  type Expression,
  type InExpression,
} from './expression.ts';
import { formatExpression, formatName } from './format-expression.ts';
import { FUNCTIONS, type FunctionSpec, ROUND_DIGITS_MAX } from './functions.ts';

/** Type of a node; 'null' is that of an expression that is null whatever the row. */
export type StaticType = ColumnType | 'null';

const ISO_HELP = "expected an ISO time such as '2013-10-07T13:30:00Z'";

/**
 * Type of the expression over rows of the schema, or undefined after every problem in it has been
 * reported.
 * @param otherFunctions Names to suggest for an unknown function, beside the language's own.
 */
export function typeOf(
  expression: Expression,
  schema: Schema,
  at: Path,
  report: Report,
  otherFunctions: Iterable<string> = [],
): ColumnType | undefined {
  const types = typesOf(expression, schema, at, report, otherFunctions);
  const type = types?.get(expression);
  if (type !== 'null') return type;
  report({
    path: at,
    offset: expression.offset,
    code: 'config/expression-type',
    message: `expected a value, got ${formatExpression(expression)}, which is always null`,
  });
  return undefined;
}

/** Type of every node, or undefined where there is a problem. */
export function typesOf(
  expression: Expression,
  schema: Schema,
  at: Path,
  report: Report,
  otherFunctions: Iterable<string> = [],
): ReadonlyMap<Expression, StaticType> | undefined {
  const checker = new TypeChecker(schema, at, report, otherFunctions);
  checker.check(expression);
  return checker.failed ? undefined : checker.types;
}

/**
 * The type that holds values of all of these nodes: what a comparison, a choice or a `case` works
 * in. Undefined where there is none.
 */
export function commonType(
  nodes: readonly Expression[],
  types: ReadonlyMap<Expression, StaticType>,
): StaticType | undefined {
  let common: StaticType = 'null';
  const isTime = nodes.some((node) => types.get(node) === 'timestamp');
  for (const node of nodes) {
    const own = types.get(node);
    const type = isTime && node.kind === 'string' ? 'timestamp' : own;
    if (type === undefined) return undefined;
    if (type === common || type === 'null') continue;
    if (common === 'null') common = type;
    else if (isNumber(common) && isNumber(type)) common = 'float64';
    else return undefined;
  }
  return common;
}

function isNumber(type: StaticType): boolean {
  return type === 'float64' || type === 'int64';
}

class TypeChecker {
  readonly types = new Map<Expression, StaticType>();
  failed = false;
  readonly #checked = new Set<Expression>();
  readonly #schema: Schema;
  readonly #at: Path;
  readonly #report: Report;
  readonly #otherFunctions: Iterable<string>;

  constructor(schema: Schema, at: Path, report: Report, otherFunctions: Iterable<string>) {
    this.#schema = schema;
    this.#at = at;
    this.#report = report;
    this.#otherFunctions = otherFunctions;
  }

  /** Type of the node, or undefined where a problem below it leaves it unknown. */
  check(node: Expression): StaticType | undefined {
    if (!this.#checked.has(node)) {
      this.#checked.add(node);
      const type = this.#typeOf(node);
      if (type !== undefined) this.types.set(node, type);
    }
    return this.types.get(node);
  }

  #typeOf(node: Expression): StaticType | undefined {
    switch (node.kind) {
      case 'number':
        return 'float64';
      case 'string':
      case 'boolean':
      case 'null':
        return node.kind;
      case 'column':
        return this.#column(node);
      case 'unary':
        if (node.operator === 'not') {
          this.#expectBoolean(node.operand, 'not');
          return 'boolean';
        }
        this.#expectNumber(node.operand, '-');
        return 'float64';
      case 'binary':
        return this.#binary(node);
      case 'is_null':
        this.check(node.operand);
        return 'boolean';
      case 'between':
        return this.#between(node);
      case 'in':
        return this.#in(node);
      case 'case':
        return this.#case(node);
      case 'call':
        return this.#call(node);
    }
  }

  #column(node: ColumnReference): ColumnType | undefined {
    const column = this.#schema.columns.find(({ name }) => name === node.name);
    if (column !== undefined) return column.type;
    // Columns of the splitter ($0) are not the user's.
    const names = this.#schema.columns.map(({ name }) => name).filter((name) => name[0] !== '$');
    const help = [didYouMean(node.name, names)];
    const isQuoted = node.end - node.offset > node.name.length;
    if (isQuoted) help.push("double quotes name a column, a string takes single quotes: 'text'");
    if (names.length > 0) help.push(`columns: ${names.map(formatName).join(', ')}`);
    this.#problem(node, {
      code: 'config/unknown-column',
      message: `there is no column ${node.name}`,
      help: help.filter((text) => text !== undefined).join('; '),
    });
    return undefined;
  }

  #binary(node: BinaryExpression): StaticType | undefined {
    const { operator, left, right } = node;
    switch (operator) {
      case 'and':
      case 'or':
        this.#expectBoolean(left, operator);
        this.#expectBoolean(right, operator);
        return 'boolean';
      case '=':
      case '<>':
        this.#comparable([left, right], operator, false);
        return 'boolean';
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.#comparable([left, right], operator, true);
        return 'boolean';
      case '-': {
        const types = [this.check(left), this.check(right)];
        if (types.includes('timestamp')) {
          this.#expectDifference(node, types);
          return 'float64';
        }
        break;
      }
      default:
        this.check(left);
        this.check(right);
    }
    this.#expectNumber(left, operator);
    this.#expectNumber(right, operator);
    return 'float64';
  }

  /** One side of a `-` is a timestamp; the other must be one too, or a literal of one. */
  #expectDifference(node: BinaryExpression, types: readonly (StaticType | undefined)[]): void {
    for (const [index, side] of [node.left, node.right].entries()) {
      const type = types[index];
      if (type === undefined || type === 'timestamp' || type === 'null') continue;
      if (side.kind === 'string') this.#expectTime(side);
      else {
        const help = 'only a timestamp is subtracted from a timestamp, which gives seconds';
        this.#mismatch(side, 'a timestamp', type, help, [node]);
      }
    }
  }

  #between(node: BetweenExpression): StaticType {
    this.#comparable([node.operand, node.low, node.high], 'between', true);
    return 'boolean';
  }

  #in(node: InExpression): StaticType {
    const common = this.#comparable([node.operand, ...node.options], 'in', false);
    if (common === 'boolean') {
      this.#problem(node, {
        code: 'config/expression-type',
        message: 'in compares numbers, strings and timestamps, got boolean',
        help: 'a boolean is a condition of its own: x, or not x',
      });
    }
    return 'boolean';
  }

  #case(node: CaseExpression): StaticType | undefined {
    for (const { when } of node.branches) this.#expectBoolean(when, 'when');
    const results = node.branches.map(({ result }) => result);
    if (node.otherwise !== null) results.push(node.otherwise);
    return this.#agree(results, 'case');
  }

  #call(node: CallExpression): StaticType | undefined {
    const spec = FUNCTIONS.get(node.name);
    if (spec === undefined) return this.#unknownFunction(node);
    const [named] = node.named ?? [];
    if (named !== undefined) {
      this.#problem(named.value, {
        code: 'config/expression-type',
        message: `expected ${spec.usage}, got ${named.name} =>`,
      });
      return undefined;
    }
    const count = node.arguments.length;
    if (count < spec.argumentsMin || count > spec.argumentsMax) {
      this.#problem(node, {
        code: 'config/argument-count',
        message: `expected ${spec.usage}, got ${count} argument${count === 1 ? '' : 's'}`,
      });
      node.arguments.forEach((argument) => void this.check(argument));
      return undefined;
    }
    if (spec.kind === 'choice') return this.#choice(node, spec);
    for (const argument of node.arguments) this.#expectNumber(argument, node.name);
    if (node.name === 'round') this.#expectDigits(node.arguments[1]);
    return 'float64';
  }

  #choice(node: CallExpression, spec: FunctionSpec): StaticType | undefined {
    const type = this.#agree(node.arguments, node.name);
    if (node.name !== 'coalesce' && (type === 'string' || type === 'boolean')) {
      this.#mismatch(node, 'numbers or timestamps', type, `usage: ${spec.usage}`);
      return undefined;
    }
    return type;
  }

  #unknownFunction(node: CallExpression): undefined {
    const names = [...FUNCTIONS.keys(), ...this.#otherFunctions];
    const listed = `functions: ${names.join(', ')}`;
    const near = didYouMean(node.name, names);
    this.#problem(node, {
      code: 'config/unknown-function',
      message: `there is no function ${node.name}`,
      help: near === undefined ? listed : `${near}; ${listed}`,
    });
    node.arguments.forEach((argument) => void this.check(argument));
    return undefined;
  }

  #expectDigits(node: Expression | undefined): void {
    if (node === undefined) return;
    const isValid =
      node.kind === 'number' &&
      Number.isInteger(node.value) &&
      node.value >= 0 &&
      node.value <= ROUND_DIGITS_MAX;
    if (isValid) return;
    const expected = `expected a number of digits from 0 to ${ROUND_DIGITS_MAX}`;
    this.#problem(node, {
      code: 'config/expression-type',
      message: `${expected}, got ${formatExpression(node)}`,
    });
  }

  #expectBoolean(node: Expression, operator: string): void {
    const type = this.check(node);
    if (type === undefined || type === 'boolean' || type === 'null') return;
    this.#mismatch(node, 'a condition', type, `${operator} takes true or false, such as x > 0`);
  }

  #expectNumber(node: Expression, operator: string): void {
    const type = this.check(node);
    if (type === undefined || isNumber(type) || type === 'null') return;
    this.#mismatch(node, 'a number', type, `${operator} takes numbers`);
  }

  /** Checks that values of the nodes can be compared, and returns the type they are compared in. */
  #comparable(
    nodes: readonly Expression[],
    operator: string,
    isOrder: boolean,
  ): StaticType | undefined {
    const common = this.#agree(nodes, operator);
    if (isOrder && (common === 'string' || common === 'boolean')) {
      const node = nodes.find((each) => this.types.get(each) === common)!;
      const help = `a ${common} is compared with = or <> only`;
      this.#mismatch(node, 'a number or a timestamp', common, help, nodes);
    }
    return common;
  }

  /** The type that all the nodes share, after a report at the first that does not fit. */
  #agree(nodes: readonly Expression[], operator: string): StaticType | undefined {
    const types = nodes.map((node) => this.check(node));
    if (types.includes(undefined)) return undefined;
    if (types.includes('timestamp')) {
      const texts = nodes.filter(({ kind }) => kind === 'string');
      if (!texts.every((node) => this.#expectTime(node))) return undefined;
    }
    for (let count = 2; count <= nodes.length; count++) {
      if (commonType(nodes.slice(0, count), this.types) !== undefined) continue;
      const before = commonType(nodes.slice(0, count - 1), this.types)!;
      const node = nodes[count - 1]!;
      this.#mismatch(
        node,
        article(before),
        types[count - 1]!,
        `${operator} takes values of one type`,
        nodes,
      );
      return undefined;
    }
    return commonType(nodes, this.types);
  }

  #expectTime(node: Expression): boolean {
    if (node.kind !== 'string' || parseIsoTime(node.value) !== undefined) return true;
    this.#problem(node, {
      code: 'config/expression-type',
      message: `expected a timestamp, got ${formatExpression(node)}`,
      help: ISO_HELP,
    });
    return false;
  }

  /** @param basis What the problem rests on, if more than the node itself. */
  #mismatch(
    node: Expression,
    expected: string,
    got: StaticType,
    help: string,
    basis: readonly Expression[] = [node],
  ): void {
    // Columns of the splitter ($0) are calls in the user's text.
    const isNamed = node.kind === 'column' && node.name[0] !== '$';
    const what = isNamed ? `column ${node.name} of type ${got}` : article(got);
    const columns = basis.flatMap((each) => [...columnsOf(each)]);
    this.#problem(node, {
      code: 'config/expression-type',
      message: `expected ${expected}, got ${what}`,
      help,
      ...(columns.some((name) => name[0] === '$') ? {} : { columns }),
    });
  }

  #problem(
    node: Expression,
    problem: Pick<Problem, 'code' | 'message' | 'help' | 'columns'>,
  ): void {
    this.failed = true;
    const { help, ...rest } = problem;
    const helped = help === undefined || help === '' ? rest : { ...rest, help };
    this.#report({ path: this.#at, offset: node.offset, ...helped });
  }
}

function article(type: StaticType): string {
  if (type === 'null') return 'null';
  return isNumber(type) ? 'a number' : `a ${type}`;
}
