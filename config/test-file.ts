/**
 * Test cases beside a pipeline: under `tests:` of the pipeline file, or in `<name>.test.yaml`: a
 * list of cases, or a mapping with `tests` and, where it is another, the path of the `pipeline`.
 */

import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Problem } from '../engine/contract/problem.ts';
import { isMapping } from '../engine/plan/field-schema.ts';
import { checkFields } from '../engine/plan/check-fields.ts';
import { path, z } from '../engine/contract/fields.ts';
import { type LintOptions, type LintResult, lintLoaded } from './lint.ts';
import { lintOf } from './lint-of.ts';
import { type LoadedDocument, loadText, readText } from './load.ts';
import type { Place } from './yaml-document.ts';

/** A table with cells parted by `|`, or rows as mappings. */
export type TestRows = string | readonly Readonly<Record<string, unknown>>[];

export interface TestCase {
  readonly name: string;
  /** By source. */
  readonly input: Readonly<Record<string, TestRows>>;
  /** By step, or `step.output`. */
  readonly expect: Readonly<Record<string, TestRows>>;
}

export interface TestFile extends LintResult {
  /** The pipeline that is tested. */
  readonly pipeline: string;
  /** Valid where `plan` is set. Case `i` is at the path `['tests', i]`. */
  readonly cases: readonly TestCase[];
}

export const TEST_FILE = /\.test\.(ya?ml)$/;

/**
 * The cases of a test file, with the plan of its pipeline.
 * @throws {EngineError} config/unreadable
 */
export async function readTests(file: string, options: LintOptions): Promise<TestFile> {
  const envFiles = await Promise.all((options.envFiles ?? []).map(readText));
  const { overrides: _options, ...own } = options;
  const tests = loadText(await readText(file), own, envFiles);
  const { pipeline, problems } = pipelineOf(file, tests);
  const loaded = loadText(await readText(await existing(pipeline)), options, envFiles);
  const result = lintLoaded(file, together(loaded, tests, problems), options.catalog);
  return { ...result, pipeline, cases: casesOf(result) };
}

/** Only what is wrong in the test file; its pipeline is linted by itself. */
export async function lintTests(file: string, options: LintOptions): Promise<TestFile> {
  const tests = await readTests(file, options);
  return { ...tests, lints: tests.lints.filter((lint) => lint.file === file) };
}

export function casesOf({ document }: LintResult): readonly TestCase[] {
  const tests = isMapping(document) ? document['tests'] : undefined;
  return Array.isArray(tests) ? (tests as TestCase[]) : [];
}

const FILE_FIELDS = {
  pipeline: path({ doc: 'The pipeline, relative to this file.' }).optional(),
  tests: z.array(z.unknown(), { error: 'expected a list of cases' }),
};

function pipelineOf(
  file: string,
  { document, isBroken }: LoadedDocument,
): { readonly pipeline: string; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const beside = file.replace(TEST_FILE, '.$1');
  if (isBroken || Array.isArray(document)) return { pipeline: beside, problems };
  const values = isMapping(document) ? document : {};
  checkFields({ subject: 'the test file', fields: FILE_FIELDS, values }, (problem) => {
    problems.push(problem);
  });
  const given = values['pipeline'];
  return { pipeline: typeof given === 'string' ? join(dirname(file), given) : beside, problems };
}

/** The file, or the one that ends in .yml instead of .yaml, or the other way round. */
async function existing(file: string): Promise<string> {
  const other = file.endsWith('.yaml') ? file.replace(/aml$/, 'ml') : file.replace(/ml$/, 'aml');
  const isThere = async (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  return !(await isThere(file)) && (await isThere(other)) ? other : file;
}

/** The document of the pipeline with the cases of the test file for its own. */
function together(
  pipeline: LoadedDocument,
  tests: LoadedDocument,
  problems: readonly Problem[],
): LoadedDocument {
  const isList = Array.isArray(tests.document);
  const cases: unknown = isList ? tests.document : (tests.document as { tests?: unknown })?.tests;
  const place: Place | undefined = isList ? tests.place : tests.place.children.get('tests');
  const children = new Map(pipeline.place.children);
  children.delete('tests');
  if (place !== undefined) children.set('tests', place);
  const { tests: _own, ...document } = isMapping(pipeline.document) ? pipeline.document : {};
  const root: Place = { ...pipeline.place, children };
  return {
    document: cases === undefined ? document : { ...document, tests: cases },
    place: root,
    lints: () => [...pipeline.lints(), ...tests.lints(), ...problems.map(tests.lintOf)],
    isBroken: pipeline.isBroken || tests.isBroken,
    unresolved: [
      ...pipeline.unresolved,
      ...tests.unresolved.map((at) => (isList ? ['tests', ...at] : at)),
    ],
    lintOf: (problem) => lintOf(problem, root),
  };
}
