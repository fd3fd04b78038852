/**
 * Doubts: what is not known of rows because of a mistake further up.
 *
 * A step behind a mistake is planned all the same, on the columns that the mistake leaves it. Where
 * their names are not known, the schema is *open*: it ends in a column that stands for any others.
 * Operators pass that column on like the rest, so a chain stays open as far as columns of its input
 * go through, and a window, which names all it puts out, closes it again. Where a column is known
 * but its type is a guess, or it may come to exist, its name is doubtful.
 *
 * A problem that may be there only because of a doubt is an echo, and is not told.
 */

import { COLUMN_NAME, type Fields } from '../contract/fields.ts';
import { didYouMean, type Path, type Problem } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import { valueAt } from './check-fields.ts';
import { isMapping, namesColumns, schemasAt } from './field-schema.ts';
import { isMended, isWithin, keysWithin, type Repaired, spelt } from './repair-fields.ts';

/** Stands for columns whose names are not known. */
const ANY_COLUMN = { name: '\u2026\u0000', type: 'string' } as const;

/** Names whose columns may have another type, or may come to exist; undefined: all is sound. */
export type DoubtfulNames = ReadonlySet<string> | undefined;

export interface KnownSchema {
  readonly schema: Schema;
  readonly doubts: DoubtfulNames;
}

/** Rows of which nothing is known but that they have a key and a time. */
export function openRows(key: string): KnownSchema {
  const schema: Schema = {
    columns: [
      { name: key, type: 'string' },
      { name: 'event_time', type: 'timestamp' },
    ],
    time: 'event_time',
    key,
  };
  return { schema: opened(schema), doubts: new Set([key, 'event_time']) };
}

/** The schema, with columns beside its own. */
export function opened(schema: Schema): Schema {
  return isOpen(schema) ? schema : { ...schema, columns: [...schema.columns, ANY_COLUMN] };
}

export function isOpen({ columns }: Pick<Schema, 'columns'>): boolean {
  return columns.some(({ name }) => name === ANY_COLUMN.name);
}

/** Whether a column that is not there may be missing because of a mistake further up. */
export function mayExist(name: string, doubts: DoubtfulNames): boolean {
  if (doubts === undefined) return false;
  if (doubts.has(name)) return true;
  // A key that is no name of a column may have meant this one.
  const misspelt = [...doubts].filter((doubt) => !COLUMN_NAME.test(doubt));
  return misspelt.length > 0 && didYouMean(name, misspelt) !== undefined;
}

/** The doubts about one source, step or sink, which grow while its problems come in. */
export class Doubts {
  /** Names that its rows leave in doubt. */
  readonly names: Set<string>;
  /** Whether anything before, or in its options, is wrong. */
  readonly isGiven: boolean;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #repaired: Repaired | undefined;
  readonly #input: Schema | undefined;
  readonly #inputNames: ReadonlySet<string>;
  readonly #fields: Fields;

  /** @param input What it reads, and the doubts about that; none for a source. */
  constructor(
    fields: Fields,
    values: Readonly<Record<string, unknown>> | undefined,
    repaired: Repaired | undefined,
    input: KnownSchema | undefined,
  ) {
    this.#fields = fields;
    this.#values = values ?? {};
    this.#repaired = repaired;
    this.#input = input?.schema;
    this.#inputNames = new Set(input?.schema.columns.map(({ name }) => name));
    this.names = new Set(input?.doubts);
    this.isGiven = repaired !== undefined || input?.doubts !== undefined;
    for (const path of [...(repaired?.mended ?? []), ...(repaired?.removed ?? [])]) {
      this.#doubt(path);
    }
  }

  /** Whether all columns of its outputs must be taken to exist. */
  get isOpaque(): boolean {
    return this.#repaired?.isOpaque === true;
  }

