/** Quality checks: one kind each, on a dataset that exists, over columns that it has. */

import type { SinkDataset } from '../contract/connector.ts';
import type { ColumnType, Schema } from '../contract/schema.ts';
import type { Path, Report } from '../contract/problem.ts';
import { parseIsoTime } from '../contract/time.ts';
import { nearestOrAll } from './advice.ts';
import { checkOptions, orList, show } from './check-fields.ts';
import { isOpen, mayExist } from './doubts.ts';
import { isMapping } from './field-schema.ts';
import { CHECK_FIELDS, CHECK_KINDS, type CheckKind } from './pipeline-fields.ts';
import type { QualityCheckPlan, StepConfig } from './pipeline-plan.ts';
import { reportAt } from './plan-step.ts';
import { isMended, spelt } from './repair-fields.ts';
import type { SinkNode } from './plan-sinks.ts';

const KINDS = Object.keys(CHECK_KINDS) as CheckKind[];

/** @param checks The value of `quality`, or undefined. */
export function planQuality(
  checks: unknown,
  sinks: readonly SinkNode[],
  report: Report,
): readonly QualityCheckPlan[] {
  if (checks === undefined || checks === null) return [];
  if (!Array.isArray(checks)) {
    const message = `quality: expected a list of checks, got ${show(checks)}`;
    report({ path: ['quality'], code: 'config/invalid-value', message });
    return [];
  }
  const names = new Map<string, number>();
  return checks.flatMap((check: unknown, index) => {
    const planned = planCheck(check, ['quality', index], sinks, report);
    if (planned === undefined) return [];
    const isNamed = (check as Record<string, unknown>)['name'] !== undefined;
    return [{ ...planned, name: uniqueName(planned.name, isNamed, index, names, report) }];
  });
}

function uniqueName(
  name: string,
  isNamed: boolean,
  index: number,
  names: Map<string, number>,
  report: Report,
): string {
  const uses = (names.get(name) ?? 0) + 1;
  names.set(name, uses);
  if (uses === 1) return name;
  if (!isNamed) return uniqueName(`${name}_${uses}`, false, index, names, report);
  report({
    path: ['quality', index, 'name'],
    code: 'config/duplicate-name',
    message: `another check is called ${name}`,
    help: 'rename one of them',
  });
  return name;
}

function planCheck(
  check: unknown,
  path: Path,
  sinks: readonly SinkNode[],
  report: Report,
): QualityCheckPlan | undefined {
  const at = reportAt(path, report);
  const subject = `quality[${path[1]}]`;
  if (!isMapping(check)) {
    const message = `${subject}: expected a dataset and a check, got ${show(check)}`;
    at({ path: [], code: 'config/invalid-value', message });
    return undefined;
  }
  const kinds = KINDS.filter((kind) => check[kind] !== undefined);
  const kind = kinds[0];
  const fields = { ...CHECK_FIELDS, ...CHECK_KINDS };
  const others = KINDS.filter((candidate) => candidate !== kind);
  const checked = Object.fromEntries(
    Object.entries(fields).filter(([name]) => !(others as string[]).includes(name)),
  );
  const values = Object.fromEntries(
    Object.entries(check).filter(([name]) => !(others as string[]).includes(name)),
  );
  const found = checkOptions({ subject, fields: checked, values, otherOptions: KINDS }, at);
  if (!hasOneKind(kinds, check, subject, at) || found === undefined || kind === undefined) return;
  const { config, repaired } = found;
  const placed: Report = (problem) => {
    if (repaired === undefined) at(problem);
    else if (!isMended(problem.path, repaired))
      at({ ...problem, path: spelt(problem.path, repaired) });
  };
  const sink = datasetOf(String(config['dataset']), sinks, placed);
  if (sink === undefined || (repaired !== undefined && isMended(['dataset'], repaired))) return;
  checkColumns(kind, config, sink, placed);
  if (repaired !== undefined) return undefined;
  const value = config[kind];
  return {
    name: (config['name'] as string | undefined) ?? generatedName(sink.name, kind, value),
    dataset: sink.name,
    check: { [kind]: value },
    severity: config['severity'] as 'error' | 'warn',
    warnIf: String(config['warn_if']).trim(),
    errorIf: String(config['error_if']).trim(),
  };
}

