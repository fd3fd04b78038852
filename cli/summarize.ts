/** Makes the summary of a run from its plan and its result. */

import type { PipelinePlan, SinkPlan } from '../engine/plan/pipeline-plan.ts';
import { deadLetterPath, type RunResult, takesRejected } from '../index.ts';
import type { PipelineFlags } from './command.ts';
import { sinkDataset } from './datasets.ts';
import { sqlName } from '../quality/sql.ts';
import type { QualityReport } from '../quality/run-checks.ts';
import type {
  AnomalySummary,
  DetectionSummary,
  OutputSummary,
  RunSummary,
} from './terminal/run-summary.ts';

/** Mildest first. */
const SEVERITIES = ['low', 'medium', 'high', 'critical'];

export interface Findings {
  readonly plan: PipelinePlan;
  readonly file: string;
  readonly flags: PipelineFlags;
  readonly slots: number;
  readonly result: RunResult;
  readonly quality: QualityReport | undefined;
  readonly detection: DetectionSummary | undefined;
}

export function summarize(findings: Findings): RunSummary {
  const { plan, file, flags, slots, result, quality, detection } = findings;
  const { accounts, elapsedMs, failure, wasStopped } = result;
  const anomalies = anomalySummary(plan, result);
  return {
    pipeline: plan.name,
    file,
    options: [
      ...(flags.set ?? []).flatMap((option) => ['-s', option]),
      ...(flags.envFile ?? []).flatMap((path) => ['-e', path]),
    ],
    outcome: failure !== undefined ? 'failed' : wasStopped ? 'stopped' : 'completed',
    ...checkpointSummary(plan, result),
    ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message } }),
    elapsedMs: Math.round(elapsedMs),
    rowsPerSecond: elapsedMs > 0 ? Math.round((accounts.read / elapsedMs) * 1000) : 0,
    slots,
    partitions: plan.partitions,
    accounts,
    kept: keptPaths(plan, result),
    warnings: [...result.warnings, ...unreadWarnings(plan, result), ...lateWarnings(plan, result)],
    ...sourceSummaries(result),
    steps: result.steps,
    ...(anomalies === undefined ? {} : { anomalies }),
    ...(detection === undefined ? {} : { detection }),
    ...(quality === undefined ? {} : { quality }),
    outputs: result.sinks.flatMap((sink) =>
      outputSummary(plan, sink, result.resumedFrom !== undefined),
    ),
    queries: queriesToTry(plan, result),
  };
}

function checkpointSummary(
  { checkpoint: planned }: PipelinePlan,
  { checkpoint, resumedFrom }: RunResult,
): Pick<RunSummary, 'checkpoints'> {
  if (planned === undefined || checkpoint === undefined) return {};
  const { count, epoch, bytes, spentMs, stallMs } = checkpoint;
  const durationMs = spentMs / Math.max(1, count);
  const { folder } = planned;
  return {
    checkpoints: {
      ...(resumedFrom && { resumedFrom }),
      ...{ count, epoch, bytes, durationMs, stallMs, folder },
    },
  };
}

/** Figures of the sources that have some; left out where none has. */
function sourceSummaries({ sources }: RunResult): Pick<RunSummary, 'sources'> {
  const byName = new Map<string, Record<string, number>>();
  for (const { source, metrics = {} } of sources) {
    const sum = byName.get(source) ?? {};
    for (const [name, value] of Object.entries(metrics)) {
      // A time is the one of the moment.
      sum[name] = name.endsWith('_seconds') ? value : (sum[name] ?? 0) + value;
    }
    if (Object.keys(sum).length > 0) byName.set(source, sum);
  }
  if (byName.size === 0) return {};
  return { sources: [...byName].map(([name, metrics]) => ({ name, metrics })) };
}

function anomalySummary(plan: PipelinePlan, result: RunResult): AnomalySummary | undefined {
  if (!plan.sinks.some(takesAnomalies)) return undefined;
  const found = new Set(result.anomalyCounts.map(({ severity }) => severity));
  const others = [...found].filter((severity) => !SEVERITIES.includes(severity)).sort();
  const severities = [...SEVERITIES.filter((severity) => found.has(severity)), ...others];
  const rank = new Map(severities.map((severity, index) => [severity, index]));
  const byType = new Map<string, Record<string, number>>();
  // Counts come in the order in which the first of each was found, which may differ between runs.
  for (const { type, severity, count } of result.anomalyCounts.toSorted(
    (a, b) => rank.get(a.severity)! - rank.get(b.severity)!,
  )) {
    byType.set(type, { ...byType.get(type), [severity]: count });
  }
  return {
    total: result.anomalies,
    ...(result.firstAnomalyMs === undefined
      ? {}
      : { firstAfterMs: Math.round(result.firstAnomalyMs) }),
    severities,
    byType: [...byType]
      .map(([type, bySeverity]) => ({
        type,
        total: Object.values(bySeverity).reduce((sum, count) => sum + count, 0),
        bySeverity,
      }))
      .sort((a, b) => b.total - a.total || (a.type < b.type ? -1 : 1)),
  };
}

