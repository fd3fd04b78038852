/**
 * What is known of a pipeline while it is planned: its sources and steps by name, the schema of
 * each of their outputs as far as they are sound, and who reads whom.
 */

import type { Catalog } from '../contract/connector.ts';
import type { OperatorDefinition, Outputs } from '../contract/operator.ts';
import type { Path, Problem, Report } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import { nearestOrAll } from './advice.ts';
import { type CheckedConfig, nameText, orList, show } from './check-fields.ts';
import { isMapping } from './field-schema.ts';
import { PIPELINE_FIELDS, SECTIONS, STEP_NAME } from './pipeline-fields.ts';
import type { InputReference, OperatorPlan, SourcePlan } from './pipeline-plan.ts';
import { type DoubtfulNames, type KnownSchema, openRows } from './doubts.ts';
import {
  nearest,
  parseReference,
  referenceText,
  REJECTED_OUTPUT,
  Suggestions,
} from './references.ts';

export type Section = 'sources' | 'operators' | 'sinks';

/** An entry of a section, as found. */
export interface Entry<D> {
  readonly name: string;
  readonly path: Path;
  /** Undefined where the entry is no mapping. */
  readonly values: Readonly<Record<string, unknown>> | undefined;
  readonly definition: D | undefined;
  /** The type was misspelt, and `definition` is what was probably meant. */
  readonly isGuessed?: boolean;
}

export interface SourceNode {
  readonly name: string;
  /** Only where the source is sound. */
  plan?: SourcePlan;
  schema?: Schema;
  doubts?: DoubtfulNames;
}

export interface StepNode {
  readonly entry: Entry<OperatorDefinition>;
  readonly checked: CheckedConfig | undefined;
  /** At least one; undefined for one that names nothing that can be read. */
  readonly inputs: readonly (ResolvedInput | undefined)[];
  /** Only where the step, and all before it, are sound. */
  plan?: OperatorPlan;
  outputs?: Outputs;
  doubts?: DoubtfulNames;
}

/** `isGuessed`: the name was misspelt, and this is what was probably meant. */
export type ResolvedInput = InputReference & { readonly isGuessed?: boolean };

export class Planning {
  readonly document: Readonly<Record<string, unknown>>;
  /** Of the pipeline, '' where it has none. */
  readonly name: string;
  readonly catalog: Catalog;
  readonly report: Report;
  /** The key column, or what stands for it where it has a problem. */
  key = 'symbol';
  readonly sources: SourceNode[] = [];
  /** Steps in the order of the file, and after `planOperators` inputs first. */
  readonly steps = new Map<string, StepNode>();
  ordered: readonly StepNode[] = [];
  readonly suggestions: Suggestions;
  /** The key of each section, which may be misspelt. */
  readonly #keys: Readonly<Record<Section, string>>;
  readonly #sourceNames: ReadonlySet<string>;
  readonly #stepNames: ReadonlySet<string>;
  readonly #read = new Set<string>();

