/**
 * From the expressions of a rolling step to what runs: series, the calls over each, and the
 * columns made of their results.
 *
 *   zscore(pct_change(volume) * 100) / 2
 *
 *   series volume            call pct_change(volume)                       $0
 *   series $0 * 100          call zscore(pct_change(volume) * 100)         $0
 *   column                   $0 / 2
 *
 * A series is one expression (or a few) over the input and the results of earlier series; what it
 * keeps is shared by all calls over it. Names such as `$0` are local to one expression.
 */

import { type ExpressionValue, type Extent, parseExtent } from '../../engine/contract/fields.ts';
import type { ColumnSchema, ColumnType, Schema } from '../../engine/contract/schema.ts';
import type { Path, Report } from '../../engine/contract/problem.ts';
import { childrenOf, type Expression } from '../../engine/expression/expression.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';
import { parseExpression } from '../../engine/expression/parse-expression.ts';
import {
  exceptAt,
  mapChildren,
  type SplitCall,
  splitCalls,
} from '../../engine/expression/split-calls.ts';
import { typeOf } from '../../engine/expression/type-of.ts';
import { type CallArguments, readArguments } from './call-arguments.ts';
import { expandFormula } from './expand-formulas.ts';
import {
  type Formula,
  type Kernel,
  NUMBERS_AND_FLAGS,
  type ParameterValues,
  type RollingFunction,
  type SeriesKind,
} from './rolling-function.ts';
import { ROLLING_FUNCTIONS, ROLLING_NAMES } from './rolling-functions.ts';
import { overProblem } from './window-limits.ts';

/** An expression over the input columns and the results of some calls, as `$0`, `$1`, … */
export interface LocalExpression {
  readonly expression: Expression;
  readonly schema: Schema;
  /** Calls behind `$0`, `$1`, …, as positions in `calls` of the program. */
  readonly inputs: readonly number[];
  readonly type: ColumnType;
}

/** The window that a series looks at. */
export interface Frame {
  readonly over: Extent;
  readonly excludeCurrent: boolean;
  readonly minRows: number;
}

export interface Series {
  readonly kind: SeriesKind;
  readonly operands: readonly LocalExpression[];
  /** The user's expressions in one spelling. */
  readonly text: string;
  /** Undefined where the series looks at no window. */
  readonly frame: Frame | undefined;
  /** The extent of the window as text. */
  readonly over: string;
  readonly settings: readonly number[];
  /** Positions in `calls` of the program; none of them twice. */
  readonly calls: number[];
}

export interface RollingCall {
  /** Result of the kernel, and the numbers that go with it. */
  readonly output: string;
  readonly arguments: readonly number[];
  readonly type: ColumnType;
}

export interface ResultColumn extends LocalExpression {
  readonly name: string;
}

export interface RollingProgram {
  /** In an order in which each comes after those it reads. */
  readonly series: readonly Series[];
  readonly calls: readonly RollingCall[];
  readonly columns: readonly ResultColumn[];
}

/** What a program is made from: the configuration of a rolling step. */
export interface RollingConfig {
  readonly over?: string | undefined;
  readonly exclude_current: boolean;
  readonly min_rows?: number | undefined;
  readonly columns: Readonly<Record<string, ExpressionValue>>;
}

/** Nodes of an expression whose formulas have been expanded, at most. */
const NODES_MAX = 5_000;

/** The program of these columns; calls with problems, all of which are reported, are left out. */
export function planProgram(config: RollingConfig, input: Schema, report: Report): RollingProgram {
  const planner = new Planner(config, input, report);
  for (const [name, text] of Object.entries(config.columns)) planner.column(name, text);
  return planner.program;
}

/** A window of rows is complete when it is full; a window of time, whatever it holds. */
function defaultMinRows(extent: Extent): number {
  return 'rows' in extent ? extent.rows : 1;
}