  /** The problem where it stands in the file; undefined where it is about a value of ours. */
  placed(problem: Problem): Problem | undefined {
    if (this.#repaired === undefined) return problem;
    const { removed } = this.#repaired;
    const { path } = problem;
    if (isMended(path, this.#repaired)) return undefined;
    if (path.length > 0 && removed.some((each) => isWithin(each, path))) return undefined;
    const isConsequence =
      problem.code === 'config/missing-field' || problem.code === 'config/constraint';
    if (isConsequence && this.#mentionsMended(problem)) return undefined;
    return { ...problem, path: spelt(path, this.#repaired) };
  }

  /** Notes what a problem leaves in doubt, and tells whether it is only an echo. */
  isEcho(problem: Problem): boolean {
    const isEcho = this.isGiven || this.names.size > 0 ? this.#isEcho(problem) : false;
    if (problem.severity !== 'warning') this.#doubt(problem.path);
    return isEcho;
  }

  #isEcho(problem: Problem): boolean {
    const value = valueAt(this.#values, problem.path);
    const isOpenInput = this.#input !== undefined && isOpen(this.#input);
    switch (problem.code) {
      case 'config/column-type':
      case 'config/expression-type':
        if (problem.columns !== undefined) return this.#isAnyGuess(problem.columns, problem.path);
        return typeof value === 'string' && this.#isAnyGuess(wordsOf(value), problem.path);
      case 'config/unknown-column': {
        if (isOpenInput) return true;
        if (typeof value !== 'string') return false;
        const names = [value, nameAt(value, problem.offset ?? 0)];
        return names.some((name) => mayExist(name, this.names));
      }
      case 'config/duplicate-column': {
        const name = problem.target === 'key' ? problem.path[problem.path.length - 1] : value;
        return typeof name === 'string' && this.names.has(name);
      }
      default:
        return false;
    }
  }

  /** A value that is wrong leaves in doubt the column that it makes, or those that it names. */
  #doubt(path: Path): void {
    const [option, ...rest] = path;
    if (option === undefined) return;
    const field = Object.hasOwn(this.#fields, option) ? this.#fields[option] : undefined;
    const found = rest.filter((_segment, i) => {
      const holders = field === undefined ? [] : schemasAt(field, rest.slice(0, i));
      return holders.some(namesColumns);
    });
    const schemas = field === undefined ? [] : schemasAt(field, rest);
    if (schemas.length === 0 || schemas.some(namesColumns)) {
      found.push(...keysWithin(valueAt(this.#values, path)));
    }
    for (const name of found) {
      if (typeof name === 'string' && !this.#inputNames.has(name)) this.names.add(name);
    }
  }

  /** The names, after all problems: what is made of doubtful columns is doubtful too. */
  settled(): ReadonlySet<string> {
    if (this.names.size > 0) this.#taint(this.#values);
    return this.names;
  }

  #taint(value: unknown, seen: Set<unknown> = new Set()): void {
    if (seen.has(value)) return;
    if (typeof value === 'object') seen.add(value);
    if (Array.isArray(value)) for (const item of value) this.#taint(item, seen);
    if (!isMapping(value)) return;
    for (const [key, item] of Object.entries(value)) {
      if (typeof item !== 'string') this.#taint(item, seen);
      else if (wordsOf(item).some((word) => this.names.has(word))) this.names.add(key);
    }
  }

  /** Whether any of the columns is doubtful, if only through columns next to it. */
  #isAnyGuess(columns: readonly string[], path: Path, seen: Set<string> = new Set()): boolean {
    const siblings = valueAt(this.#values, path.slice(0, -1));
    return columns.some((name) => {
      if (this.names.has(name)) return true;
      if (seen.has(name) || this.#inputNames.has(name) || !isMapping(siblings)) return false;
      seen.add(name);
      const made = Object.hasOwn(siblings, name) ? siblings[name] : undefined;
      return typeof made === 'string' && this.#isAnyGuess(wordsOf(made), path, seen);
    });
  }

  #mentionsMended({ message, help }: Problem): boolean {
    const words = new Set(wordsOf(`${message} ${help ?? ''}`));
    return this.#repaired!.mended.some(([option]) => words.has(String(option)));
  }
}

/** Words outside of single quotes. */
function wordsOf(text: string): readonly string[] {
  return text.replace(/'[^']*'/g, ' ').match(/\w+/g) ?? [];
}

/** The name that begins here, in double quotes or without. */
function nameAt(text: string, offset: number): string {
  const [, quoted, bare] = /^(?:"([^"]*)"|(\w*))/.exec(text.slice(offset))!;
  return quoted ?? bare!;
}
