/**
 * Options with mistakes, mended as far as one can tell what was meant, so that what depends on them
 * can be looked at in the same go. The result is never run.
 *
 * Only the value that is wrong is mended, however deep it stands: one bad entry of a mapping of
 * columns leaves the others as they are. A value is left out where that is allowed, and otherwise
 * becomes some value that is accepted; where there is none, what holds it is mended instead.
 */

import { type Fields, z } from '../contract/fields.ts';
import { didYouMean, type Path } from '../contract/problem.ts';
import {
  exampleOf,
  isMapping,
  namesColumns,
  optionsOf,
  schemasAt,
  unwrap,
} from './field-schema.ts';
import type { StepConfig } from './pipeline-plan.ts';

export interface Repaired {
  readonly config: StepConfig;
  /** Where values are not the user's; problems with them mean nothing. */
  readonly mended: readonly Path[];
  /** The same, as `pathKey` writes them. */
  readonly mendedKeys: ReadonlySet<string>;
  /** Entries that were taken out, so that what holds them misses them. */
  readonly removed: readonly Path[];
  /** Path of a misspelt option, as `pathKey` writes it, to how it is spelt in the file. */
  readonly respelt: ReadonlyMap<string, string>;
  /** Whether new columns may be meant of which not even the names are known. */
  readonly isOpaque: boolean;
}

function pathKey(path: Path): string {
  return JSON.stringify(path);
}

/** Whether the value at the path is part of the user's file no more. */
export function isMended(path: Path, { mendedKeys }: Pick<Repaired, 'mendedKeys'>): boolean {
  return path.some((_segment, i) => mendedKeys.has(pathKey(path.slice(0, i + 1))));
}

export function isWithin(path: Path, outer: Path): boolean {
  return outer.every((segment, i) => path[i] === segment);
}

/** The path as the file spells it. */
export function spelt(path: Path, { respelt }: Pick<Repaired, 'respelt'>): Path {
  return path.map((segment, i) => respelt.get(pathKey(path.slice(0, i + 1))) ?? segment);
}

/** Rounds of mending: each round mends all that is found, and may bring up what lies deeper. */
const ROUNDS_MAX = 12;

/** Undefined where no configuration comes of it, whatever is mended. */
export function repairFields(fields: Fields, given: StepConfig): Repaired | undefined {
  const repair = new Repair(fields, given);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const result = repair.schema.safeParse(repair.values);
    if (result.success) return { ...repair.found(), config: result.data as StepConfig };
    if (!repair.mendAll(result.error.issues, [])) return undefined;
  }
  return undefined;
}

type Issue = z.core.$ZodIssue;
type Container = Record<string | number, unknown>;

class Repair {
  readonly schema: z.ZodType;
  readonly values: Container;
  readonly #mended: Path[] = [];
  readonly #removed: Path[] = [];
  readonly #respelt = new Map<string, string>();
  #isOpaque = false;
  /** Paths at which a value was put that ought to be accepted. */
  readonly #filled = new Set<string>();

  constructor(fields: Fields, given: StepConfig) {
    this.schema = z.strictObject(fields);
    this.values = copyOf(given) as Container;
  }

  found(): Omit<Repaired, 'config'> {
    const mended = this.#mended;
    const mendedKeys = new Set(mended.map(pathKey));
    return {
      mended,
      mendedKeys,
      removed: this.#removed,
      respelt: this.#respelt,
      isOpaque: this.#isOpaque,
    };
  }

  /** Mends what issues are about; false where that cannot be done. */
  mendAll(issues: readonly Issue[], base: Path): boolean {
    // With its right name, an option is no longer missing.
    const misspelt = issues.filter(({ code }) => code === 'unrecognized_keys');
    const first = misspelt.length > 0 ? misspelt : issues;
    return first.every((issue) => this.#mend(issue, base));
  }

  #mend(issue: Issue, base: Path): boolean {
    const path = [...base, ...(issue.path as Path)];
    switch (issue.code) {
      case 'unrecognized_keys':
        for (const key of issue.keys) this.#respell(path, key);
        return true;
      case 'invalid_key':
        this.#remove(path);
        return true;
      case 'invalid_union': {
        const branch = branchMeant(issue.errors);
        if (branch === undefined) return this.#replace(path);
        return this.mendAll(branch, path);
      }
      default:
        return this.#replace(path);
    }
  }