class Planner {
  readonly program = {
    series: [] as Series[],
    calls: [] as RollingCall[],
    columns: [] as ResultColumn[],
  };
  readonly #config: RollingConfig;
  readonly #input: Schema;
  readonly #report: Report;
  readonly #series = new Map<string, Series>();
  readonly #calls = new Map<string, number>();
  /** What has been planned before, by its text: formulas repeat their arguments. */
  readonly #plans = new Map<string, LocalExpression>();
  #isWindowMissed = false;

  constructor(config: RollingConfig, input: Schema, report: Report) {
    this.#config = config;
    this.#input = input;
    this.#report = report;
  }

  column(name: string, value: ExpressionValue): void {
    const path: Path = ['columns', name];
    if (this.#input.columns.some((column) => column.name === name)) {
      this.#report({
        path,
        target: 'key',
        code: 'config/duplicate-column',
        message: `the input already has a column ${name}`,
        help: 'choose another name',
      });
    }
    const parsed = parseExpression(value, path, this.#report);
    if (parsed === undefined) return;
    const local = this.#plan(parsed, path);
    if (local !== undefined) this.program.columns.push({ ...local, name });
  }

  /**
   * Plans the outermost calls of an expression and what is left of it over their results; undefined
   * after its problems have been reported.
   */
  #plan(expression: Expression, path: Path): LocalExpression | undefined {
    if (sizeOf(expression, NODES_MAX) > NODES_MAX) return this.#tooLarge(expression, path);
    const text = formatExpression(expression);
    const known = this.#plans.get(text);
    if (known !== undefined) return known;
    const local = this.#planNew(expression, path);
    if (local !== undefined) this.#plans.set(text, local);
    return local;
  }

  #planNew(expression: Expression, path: Path): LocalExpression | undefined {
    /** Places of calls that have a problem, and are of any type. */
    const failed = new Set<number>();
    const expanded = this.#expand(expression, failed, path);
    if (expanded === undefined) return undefined;
    const { calls, outer } = splitCalls(expanded, ROLLING_NAMES);
    const inputs: number[] = [];
    const synthetic: ColumnSchema[] = [];
    for (const call of calls) {
      const position = failed.has(call.offset) ? undefined : this.#call(call, path);
      if (position === undefined) {
        failed.add(call.offset);
      } else {
        inputs.push(position);
        synthetic.push({ name: call.column, type: this.program.calls[position]!.type });
      }
    }
    const schema = { ...this.#input, columns: [...this.#input.columns, ...synthetic] };
    const report = exceptAt(failed, this.#report);
    const type = typeOf(outer, schema, path, report, ROLLING_NAMES);
    if (type === undefined || failed.size > 0) return undefined;
    return { expression: outer, schema, inputs, type };
  }

  /**
   * Replaces the outermost formulas by what they stand for, or leaves them and their place in
   * `failed` after a problem.
   */
  #expand(expression: Expression, failed: Set<number>, path: Path): Expression | undefined {
    let nodes = 0;
    const visit = (node: Expression): Expression => {
      if (++nodes > NODES_MAX) return node;
      if (node.kind !== 'call') return mapChildren(node, visit);
      const spec = functionOf(node.name);
      if (spec === undefined) return mapChildren(node, visit);
      if (!isFormula(spec)) {
        nodes += sizeOf(node, NODES_MAX);
        return node;
      }
      const given = { ...node, named: node.named ?? [], column: '' };
      const read = this.#read(given, spec, path);
      if (read === undefined || this.#operands(given, spec, read, path) === undefined) {
        failed.add(node.offset);
        return node;
      }
      return visit(expandFormula(node, spec, read));
    };
    const expanded = visit(expression);
    return nodes <= NODES_MAX ? expanded : this.#tooLarge(expression, path);
  }

  #tooLarge({ offset }: Expression, path: Path): undefined {
    const help = 'split the expression into columns of two steps';
    this.#problem(offset, path, 'expected fewer indicators within indicators', help);
  }

  /** The arguments of a call; undefined after all that is wrong with them has been reported. */
  #read(call: SplitCall, spec: RollingFunction, path: Path): CallArguments | undefined {
    const count = call.arguments.length;
    const placed = Object.keys(spec.parameters ?? {}).length;
    const inputsMin = spec.inputs.length - (spec.inputsOptional ?? 0);
    if (count >= inputsMin && count <= spec.inputs.length + placed) {
      return readArguments(call, spec, (offset, message, help) =>
        this.#problem(offset, path, message, help),
      );
    }
    for (const argument of call.arguments) this.#plan(argument, path);
    const message = `expected ${spec.usage}, got ${count} argument${count === 1 ? '' : 's'}`;
    this.#report({ path, offset: call.offset, code: 'config/argument-count', message });
    return undefined;
  }

  /** Position of the call in the program, or undefined after its problems have been reported. */
  #call(call: SplitCall, path: Path): number | undefined {
    const spec = functionOf(call.name)!;
    const computes = spec.computes as Kernel;
    const read = this.#read(call, spec, path);
    if (read === undefined) return undefined;
    const operands = this.#operands(call, spec, read, path);
    const asked = spec.window === 'own' ? NO_WINDOW : this.#frame(call, read.values, path);
    if (operands === undefined || asked === undefined) return undefined;
    const frame = computes.kind === 'lag' ? lagFrame(asked) : asked;
    const excludeCurrent = read.values['exclude_current'] ?? this.#config.exclude_current;
    const values = { ...read.values, exclude_current: excludeCurrent };
    const series = this.#seriesOf(computes, operands, frame, values);
    const output = spec.outputFor?.(operands[0]!.local.type) ?? computes.output;
    const numbers = computes.arguments?.(values) ?? [];
    const key = `${this.program.series.indexOf(series)} ${output}(${numbers.join(', ')})`;
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    const type = spec.gives?.(operands[0]!.local.type) ?? 'float64';
    const position = this.program.calls.length;
    this.program.calls.push({ output, arguments: numbers, type });
    this.#calls.set(key, position);
    series.calls.push(position);
    return position;
  }

  #seriesOf(
    { kind, settings }: Kernel,
    operands: readonly Operand[],
    { frame, over }: NamedFrame,
    values: ParameterValues,
  ): Series {
    const numbers = settings?.(values) ?? [];
    const text = operands.map((operand) => operand.text).join(', ');
    const window = frame === undefined ? '' : `${frame.excludeCurrent} ${frame.minRows}`;
    const key = `${kind} ${over} ${window} ${numbers.join(' ')} ${text}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      const locals = operands.map(({ local }) => local);
      series = { kind, operands: locals, text, frame, over, settings: numbers, calls: [] };
      this.#series.set(key, series);
      this.program.series.push(series);
    }
    return series;
  }

  #operands(
    { name, offset, end }: Pick<SplitCall, 'name' | 'offset' | 'end'>,
    spec: RollingFunction,
    { inputs }: CallArguments,
    path: Path,
  ): readonly Operand[] | undefined {
    // What counts rows counts a value that every row has.
    const one: Expression = { kind: 'number', value: 1, offset, end };
    const given = inputs.length === 0 ? [one] : inputs;
    const operands = given.map((input, i) => this.#operand(name, spec, input, i, path));
    return operands.includes(undefined) ? undefined : (operands as readonly Operand[]);
  }

  #operand(
    name: string,
    spec: RollingFunction,
    input: Expression,
    position: number,
    path: Path,
  ): Operand | undefined {
    const local = this.#plan(input, path);
    if (local === undefined) return undefined;
    const { type } = local;
    if (spec.inputs[position] === 'anchor' && isConstant(input)) {
      const expected = "a column that changes with the session, or every => '1d'";
      this.#problem(input.offset, path, `expected ${expected}, got ${formatExpression(input)}`);
      return undefined;
    }
    const takes = spec.takes?.(position) ?? NUMBERS_AND_FLAGS;
    if (!takes.includes(type)) {
      if (name === 'count') return this.#presence(name, spec, input, path);
      const what = input.kind === 'column' ? `column ${input.name} of type ${type}` : type;
      const expected = takes.includes('timestamp') ? 'a number or a timestamp' : 'a number';
      this.#problem(input.offset, path, `${name} takes ${expected}, got ${what}`);
      return undefined;
    }
    return { local, text: formatExpression(input) };
  }

  /** What counts the values of a column that is no number. */
  #presence(
    name: string,
    spec: RollingFunction,
    operand: Expression,
    path: Path,
  ): Operand | undefined {
    const { offset, end } = operand;
    const when: Expression = { kind: 'is_null', operand, negated: true, offset, end };
    const result: Expression = { kind: 'number', value: 1, offset, end };
    const branches = [{ when, result }];
    const present: Expression = { kind: 'case', branches, otherwise: null, offset, end };
    return this.#operand(name, spec, present, 0, path);
  }

  /** The window of a call; undefined after its problems have been reported. */
  #frame(call: SplitCall, values: ParameterValues, path: Path): NamedFrame | undefined {
    const own = values['over'] as string | undefined;
    const over = own ?? this.#config.over;
    if (over === undefined) {
      this.#missWindow(call);
      return undefined;
    }
    const extent = parseExtent(over);
    // What is wrong with the option of the step has been told where it stands.
    if (extent === undefined) return undefined;
    const place = call.named.find(({ name }) => name === 'over')?.offset ?? call.offset;
    const problem = own === undefined ? undefined : overProblem(own);
    if (problem !== undefined) {
      this.#problem(place, path, `over ${problem}`);
      return undefined;
    }
    const stepMinRows = own === undefined ? this.#config.min_rows : undefined;
    const minRows = (values['min_rows'] as number | undefined) ?? stepMinRows;
    if (minRows !== undefined && 'rows' in extent && minRows > extent.rows) {
      if (values['min_rows'] === undefined) return undefined;
      this.#problem(place, path, `min_rows must not exceed the window of ${over}, got ${minRows}`);
      return undefined;
    }
    const excludeCurrent = (values['exclude_current'] ?? this.#config.exclude_current) as boolean;
    return {
      over,
      frame: { over: extent, excludeCurrent, minRows: minRows ?? defaultMinRows(extent) },
    };
  }

  /** Reports once that the step has no window. */
  #missWindow({ name }: SplitCall): void {
    if (this.#isWindowMissed) return;
    this.#isWindowMissed = true;
    this.#report({
      path: [],
      target: 'key',
      code: 'config/missing-field',
      message: `over is missing, and ${name} looks at the window that it gives`,
      help: 'write over: 20 rows, or a duration such as over: 1h',
    });
  }

  #problem(offset: number, path: Path, message: string, help?: string): void {
    this.#report({
      path,
      offset,
      code: 'config/expression-type',
      message,
      ...(help !== undefined && { help }),
    });
  }
}

interface Operand {
  readonly local: LocalExpression;
  readonly text: string;
}

interface NamedFrame {
  readonly over: string;
  readonly frame: Frame | undefined;
}

const NO_WINDOW: NamedFrame = { over: '', frame: undefined };

/** What lies before a row does not depend on the window, but that a window of time ends it. */
function lagFrame({ over, frame }: NamedFrame): NamedFrame {
  const rest = { excludeCurrent: false, minRows: 1 };
  if ('rows' in frame!.over) return { over: '', frame: { over: { rows: 1 }, ...rest } };
  return { over, frame: { over: frame!.over, ...rest } };
}

function functionOf(name: string): RollingFunction | undefined {
  return Object.hasOwn(ROLLING_FUNCTIONS, name) ? ROLLING_FUNCTIONS[name] : undefined;
}

function isFormula(
  spec: RollingFunction,
): spec is RollingFunction & { readonly computes: Formula } {
  return spec.computes.kind === 'formula';
}

function isConstant({ kind }: Expression): boolean {
  return kind === 'string' || kind === 'number' || kind === 'boolean';
}

/** Nodes of the tree, counted no further than the limit. */
function sizeOf(expression: Expression, limit: number): number {
  let size = 0;
  const visit = (node: Expression): void => {
    if (++size <= limit) childrenOf(node).forEach(visit);
  };
  visit(expression);
  return size;
}
