/**
 * Compiles an expression to column loops: one kernel call a node and batch, no work per row in
 * JavaScript. The tree is walked once, here; what is left is a chain of closures over kernels.
 *
 * Every branch of a `case` is computed for every row. That is safe because nothing fails: what has
 * no value (a division by zero, a logarithm of 0) is null.
 */

import type {
  BinaryKernel,
  BinaryKernelName,
  MembershipKernel,
  UnaryKernelName,
} from '../../wasm/host/columns.ts';
import type { Batch, Column, Dictionary, Pointer, StringTable } from '../contract/batch.ts';
import { type ColumnType, columnIndex, type Schema } from '../contract/schema.ts';
import { parseIsoTime } from '../contract/time.ts';
import type {
  BinaryExpression,
  CallExpression,
  CaseExpression,
  Expression,
  InExpression,
} from './expression.ts';
import { formatExpression } from './format-expression.ts';
import { ColumnMachine, kept, type Operand } from './operand.ts';
import type { ColumnContext } from './select-rows.ts';
import { StringOperands } from './string-operands.ts';
import { commonType, type StaticType, typesOf } from './type-of.ts';

export interface ExpressionContext extends ColumnContext {
  /** Where strings that the expression makes get their codes. */
  readonly strings: StringTable;
}

type Evaluate = (batch: Batch) => Operand;

/**
 * The expression as a function from a batch to a column in its arena. A bare column name gives
 * that column itself. The expression must have a type: `typeOf` reported nothing.
 */
export function compileExpression(
  expression: Expression,
  schema: Schema,
  context: ExpressionContext,
): (batch: Batch) => Column {
  if (expression.kind === 'column') {
    const index = columnIndex(schema, expression.name);
    if (index < 0) throw new TypeError(`there is no column ${expression.name}`);
    return (batch) => batch.columns[index]!;
  }
  const compiler = new Compiler(expression, schema, context);
  const evaluate = compiler.as(expression, compiler.typeOf(expression));
  const { machine } = compiler;
  return (batch) => {
    const operand = evaluate(batch);
    const { type } = operand;
    const pointer = machine.column(operand, batch.rowCount);
    if (type !== 'string') return { type, pointer };
    return { type, pointer, dictionary: operand.dictionary ?? context.strings };
  };
}

/**
 * The expression, of a numeric or boolean type, as f64[rows] in the batch arena; true is 1. It may
 * be the buffer of a column of the batch: read only.
 */
export function compileToFloat64(
  expression: Expression,
  schema: Schema,
  context: ExpressionContext,
): (batch: Batch) => Pointer {
  const compiler = new Compiler(expression, schema, context);
  const { machine } = compiler;
  if (compiler.typeOf(expression) !== 'boolean') {
    const evaluate = compiler.as(expression, 'float64');
    return (batch) => machine.column(evaluate(batch), batch.rowCount);
  }
  const evaluate = compiler.as(expression, 'boolean');
  const run = machine.loops.booleanToF64;
  return (batch) => {
    const values = machine.unary(run, 'float64', evaluate(batch), batch.rowCount);
    return machine.column(values, batch.rowCount);
  };
}

/**
 * The condition as a mask in the batch arena: u8[rows], 1 true, 0 false, 2 null. It may be the
 * buffer of a column of the batch: read only.
 */
export function compileToMask(
  expression: Expression,
  schema: Schema,
  context: ExpressionContext,
): (batch: Batch) => Pointer {
  const compiler = new Compiler(expression, schema, context);
  const evaluate = compiler.as(expression, 'boolean');
  return (batch) => compiler.machine.column(evaluate(batch), batch.rowCount);
}

const SUFFIX = {
  float64: 'F64',
  int64: 'I64',
  timestamp: 'I64',
  string: 'U32',
  boolean: 'U8',
} as const;

const ARITHMETIC = {
  '+': 'addF64',
  '-': 'subtractF64',
  '*': 'multiplyF64',
  '/': 'divideF64',
  '%': 'remainderF64',
} as const;