function hasOneKind(
  kinds: readonly CheckKind[],
  check: Readonly<Record<string, unknown>>,
  subject: string,
  report: Report,
): boolean {
  if (kinds.length === 1) return true;
  if (kinds.length > 1) {
    report({
      path: [kinds[1]!],
      target: 'key',
      code: 'config/constraint',
      message: `${subject} has two kinds of check, ${kinds.slice(0, 2).join(' and ')}`,
      help: 'make it two checks',
    });
    return false;
  }
  // A misspelt kind is already reported as an unknown option.
  const known = Object.keys(CHECK_FIELDS);
  if (Object.keys(check).some((name) => !known.includes(name))) return false;
  report({
    path: [],
    code: 'config/missing-field',
    message: `${subject} has no check`,
    help: `add ${orList(KINDS)}`,
  });
  return false;
}

type CheckedSink = SinkNode & { readonly dataset: SinkDataset };

/** The sink whose output is checked; undefined where there is none, or it cannot be told. */
function datasetOf(
  name: string,
  sinks: readonly SinkNode[],
  report: Report,
): CheckedSink | undefined {
  const sink = sinks.find((candidate) => candidate.name === name);
  if (sink === undefined) {
    report({
      path: ['dataset'],
      code: 'config/unknown-dataset',
      message: `no sink is called ${show(name)}`,
      help: nearestOrAll(
        name,
        sinks.map((candidate) => candidate.name),
        'the sinks are',
      ),
    });
    return undefined;
  }
  const { dataset, plan } = sink;
  if (dataset !== undefined) return { ...sink, dataset };
  if (plan !== undefined) {
    report({
      path: ['dataset'],
      code: 'config/unknown-dataset',
      message: `${name} cannot be checked: this ${plan.type} sink leaves no files to query`,
    });
  }
  return undefined;
}

type CheckedType = ColumnType | 'date';

const ORDERED: readonly CheckedType[] = ['float64', 'int64', 'timestamp', 'date'];

/** Columns of each kind: path within the check, and the types that it takes there. */
function columnsOf(
  kind: CheckKind,
  value: unknown,
): readonly { path: Path; name: string; types?: readonly CheckedType[] }[] {
  const list = (names: unknown, ...path: Path) =>
    ((names as string[] | undefined) ?? []).map((name, index) => ({
      path: [...path, index],
      name,
    }));
  const { column, by } = value as { readonly column?: string; readonly by?: readonly string[] };
  const one = (types: readonly CheckedType[]) =>
    column === undefined ? [] : [{ path: [kind, 'column'], name: column, types }];
  switch (kind) {
    case 'not_null':
    case 'unique':
      return list(value, kind);
    case 'accepted_range':
      return one(['float64', 'int64']);
    case 'freshness':
      return one(['timestamp']);
    case 'monotonic':
      return [...one(ORDERED), ...list(by, kind, 'by')];
    default:
      return [];
  }
}

function checkColumns(
  kind: CheckKind,
  config: StepConfig,
  { name: sink, dataset, schema, doubts }: CheckedSink,
  report: Report,
): void {
  const columns = new Map<string, CheckedType>();
  for (const { name, type } of [...dataset.columns, ...dataset.partitions]) columns.set(name, type);
  for (const { path, name, types } of columnsOf(kind, config[kind])) {
    const type = columns.get(name);
    if (mayExist(name, doubts)) continue;
    if (type === undefined) {
      if (schema !== undefined && isOpen(schema)) continue;
      report({
        path,
        code: 'config/unknown-column',
        message: `${sink} has no column ${show(name)}`,
        help: nearestOrAll(name, [...columns.keys()], 'its columns are'),
      });
    } else if (types !== undefined && !types.includes(type)) {
      report({
        path,
        code: 'config/column-type',
        message: `${kind}: expected a column of type ${orList(types)}, got ${name} of type ${type}`,
      });
    }
  }
  if (kind === 'freshness') checkFreshness(config, schema!, report);
}

function checkFreshness(config: StepConfig, schema: Schema, report: Report): void {
  const { now, column } = config['freshness'] as { now?: string; column?: string };
  if (now !== undefined && parseIsoTime(now) === undefined) {
    report({
      path: ['freshness', 'now'],
      code: 'config/invalid-value',
      message: `freshness.now: expected a time such as 2013-10-08T00:00:00Z, got ${show(now)}`,
    });
  }
  if (column === undefined && schema.time === '') {
    report({
      path: ['freshness'],
      target: 'key',
      code: 'config/missing-field',
      message: 'freshness needs an option column, because these rows have no event time',
    });
  }
}

function generatedName(dataset: string, kind: CheckKind, value: unknown): string {
  const columns = columnsOf(kind, value).map(({ name }) => name);
  return [dataset, kind, ...columns].join('_').replace(/[^A-Za-z0-9_]+/g, '_');
}
