/**
 * Cuts the text of an expression into tokens. Keywords are words here; the parser knows them.
 */

import type { Span } from './expression.ts';

export interface Token extends Span {
  readonly kind: 'number' | 'string' | 'word' | 'quoted' | 'symbol' | 'end';
  /** Value of a string or quoted name without its quotes; otherwise the text as written. */
  readonly text: string;
}

/** What is wrong with the text, on its way up to `parseExpression`. */
export class ExpressionSyntaxError extends Error {
  override readonly name: string = 'ExpressionSyntaxError';
  readonly offset: number;
  readonly help: string | undefined;

  constructor(offset: number, message: string, help?: string) {
    super(message);
    this.offset = offset;
    this.help = help;
  }
}

const SPACE = /\s+/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const STRING = /'((?:[^']|'')*)'/y;
const QUOTED = /"((?:[^"]|"")*)"/y;
const SYMBOL = /<>|<=|>=|=>|!=|[-+*/%=<>(),]/y;

/** Spellings of other languages, and what to write here. */
const FOREIGN: readonly (readonly [pattern: RegExp, help: string])[] = [
  [/==/y, 'equality is written ='],
  [/=</y, 'write <='],
  [/&&?/y, 'write and'],
  [/\|\|?/y, 'write or'],
  [/!/y, 'write not, or <> for unequal'],
  [/\*\*|\^/y, 'powers are written pow(x, y)'],
  [/\?|:/y, 'choices are written case when … then … else … end'],
  [/[`[\]]/y, 'an unusual column name takes double quotes: "name"'],
];

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}

/** The tokens of the text, the last of kind `end`. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  for (;;) {
    offset += matchAt(SPACE, text, offset)?.[0].length ?? 0;
    if (offset === text.length) break;
    const token = tokenAt(text, offset);
    tokens.push(token);
    offset = token.end;
  }
  tokens.push({ kind: 'end', text: '', offset, end: offset });
  return tokens;
}

function tokenAt(text: string, offset: number): Token {
  rejectForeign(text, offset);
  const number = matchAt(NUMBER, text, offset)?.[0];
  if (number !== undefined) return numberToken(text, offset, number);
  const word = matchAt(WORD, text, offset)?.[0];
  if (word !== undefined) return { kind: 'word', text: word, offset, end: offset + word.length };
  const symbol = matchAt(SYMBOL, text, offset)?.[0];
  if (symbol !== undefined) {
    return { kind: 'symbol', text: symbol, offset, end: offset + symbol.length };
  }
  if (text[offset] === "'") return stringToken(text, offset);
  if (text[offset] === '"') return quotedToken(text, offset);
  const character = String.fromCodePoint(text.codePointAt(offset)!);
  throw new ExpressionSyntaxError(offset, `expected an expression, got ${character}`);
}

function rejectForeign(text: string, offset: number): void {
  if (text.startsWith('!=', offset)) return;
  for (const [pattern, help] of FOREIGN) {
    const found = matchAt(pattern, text, offset)?.[0];
    if (found !== undefined) {
      throw new ExpressionSyntaxError(offset, `expected an operator, got ${found}`, help);
    }
  }
}

function numberToken(text: string, offset: number, number: string): Token {
  const end = offset + number.length;
  const tail = matchAt(WORD, text, end)?.[0];
  if (tail !== undefined || text[end] === '.') {
    const help = 'numbers carry no unit; the difference of two times is in seconds';
    const found = number + (tail ?? '.');
    throw new ExpressionSyntaxError(offset, `expected a number, got ${found}`, help);
  }
  if (!Number.isFinite(Number(number))) {
    throw new ExpressionSyntaxError(offset, `expected a number below 1.8e308, got ${number}`);
  }
  return { kind: 'number', text: number, offset, end };
}

function stringToken(text: string, offset: number): Token {
  const match = matchAt(STRING, text, offset);
  if (match === null) {
    throw new ExpressionSyntaxError(offset, "expected a ' at the end of the string, got the end");
  }
  const value = match[1]!.replaceAll("''", "'");
  return { kind: 'string', text: value, offset, end: offset + match[0].length };
}

function quotedToken(text: string, offset: number): Token {
  const match = matchAt(QUOTED, text, offset);
  if (match === null) {
    throw new ExpressionSyntaxError(offset, 'expected a " at the end of the name, got the end');
  }
  const name = match[1]!.replaceAll('""', '"');
  if (name === '') {
    const help = "an empty string is written ''";
    throw new ExpressionSyntaxError(offset, 'expected the name of a column, got ""', help);
  }
  return { kind: 'quoted', text: name, offset, end: offset + match[0].length };
}