const FUNCTION_KERNELS: Readonly<Record<string, UnaryKernelName>> = {
  abs: 'absF64',
  ceil: 'ceilF64',
  exp: 'expF64',
  floor: 'floorF64',
  ln: 'logF64',
  log: 'logF64',
  log10: 'log10F64',
  sign: 'signF64',
  sqrt: 'sqrtF64',
};

class Compiler {
  readonly machine: ColumnMachine;
  readonly #schema: Schema;
  readonly #types: ReadonlyMap<Expression, StaticType>;
  readonly #strings: StringOperands;

  constructor(expression: Expression, schema: Schema, context: ExpressionContext) {
    this.machine = new ColumnMachine(context);
    this.#schema = schema;
    this.#strings = new StringOperands(this.machine, context.strings);
    const types = typesOf(expression, schema, [], ({ message }) => {
      throw new TypeError(`cannot compile ${formatExpression(expression)}: ${message}`);
    });
    this.#types = types!;
  }

  typeOf(node: Expression): ColumnType {
    const type = this.#types.get(node)!;
    if (type === 'null') throw new TypeError(`${formatExpression(node)} is always null`);
    return type;
  }

  /** The node as values of a type that `commonType` gave. */
  as(node: Expression, type: ColumnType): Evaluate {
    const { machine } = this;
    const own = this.#types.get(node)!;
    if (own === 'null') return () => machine.nothing(type);
    if (type === own) return this.#compile(node);
    if (type === 'float64' && own === 'int64') {
      const evaluate = this.#compile(node);
      const run = machine.loops.int64ToF64;
      return (batch) => machine.unary(run, 'float64', evaluate(batch), batch.rowCount);
    }
    if (type === 'timestamp' && node.kind === 'string') {
      const time = parseIsoTime(node.value)!;
      return () => machine.constant('timestamp', time);
    }
    throw new TypeError(`${formatExpression(node)} is of type ${own}, not ${type}`);
  }

