/**
 * The smallest pipeline of a chain of types, put together from the examples of their declarations.
 *
 * Examples were written one by one, so a step may ask for a column that the step before it does not
 * make; such columns are replaced by ones that are there.
 */

import { stringify } from 'yaml';
import type { Catalog } from '../engine/contract/connector.ts';
import { didYouMean, type Path, type Problem } from '../engine/contract/problem.ts';
import type { Schema } from '../engine/contract/schema.ts';
import { checkFields } from '../engine/plan/check-fields.ts';
import { planPipeline } from '../engine/plan/plan-pipeline.ts';

type Config = Record<string, unknown>;

export interface CreatedPipeline {
  readonly document: Readonly<Record<string, unknown>>;
  /** What is left to do by hand; empty for most chains. */
  readonly problems: readonly Problem[];
}

/** Types that do not exist, each with a suggestion. */
export class UnknownTypesError extends Error {
  override readonly name: string = 'UnknownTypesError';
}

/**
 * @param types A source, operators and a sink, in the order of the rows.
 * @throws {UnknownTypesError}
 */
export function createPipeline(types: readonly string[], catalog: Catalog): CreatedPipeline {
  checkTypes(types, catalog);
  const [sourceType, ...rest] = types as [string, ...string[]];
  const sinkType = rest.pop()!;
  const sourceDefinition = catalog.sources.find(({ name }) => name === sourceType)!;
  const source: Config = { type: sourceType, ...sourceDefinition.examples[0]?.config };
  let schema = schemaOf(() =>
    sourceDefinition.plan(withDefaults(sourceDefinition, source), 'symbol', ignore),
  );
  let input = 'trades';
  const operators: Record<string, Config> = {};
  for (const type of rest) {
    const name = freeName(type, operators);
    const definition = catalog.operators.find((candidate) => candidate.name === type)!;
    const examples = definition.examples.map(({ config }) => structuredClone(config) as Config);
    const config = fitted(definition, examples, schema);
    operators[name] = { type, input, ...config };
    const before = schema;
    schema =
      before &&
      schemaOf(() => definition.plan(withDefaults(definition, config), before, ignore).main);
    input = name;
  }
  const sinkDefinition = catalog.sinks.find(({ name }) => name === sinkType)!;
  const document = {
    name: types.join('-').replace(/_/g, '-'),
    sources: { trades: source },
    key: 'symbol',
    ...(rest.length === 0 ? {} : { operators }),
    sinks: { output: { type: sinkType, input, ...outputOf(sinkDefinition, input) } },
  };
  return { document, problems: planPipeline(document, catalog).problems };
}

/** The document as YAML that people like to read. */
export function pipelineYaml(document: Readonly<Record<string, unknown>>): string {
  return stringify(document, { lineWidth: 0, flowCollectionPadding: true });
}

function checkTypes(types: readonly string[], catalog: Catalog): void {
  const complaints: string[] = [];
  if (types.length < 2) complaints.push('expected at least a source and a sink');
  types.forEach((type, index) => {
    const [kind, definitions] =
      index === 0
        ? (['source', catalog.sources] as const)
        : index === types.length - 1
          ? (['sink', catalog.sinks] as const)
          : (['operator', catalog.operators] as const);
    const names = definitions.map(({ name }) => name);
    if (names.includes(type)) return;
    const help = didYouMean(type, names) ?? `there are ${names.join(', ')}`;
    complaints.push(`there is no ${kind} ${type}; ${help}`);
  });
  if (complaints.length > 0) throw new UnknownTypesError(complaints.join('\n'));
}

/** The example of a sink, with a path named after what it takes. */
function outputOf({ examples }: Catalog['sinks'][number], input: string): Config {
  const config: Config = { ...examples[0]?.config };
  const { path } = config;
  if (typeof path !== 'string') return config;
  return { ...config, path: path.replace(/(?<=\/)[\w-]+(?=(?:\.\w+)*$)/, input) };
}