  constructor(document: Readonly<Record<string, unknown>>, catalog: Catalog, report: Report) {
    this.document = document;
    this.name = typeof document['name'] === 'string' ? document['name'] : '';
    this.catalog = catalog;
    this.report = report;
    this.#keys = sectionKeys(document);
    this.#sourceNames = new Set(namesOf(document[this.#keys.sources]));
    this.#stepNames = new Set(namesOf(document[this.#keys.operators]));
    this.suggestions = new Suggestions([...this.#sourceNames, ...this.#stepNames]);
  }

  /** The entries of a section that are mappings of a known type, with problems of the others. */
  entries<D extends { readonly name: string }>(
    section: Section,
    definitions: readonly D[],
  ): readonly Entry<D>[] {
    const key = this.#keys[section];
    const value = this.document[key];
    const isRequired = section !== 'operators';
    const kind = section.slice(0, -1);
    if (value === undefined || value === null) {
      if (isRequired) this.#reportMissing(section);
      return [];
    }
    if (!isMapping(value)) {
      this.report({
        path: [key],
        code: 'config/invalid-value',
        message: `${section}: expected a name and options for each ${kind}, got ${show(value)}`,
        ...help(
          Array.isArray(value)
            ? `write a name in place of each dash, with its type and options below the name`
            : undefined,
        ),
      });
      return [];
    }
    if (isRequired && Object.keys(value).length === 0) this.#reportMissing(section);
    return Object.entries(value).map(([name, entry]) =>
      this.#entry([key, name], name, entry, kind, definitions),
    );
  }

  /**
   * Reads the `input` of a step or sink: each is undefined where it names nothing that can be read.
   * @param takesList Whether it may be a list.
   */
  resolveInputs(
    entry: Entry<unknown>,
    kind: 'step' | 'sink',
    takesList: boolean,
  ): readonly (ResolvedInput | undefined)[] {
    const value = entry.values?.['input'];
    if (!takesList || !Array.isArray(value) || value.length === 0) {
      return [this.#resolveInput(entry, value, kind, [], takesList)];
    }
    return value.map((each, index) => {
      if (value.indexOf(each) === index) {
        return this.#resolveInput(entry, each, kind, [index], false);
      }
      this.report({
        path: [...entry.path, 'input', index],
        code: 'config/invalid-value',
        message: `input: ${show(each)} is named twice`,
      });
      return undefined;
    });
  }

  #resolveInput(
    { name, path, values }: Entry<unknown>,
    value: unknown,
    kind: 'step' | 'sink',
    at: readonly number[],
    takesList: boolean,
  ): ResolvedInput | undefined {
    if (values === undefined) return undefined;
    if (value === undefined) {
      this.report({
        path,
        target: 'key',
        code: 'config/missing-field',
        message: `${kind} ${nameText(name)} needs an option input`,
        help: 'input names the source or step whose rows it reads',
      });
      return undefined;
    }
    if (typeof value !== 'string') {
      const list = takesList ? ', or a list' : '';
      const expected = `the name of one source or step${list}`;
      this.report({
        path: [...path, 'input', ...at],
        code: 'config/invalid-value',
        message: `input: expected ${expected}, got ${show(value)}`,
      });
      return undefined;
    }
    return this.resolveName(value, [...path, 'input', ...at], 'value');
  }

  /** Looks up a name such as `bars.late`; the output of a step can be checked only later. */
  resolveName(text: string, path: Path, target: 'key' | 'value'): ResolvedInput | undefined {
    const reference = parseReference(text);
    const { step, output } = reference;
    const isSource = this.#sourceNames.has(step);
    if (!isSource && !this.#stepNames.has(step)) {
      const meant = this.suggestions.meant(step);
      this.report({
        path,
        target,
        code: 'config/unknown-input',
        message: `no source or step is called ${show(step)}`,
        ...help(
          meant === undefined
            ? this.#whatCanBeRead()
            : `did you mean ${referenceText({ step: meant, output })}?`,
        ),
      });
      if (meant === undefined) return undefined;
      this.#read.add(meant);
      return this.isAmbiguous(meant) ? undefined : { step: meant, output, isGuessed: true };
    }
    this.#read.add(step);
    if (this.isAmbiguous(step)) return undefined;
    if (isSource && output !== 'main' && output !== REJECTED_OUTPUT) {
      this.report(unknownOutput(reference, ['main', REJECTED_OUTPUT], path, target));
      return undefined;
    }
    return reference;
  }

  /**
   * The schema of what a reference reads. Where nothing is known of it, which has a problem of its
   * own, the rows are open; that there is no such output is reported.
   */
  schemaOf(reference: ResolvedInput | undefined, path: Path, target: 'key' | 'value'): KnownSchema {
    if (reference === undefined) return this.#openRows();
    const doubted = (doubts: DoubtfulNames): DoubtfulNames =>
      doubts ?? (reference.isGuessed === true ? new Set<string>() : undefined);
    const source = this.sources.find(({ name }) => name === reference.step);
    if (source !== undefined) {
      const { schema, doubts } = source;
      const isKnown = schema !== undefined && reference.output === 'main';
      return isKnown ? { schema, doubts: doubted(doubts) } : this.#openRows();
    }
    const { outputs, doubts } = this.steps.get(reference.step) ?? {};
    if (outputs === undefined) return this.#openRows();
    if (Object.hasOwn(outputs, reference.output)) {
      return { schema: outputs[reference.output]!, doubts: doubted(doubts) };
    }
    if (reference.isGuessed !== true) {
      this.report(unknownOutput(reference, Object.keys(outputs), path, target));
    }
    return this.#openRows();
  }

  #openRows(): KnownSchema {
    return openRows(this.key);
  }

  /** A name that is both a source and a step, which is reported; it could mean either. */
  isAmbiguous(name: string): boolean {
    return this.#sourceNames.has(name) && this.#stepNames.has(name);
  }

  isSource(name: string): boolean {
    return this.#sourceNames.has(name);
  }

  isStep(name: string): boolean {
    return this.#stepNames.has(name);
  }

  /** Sources and steps whose rows nobody takes. */
  reportUnused(): void {
    for (const [key, names] of [
      [this.#keys.sources, this.#sourceNames],
      [this.#keys.operators, this.#stepNames],
    ] as const) {
      for (const name of names) {
        const entries = this.document[key] as Readonly<Record<string, unknown>>;
        // One that is no mapping has been told, and was perhaps not meant as an entry.
        if (this.#read.has(name) || !isMapping(entries[name])) continue;
        this.report({
          path: [key, name],
          target: 'key',
          code: 'config/unused',
          severity: 'warning',
          message: `nothing reads ${nameText(name)}`,
          help: `name it as the input of a step or sink, or remove it`,
        });
      }
    }
  }

  #entry<D extends { readonly name: string }>(
    path: Path,
    name: string,
    entry: unknown,
    kind: string,
    definitions: readonly D[],
  ): Entry<D> {
    this.#checkName(path, name, kind);
    if (!isMapping(entry)) {
      this.report({
        path,
        code: 'config/invalid-value',
        message:
          `${nameText(name)}: expected the type and options of ${article(kind)}, ` +
          `got ${show(entry)}`,
        ...help(
          name === 'type'
            ? `give the ${kind} a name, with its type and options below the name`
            : undefined,
        ),
      });
      return { name, path, values: undefined, definition: undefined };
    }
    const definition = this.#definition(path, entry['type'], kind, definitions);
    if (definition !== undefined) return { name, path, values: entry, definition };
    const type = entry['type'];
    const isWord = typeof type === 'string' && type.length <= 100;
    const names = definitions.map((candidate) => candidate.name);
    const meant = isWord ? nearest(type, names) : undefined;
    const guess = definitions.find((candidate) => candidate.name === meant);
    return { name, path, values: entry, definition: guess, isGuessed: true };
  }

  #definition<D extends { readonly name: string }>(
    path: Path,
    type: unknown,
    kind: string,
    definitions: readonly D[],
  ): D | undefined {
    const names = definitions.map((definition) => definition.name);
    if (type === undefined) {
      this.report({
        path,
        target: 'key',
        code: 'config/missing-field',
        message: `${kind} ${nameText(String(path[1]))} needs an option type`,
        help: `the types of ${kind}s are ${names.join(', ')}`,
      });
      return undefined;
    }
    const definition = definitions.find((candidate) => candidate.name === type);
    if (definition === undefined) {
      this.report({
        path: [...path, 'type'],
        code: 'config/unknown-type',
        message: `there is no ${kind} type ${show(type)}`,
        help: nearestOrAll(type, names, `the types of ${kind}s are`),
      });
    }
    return definition;
  }

  #checkName(path: Path, name: string, kind: string): void {
    if (!STEP_NAME.test(name)) {
      const slug = name
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .replace(/ß/g, 'ss')
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '_')
        .replace(/^[_0-9]+|_+$/g, '');
      this.report({
        path,
        target: 'key',
        code: 'config/invalid-value',
        message: `expected a name of lower-case letters, digits and _, got ${show(name)}`,
        ...help(STEP_NAME.test(slug) ? `for example ${slug}` : undefined),
      });
    }
    if (kind === 'operator' && this.#sourceNames.has(name)) {
      this.report({
        path,
        target: 'key',
        code: 'config/duplicate-name',
        message: `${nameText(name)} is also the name of a source, so an input could mean either`,
        help: 'rename one of them',
      });
    }
  }

