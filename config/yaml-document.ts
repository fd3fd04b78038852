/**
 * YAML text to plain data, with the place of every key and value in the text.
 *
 * Aliases are expanded into copies, so the data is a tree; what they may add is limited, because
 * nine lines of aliases to aliases would otherwise make a billion values.
 */

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ProblemCode } from '../engine/contract/problem.ts';
import { type Environment, interpolate, type Interpolation, retype } from './interpolate.ts';
import type { Range, SourceText } from './source-text.ts';

const EXPANDED_VALUES_MAX = 10_000;

/** The place of a value. The tree of places has the shape of the data. */
export interface Place {
  readonly source: SourceText;
  /** Empty where the value is not written, as in `size:`. */
  readonly value: Range;
  /** Of the key that leads to it. */
  readonly key?: Range;
  /** Where a character of a text value stands. */
  readonly offsetOf?: (offset: number) => number;
  readonly children: Map<string | number, Place>;
}

export interface Mistake {
  readonly source: SourceText;
  readonly range: Range;
  readonly code: ProblemCode;
  readonly severity?: 'warning';
  readonly message: string;
  readonly help?: string;
  /** For a variable without value: the value it stands in, which an option may replace. */
  readonly path?: readonly (string | number)[];
}

export interface YamlDocument {
  readonly value: unknown;
  readonly place: Place;
  readonly mistakes: readonly Mistake[];
  /** The text is no YAML, so the value means little. */
  readonly isBroken: boolean;
}

/** @param environment Values of variables; without it texts are taken as they stand. */
export function readYaml(source: SourceText, environment?: Environment): YamlDocument {
  const mistakes: Mistake[] = [];
  let document: Document.Parsed;
  try {
    document = parseDocument(source.text, { prettyErrors: false, merge: true });
  } catch (error) {
    // Thousands of brackets in brackets exhaust the stack of the parser.
    const reason = error instanceof RangeError ? 'it is nested too deeply' : String(error);
    const message = `cannot be parsed: ${reason}`;
    mistakes.push({ source, range: { start: 0, end: 0 }, code: 'config/syntax', message });
    return { value: undefined, place: wholeText(source), mistakes, isBroken: true };
  }
  for (const error of [...document.errors, ...document.warnings]) {
    mistakes.push(mistakeOf(error, source));
  }
  const reader = new Reader(source, document, environment, mistakes);
  const { value, place } = reader.read(document.contents, []);
  const isBroken = mistakes.some(({ code, severity }) => {
    return code === 'config/syntax' && severity !== 'warning';
  });
  return { value, place, mistakes: isBroken ? firstOfEachLine(mistakes) : mistakes, isBroken };
}

function wholeText(source: SourceText): Place {
  return { source, value: { start: 0, end: source.text.length }, children: new Map() };
}

/** One slip makes the parser stumble several times over the rest of its line. */
function firstOfEachLine(mistakes: readonly Mistake[]): readonly Mistake[] {
  const lines = new Set<number>();
  return mistakes.filter(({ code, range, source }) => {
    if (code !== 'config/syntax') return true;
    const { line } = source.positionOf(range.start);
    return !lines.has(line) && lines.add(line);
  });
}

/** A key as it is written: in quotes, or up to what ends it. */
const KEY = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|.[^:,{}[\]\n]*)/;

function mistakeOf(error: YAMLError, source: SourceText): Mistake {
  const [start, end] = error.pos;
  const range = { start: Math.max(0, start), end: Math.max(0, end) };
  if (error.code === 'DUPLICATE_KEY') {
    // The parser names the first character of the key only.
    const key = KEY.exec(source.text.slice(start))?.[0].trimEnd() ?? 'a name';
    const message = `${key} is given twice`;
    return { source, range, code: 'config/duplicate-key', message, help: 'remove one of them' };
  }
  const [message, help] = syntaxMessage(error, source.text.slice(start, end));
  return {
    source,
    range,
    code: 'config/syntax',
    ...(error.name === 'YAMLWarning' ? { severity: 'warning' as const } : {}),
    message,
    ...(help === undefined ? {} : { help }),
  };
}

const QUOTE = 'put a text that contains any of , : { } [ ] # into quotes';

