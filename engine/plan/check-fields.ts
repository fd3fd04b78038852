/**
 * Values against declared fields: what zod finds becomes problems in the words of the user's file.
 *
 * One mistake gives one problem: a misspelt option is not also a missing one, and of the branches
 * of a union only the one that was meant is reported.
 */

import { fieldDoc, type Constraint } from '../contract/operator.ts';
import { type Fields, z } from '../contract/fields.ts';
import { didYouMean, type Path, type Problem, type Report } from '../contract/problem.ts';
import { exampleOf, isMapping, metaOf, optionsOf, schemasAt } from './field-schema.ts';
import type { StepConfig } from './pipeline-plan.ts';
import { branchMeant, type Repaired, repairFields, spelt } from './repair-fields.ts';

type Issue = z.core.$ZodIssue;

export interface FieldCheck {
  /** Who has the options, in messages: `tumbling_window`, `source trades`. */
  readonly subject: string;
  readonly fields: Fields;
  readonly constraints?: readonly Constraint<never>[];
  readonly values: Readonly<Record<string, unknown>>;
  /** Options that are known but checked elsewhere, for `did you mean`. */
  readonly otherOptions?: readonly string[];
}

/** The configuration after defaults, or undefined where it has a problem. */
export function checkFields(check: FieldCheck, report: Report): StepConfig | undefined {
  const checked = checkOptions(check, report);
  return checked?.repaired === undefined ? checked?.config : undefined;
}

export interface CheckedConfig {
  /** After defaults. */
  readonly config: StepConfig;
  /** Set where it has problems, and is what was probably meant. */
  readonly repaired?: Repaired;
}

/** The configuration after defaults, if need be mended; undefined where that cannot be done. */
export function checkOptions(check: FieldCheck, report: Report): CheckedConfig | undefined {
  const schema = z.strictObject(check.fields);
  const result = schema.safeParse(check.values, { error: explainIssue });
  if (result.success) {
    const config = result.data as StepConfig;
    if (checkConstraints(check, config, undefined, report)) return { config };
    const repaired = repairFields(check.fields, check.values);
    return repaired && { config, repaired };
  }
  const problems = result.error.issues.flatMap((issue) =>
    problemsOf(issue, [], { ...check, schema }),
  );
  for (const problem of withoutEchoes(problems)) report(problem);
  const repaired = repairFields(check.fields, check.values);
  if (repaired === undefined) return undefined;
  checkConstraints(check, repaired.config, repaired, report);
  return { config: repaired.config, repaired };
}

/** A constraint that looks at a mended option says nothing about the user's file. */
function checkConstraints(
  check: FieldCheck,
  config: StepConfig,
  repaired: Repaired | undefined,
  report: Report,
): boolean {
  let holds = true;
  for (const { at, violated } of check.constraints ?? []) {
    const read = new Set<string | symbol>();
    const message = (violated as (config: unknown) => string | undefined)(noting(config, read));
    if (message === undefined) continue;
    const wrong = [...(repaired?.mended ?? []), ...(repaired?.removed ?? [])];
    if (wrong.some(([option]) => read.has(String(option)))) continue;
    holds = false;
    const path = repaired === undefined ? at : spelt(at, repaired);
    const given = valueAt(check.values, path);
    const isTold = given === undefined || typeof given === 'object' || message.includes(', got ');
    const got = isTold ? '' : gotText(given, at, check);
    report({ path, code: 'config/constraint', message: `${pathText(at)}: ${message}${got}` });
  }
  return holds;
}

/** The configuration, which notes the options that are looked at. */
function noting(config: StepConfig, read: Set<string | symbol>): StepConfig {
  return new Proxy(config, {
    get: (options, name) => {
      read.add(name);
      return Reflect.get(options, name) as unknown;
    },
  });
}

interface Context extends FieldCheck {
  readonly schema: z.ZodType;
}

interface MissingOption extends Problem {
  /** Key of the option that is missing from the mapping at `path`. */
  readonly missing?: string;
  /** Option that a misspelt key probably means. */
  readonly meant?: string | undefined;
}

/** Misspelling an option is one mistake, although the option is then missing as well. */
function withoutEchoes(problems: readonly MissingOption[]): readonly Problem[] {
  const meant = new Set<string>();
  for (const problem of problems) {
    if (problem.meant !== undefined)
      meant.add(pathText([...problem.path.slice(0, -1), problem.meant]));
  }
  return problems
    .filter(
      ({ path, missing }) => missing === undefined || !meant.has(pathText([...path, missing])),
    )
    .map(({ missing: _missing, meant: _meant, ...problem }) => problem);
}

function problemsOf(issue: Issue, base: Path, context: Context): readonly MissingOption[] {
  const path = [...base, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownOption(path, key, context));
  }
  const value = valueAt(context.values, path);
  if (value === undefined && path.length > 0) return [missingOption(path, context)];
  if (issue.code === 'invalid_union') {
    const branch = branchMeant(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => problemsOf(inner, path, context));
  }
  if (issue.code === 'invalid_key') return [invalidKey(issue, path)];
  const isRule = typeof value === 'object' && !issue.message.startsWith('expected');
  const got = path.length === 0 || isRule ? '' : gotText(value, path, context);
  const message = `${pathText(path) || context.subject}: ${issue.message}${got}`;
  return [{ path, code: 'config/invalid-value', message }];
}