  #compile(node: Expression): Evaluate {
    const { machine } = this;
    switch (node.kind) {
      case 'number':
        return () => machine.constant('float64', node.value);
      case 'boolean':
        return () => machine.constant('boolean', node.value ? 1 : 0);
      case 'string':
        return () => this.#strings.literal(node.value);
      case 'null':
        throw new TypeError('null has no type of its own');
      case 'column':
        return this.#column(node.name);
      case 'unary': {
        if (node.operator === 'not') return this.#not(this.as(node.operand, 'boolean'));
        return this.#unary('negateF64', 'float64', this.as(node.operand, 'float64'));
      }
      case 'binary':
        return this.#binary(node);
      case 'is_null': {
        const type = this.#common([node.operand]);
        const isNull = this.#isNull(this.as(node.operand, type), type);
        return node.negated ? this.#not(isNull) : isNull;
      }
      case 'between': {
        const { operand, low, high } = node;
        const type = this.#common([operand, low, high]);
        const value = shared(this.as(operand, type));
        const [lower, upper] = [this.as(low, type), this.as(high, type)];
        const isAbove = this.#compare('<=', type, lower, value.first);
        const isBelow = this.#compare('<=', type, value.again, upper);
        const isBetween = this.#combine('andMasks', 'boolean', isAbove, isBelow);
        return node.negated ? this.#not(isBetween) : isBetween;
      }
      case 'in':
        return node.negated ? this.#not(this.#in(node)) : this.#in(node);
      case 'case':
        return this.#case(node);
      case 'call':
        return this.#call(node);
    }
  }

  #column(name: string): Evaluate {
    const index = columnIndex(this.#schema, name);
    return (batch) => {
      const { type, pointer, dictionary } = batch.columns[index]!;
      const operand: Operand = { type, pointer, step: 1, isScratch: false };
      return dictionary === undefined ? operand : { ...operand, dictionary };
    };
  }

  #unary(kernel: UnaryKernelName, type: ColumnType, evaluate: Evaluate): Evaluate {
    const { machine } = this;
    const run = machine.loops[kernel];
    return (batch) => machine.unary(run, type, evaluate(batch), batch.rowCount);
  }

  #combine(kernel: BinaryKernelName, type: ColumnType, a: Evaluate, b: Evaluate): Evaluate {
    const { machine } = this;
    const run: BinaryKernel = machine.loops[kernel];
    return (batch) => {
      const left = a(batch);
      return machine.binary(run, type, left, b(batch), batch.rowCount);
    };
  }

  #not(evaluate: Evaluate): Evaluate {
    return this.#unary('notMask', 'boolean', evaluate);
  }

  #isNull(evaluate: Evaluate, type: ColumnType): Evaluate {
    return this.#unary(`isNull${SUFFIX[type]}`, 'boolean', evaluate);
  }

  /** Type in which the nodes meet; nulls alone meet as float64. */
  #common(nodes: readonly Expression[]): ColumnType {
    const type = commonType(nodes, this.#types)!;
    return type === 'null' ? 'float64' : type;
  }

  #binary({ operator, left, right }: BinaryExpression): Evaluate {
    switch (operator) {
      case 'and':
      case 'or': {
        const [a, b] = [this.as(left, 'boolean'), this.as(right, 'boolean')];
        return this.#combine(operator === 'and' ? 'andMasks' : 'orMasks', 'boolean', a, b);
      }
      case '+':
      case '*':
      case '/':
      case '%':
      case '-': {
        const isTime = this.#common([left, right]) === 'timestamp';
        const type = isTime ? 'timestamp' : 'float64';
        const kernel = isTime ? 'secondsBetween' : ARITHMETIC[operator];
        return this.#combine(kernel, 'float64', this.as(left, type), this.as(right, type));
      }
      default: {
        const type = this.#common([left, right]);
        return this.#compare(operator, type, this.as(left, type), this.as(right, type));
      }
    }
  }

  #compare(
    operator: '=' | '<>' | '<' | '<=' | '>' | '>=',
    type: ColumnType,
    a: Evaluate,
    b: Evaluate,
  ): Evaluate {
    const suffix = SUFFIX[type];
    if (operator === '=' || operator === '<>') {
      const kernel = `${operator === '=' ? 'equal' : 'unequal'}${suffix}` as const;
      return type === 'string'
        ? this.#compareStrings(kernel, a, b)
        : this.#combine(kernel, 'boolean', a, b);
    }
    if (suffix !== 'F64' && suffix !== 'I64') throw new TypeError(`${type} has no order`);
    const isStrict = operator === '<' || operator === '>';
    const kernel = `${isStrict ? 'less' : 'lessOrEqual'}${suffix}` as const;
    const isSwapped = operator === '>' || operator === '>=';
    return isSwapped
      ? this.#combine(kernel, 'boolean', b, a)
      : this.#combine(kernel, 'boolean', a, b);
  }

  #compareStrings(kernel: BinaryKernelName, a: Evaluate, b: Evaluate): Evaluate {
    const { machine } = this;
    const strings = this.#strings.fork();
    const run: BinaryKernel = machine.loops[kernel];
    return (batch) => {
      const [left, right] = strings.comparable(a(batch), b(batch), batch.rowCount);
      return machine.binary(run, 'boolean', left, right, batch.rowCount);
    };
  }

  #in({ operand, options }: InExpression): Evaluate {
    const { machine } = this;
    const type = this.#common([operand, ...options]);
    const evaluate = this.as(operand, type);
    const values = options.filter(({ kind }) => kind !== 'null');
    const hasNull = values.length < options.length ? 1 : 0;
    const listOf = this.#listOf(type, values);
    const run: MembershipKernel =
      type === 'string'
        ? machine.loops.inU32
        : type === 'float64'
          ? machine.loops.inF64
          : machine.loops.inI64;
    return (batch) => {
      const sought = evaluate(batch);
      const found = listOf(sought.dictionary);
      const list = machine.list(type, found);
      return machine.unary(
        (pointer, out, rows) => run(pointer, list, found.length, hasNull, out, rows),
        'boolean',
        sought,
        batch.rowCount,
      );
    };
  }

  /** Values of the literals; strings as codes of the dictionary, as far as it has them. */
  #listOf(
    type: ColumnType,
    literals: readonly Expression[],
  ): (dictionary: Dictionary | undefined) => readonly (number | bigint)[] {
    if (type === 'string') {
      const texts = literals.flatMap((node) => (node.kind === 'string' ? [node.value] : []));
      return (dictionary) =>
        texts.map((text) => dictionary?.codeOf(text) ?? -1).filter((code) => code >= 0);
    }
    const values = literals.map((node) => {
      if (node.kind === 'string') return parseIsoTime(node.value)!;
      return node.kind === 'number' ? node.value : 0;
    });
    return () => values;
  }

  #case(node: CaseExpression): Evaluate {
    const type = this.typeOf(node);
    const branches = node.branches.map(({ when, result }) => ({
      when: this.as(when, 'boolean'),
      result: this.as(result, type),
    }));
    const { machine } = this;
    const otherwise: Evaluate =
      node.otherwise === null ? () => machine.nothing(type) : this.as(node.otherwise, type);
    const strings = this.#strings.fork();
    return (batch) => {
      const { rowCount } = batch;
      const values = [...branches.map(({ result }) => result(batch)), otherwise(batch)];
      const aligned = type === 'string' ? strings.unified(values, rowCount) : values;
      let chosen = aligned.at(-1)!;
      for (let i = branches.length - 1; i >= 0; i--) {
        chosen = machine.choose(branches[i]!.when(batch), aligned[i]!, chosen, rowCount);
      }
      return chosen;
    };
  }

  #call(node: CallExpression): Evaluate {
    const { name } = node;
    if (name === 'coalesce') return this.#coalesce(node);
    if (name === 'least' || name === 'greatest') {
      const type = this.typeOf(node);
      const kernel = `${name}${type === 'float64' ? 'F64' : 'I64'}` as const;
      const [first, ...rest] = node.arguments.map((argument) => this.as(argument, type));
      return rest.reduce((all, next) => this.#combine(kernel, type, all, next), first!);
    }
    const [first, second] = node.arguments.map((argument) => this.as(argument, 'float64'));
    if (name === 'pow') return this.#combine('powF64', 'float64', first!, second!);
    if (name === 'round') return this.#round(node, first!);
    return this.#unary(FUNCTION_KERNELS[name]!, 'float64', first!);
  }

  #round(node: CallExpression, evaluate: Evaluate): Evaluate {
    const digits = node.arguments[1];
    const factor = 10 ** (digits?.kind === 'number' ? digits.value : 0);
    const { machine } = this;
    return (batch) =>
      machine.unary(
        (values, out, rows) => machine.loops.roundF64(values, factor, out, rows),
        'float64',
        evaluate(batch),
        batch.rowCount,
      );
  }

  #coalesce(node: CallExpression): Evaluate {
    const type = this.typeOf(node);
    const parts = node.arguments.map((argument) => this.as(argument, type));
    const { machine } = this;
    const isNull = machine.loops[`isNull${SUFFIX[type]}`];
    const strings = this.#strings.fork();
    return (batch) => {
      const { rowCount } = batch;
      const values = parts.map((part) => part(batch));
      const aligned = type === 'string' ? strings.unified(values, rowCount) : values;
      let result = aligned.at(-1)!;
      for (const value of aligned.slice(0, -1).reverse()) {
        const mask = machine.unary(isNull, 'boolean', kept(value), rowCount);
        result = machine.choose(mask, result, value, rowCount);
      }
      return result;
    };
  }
}

/** One evaluation for two uses within one batch: `first` is called before `again`. */
function shared(evaluate: Evaluate): { first: Evaluate; again: Evaluate } {
  let operand: Operand | undefined;
  return {
    first: (batch) => {
      operand = kept(evaluate(batch));
      return operand;
    },
    again: () => operand!,
  };
}
