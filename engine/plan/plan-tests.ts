/** Test cases: their shape, and that the sources and steps they name exist. */

import type { Path, Report } from '../contract/problem.ts';
import { checkFields, show } from './check-fields.ts';
import { isMapping } from './field-schema.ts';
import { TEST_FIELDS } from './pipeline-fields.ts';
import { reportAt } from './plan-step.ts';
import type { Planning } from './planning.ts';
import { nearest } from './references.ts';

/** @param tests The value of `tests`, or undefined. */
export function checkTests(tests: unknown, planning: Planning, report: Report): void {
  if (tests === undefined) return;
  if (!Array.isArray(tests)) {
    const message = `tests: expected a list of cases, got ${show(tests)}`;
    report({ path: ['tests'], code: 'config/invalid-value', message });
    return;
  }
  tests.forEach((test: unknown, index) => {
    const path = ['tests', index];
    if (!isMapping(test)) {
      const message = `tests[${index}]: expected name, input and expect, got ${show(test)}`;
      report({ path, code: 'config/invalid-value', message });
      return;
    }
    const fields = { subject: `tests[${index}]`, fields: TEST_FIELDS, values: test };
    checkFields(fields, reportAt(path, report));
    const { input, expect } = test;
    if (isMapping(input)) checkInputs(input, [...path, 'input'], planning, report);
    for (const name of Object.keys(isMapping(expect) ? expect : {})) {
      checkExpected(name, [...path, 'expect', name], planning);
    }
  });
}

function checkExpected(name: string, path: Path, planning: Planning): void {
  const reference = planning.resolveName(name, path, 'key');
  if (reference === undefined) return;
  planning.schemaOf(reference, path, 'key');
}

function checkInputs(input: object, path: Path, planning: Planning, report: Report): void {
  for (const name of Object.keys(input)) {
    if (planning.isSource(name)) continue;
    const names = planning.sources.map((source) => source.name);
    const meant = nearest(name, names);
    report({
      path: [...path, name],
      target: 'key',
      code: 'config/unknown-input',
      message: planning.isStep(name)
        ? `${name} is a step; only sources take the rows of a test`
        : `no source is called ${show(name)}`,
      ...(meant === undefined ? {} : { help: `did you mean ${meant}?` }),
    });
  }
}
