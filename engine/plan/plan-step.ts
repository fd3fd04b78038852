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
import type { Path, Report } from '../contract/problem.ts';
import { type CheckedConfig, checkOptions } from './check-fields.ts';
import { Doubts, type KnownSchema } from './doubts.ts';
import type { Entry, Planning } from './planning.ts';

interface Declaration {
  readonly name: string;
  readonly fields: Fields;
  readonly constraints: readonly Constraint<never>[];
}

/** The configuration of an entry; undefined where it cannot even be guessed. */
export function checkEntry(
  planning: Planning,
  entry: Entry<Declaration>,
  reserved: readonly string[],
): CheckedConfig | undefined {
  const { definition, path } = entry;
  if (definition === undefined || entry.values === undefined) return undefined;
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(entry.values).filter(([name]) => !reserved.includes(name)),
  );
  const { fields, constraints, name } = definition;
  const check = { subject: name, fields, values, otherOptions: reserved, constraints };
  const report = reportAt(path, planning.report);
  try {
    return checkOptions(check, report);
  } catch (error) {
    reportUnplannable(planning, entry, error);
    return undefined;
  }
}

export interface Guarded<T> {
  /** Undefined where the declaration fails. */
  readonly result?: T;
  /** It reports no error, and there were no doubts. */
  readonly isSound: boolean;
  readonly doubts: Doubts;
}

/**
 * Runs code of a declaration, whose problems are anchored at the entry. That it fails is a fault of
 * the declaration, yet it must not hide all other problems.
 * @param input What the entry reads; undefined for a source.
 */
export function guarded<T>(
  planning: Planning,
  entry: Entry<Declaration>,
  { repaired }: CheckedConfig,
  input: KnownSchema | undefined,
  plan: (report: Report) => T,
): Guarded<T> {
  const { path, values, definition, isGuessed } = entry;
  const doubts = new Doubts(definition?.fields ?? {}, values, repaired, input);
  const isDoubtful = doubts.isGiven || isGuessed === true;
  let hasErrors = false;
  const anchored = reportAt(path, planning.report);
  const judge: Report = (problem) => {
    const placed = doubts.placed(problem);
    if (placed === undefined) return;
    hasErrors ||= problem.severity !== 'warning';
    if (!doubts.isEcho(placed)) anchored(placed);
  };
  try {
    const result = plan(judge);
    return { result, isSound: !hasErrors && !isDoubtful, doubts };
  } catch (error) {
    if (!isDoubtful) reportUnplannable(planning, entry, error);
    return { isSound: false, doubts };
  }
}

function reportUnplannable(
  { report }: Planning,
  { path, definition }: Entry<Declaration>,
  error: unknown,
): void {
  const reason = error instanceof Error ? error.message : String(error);
  report({
    path,
    target: 'key',
    code: 'config/unplannable',
    message: `${definition?.name} cannot be planned: ${reason}`,
    help: 'this is a fault of its declaration, not of the pipeline: please report it',
  });
}

/** Reports problems whose paths are relative to `base`. */
export function reportAt(base: Path, report: Report): Report {
  return (problem) => report({ ...problem, path: [...base, ...problem.path] });
}
