/** Runs test cases of pipelines in this process and says what differs. */

import { catalog } from '../catalog.ts';
import { type Lint, lintFile, type LintOptions, type LintResult } from '../config/lint.ts';
import { casesOf, readTests, TEST_FILE, type TestCase } from '../config/test-file.ts';
import type { RejectedRow } from '../engine/contract/batch.ts';
import { encodeError } from '../engine/contract/error.ts';
import type { Problem, Report } from '../engine/contract/problem.ts';
import type { Schema } from '../engine/contract/schema.ts';
import { type PipelinePlan, REJECTED_SCHEMA } from '../engine/plan/pipeline-plan.ts';
import { parseReference, REJECTED_OUTPUT } from '../engine/plan/references.ts';
import { runInProcess } from '../engine/testing/run-in-process.ts';
import { diffRows, type Row } from '../engine/testing/table.ts';
import { sortInputRows } from './rejected-test-rows.ts';
import { readInputRows, readRows } from './test-rows.ts';

export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly status: 'passed' | 'failed';
  readonly elapsedMs: number;
  /** What differs, by output. */
  readonly differences: readonly { readonly output: string; readonly difference: string }[];
  /** Why it could not be run. */
  readonly error?: string;
}

export interface FileResult {
  readonly file: string;
  readonly lints: readonly Lint[];
  readonly cases: readonly CaseResult[];
}

/** @param filter Runs only the cases whose name has this in it. */
export async function runTestFile(
  file: string,
  options: Omit<LintOptions, 'catalog'>,
  filter = '',
): Promise<FileResult> {
  const full = { ...options, catalog };
  const result: LintResult = TEST_FILE.test(file)
    ? await readTests(file, full)
    : await lintFile(file, full);
  const { plan, lints, lintOf } = result;
  if (plan === undefined) return { file, lints, cases: [] };
  const found: Lint[] = [...lints];
  const cases: CaseResult[] = [];
  for (const [index, testCase] of casesOf(result).entries()) {
    if (!testCase.name.includes(filter)) continue;
    const problems: Problem[] = [];
    const report: Report = (problem) => {
      problems.push({ ...problem, path: ['tests', index, ...problem.path] });
    };
    const rows = rowsOf(testCase, plan, report);
    if (problems.length > 0) found.push(...problems.map(lintOf));
    else cases.push(await runCase(file, testCase.name, plan, rows));
  }
  return { file, lints: found, cases };
}

interface CaseRows {
  readonly inputs: Readonly<Record<string, readonly Row[]>>;
  readonly rejected: Readonly<Record<string, readonly RejectedRow[]>>;
  readonly expected: Readonly<Record<string, readonly Row[]>>;
}

function rowsOf({ input, expect }: TestCase, plan: PipelinePlan, report: Report): CaseRows {
  const inputs: Record<string, readonly Row[]> = {};
  const rejected: Record<string, readonly RejectedRow[]> = {};
  for (const [name, given] of Object.entries(input)) {
    const { schema } = plan.sources.find((source) => source.name === name)!;
    const path = ['input', name];
    if (Object.hasOwn(expect, `${name}.${REJECTED_OUTPUT}`)) {
      const sorted = sortInputRows(given, { name, schema }, path, report);
      [inputs[name], rejected[name]] = [sorted.rows, sorted.rejected];
    } else {
      inputs[name] = readInputRows(given, { name, schema }, path, report);
    }
  }
  const expected = Object.entries(expect).map(([name, rows]) => {
    const schema = schemaOf(plan, name);
    return [name, readRows(rows, { name, schema }, ['expect', name], report)] as const;
  });
  return { inputs, rejected, expected: Object.fromEntries(expected) };
}

/** The linter has seen to it that there is such an output. */
function schemaOf(plan: PipelinePlan, name: string): Schema {
  const { step, output } = parseReference(name);
  const operator = plan.operators.find((candidate) => candidate.name === step);
  if (operator === undefined && output === REJECTED_OUTPUT) return REJECTED_SCHEMA;
  return (
    operator?.outputs[output] ?? plan.sources.find((candidate) => candidate.name === step)!.schema
  );
}

async function runCase(
  file: string,
  name: string,
  plan: PipelinePlan,
  { inputs, rejected, expected }: CaseRows,
): Promise<CaseResult> {
  const start = performance.now();
  const outputs = Object.keys(expected);
  const batches = Object.fromEntries(
    Object.entries(inputs).map(([source, rows]) => [source, rows.length === 0 ? [] : [rows]]),
  );
  const elapsedMs = (): number => Math.round((performance.now() - start) * 1000) / 1000;
  try {
    const { rows } = await runInProcess(plan, catalog, { inputs: batches, rejected, outputs });
    const differences = outputs.flatMap((output) => {
      const want = expected[output]!;
      // Where no rows are expected, those that came are shown with all their columns.
      const difference = diffRows(rows[output]!, want, { isExact: want.length === 0 });
      return difference === undefined ? [] : [{ output, difference }];
    });
    const status = differences.length === 0 ? 'passed' : 'failed';
    return { file, name, status, elapsedMs: elapsedMs(), differences };
  } catch (error) {
    const { code, message } = encodeError(error);
    const text = `${code}: ${message}`;
    return { file, name, status: 'failed', elapsedMs: elapsedMs(), differences: [], error: text };
  }
}
