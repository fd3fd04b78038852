/**
 * What sources, steps and sinks have in common: options against their declaration, and a guard
 * around the code of the declaration itself.
 */

import type { Constraint } from '../contract/operator.ts';
import type { Fields } from '../contract/fields.ts';
import type { Path, Report } from '../contract/problem.ts';
import { checkFields } from './check-fields.ts';
import type { StepConfig } from './pipeline-plan.ts';
import type { Entry, Planning } from './planning.ts';

interface Declaration {
  readonly name: string;
  readonly fields: Fields;
  readonly constraints: readonly Constraint<never>[];
}

/** The configuration of an entry after defaults, or undefined where it has a problem. */
export function checkEntry(
  planning: Planning,
  entry: Entry<Declaration>,
  reserved: readonly string[],
): StepConfig | undefined {
  const { definition } = entry;
  if (definition === undefined || entry.values === undefined) return undefined;
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(entry.values).filter(([name]) => !reserved.includes(name)),
  );
  return guarded(planning, entry, (report) =>
    checkFields(
      {
        subject: definition.name,
        fields: definition.fields,
        constraints: definition.constraints,
        values,
        otherOptions: reserved,
      },
      report,
    ),
  );
}

/**
 * Runs code of a declaration, whose problems are anchored at the entry. Undefined where it reports
 * an error, or fails: that is a fault of the declaration, yet it must not hide all other problems.
 */
export function guarded<T>(
  { report }: Planning,
  { path, definition }: Entry<Declaration>,
  plan: (report: Report) => T,
): T | undefined {
  let isSound = true;
  const anchored = reportAt(path, (problem) => {
    if (problem.severity !== 'warning') isSound = false;
    report(problem);
  });
  try {
    const result = plan(anchored);
    return isSound ? result : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report({
      path,
      target: 'key',
      code: 'config/unplannable',
      message: `${definition?.name} cannot be planned: ${reason}`,
      help: 'this is a fault of its declaration, not of the pipeline: please report it',
    });
    return undefined;
  }
}

/** Reports problems whose paths are relative to `base`. */
export function reportAt(base: Path, report: Report): Report {
  return (problem) => report({ ...problem, path: [...base, ...problem.path] });
}