function syntaxMessage({ code, message }: YAMLError, found: string): [string, string?] {
  const shown = JSON.stringify(found.split('\n')[0]!.slice(0, 40));
  switch (code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return ['unexpected mapping within a value', `check the indentation, or ${QUOTE}`];
    case 'UNEXPECTED_TOKEN':
      return [`unexpected ${shown}`, QUOTE];
    case 'MULTIPLE_DOCS':
      return ['expected one document, got a second one after ---'];
    case 'TAB_AS_INDENT':
      return ['tabs cannot indent', 'use spaces'];
    case 'BAD_SCALAR_START':
      return [`a text cannot begin with ${found[0]}`, 'put it into quotes'];
    default:
      // Thousands of brackets in brackets exhaust the stack of the parser.
      if (message.includes('call stack')) return ['it is nested too deeply'];
      return [message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '')];
  }
}

interface Value {
  readonly value: unknown;
  readonly place: Place;
}

class Reader {
  readonly #source: SourceText;
  /** What each alias stands for. */
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #environment: Environment | undefined;
  readonly #mistakes: Mistake[];
  /** Nodes that are being read, so that an alias to one of them is a ring. */
  readonly #open = new Set<Node>();
  #aliasDepth = 0;
  #expanded = 0;

  constructor(
    source: SourceText,
    document: Document.Parsed,
    environment: Environment | undefined,
    mistakes: Mistake[],
  ) {
    this.#source = source;
    this.#targets = aliasTargets(document);
    this.#environment = environment;
    this.#mistakes = mistakes;
  }

  read(node: Node | null, path: readonly (string | number)[], key?: Range): Value {
    if (node === null) return { value: null, place: this.#place(key ?? { start: 0, end: 0 }, key) };
    if (this.#aliasDepth > 0) this.#expanded++;
    if (isAlias(node)) return this.#readAlias(node, path, key);
    this.#open.add(node);
    const read = isMap(node)
      ? this.#readMap(node, path, key)
      : isSeq(node)
        ? this.#readSeq(node, path, key)
        : this.#readScalar(node as Scalar, path, key);
    this.#open.delete(node);
    return read;
  }

  #readAlias(alias: Alias, path: readonly (string | number)[], key?: Range): Value {
    const target = this.#targets.get(alias);
    const fail = (message: string, help: string): Value => {
      this.#mistake(rangeOf(alias), message, help);
      return { value: null, place: this.#place(rangeOf(alias), key) };
    };
    if (target === undefined) {
      return fail(
        `there is no anchor &${alias.source}`,
        'put a text that begins with * into quotes',
      );
    }
    if (this.#open.has(target)) {
      return fail(`*${alias.source} contains itself`, 'a configuration has an end');
    }
    if (this.#expanded > EXPANDED_VALUES_MAX) {
      return fail(`aliases add more than ${EXPANDED_VALUES_MAX} values`, 'write out what is meant');
    }
    this.#aliasDepth++;
    const { value, place } = this.read(target, path);
    this.#aliasDepth--;
    return { value, place: key === undefined ? place : { ...place, key } };
  }

  #readMap(map: YAMLMap, path: readonly (string | number)[], key?: Range): Value {
    const place = this.#place(rangeOf(map), key);
    const value: Record<string, unknown> = {};
    const merged: Value[] = [];
    for (const pair of map.items) {
      if (!isPair(pair)) continue;
      const name = pair.key as Node | null;
      if (isMerge(name)) {
        merged.push(this.read(pair.value as Node | null, path));
        continue;
      }
      if (!isScalar(name)) {
        this.#mistake(rangeOf((name ?? map) as Node), 'expected a name before the colon');
        continue;
      }
      if (pair.value === null && map.flow === true) {
        this.#mistake(
          rangeOf(name),
          `expected a colon and a value after ${JSON.stringify(String(name.value))}`,
          'put a text that contains a comma into quotes',
        );
        continue;
      }
      const text = String(name.value);
      const entry = this.read(pair.value as Node | null, [...path, text], rangeOf(name));
      setOwn(value, text, entry.value);
      place.children.set(text, entry.place);
    }
    for (const source of merged.reverse()) mergeInto(value, place, source);
    return { value, place };
  }

