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
 * A series is one expression over the input and the results of earlier series; its window is shared
 * by all calls over it. Names such as `$0` are local to one expression.
 */

import type { ExpressionValue } from '../../engine/contract/fields.ts';
import type { ColumnSchema, ColumnType, Schema } from '../../engine/contract/schema.ts';
import type { Path, Problem, Report } from '../../engine/contract/problem.ts';
import type { CallExpression, Expression } from '../../engine/expression/expression.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';
import { parseExpression } from '../../engine/expression/parse-expression.ts';
import { exceptAt, type SplitCall, splitCalls } from '../../engine/expression/split-calls.ts';
import { typeOf } from '../../engine/expression/type-of.ts';
import type { Aggregate, LagKind } from '../../wasm/host/rolling.ts';
import { LAGS, ROLLING_FUNCTIONS, ROLLING_NAMES } from './rolling-functions.ts';

/** An expression over the input columns and the results of some calls, as `$0`, `$1`, … */
export interface LocalExpression {
  readonly expression: Expression;
  readonly schema: Schema;
  /** Calls behind `$0`, `$1`, …, as positions in `calls` of the program. */
  readonly inputs: readonly number[];
}

export interface Series extends LocalExpression {
  readonly kind: 'aggregate' | 'lag';
  /** The user's expression in one spelling; with `kind` it names the series. */
  readonly text: string;
  readonly type: ColumnType;
  /** Positions in `calls` of the program; none of them twice. */
  readonly calls: number[];
}

export type RollingCall =
  | { readonly kind: 'aggregate'; readonly aggregate: Aggregate; readonly type: ColumnType }
  | {
      readonly kind: 'lag';
      readonly lag: LagKind;
      readonly distance: number;
      readonly type: ColumnType;
    };

export interface ResultColumn extends LocalExpression {
  readonly name: string;
  readonly type: ColumnType;
}

export interface RollingProgram {
  /** In an order in which each comes after those it reads. */
  readonly series: readonly Series[];
  readonly calls: readonly RollingCall[];
  readonly columns: readonly ResultColumn[];
}

/** Values that `lag` and its kin look back at most. */
export const LAG_DISTANCE_MAX = 100_000;

/** The program of these columns; calls with problems, all of which are reported, are left out. */
export function planProgram(
  columns: Readonly<Record<string, ExpressionValue>>,
  input: Schema,
  report: Report,
): RollingProgram {
  const planner = new Planner(input, report);
  for (const [name, text] of Object.entries(columns)) planner.column(name, text);
  return planner.program;
}

/** With the places of calls that have a problem: their results are not in the schema. */
type SplitExpression = LocalExpression & { readonly failed: ReadonlySet<number> };

class Planner {
  readonly program = {
    series: [] as Series[],
    calls: [] as RollingCall[],
    columns: [] as ResultColumn[],
  };
  readonly #input: Schema;
  readonly #report: Report;
  readonly #seriesByText = new Map<string, Series>();
  readonly #callsByText = new Map<string, number>();

  constructor(input: Schema, report: Report) {
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
    const local = this.#split(parsed, path);
    const type = this.#typeOf(local, path);
    if (type === undefined || local.failed.size > 0) return;
    const { expression, schema, inputs } = local;
    this.program.columns.push({ expression, schema, inputs, name, type });
  }