  #reportMissing(section: Section): void {
    const kind = section.slice(0, -1);
    this.report({
      path: this.document[section] === undefined ? [] : [section],
      target: 'key',
      code: 'config/missing-field',
      message: `the pipeline needs at least one ${kind}`,
      help: `${section}: ${SECTIONS[section]}`,
    });
  }

  #whatCanBeRead(): string | undefined {
    const names = [...this.#sourceNames, ...this.#stepNames];
    return names.length === 0 || names.length > 12 ? undefined : `there is ${orList(names)}`;
  }
}

function unknownOutput(
  reference: InputReference,
  outputs: readonly string[],
  path: Path,
  target: 'key' | 'value',
): Problem {
  const further = outputs.filter((output) => output !== 'main');
  const meant = nearest(reference.output, further);
  const all =
    further.length === 0
      ? `${reference.step} has one output, read as ${reference.step}`
      : `its further outputs are ${further.map((name) => `${reference.step}.${name}`).join(', ')}`;
  return {
    path,
    target,
    code: 'config/unknown-input',
    message: `${reference.step} has no output ${show(reference.output)}`,
    help: meant === undefined ? all : `did you mean ${reference.step}.${meant}?`,
  };
}

/** A misspelt section is one mistake: what is in it is looked at all the same. */
function sectionKeys(document: Readonly<Record<string, unknown>>): Record<Section, string> {
  const keys: Record<Section, string> = {
    sources: 'sources',
    operators: 'operators',
    sinks: 'sinks',
  };
  const known = [...Object.keys(SECTIONS), ...Object.keys(PIPELINE_FIELDS)];
  for (const key of Object.keys(document)) {
    if (known.includes(key) || !isMapping(document[key])) continue;
    const meant = nearest(key.slice(0, 100), known);
    if (meant === undefined || document[meant] !== undefined) continue;
    if (Object.hasOwn(keys, meant)) keys[meant as Section] = key;
  }
  return keys;
}

function namesOf(section: unknown): readonly string[] {
  return isMapping(section) ? Object.keys(section) : [];
}

function article(kind: string): string {
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

function help(text: string | undefined): { help?: string } {
  return text === undefined ? {} : { help: text };
}