  #readSeq(seq: YAMLSeq, path: readonly (string | number)[], key?: Range): Value {
    const place = this.#place(rangeOf(seq), key);
    const value = seq.items.map((item, index) => {
      const entry = this.read(item as Node | null, [...path, index]);
      place.children.set(index, entry.place);
      return entry.value;
    });
    return { value, place };
  }

  #readScalar(scalar: Scalar, path: readonly (string | number)[], key?: Range): Value {
    const range = rangeOf(scalar);
    const given = scalar.value;
    const place = this.#place(range, key);
    if (typeof given !== 'string') return { value: given, place };
    const written = this.#source.text.slice(range.start, range.end);
    const interpolation = this.#interpolate(given, written, range, path);
    const offsetOf = (offset: number): number =>
      range.start + writtenOffset(given, written, interpolation?.givenOffset(offset) ?? offset);
    if (interpolation === undefined) return { value: given, place: { ...place, offsetOf } };
    const { text, isWhole } = interpolation;
    // Quotes say that a text is meant, whatever the variable holds.
    const value = isWhole && scalar.type === 'PLAIN' ? retype(text) : text;
    return { value, place: { ...place, offsetOf } };
  }

  #interpolate(
    given: string,
    written: string,
    range: Range,
    path: readonly (string | number)[],
  ): Interpolation | undefined {
    if (this.#environment === undefined || !given.includes('${')) return undefined;
    const interpolation = interpolate(given, this.#environment);
    for (const { offset, length, message, help } of interpolation.problems) {
      const start = range.start + writtenOffset(given, written, offset);
      this.#mistakes.push({
        source: this.#source,
        range: { start, end: start + length },
        code: 'config/undefined-variable',
        message,
        help,
        path,
      });
    }
    return interpolation;
  }

  #place(value: Range, key: Range | undefined): Place {
    const place = { source: this.#source, value, children: new Map() };
    return key === undefined ? place : { ...place, key };
  }

  #mistake(range: Range, message: string, help?: string): void {
    this.#mistakes.push({
      source: this.#source,
      range,
      code: 'config/syntax',
      message,
      ...(help === undefined ? {} : { help }),
    });
  }
}

/** An alias means the last anchor of its name before it. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) {
        anchors.set(node.anchor, node);
      }
    },
  });
  return targets;
}

function rangeOf(node: Node): Range {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

function isMerge(key: Node | null): boolean {
  return isScalar(key) && (key.value === '<<' || typeof key.value === 'symbol');
}

/** Assignment, also for a key such as `__proto__`. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** Entries of `<<: *base` that the mapping does not state itself; of several, the first wins. */
function mergeInto(
  value: Record<string, unknown>,
  place: Place,
  { value: base, place: from }: Value,
): void {
  const bases = Array.isArray(base)
    ? base.map((item, index) => [item, from.children.get(index)])
    : [[base, from]];
  for (const [entries, at] of bases) {
    if (typeof entries !== 'object' || entries === null) continue;
    for (const [key, entry] of Object.entries(entries)) {
      if (Object.hasOwn(value, key)) continue;
      setOwn(value, key, entry);
      const child = (at as Place | undefined)?.children.get(key);
      if (child !== undefined) place.children.set(key, child);
    }
  }
}

/**
 * Where character `offset` of a parsed text stands in the text as it is written: past the quotes,
 * past escapes, across the folding of lines.
 */
export function writtenOffset(parsed: string, written: string, offset: number): number {
  const quote = written[0] === '"' || written[0] === "'" ? written[0] : '';
  const isBlock = written[0] === '|' || written[0] === '>';
  let at = isBlock ? Math.max(0, written.indexOf('\n')) : quote.length;
  for (let i = 0; i < offset && i < parsed.length && at < written.length; ) {
    if (quote === '"' && written[at] === '\\') {
      const escape = /^\\(?:x..|u.{4}|U.{8}|\r?\n[ \t]*|.)/s.exec(written.slice(at, at + 80))![0];
      const isBreak = escape[1] === '\n' || escape[1] === '\r';
      i += isBreak ? 0 : escape[1] === 'U' && Number.parseInt(escape.slice(2), 16) > 0xffff ? 2 : 1;
      at += escape.length;
    } else if (quote === "'" && written[at] === "'") {
      i++;
      at += 2;
    } else if (isSpace(written[at]!) && !isSpace(parsed[i]!)) {
      at++;
    } else if (isSpace(written[at]!)) {
      const gap = /^\s+/.exec(written.slice(at))![0];
      const breaks = gap.split('\n').length - 1;
      if (breaks === 0) {
        i++;
        at++;
      } else if (isBlock) {
        at += gap.length;
        while (i < parsed.length && isSpace(parsed[i]!)) i++;
      } else {
        // One line break is a blank, and further ones stand for themselves.
        at += gap.length;
        i += Math.max(1, breaks - 1);
      }
    } else {
      i++;
      at++;
    }
  }
  if (!isSpace(parsed[offset] ?? ' ')) while (isSpace(written[at] ?? '')) at++;
  return Math.min(at, written.length);
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\t' || character === '\r';
}