  /** Leaves the value out, or puts another in its place. */
  #replace(path: Path): boolean {
    const key = path[path.length - 1];
    if (key === undefined) return false;
    const holder = containerAt(this.values, path.slice(0, -1));
    if (holder === undefined) return true; // mended already, together with what held it
    this.#noteMended(path);
    const given = holder[key];
    const schemas = schemasAt(this.schema, path);
    const meant = schemas.flatMap((schema) => wordMeant(schema, given));
    const isOption = schemasAt(this.schema, path.slice(0, -1)).some((at) => optionsOf(at));
    const isFilled = this.#filled.has(pathKey(path));
    if (meant.length === 0 && isOption && given !== undefined && !isFilled) {
      delete holder[key];
      return true;
    }
    const value = isFilled ? [] : [...meant, ...schemas.flatMap(sampleOf)];
    if (value.length === 0) return this.#replace(path.slice(0, -1));
    put(holder, key, value[0]);
    this.#filled.add(pathKey(path));
    return true;
  }

  #remove(path: Path): void {
    const holder = containerAt(this.values, path.slice(0, -1));
    if (holder !== undefined) delete holder[path[path.length - 1]!];
    this.#removed.push(path);
  }

  #noteMended(path: Path): void {
    this.#mended.push(path);
    // An entry of a mapping of columns has its name; the mapping as a whole would have had some.
    this.#isOpaque ||= schemasAt(this.schema, path).some(namesColumns);
  }

  /** Gives a misspelt option the name that was probably meant, or leaves it out. */
  #respell(path: Path, key: string): void {
    const holder = containerAt(this.values, path);
    if (holder === undefined || !Object.hasOwn(holder, key)) return;
    const options = schemasAt(this.schema, path).flatMap((at) => Object.keys(optionsOf(at) ?? {}));
    const free = options.filter((name) => holder[name] === undefined);
    const meant = key.length > 100 ? undefined : didYouMean(key, free);
    const name = meant?.slice('did you mean '.length, -1);
    if (name === undefined) {
      this.#removed.push([...path, key]);
    } else {
      put(holder, name, holder[key]);
      this.#respelt.set(pathKey([...path, name]), key);
    }
    delete holder[key];
  }
}

/** Of the alternatives, the one whose kind the value has; it fails further in. */
export function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches
    .filter((issues) =>
      issues.every(({ code, path }) => code === 'unrecognized_keys' || path.length > 0),
    )
    .sort((a, b) => a.length - b.length)[0];
}

/** The word of a choice that a misspelt one probably means. */
function wordMeant(schema: z.ZodType, given: unknown): readonly unknown[] {
  const { entries } = (schema as unknown as { readonly def: { readonly entries?: object } }).def;
  if (typeof given !== 'string' || given.length > 100 || entries === undefined) return [];
  const meant = didYouMean(given, Object.values(entries).map(String));
  return meant === undefined ? [] : [meant.slice('did you mean '.length, -1)];
}

const SAMPLES: readonly unknown[] = ['x', 1, true, 'x: y', {}, []];

/** A value that is accepted, if one is easily found. */
function sampleOf(schema: z.ZodType): readonly unknown[] {
  const samples = [exampleOf(schema), ...SAMPLES, sampleOptions(schema)];
  return samples
    .filter((value) => value !== undefined && unwrap(schema).safeParse(value).success)
    .slice(0, 1)
    .map((value) => copyOf(value));
}

/** A mapping of the options that must be given. */
function sampleOptions(schema: z.ZodType): unknown {
  const required = Object.entries(optionsOf(schema) ?? {}).filter(
    ([, field]) => !field.safeParse(undefined).success,
  );
  return Object.fromEntries(required.map(([name, field]) => [name, sampleOf(field)[0]]));
}

function containerAt(values: unknown, path: Path): Container | undefined {
  let found = values;
  for (const segment of path) {
    if (!isContainer(found) || !Object.hasOwn(found, segment)) return undefined;
    found = found[segment];
  }
  return isContainer(found) ? found : undefined;
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Sets an own property, whatever its name. */
function put(holder: Container, key: string | number, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** Mappings and lists anew, also where they hold themselves, all other values as they are. */
function copyOf(value: unknown): unknown {
  return copyWith(value, new Map());
}

function copyWith(value: unknown, copies: Map<unknown, unknown>): unknown {
  const isList = Array.isArray(value);
  if (!isList && !isMapping(value)) return value;
  if (copies.has(value)) return copies.get(value);
  const copy: Container = isList ? ([] as unknown as Container) : {};
  copies.set(value, copy);
  for (const [key, item] of Object.entries(value)) put(copy, key, copyWith(item, copies));
  return copy;
}

/** Every key of a value, however deep: names that a faulty step may have been about to make. */
export function keysWithin(value: unknown): ReadonlySet<string> {
  const keys = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (node: unknown): void => {
    if (seen.has(node) || typeof node !== 'object') return;
    seen.add(node);
    if (Array.isArray(node)) node.forEach(visit);
    if (!isMapping(node)) return;
    for (const [key, item] of Object.entries(node)) {
      keys.add(key);
      visit(item);
    }
  };
  visit(value);
  return keys;
}