  /** Plans the outermost calls of an expression, and what is left of it over their results. */
  #split(expression: Expression, path: Path): SplitExpression {
    const { calls, outer } = splitCalls(expression, ROLLING_NAMES);
    const inputs: number[] = [];
    const synthetic: ColumnSchema[] = [];
    const failed = new Set<number>();
    for (const call of calls) {
      const position = this.#call(call, path);
      if (position === undefined) {
        failed.add(call.offset);
      } else {
        inputs.push(position);
        synthetic.push({ name: call.column, type: this.program.calls[position]!.type });
      }
    }
    const columns = [...this.#input.columns, ...synthetic];
    return { expression: outer, schema: { ...this.#input, columns }, inputs, failed };
  }

  /** Type of what is left of an expression, where failed calls are of any type. */
  #typeOf({ expression, schema, failed }: SplitExpression, path: Path): ColumnType | undefined {
    return typeOf(expression, schema, path, exceptAt(failed, this.#report), ROLLING_NAMES);
  }

  /** Position of the call in the program, or undefined after its problems have been reported. */
  #call(call: SplitCall, path: Path): number | undefined {
    const isLag = (LAGS as readonly string[]).includes(call.name);
    const argumentsMin = call.name === 'count' ? 0 : 1;
    const argumentsMax = isLag ? 2 : 1;
    const count = call.arguments.length;
    if (count < argumentsMin || count > argumentsMax) {
      const { usage } = ROLLING_FUNCTIONS[call.name as keyof typeof ROLLING_FUNCTIONS];
      for (const argument of call.arguments) this.#typeOf(this.#split(argument, path), path);
      const message = `expected ${usage}, got ${count} argument${count === 1 ? '' : 's'}`;
      this.#report({ path, offset: call.offset, code: 'config/argument-count', message });
      return undefined;
    }
    const distance = isLag ? this.#distance(call, path) : 1;
    const series = this.#series(call, isLag ? 'lag' : 'aggregate', path);
    if (series === undefined || distance === undefined) return undefined;
    const text = `${call.name}(${series.text}, ${distance})`;
    const known = this.#callsByText.get(text);
    if (known !== undefined) return known;
    const position = this.program.calls.length;
    this.program.calls.push(rollingCall(call.name, series.type, distance));
    this.#callsByText.set(text, position);
    series.calls.push(position);
    return position;
  }

  #distance(call: SplitCall, path: Path): number | undefined {
    const node = call.arguments[1];
    if (node === undefined) return 1;
    const isValid =
      node.kind === 'number' &&
      Number.isInteger(node.value) &&
      node.value >= 1 &&
      node.value <= LAG_DISTANCE_MAX;
    if (isValid) return node.value;
    const got = formatExpression(node);
    const expected = `a whole number from 1 to ${LAG_DISTANCE_MAX}`;
    this.#problem(node, path, `expected ${expected}, got ${got}`);
    return undefined;
  }

  #series(call: SplitCall, kind: Series['kind'], path: Path): Series | undefined {
    const { offset, end } = call;
    const argument = call.arguments[0] ?? { kind: 'number', value: 1, offset, end };
    const text = formatExpression(argument);
    const known = this.#seriesByText.get(`${kind} ${text}`);
    if (known !== undefined && fits(call.name, known.type)) return known;
    const { failed, ...local } = this.#split(argument, path);
    const type = this.#typeOf({ ...local, failed }, path);
    if (type === undefined || failed.size > 0) return undefined;
    if (!fits(call.name, type)) {
      if (call.name === 'count') return this.#presence(argument, path);
      const what = argument.kind === 'column' ? `column ${argument.name} of type ${type}` : type;
      const expected = kind === 'aggregate' || call.name === 'pct_change' ? '' : ' or a timestamp';
      this.#problem(argument, path, `${call.name} takes a number${expected}, got ${what}`);
      return undefined;
    }
    const series: Series = { ...local, kind, text, type, calls: [] };
    this.#seriesByText.set(`${kind} ${text}`, series);
    this.program.series.push(series);
    return series;
  }

  /** What counts the values of a column that is no number. */
  #presence(operand: Expression, path: Path): Series | undefined {
    const { offset, end } = operand;
    const when: Expression = { kind: 'is_null', operand, negated: true, offset, end };
    const result: Expression = { kind: 'number', value: 1, offset, end };
    const present: Expression = {
      kind: 'case',
      branches: [{ when, result }],
      otherwise: null,
      offset,
      end,
    };
    const call = { name: 'count', arguments: [present], column: '', offset, end };
    return this.#series(call, 'aggregate', path);
  }

  #problem(at: CallExpression | Expression | SplitCall, path: Path, message: string): void {
    const problem: Problem = { path, offset: at.offset, code: 'config/expression-type', message };
    this.#report(problem);
  }
}

/** Whether a function takes values of this type. */
function fits(name: string, type: ColumnType): boolean {
  const isNumber = type === 'float64' || type === 'int64';
  if (name === 'pct_change') return isNumber;
  if (name === 'lag' || name === 'delta') return isNumber || type === 'timestamp';
  return isNumber || type === 'boolean';
}

function rollingCall(name: string, type: ColumnType, distance: number): RollingCall {
  switch (name) {
    case 'lag':
      return { kind: 'lag', lag: 'lag', distance, type };
    case 'delta':
      if (type === 'int64') return { kind: 'lag', lag: 'delta_integer', distance, type };
      if (type === 'timestamp') {
        return { kind: 'lag', lag: 'delta_seconds', distance, type: 'float64' };
      }
      return { kind: 'lag', lag: 'delta', distance, type: 'float64' };
    case 'pct_change': {
      const lag = type === 'int64' ? 'pct_change_integer' : 'pct_change';
      return { kind: 'lag', lag, distance, type: 'float64' };
    }
    default: {
      const aggregate = name as Aggregate;
      return { kind: 'aggregate', aggregate, type: name === 'count' ? 'int64' : 'float64' };
    }
  }
}