function gotText(value: unknown, path: Path, { fields }: FieldCheck): string {
  const [head, ...rest] = path;
  const field = Object.hasOwn(fields, head!) ? fields[head!] : undefined;
  const at = field === undefined ? [] : schemasAt(field, rest);
  const secret = [...at, ...(field === undefined ? [] : [field])].some(isSecret);
  return secret ? '' : `, got ${show(value)}`;
}

function isSecret(schema: z.ZodType): boolean {
  return metaOf(schema, 'kind') === 'secret';
}

function unknownOption(path: Path, key: string, context: Context): MissingOption {
  const subject = path.length === 0 ? context.subject : pathText(path);
  const options = schemasAt(context.schema, path).flatMap((at) => Object.keys(optionsOf(at) ?? {}));
  if (path.length === 0) options.push(...(context.otherOptions ?? []));
  const suggestion = didYouMean(key, options);
  return {
    path: [...path, key],
    target: 'key',
    code: 'config/unknown-field',
    message: `${subject} has no option ${nameText(key)}`,
    help:
      suggestion ?? (options.length > 0 ? `its options are ${options.join(', ')}` : 'remove it'),
    meant: options.find((option) => suggestion === `did you mean ${option}?`),
  };
}

function missingOption(path: Path, context: Context): MissingOption {
  const parent = path.slice(0, -1);
  const key = path[path.length - 1]!;
  const subject = parent.length === 0 ? context.subject : pathText(parent);
  const field = schemasAt(context.schema, parent)
    .map((at) => optionsOf(at)?.[key])
    .find((found) => found !== undefined);
  return {
    path: parent,
    target: 'key',
    code: 'config/missing-field',
    message: `${subject} needs an option ${nameText(String(key))}`,
    ...(field === undefined ? {} : { help: adviceFor(String(key), field) }),
    missing: String(key),
  };
}

/** `size: 1m (length of each window)`, from the declaration. */
function adviceFor(key: string, field: z.ZodType): string {
  const example = exampleOf(field);
  const doc = fieldDoc(field);
  if (example === undefined) return doc === undefined ? `add ${key}` : `${key}: ${doc}`;
  return `for example ${key}: ${typeof example === 'string' ? example : flowText(example)}`;
}

function invalidKey(issue: Extract<Issue, { code: 'invalid_key' }>, path: Path): Problem {
  const expected = issue.issues[0]?.message ?? 'expected another key';
  const key = path[path.length - 1]!;
  return {
    path,
    target: 'key',
    code: 'config/invalid-value',
    message: `${pathText(path.slice(0, -1))}: ${expected}, got ${show(key)}`,
  };
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'nothing',
};

/** What a schema that words no error of its own expects. */
function explainIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${KIND_WORDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${orList(issue.values.map(String))}`;
    case 'too_small':
      return `expected ${bounded('at least', 'more than', issue, issue.minimum)}`;
    case 'too_big':
      return `expected ${bounded('at most', 'less than', issue, issue.maximum)}`;
    case 'invalid_union':
      return `expected ${unionWords(issue.errors)}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    default:
      return 'not accepted';
  }
}

function bounded(
  inclusive: string,
  exclusive: string,
  issue: { readonly origin: string; readonly inclusive?: boolean | undefined },
  limit: number | bigint,
): string {
  const unit =
    issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
  const one = unit.replace('characters', 'character').replace('entries', 'entry');
  return `${issue.inclusive === false ? exclusive : inclusive} ${limit}${limit === 1 ? one : unit}`;
}

function unionWords(branches: readonly (readonly Issue[])[]): string {
  const words = branches.map((issues) => issues[0]?.message.replace(/^expected /, '') ?? '');
  return orList([...new Set(words)]);
}

export function orList(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

export function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const segment of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, segment)) return;
    found = (found as Record<string | number, unknown>)[segment];
  }
  return found;
}

/** `rules[0].when`. */
export function pathText(path: Path): string {
  return path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      return index === 0 ? nameText(segment) : `.${nameText(segment)}`;
    })
    .join('');
}

/** A name as it is, anything else in quotes. */
export function nameText(name: string): string {
  return /^[\w-]{1,60}$/.test(name) ? name : show(name);
}

const SHOWN_CHARACTERS_MAX = 60;

/** The user's own value, as short as a message needs it. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') {
    const text =
      value.length > SHOWN_CHARACTERS_MAX ? `${value.slice(0, SHOWN_CHARACTERS_MAX)}…` : value;
    return JSON.stringify(text);
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') {
    return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  }
  return String(value as number | boolean);
}

/** A value as one line of YAML. */
export function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (isMapping(value)) {
    const entries = Object.entries(value).map(([key, item]) => `${key}: ${flowText(item)}`);
    return `{ ${entries.join(', ')} }`;
  }
  return typeof value === 'string' && !/^[\w./(][\w ./*+()=<>-]*$/.test(value)
    ? JSON.stringify(value)
    : String(value);
}