function takesAnomalies({ schema }: SinkPlan): boolean {
  return schema.columns.some(({ name }) => name === 'anomaly_id');
}

function keptPaths(plan: PipelinePlan, { accounts, perSource }: RunResult): RunSummary['kept'] {
  const late = plan.sinks.find(takesLate);
  const latePath = late === undefined ? undefined : pathOf(late);
  const rejectedPaths = plan.sources.flatMap(({ name }) =>
    perSource[name]!.rejected > 0 ? (rejectedPath(plan, name) ?? []) : [],
  );
  return {
    ...(latePath !== undefined && accounts.late > 0 ? { late: latePath } : {}),
    ...(rejectedPaths.length > 0 ? { rejected: rejectedPaths.join(', ') } : {}),
  };
}

/** Sources that were read to their end and had nothing in them, which few users intend. */
function unreadWarnings(plan: PipelinePlan, result: RunResult): readonly string[] {
  if (result.wasStopped || result.failure !== undefined) return [];
  if (result.wasCompleteBefore) {
    return ['an earlier run had read everything; what it had yet to make visible now is'];
  }
  if (result.resumedFrom !== undefined) return [];
  return plan.sources
    .filter(({ name }) => result.perSource[name]!.read === 0)
    .map(({ name, config }) => {
      const path = config['path'];
      return `no rows were read from ${name}${typeof path === 'string' ? `: ${path}` : ''}`;
    });
}

/** How to keep late rows that nobody takes. */
function lateWarnings(plan: PipelinePlan, { accounts }: RunResult): readonly string[] {
  if (accounts.late === 0 || plan.sinks.some(takesLate)) return [];
  const outputs = plan.operators
    .filter((operator) => Object.hasOwn(operator.outputs, 'late'))
    .map(({ name }) => `${name}.late`);
  const inputs = outputs.map((output) => `input: ${output}`).join(' or ');
  return [`late rows were dropped; add a sink with ${inputs} to keep them`];
}

function takesLate({ inputs }: SinkPlan): boolean {
  return inputs.some(({ output }) => output === 'late');
}

/** Where the rejected rows of a source are; undefined where their sink keeps none. */
function rejectedPath(plan: PipelinePlan, source: string): string | undefined {
  const taker = plan.sinks.find((sink) => takesRejected(sink, source));
  return taker === undefined ? deadLetterPath(plan, source) : pathOf(taker);
}

function outputSummary(
  plan: PipelinePlan,
  sink: RunResult['sinks'][number],
  isResumed: boolean,
): OutputSummary[] {
  const { name, type, rows, files, bytes } = sink;
  const planned = plan.sinks.find((candidate) => candidate.name === name);
  // The dead letters of a source that nobody reads are worth a line only where there are any.
  if (planned === undefined) {
    const source = plan.sources.find((candidate) => name === `${candidate.name}.rejected`);
    if (rows === 0 || source === undefined) return [];
    return [{ name, type, rows, files, bytes, path: deadLetterPath(plan, source.name) }];
  }
  const path = pathOf(planned);
  const own = { name, type, rows, ...(files > 0 ? { files, bytes } : {}), ...(path && { path }) };
  if (!isResumed || sink.total === undefined) return [own];
  const count = filesNow(plan, planned);
  const total = { ...(count === undefined ? {} : { files: count }), rows: sink.total.rows };
  return [{ ...own, total }];
}

/** Undefined where its output is no files, or is one. */
function filesNow(plan: PipelinePlan, sink: SinkPlan): number | undefined {
  try {
    return sinkDataset(plan, sink)?.files?.().length;
  } catch {
    return undefined;
  }
}

function pathOf({ config }: SinkPlan): string | undefined {
  const path = config['path'];
  return typeof path === 'string' && path !== '-' ? path : undefined;
}

/** Two queries over what this pipeline has written, in the words of its own columns. */
function queriesToTry(plan: PipelinePlan, { sinks }: RunResult): RunSummary['queries'] {
  const readable = plan.sinks.filter((sink) => sinkDataset(plan, sink) !== undefined);
  const written = new Set(sinks.filter(({ rows }) => rows > 0).map(({ name }) => name));
  const found = readable.filter(takesAnomalies);
  const anomalies = found.find(({ name }) => written.has(name)) ?? found[0];
  const rows = readable.find((sink) => sink !== anomalies && sink.schema.key !== '');
  const queries = [];
  if (anomalies !== undefined) {
    const columns = `${sqlName(plan.key)}, event_time, type, severity, round(score, 2) as z`;
    const from = sqlName(anomalies.name);
    const sql = `select ${columns} from ${from} order by abs(score) desc limit 10`;
    queries.push({ title: 'The strongest anomalies', sql });
  }
  if (rows !== undefined) {
    const [key, time] = [sqlName(plan.key), sqlName(rows.schema.time)];
    const columns = `${key}, count(*) as n, min(${time}) as first, max(${time}) as last`;
    const from = sqlName(rows.name);
    const sql = `select ${columns} from ${from} group by all order by n desc limit 10`;
    queries.push({ title: `How many rows of ${rows.name} each ${plan.key} has`, sql });
  }
  return queries;
}
