/** Everything that is wrong with a pipeline file, in the order of its lines. */

import type { Catalog } from '../engine/contract/connector.ts';
import type { Fields } from '../engine/contract/fields.ts';
import type { Problem } from '../engine/contract/problem.ts';
import { isMapping, secretPaths } from '../engine/plan/field-schema.ts';
import { planPipeline } from '../engine/plan/plan-pipeline.ts';
import type { PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import type { Lint } from './lint-of.ts';
import { type LoadedDocument, type LoadOptions, loadText, readText, startsWith } from './load.ts';
import { pipelinesInMarkdown } from './markdown.ts';
import type { SourceText } from './source-text.ts';
import type { Place } from './yaml-document.ts';

export type { Lint } from './lint-of.ts';

export interface LintOptions extends LoadOptions {
  readonly catalog: Catalog;
}

export interface LintResult {
  /** Set where no lint is an error. */
  readonly plan?: PipelinePlan;
  readonly lints: readonly Lint[];
  /** The document after variables and options, for what is not part of the plan. */
  readonly document: unknown;
  /** Places a problem that is found in the document later. */
  readonly lintOf: (problem: Problem) => Lint;
}

/**
 * Loads and plans a pipeline file.
 * @throws {EngineError} config/unreadable
 */
export async function lintFile(path: string, options: LintOptions): Promise<LintResult> {
  const envFiles = await Promise.all((options.envFiles ?? []).map(readText));
  return lintText(await readText(path), options, envFiles);
}

/**
 * The pipelines in the yaml fences of a Markdown page.
 * @throws {EngineError} config/unreadable
 */
export async function lintMarkdown(
  path: string,
  options: LintOptions,
): Promise<readonly LintResult[]> {
  const envFiles = await Promise.all((options.envFiles ?? []).map(readText));
  const page = await readText(path);
  return pipelinesInMarkdown(page).map((pipeline) => lintText(pipeline, options, envFiles));
}

export function lintText(
  source: SourceText,
  options: LintOptions,
  envFiles: readonly SourceText[] = [],
): LintResult {
  return lintLoaded(source.name, loadText(source, options, envFiles), options.catalog);
}

/** @param file Name of the file whose lints come first. */
export function lintLoaded(file: string, loaded: LoadedDocument, catalog: Catalog): LintResult {
  const { document, lintOf } = loaded;
  if (loaded.isBroken) return { lints: inOrder(loaded.lints(), file), document, lintOf };
  maskSecrets(loaded, catalog);
  const { plan, problems: all } = planPipeline(document, catalog);
  const problems = all.filter(
    ({ path }) => !loaded.unresolved.some((unresolved) => startsWith(path, unresolved)),
  );
  const lints = inOrder([...loaded.lints(), ...problems.map(lintOf)], file);
  const isValid = lints.every(({ severity }) => severity === 'warning');
  return plan !== undefined && isValid
    ? { plan, lints, document, lintOf }
    : { lints, document, lintOf };
}

/** By file (this one first), line and column, each once. */
function inOrder(lints: readonly Lint[], file: string): readonly Lint[] {
  const rank = (lint: Lint): number => (lint.file === file ? 0 : lint.line > 0 ? 1 : 2);
  const seen = new Set<string>();
  return [...lints]
    .sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
        a.line - b.line ||
        a.column - b.column,
    )
    .filter(({ file: name, line, column, code, message }) => {
      const identity = JSON.stringify([name, line, column, code, message]);
      return !seen.has(identity) && seen.add(identity);
    });
}

/** Makes sure that no lint shows the line of a secret with the secret in it. */
function maskSecrets({ document, place }: LoadedDocument, catalog: Catalog): void {
  for (const section of ['sources', 'operators', 'sinks'] as const) {
    const entries = isMapping(document) ? document[section] : undefined;
    if (!isMapping(entries)) continue;
    for (const [name, entry] of Object.entries(entries)) {
      if (!isMapping(entry)) continue;
      const definition = catalog[section].find((candidate) => candidate.name === entry['type']);
      for (const path of secretPaths((definition?.fields ?? {}) as Fields, entry)) {
        maskPlace(place, [section, name, ...path]);
      }
    }
  }
}

function maskPlace(root: Place, path: readonly (string | number)[]): void {
  let place: Place | undefined = root;
  for (const segment of path) place = place?.children.get(segment);
  if (place !== undefined) place.source.mask(place.value);
}