function freeName(type: string, taken: Readonly<Record<string, unknown>>): string {
  let name = type;
  for (let count = 2; Object.hasOwn(taken, name); count++) name = `${type}_${count}`;
  return name;
}

function ignore(): void {}

interface Definition {
  readonly name: string;
  readonly fields: Catalog['operators'][number]['fields'];
}

function withDefaults({ name, fields }: Definition, { type: _type, ...values }: Config): Config {
  return (checkFields({ subject: name, fields, values }, ignore) ?? values) as Config;
}

function schemaOf(plan: () => Schema): Schema | undefined {
  try {
    return plan();
  } catch {
    return undefined;
  }
}

const REPLACEMENTS_MAX = 50;

/**
 * Of the examples, the one that fits the columns best, with unknown columns replaced: an example in
 * which fewer had to be replaced still says more of what it was written to say.
 */
function fitted(
  definition: Catalog['operators'][number],
  examples: readonly Config[],
  schema: Schema | undefined,
): Config {
  if (schema === undefined) return examples[0] ?? {};
  const problemsOf = (config: Config): readonly Problem[] => {
    const problems: Problem[] = [];
    schemaOf(
      () =>
        definition.plan(withDefaults(definition, config), schema, (it) => problems.push(it)).main,
    );
    return problems;
  };
  let best: Config | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const example of examples) {
    let problems = problemsOf(example);
    let count = 0;
    for (; count < REPLACEMENTS_MAX; count++) {
      const [first] = problems;
      if (first === undefined) break;
      const text = at(withDefaults(definition, example), first.path);
      if (!replaceColumn(example, first, text, schema)) break;
      problems = problemsOf(example);
    }
    const misfit = problems.length * REPLACEMENTS_MAX + count;
    if (misfit < fewest) [best, fewest] = [example, misfit];
  }
  return best ?? {};
}

/**
 * Replaces the column that the problem is about; false where it is about something else.
 * @param text What has the problem: of the configuration, or a default.
 */
function replaceColumn(
  config: Config,
  { code, path, offset }: Problem,
  text: unknown,
  schema: Schema,
): boolean {
  const parent = at(config, path.slice(0, -1)) as Record<string | number, unknown> | undefined;
  const last = path[path.length - 1];
  if (parent === undefined || last === undefined) return false;
  if (code === 'config/duplicate-column') return renameKey(parent, String(last));
  if (code !== 'config/unknown-column' && code !== 'config/column-type') return false;
  if (typeof text !== 'string') return false;
  const start = offset ?? 0;
  const word = offset === undefined ? text : /^\w+/.exec(text.slice(start))?.[0];
  if (word === undefined || word === '') return false;
  const numbers = schema.columns.filter(({ type }) => type === 'float64' || type === 'int64');
  const siblings: readonly unknown[] = Array.isArray(parent) ? parent : [];
  const free = numbers
    .map(({ name }) => name)
    .filter((name) => name !== word && !siblings.includes(name));
  const column = nearest(word, free);
  if (column === undefined) return false;
  parent[last] = text.slice(0, start) + column + text.slice(start + word.length);
  return true;
}

/** Names of the market's price, the usual subject of a step. */
const PRICES = ['close', 'price'];

/** What stands best for a column: `z_price` for `z_return`, else a price, else the first. */
function nearest(word: string, names: readonly string[]): string | undefined {
  const prefix = /^[^_]+_/.exec(word)?.[0];
  const alike = prefix === undefined ? undefined : names.find((name) => name.startsWith(prefix));
  return alike ?? PRICES.find((name) => names.includes(name)) ?? names[0];
}

/** Gives a new column another name, at its place among the others. */
function renameKey(parent: Record<string, unknown>, name: string): boolean {
  if (Array.isArray(parent) || !Object.hasOwn(parent, name)) return false;
  const entries = Object.entries(parent);
  for (const key of Object.keys(parent)) delete parent[key];
  for (const [key, value] of entries) parent[key === name ? `${key}_2` : key] = value;
  return true;
}

function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const segment of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string | number, unknown>)[segment];
  }
  return found;
}
