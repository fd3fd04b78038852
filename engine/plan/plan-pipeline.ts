/**
 * A pipeline document to a plan, or to everything that is wrong with it.
 *
 * Pure: the document is plain data (YAML or not), the catalogue is handed in, and nothing outside
 * is looked at. All problems are found in one go, and each mistake gives one problem: what depends
 * on something that is wrong itself is not judged.
 */

import type { Catalog } from '../contract/connector.ts';
import type { Problem, Report } from '../contract/problem.ts';
import { durationNs } from '../contract/time.ts';
import { checkFields, show, type FieldCheck } from './check-fields.ts';
import { isMapping } from './field-schema.ts';
import { PIPELINE_FIELDS, SECTIONS } from './pipeline-fields.ts';
import type { CheckpointPlan, PipelinePlan } from './pipeline-plan.ts';
import { planOperators } from './plan-operators.ts';
import { planQuality } from './plan-quality.ts';
import { planSinks } from './plan-sinks.ts';
import { planSources } from './plan-sources.ts';
import { checkTests } from './plan-tests.ts';
import { Planning } from './planning.ts';
import { repairFields } from './repair-fields.ts';

export interface PlanResult {
  /** Set where no problem is an error. */
  readonly plan?: PipelinePlan;
  readonly problems: readonly Problem[];
}

/** @param document The parsed file; never changed. Any value is accepted. */
export function planPipeline(document: unknown, catalog: Catalog): PlanResult {
  const problems: Problem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const plan = isMapping(document) ? planDocument(document, catalog, report) : undefined;
  if (!isMapping(document)) {
    report({
      path: [],
      code: 'config/invalid-value',
      message: `expected a pipeline with name, sources and sinks, got ${show(document)}`,
    });
  }
  const isValid = problems.every(({ severity }) => severity === 'warning');
  return plan !== undefined && isValid ? { plan, problems } : { problems };
}

function planDocument(
  document: Readonly<Record<string, unknown>>,
  catalog: Catalog,
  report: Report,
): PipelinePlan | undefined {
  const top = checkTop(document, report);
  const planning = new Planning(document, catalog, report);
  const key = top?.key ?? keyOf(document);
  planning.key = key ?? planning.key;
  planSources(planning, key);
  planOperators(planning);
  const sinks = planSinks(planning);
  planning.reportUnused();
  const quality = planQuality(document['quality'], sinks, report);
  checkTests(document['tests'], planning, report);
  if (top === undefined) return undefined;
  return {
    name: top.name,
    key: top.key,
    partitions: top.partitions,
    sources: planning.sources.flatMap(({ plan }) => plan ?? []),
    operators: planning.ordered.flatMap(({ plan }) => plan ?? []),
    sinks: sinks.flatMap(({ plan }) => plan ?? []),
    deadLetter: { path: top.dead_letter.path },
    checkpoint: top.checkpoint && planCheckpoint(top.name, top.checkpoint),
    quality,
  };
}

/** The key where the other fields of the file have problems; undefined where it has one itself. */
function keyOf(document: Readonly<Record<string, unknown>>): string | undefined {
  const repaired = repairFields(PIPELINE_FIELDS, topValues(document));
  if (repaired !== undefined) {
    return repaired.mended.some(([option]) => option === 'key')
      ? undefined
      : String(repaired.config['key']);
  }
  const result = PIPELINE_FIELDS.key.safeParse(document['key']);
  return result.success ? result.data : undefined;
}

function topValues(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document).filter(([name]) => !Object.hasOwn(SECTIONS, name)),
  );
}

interface Top {
  readonly name: string;
  readonly key: string;
  readonly partitions: number;
  readonly dead_letter: { readonly path: string };
  readonly checkpoint?: CheckpointConfig;
}

interface CheckpointConfig {
  readonly interval: string;
  readonly directory: string;
  readonly keep: number;
}

function planCheckpoint(
  pipeline: string,
  { interval, directory, keep }: CheckpointConfig,
): CheckpointPlan {
  const intervalMs = Number(durationNs(interval) / 1_000_000n);
  return { intervalMs, folder: `${directory}/${pipeline}`, keep };
}

/** The fields of the file itself; its key even where another field has a problem. */
function checkTop(document: Readonly<Record<string, unknown>>, report: Report): Top | undefined {
  const check: FieldCheck = {
    subject: 'the pipeline',
    fields: PIPELINE_FIELDS,
    values: topValues(document),
    otherOptions: Object.keys(SECTIONS),
  };
  return checkFields(check, report) as Top | undefined;
}
