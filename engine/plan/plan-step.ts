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
import { checkFields } from './check-fields.ts';
import type { StepConfig } from './pipeline-plan.ts';
import type { Entry, Planning } from './planning.ts';
import { repairFields } from './repair-fields.ts';

interface Declaration {
  readonly name: string;
  readonly fields: Fields;
  readonly constraints: readonly Constraint<never>[];
}

export interface CheckedConfig {
  /** After defaults. */
  readonly config: StepConfig;
  readonly isSound: boolean;
  /** Options that have been mended. */
  readonly mended: ReadonlySet<string>;
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
  if (config !== undefined) return { config, isSound: true, mended: new Set() };
  const repaired = repairFields(fields, values);
  return repaired && { config: repaired.config, isSound: false, mended: repaired.options };
}

/** Why problems may be echoes of one further up. */
export interface Doubts {
  /** Options of the entry whose values are not the user's. */
  readonly mended?: ReadonlySet<string>;
  /** Names that a faulty step before may have been about to give to its columns. */
  readonly names?: ReadonlySet<string> | undefined;
}

/**
 * Runs code of a declaration, whose problems are anchored at the entry. Without a result where it
 * fails: that is a fault of the declaration, yet it must not hide all other problems.
 */
export function guarded<T>(
  { report }: Planning,
  { path, values, definition }: Entry<Declaration>,
  doubts: Doubts | undefined,
  plan: (report: Report) => T,
): { readonly result?: T; readonly isSound: boolean } {
  let isSound = doubts === undefined;
  const anchored = reportAt(path, report);
  const judge: Report = (problem) => {
    if (problem.severity !== 'warning') isSound = false;
    if (doubts === undefined || !isEcho(problem, values, doubts)) anchored(problem);
  };
  try {
    const result = plan(judge);
    return { result, isSound };
  } catch (error) {
    if (doubts !== undefined) return { isSound: false };
    const reason = error instanceof Error ? error.message : String(error);
    report({
      path,
      target: 'key',
      code: 'config/unplannable',
      message: `${definition?.name} cannot be planned: ${reason}`,
      help: 'this is a fault of its declaration, not of the pipeline: please report it',
    });
    return { isSound: false };
  }
}

/** Whether the problem may be there only because of another one. */
function isEcho(problem: Problem, values: unknown, { mended, names }: Doubts): boolean {
  if (mended?.has(String(problem.path[0])) === true) return true;
  if (names === undefined) return false;
  switch (problem.code) {
    case 'config/column-type':
    case 'config/expression-type':
      return true;
    case 'config/unknown-column':
      return names.has(wordAt(values, problem));
    default:
      return false;
  }
}

/** The word of the document that the problem is about. */
export function wordAt(values: unknown, { path, offset = 0 }: Problem): string {
  let found = values;
  for (const segment of path) {
    if (typeof found !== 'object' || found === null) return '';
    found = (found as Record<string | number, unknown>)[segment];
  }
  if (typeof found !== 'string') return String(path[path.length - 1]);
  return /^\w*/.exec(found.slice(offset))![0];
}

/** Reports problems whose paths are relative to `base`. */
export function reportAt(base: Path, report: Report): Report {
  return (problem) => report({ ...problem, path: [...base, ...problem.path] });
}
