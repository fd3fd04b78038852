/**
 * Parses the expression language of docs/expressions.md by precedence climbing:
 *
 *   or < and < not < comparison, is null, between, in < + - < * / % < unary minus < the rest
 *
 * Comparisons do not chain. The text is data: nothing of it is ever executed.
 */

import { type ExpressionValue, expressionText } from '../contract/fields.ts';
import type { Path, Report } from '../contract/problem.ts';
import {
  childrenOf,
  EXPRESSION_DEPTH_MAX,
  type BinaryExpression,
  type ComparisonOperator,
  type Expression,
  KEYWORDS,
  type Literal,
  type NamedArgument,
} from './expression.ts';
import { ExpressionSyntaxError, type Token, tokenize } from './tokenize.ts';

/** The tree of an expression, or undefined after its first syntax error has been reported. */
export function parseExpression(
  value: ExpressionValue,
  at: Path,
  report: Report,
): Expression | undefined {
  try {
    return new Parser(tokenize(expressionText(value))).parse();
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    report({
      path: at,
      offset: error.offset,
      code: 'config/expression-syntax',
      message: error.message,
      ...(error.help === undefined ? {} : { help: error.help }),
    });
    return undefined;
  }
}

const COMPARISONS: ReadonlyMap<string, ComparisonOperator> = new Map([
  ['=', '='],
  ['<>', '<>'],
  ['!=', '<>'],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  /** Levels of recursion the parser is in; parentheses count although they make no node. */
  #depth = 0;
  /** Height of the tree under each node: chains such as a + b + c nest without recursion. */
  readonly #heights = new WeakMap<Expression, number>();

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Expression {
    const expression = this.#or();
    if (this.#token.kind !== 'end') throw this.#unexpected('an operator');
    return expression;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  /** End of the token before the current one. */
  get #end(): number {
    return this.#tokens[this.#next - 1]!.end;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take('or')) left = this.#binary('or', left, this.#and());
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#take('and')) left = this.#binary('and', left, this.#not());
    return left;
  }

  #not(): Expression {
    const { offset } = this.#token;
    if (!this.#take('not')) return this.#comparison();
    const operand = this.#nested(() => this.#not());
    return this.#node({ kind: 'unary', operator: 'not', operand, offset, end: operand.end });
  }

  #comparison(): Expression {
    const left = this.#sum();
    const compared = this.#compared(left);
    if (compared === left) return left;
    const { kind, text } = this.#token;
    if (kind === 'symbol' && COMPARISONS.has(text)) {
      throw this.#unexpected('and, or or the end', 'comparisons do not chain: a < b and b < c');
    }
    return compared;
  }

  #compared(left: Expression): Expression {
    const { offset } = left;
    const token = this.#token;
    const operator = token.kind === 'symbol' ? COMPARISONS.get(token.text) : undefined;
    if (operator !== undefined) {
      this.#next++;
      return this.#binary(operator, left, this.#sum());
    }
    if (this.#take('is')) {
      const negated = this.#take('not');
      this.#expect('null');
      return this.#node({ kind: 'is_null', operand: left, negated, offset, end: this.#end });
    }
    const negated = this.#isWord('not');
    if (negated) {
      this.#next++;
      if (!this.#isWord('between') && !this.#isWord('in')) throw this.#unexpected('between or in');
    }
    if (this.#take('between')) {
      const low = this.#sum();
      this.#expect('and');
      const high = this.#sum();
      const end = high.end;
      return this.#node({ kind: 'between', operand: left, low, high, negated, offset, end });
    }
    if (this.#take('in')) {
      const options = this.#list(
        () => this.#literal('in takes constants only'),
        'in needs at least one value',
      );
      return this.#node({ kind: 'in', operand: left, options, negated, offset, end: this.#end });
    }
    return left;
  }

  #sum(): Expression {
    let left = this.#product();
    for (;;) {
      if (this.#takeSymbol('+')) left = this.#binary('+', left, this.#product());
      else if (this.#takeSymbol('-')) left = this.#binary('-', left, this.#product());
      else return left;
    }
  }

  #product(): Expression {
    let left = this.#unary();
    for (;;) {
      if (this.#takeSymbol('*')) left = this.#binary('*', left, this.#unary());
      else if (this.#takeSymbol('/')) left = this.#binary('/', left, this.#unary());
      else if (this.#takeSymbol('%')) left = this.#binary('%', left, this.#unary());
      else return left;
    }
  }

  #unary(): Expression {
    const { offset } = this.#token;
    if (!this.#takeSymbol('-')) return this.#primary();
    if (this.#token.kind === 'number') {
      const { text, end } = this.#advance();
      return this.#node({ kind: 'number', value: -Number(text), offset, end });
    }
    const operand = this.#nested(() => this.#unary());
    return this.#node({ kind: 'unary', operator: '-', operand, offset, end: operand.end });
  }

  #primary(): Expression {
    const token = this.#token;
    const { offset, end } = token;
    if (token.kind === 'quoted') {
      this.#next++;
      return this.#node({ kind: 'column', name: token.text, offset, end });
    }
    if (this.#takeSymbol('(')) {
      const inner = this.#nested(() => this.#or());
      this.#expectSymbol(')');
      return inner;
    }
    if (this.#isWord('case')) return this.#nested(() => this.#case());
    if (token.kind === 'word' && !KEYWORDS.has(token.text.toLowerCase())) {
      this.#next++;
      if (this.#isSymbol('(')) return this.#nested(() => this.#call(token));
      return this.#node({ kind: 'column', name: token.text, offset, end });
    }
    const literal = this.#takeLiteral();
    if (literal === undefined) throw this.#unexpected('a value');
    return literal;
  }

  #call(name: Token): Expression {
    const { offset } = name;
    let parameters: readonly Expression[] = [];
    let named: readonly NamedArgument[] = [];
    const [, first, second] = this.#tokens.slice(this.#next, this.#next + 3);
    if (first?.text === '*' && first.kind === 'symbol' && second?.text === ')') {
      this.#next += 3; // count(*) is count()
    } else if (first?.text === ')' && first.kind === 'symbol') {
      this.#next += 2;
    } else {
      const items = this.#list(() => this.#argument());
      parameters = items.filter((item): item is Expression => 'kind' in item);
      named = items.filter((item): item is NamedArgument => !('kind' in item));
      const last = items.findLast((item) => 'kind' in item);
      if (named[0] !== undefined && last !== undefined && last.offset > named[0].offset) {
        const help = 'arguments with a name stand behind those without';
        throw new ExpressionSyntaxError(last.offset, 'expected name => value', help);
      }
    }
    return this.#node({
      kind: 'call',
      name: name.text.toLowerCase(),
      arguments: parameters,
      ...(named.length > 0 && { named }),
      offset,
      end: this.#end,
    });
  }

  #argument(): Expression | NamedArgument {
    const arrow = this.#tokens[this.#next + 1];
    if (this.#token.kind !== 'word' || arrow?.kind !== 'symbol' || arrow.text !== '=>') {
      return this.#or();
    }
    const name = this.#advance().text.toLowerCase();
    this.#next++;
    const value = this.#literal('an argument with a name is a constant');
    return { name, value, offset: value.offset, end: value.end };
  }

  #case(): Expression {
    const { offset } = this.#advance();
    if (!this.#isWord('when')) {
      throw this.#unexpected('when', 'every branch has a condition: case when x = 1 then 2 end');
    }
    const branches: { when: Expression; result: Expression }[] = [];
    while (this.#take('when')) {
      const when = this.#or();
      this.#expect('then');
      branches.push({ when, result: this.#or() });
    }
    const otherwise = this.#take('else') ? this.#or() : null;
    if (!this.#isWord('end')) {
      throw this.#unexpected(otherwise === null ? 'when, else or end' : 'end');
    }
    const { end } = this.#advance();
    return this.#node({ kind: 'case', branches, otherwise, offset, end });
  }

  /** `(item, item, …)` with at least one item. */
  #list<T>(item: () => T, help?: string): readonly T[] {
    this.#expectSymbol('(');
    if (this.#isSymbol(')')) throw this.#unexpected('a value', help);
    const items = [item()];
    while (this.#takeSymbol(',')) items.push(item());
    if (!this.#isSymbol(')')) throw this.#unexpected(', or )');
    this.#next++;
    return items;
  }

  #literal(help: string): Literal {
    const { offset } = this.#token;
    const negative = this.#isSymbol('-') && this.#tokens[this.#next + 1]?.kind === 'number';
    if (negative) this.#next++;
    const literal = this.#takeLiteral();
    if (literal === undefined) {
      throw this.#unexpected('a number, a string, true, false or null', help);
    }
    if (!negative || literal.kind !== 'number') return literal;
    return this.#node({ ...literal, value: -literal.value, offset });
  }

  #takeLiteral(): Literal | undefined {
    const { kind, text, offset, end } = this.#token;
    if (kind === 'number') {
      this.#next++;
      return this.#node({ kind: 'number', value: Number(text), offset, end });
    }
    if (kind === 'string') {
      this.#next++;
      return this.#node({ kind: 'string', value: text, offset, end });
    }
    if (this.#take('null')) return this.#node({ kind: 'null', offset, end });
    if (this.#take('true')) return this.#node({ kind: 'boolean', value: true, offset, end });
    if (this.#take('false')) return this.#node({ kind: 'boolean', value: false, offset, end });
    return undefined;
  }

  #binary(
    operator: BinaryExpression['operator'],
    left: Expression,
    right: Expression,
  ): BinaryExpression {
    const { offset } = left;
    return this.#node({ kind: 'binary', operator, left, right, offset, end: right.end });
  }

  /** Notes the height of the tree under the node, and refuses what is too deep. */
  #node<T extends Expression>(node: T): T {
    let height = 1;
    for (const child of childrenOf(node)) {
      height = Math.max(height, 1 + (this.#heights.get(child) ?? 1));
    }
    if (height > EXPRESSION_DEPTH_MAX) throw tooDeep(node.offset);
    this.#heights.set(node, height);
    return node;
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > EXPRESSION_DEPTH_MAX) throw tooDeep(this.#token.offset);
    const parsed = parse();
    this.#depth--;
    return parsed;
  }

  #advance(): Token {
    return this.#tokens[this.#next++]!;
  }

  #isWord(keyword: string): boolean {
    return this.#token.kind === 'word' && this.#token.text.toLowerCase() === keyword;
  }

  #isSymbol(symbol: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === symbol;
  }

  #take(keyword: string): boolean {
    if (!this.#isWord(keyword)) return false;
    this.#next++;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    if (!this.#isSymbol(symbol)) return false;
    this.#next++;
    return true;
  }

  #expect(keyword: string): void {
    if (!this.#take(keyword)) throw this.#unexpected(keyword);
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#unexpected(symbol);
  }

  #unexpected(expected: string, help?: string): ExpressionSyntaxError {
    const { kind, text, offset } = this.#token;
    if (kind === 'symbol' && text === '=>') {
      return new ExpressionSyntaxError(offset, 'expected an operator, got =>', 'write >= or <=');
    }
    const found =
      kind === 'end'
        ? 'the end'
        : kind === 'string'
          ? `'${text}'`
          : kind === 'quoted'
            ? `"${text}"`
            : text;
    return new ExpressionSyntaxError(offset, `expected ${expected}, got ${found}`, help);
  }
}

function tooDeep(offset: number): ExpressionSyntaxError {
  return new ExpressionSyntaxError(
    offset,
    `expected at most ${EXPRESSION_DEPTH_MAX} nested operations, got more`,
    'split the expression into columns of a derive step',
  );
}
