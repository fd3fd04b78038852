/**
 * What sources, steps and sinks have in common: options against their declaration, and a guard
 * around the code of the declaration itself.
 *
 * What follows a mistake is looked at too, as well as that can be done: options are mended, and the
 * outputs that result are marked with *doubts*. Problems that may be no more than echoes of the
 * mistake are then left out, so that each mistake still gives one problem.
 */

import type { Constraint } from '../contract/operator.ts';
import type { Fields } from '../contract/fields.ts';
import type { Path, Problem, Report } from '../contract/problem.ts';
import { checkFields, valueAt } from './check-fields.ts';
import type { StepConfig } from './pipeline-plan.ts';
import type { Entry, Planning } from './planning.ts';
import { type Repaired, repairFields } from './repair-fields.ts';

interface Declaration {
  readonly name: string;
  readonly fields: Fields;
  readonly constraints: readonly Constraint<never>[];
}

export interface CheckedConfig {
  /** After defaults. */
  readonly config: StepConfig;
  /** Set where it has problems, and is what was probably meant. */
  readonly repaired?: Repaired;
}

/** The configuration of an entry; undefined where it cannot even be guessed. */
export function checkEntry(
  planning: Planning,
  entry: Entry<Declaration>,
  reserved: readonly string[],
): CheckedConfig | undefined {
  const { definition } = entry;
  if (definition === undefined || entry.values === undefined) return undefined;
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(entry.values).filter(([name]) => !reserved.includes(name)),
  );
  const { fields, constraints } = definition;
  const check = { subject: definition.name, fields, values, otherOptions: reserved, constraints };
  const { result: config } = guarded(planning, entry, undefined, (report) =>
    checkFields(check, report),
  );
  if (config !== undefined) return { config };
  const repaired = repairFields(fields, values);
  return repaired && { config: repaired.config, repaired };
}

/** Why problems may be echoes of one further up; undefined where there is none. */
export interface Doubts {
  readonly repaired: Repaired | undefined;
  /** Names that a faulty step before may have been about to give to its columns. */
  readonly names: ReadonlySet<string>;
}

export function doubtsOf(
  { repaired }: CheckedConfig,
  names: ReadonlySet<string> | undefined,
): Doubts | undefined {
  if (repaired === undefined && names === undefined) return undefined;
  return { repaired, names: names ?? new Set() };
}

interface Guarded<T> {
  /** Undefined where the declaration fails. */
  readonly result?: T;
  /** It reports no error, and there were no doubts. */
  readonly isSound: boolean;
  /** It reports no error of its own, so its outputs can be relied upon as far as its input can. */
  readonly hasErrors: boolean;
}

/**
 * Runs code of a declaration, whose problems are anchored at the entry. That it fails is a fault of
 * the declaration, yet it must not hide all other problems.
 */
export function guarded<T>(
  { report }: Planning,
  { path, values, definition }: Entry<Declaration>,
  doubts: Doubts | undefined,
  plan: (report: Report) => T,
): Guarded<T> {
  let hasErrors = false;
  const anchored = reportAt(path, report);
  const judge: Report = (problem) => {
    const option = String(problem.path[0]);
    if (doubts?.repaired?.mended.has(option) === true) return;
    const respelt = doubts?.repaired?.respelt.get(option);
    const [, ...rest] = problem.path;
    const placed = respelt === undefined ? problem : { ...problem, path: [respelt, ...rest] };
    hasErrors ||= problem.severity !== 'warning';
    if (doubts === undefined || !isEcho(placed, values, doubts.names)) anchored(placed);
  };
  try {
    const result = plan(judge);
    return { result, hasErrors, isSound: !hasErrors && doubts === undefined };
  } catch (error) {
    if (doubts !== undefined) return { isSound: false, hasErrors: true };
    const reason = error instanceof Error ? error.message : String(error);
    report({
      path,
      target: 'key',
      code: 'config/unplannable',
      message: `${definition?.name} cannot be planned: ${reason}`,
      help: 'this is a fault of its declaration, not of the pipeline: please report it',
    });
    return { isSound: false, hasErrors: true };
  }
}

/** Whether the problem may be there only because of another one: it is about a doubtful name. */
function isEcho(problem: Problem, values: unknown, names: ReadonlySet<string>): boolean {
  const text = valueAt(values, problem.path);
  if (typeof text !== 'string') return false;
  switch (problem.code) {
    case 'config/column-type':
    case 'config/expression-type':
      // The type of a column may be a guess.
      return (text.match(/\w+/g) ?? []).some((word) => names.has(word));
    case 'config/unknown-column':
      return names.has(/^\w*/.exec(text.slice(problem.offset ?? 0))![0]);
    default:
      return false;
  }
}

/** Reports problems whose paths are relative to `base`. */
export function reportAt(base: Path, report: Report): Report {
  return (problem) => report({ ...problem, path: [...base, ...problem.path] });
}
