/**
 * Runs checks over datasets and reports. A check that cannot be run is an `error` of its own and
 * does not keep the others from running: a report has one result a check, in their order.
 */

import { type CheckRow, checkQuery } from './checks.ts';
import {
  type CheckSeverity,
  type CheckStatus,
  type Comparison,
  DEFAULT_COMPARISON,
  parseComparison,
  verdict,
  worseStatus,
} from './comparison.ts';
import type { Datasets } from './datasets.ts';
import { type QueryColumn, runQuery } from './query.ts';
import { QueryError } from './sql.ts';

/** Bad rows that a result shows. */
const SAMPLE_ROWS = 5;

export interface CheckSpec {
  readonly name: string;
  readonly dataset: string;
  /** The kind of the check and its options, as in YAML: `{ not_null: [close] }`. */
  readonly check: Readonly<Record<string, unknown>>;
  readonly severity: CheckSeverity;
  readonly warnIf: string;
  readonly errorIf: string;
}

export interface CheckSample {
  readonly columns: readonly QueryColumn[];
  /** Texts as DuckDB shows them; null for a null. */
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface CheckResult {
  readonly name: string;
  readonly dataset: string;
  readonly severity: CheckSeverity;
  readonly status: CheckStatus;
  /** Rows one does not want; null where the query did not run to its end. */
  readonly failures: number | null;
  readonly warnIf: string;
  readonly errorIf: string;
  /** What was found, in words; DuckDB's message where the query failed. */
  readonly message: string;
  /** Set where the query failed. */
  readonly code?: 'quality/query-failed';
  /** The statement that was run, over views named like the datasets; '' where there was none. */
  readonly sql: string;
  /** The first few of the failing rows. */
  readonly sample: CheckSample;
  readonly durationMs: number;
}

export interface QualityReport {
  /** The worst status of all. */
  readonly status: CheckStatus;
  readonly passed: number;
  readonly warned: number;
  readonly failed: number;
  readonly durationMs: number;
  readonly checks: readonly CheckResult[];
}

export interface RunChecksOptions {
  /** Milliseconds since the epoch; what `freshness` measures ages by. */
  readonly nowMs: number;
}

export async function runChecks(
  datasets: Datasets,
  checks: readonly CheckSpec[],
  options: RunChecksOptions,
): Promise<QualityReport> {
  const startedAt = performance.now();
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runCheck(datasets, check, options));
  const having = (status: CheckStatus): number =>
    results.filter((result) => result.status === status).length;
  return {
    status: results.reduce<CheckStatus>((worst, { status }) => worseStatus(worst, status), 'pass'),
    passed: having('pass'),
    warned: having('warn'),
    failed: having('error'),
    durationMs: elapsedSince(startedAt),
    checks: results,
  };
}

interface Measured {
  readonly sql: string;
  readonly failures: number;
  readonly sample: CheckSample;
  readonly message: string;
}

async function runCheck(
  datasets: Datasets,
  spec: CheckSpec,
  { nowMs }: RunChecksOptions,
): Promise<CheckResult> {
  const startedAt = performance.now();
  const { name, dataset, severity, warnIf, errorIf } = spec;
  const common = { name, dataset, severity, warnIf, errorIf };
  const attempt: { sql: string } = { sql: '' };
  try {
    const warn = comparison('warn_if', warnIf);
    const error = comparison('error_if', errorIf);
    const measured = await measure(datasets, spec, nowMs, attempt);
    const status = verdict(measured.failures, severity, warn, error);
    const durationMs = elapsedSince(startedAt);
    const message = `${measured.message}${limits(spec)}`;
    return { ...common, ...measured, message, status, durationMs };
  } catch (error) {
    const { message, code } = QueryError.from(error);
    return {
      ...common,
      status: 'error',
      failures: null,
      message,
      code,
      sql: attempt.sql,
      sample: { columns: [], rows: [] },
      durationMs: elapsedSince(startedAt),
    };
  }
}

async function measure(
  datasets: Datasets,
  { dataset, check }: CheckSpec,
  nowMs: number,
  attempt: { sql: string },
): Promise<Measured> {
  if (!datasets.has(dataset)) {
    const problem = datasets.problem(dataset);
    throw new QueryError(
      problem ?? `no dataset ${dataset}: its sink writes nothing that can be read back`,
    );
  }
  const columns = datasets.columns(dataset);
  const query = checkQuery(check, { dataset, columns, time: datasets.timeColumn(dataset), nowMs });
  attempt.sql = query.sql;
  const result = await runQuery(datasets, query.sql, { isSingleSelect: query.isUserSql });
  let failures = 0;
  const rows: (string | null)[][] = [];
  for await (const chunk of result.chunks) {
    for (let row = 0; row < chunk.rowCount && rows.length < SAMPLE_ROWS; row++) {
      rows.push(chunk.display(row));
    }
    failures += chunk.rowCount;
  }
  const first: CheckRow = Object.fromEntries(
    result.columns.map(({ name }, index) => [name, rows[0]?.[index] ?? null]),
  );
  return {
    sql: query.sql,
    failures,
    sample: { columns: result.columns, rows },
    message: query.message(failures, first),
  };
}

function comparison(at: string, text: string): Comparison {
  const parsed = parseComparison(text);
  if (parsed === undefined) {
    throw new QueryError(
      `${at}: found ${JSON.stringify(text)}, expected a comparison such as > 10`,
    );
  }
  return parsed;
}

/** The limits that decided, where they are not the usual ones. */
function limits({ severity, warnIf, errorIf }: CheckSpec): string {
  const stated = [
    ...(severity === 'error' && errorIf !== DEFAULT_COMPARISON ? [`error if ${errorIf}`] : []),
    ...(warnIf !== DEFAULT_COMPARISON ? [`warn if ${warnIf}`] : []),
  ];
  return stated.length === 0 ? '' : ` (${stated.join(', ')})`;
}

/** Milliseconds to a tenth: a report is no place for the noise of a clock. */
function elapsedSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 10) / 10;
}
