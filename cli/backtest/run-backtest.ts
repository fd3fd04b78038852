/** Runs what `backtest` asks for, once or once for each value of a sweep, and tells about it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { catalog } from '../../catalog.ts';
import { lintFile } from '../../config/lint.ts';
import { renderLints } from '../../config/render-lints.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { formatTime, parseDuration } from '../../engine/contract/time.ts';
import type { PipelinePlan } from '../../engine/plan/pipeline-plan.ts';
import type { BacktestFlags } from '../backtest.ts';
import { note, print, toJson } from '../command.ts';
import { ExitCode } from '../exit-code.ts';
import { plural } from '../terminal/numbers.ts';
import { paletteFor, terminalWidth } from '../terminal/palette.ts';
import { anomalyOutputs, type Collected, collectAnomalies } from './collect.ts';
import { reportHtml } from './html.ts';
import { type Label, labelNames, type LabelNames, readLabels } from './labels.ts';
import { matchLabels } from './match.ts';
import { type BacktestReport, reportJson, reportLines, type SweepRow } from './report.ts';
import { parseSweep, type Settings, settingsFor, type Sweep } from './sweep.ts';

interface BacktestRequest {
  readonly file: string;
  readonly plan: PipelinePlan;
  readonly toleranceNs: bigint;
  readonly names: LabelNames;
  readonly sweep?: (Sweep & { readonly settings: (value: number) => Settings }) | undefined;
}

/** What is to be run, or what is wrong with the options. */
export function backtestRequest(
  file: string,
  plan: PipelinePlan,
  flags: BacktestFlags,
): BacktestRequest | string {
  const toleranceNs = parseDuration(flags.tolerance);
  if (toleranceNs === undefined) {
    return `--tolerance ${flags.tolerance}: expected a duration such as 30s or 5m`;
  }
  if (anomalyOutputs(plan).length === 0) return `${file}: no sink reads the anomalies of a step`;
  const names = labelNames(flags.labelColumns, flags.labelTypes, plan.key);
  if (typeof names === 'string') return names;
  if (flags.sweep === undefined) return { file, plan, toleranceNs, names };
  const sweep = parseSweep(flags.sweep);
  if (sweep === undefined) {
    return `--sweep ${flags.sweep}: expected path=from:to:step, of at most 1000 values`;
  }
  const settings = settingsFor(sweep.path, plan, readFileSync(file, 'utf8'));
  if (settings === undefined) {
    const known = 'no step has such a field, and no variable is called so';
    return `--sweep ${sweep.path}: ${known}; expected a path such as operators.STEP.threshold`;
  }
  return { file, plan, toleranceNs, names, sweep: { ...sweep, settings } };
}

export async function backtest(request: BacktestRequest, flags: BacktestFlags): Promise<number> {
  const { file, plan, toleranceNs, names } = request;
  const labels = readLabels(flags.labels, plan.key, names);
  const stop = new AbortController();
  const run = (of: PipelinePlan): Promise<Collected> =>
    collectAnomalies(of, { slots: flags.slots, signal: stop.signal });
  const collected = await run(plan);
  const report: BacktestReport = {
    file,
    labelsFile: flags.labels,
    tolerance: flags.tolerance,
    symbols: collected.symbols,
    symbolDays: collected.symbolDays,
    rows: collected.result.accounts.read,
    match: matchLabels(labels, collected.anomalies, toleranceNs),
    alertsByDay: alertsByDay(collected),
    sweep: await sweepOver(request, flags, labels, run),
  };
  if (flags.html !== undefined) writeHtml(flags.html, report);
  if (flags.json === true) print(toJson(reportJson(report)));
  else {
    const width = terminalWidth(process.stdout);
    print(...reportLines(report, width, paletteFor(process.stdout)));
    const { symbols, symbolDays } = report;
    const pairs = plural(symbolDays, 'pair');
    note(`${plural(symbols, 'symbol')}, ${pairs} of a symbol and a day; a day: alerts a pair`);
  }
  return ExitCode.done;
}

async function sweepOver(
  { file, toleranceNs, sweep }: BacktestRequest,
  flags: BacktestFlags,
  labels: readonly Label[],
  run: (plan: PipelinePlan) => Promise<Collected>,
): Promise<BacktestReport['sweep']> {
  if (sweep === undefined) return undefined;
  const rows: SweepRow[] = [];
  for (const value of sweep.values) {
    const { overrides, variables } = sweep.settings(value);
    const { plan, lints } = await lintFile(file, {
      catalog,
      overrides: [...(flags.set ?? []), ...overrides],
      envFiles: flags.envFile ?? [],
      environment: { ...process.env, ...variables },
    });
    if (plan === undefined) {
      note(renderLints(lints, paletteFor(process.stderr)));
      throw new EngineError('config/invalid', `${file} is invalid with ${sweep.path}=${value}`);
    }
    const { overall, types } = matchLabels(labels, (await run(plan)).anomalies, toleranceNs);
    rows.push({ value, overall, types });
  }
  return { path: sweep.path, rows };
}

function alertsByDay({ anomalies }: Collected): BacktestReport['alertsByDay'] {
  const days = new Map<string, number>();
  for (const { time } of anomalies) {
    const day = formatTime(time).slice(0, 'YYYY-MM-DD'.length);
    days.set(day, (days.get(day) ?? 0) + 1);
  }
  return [...days].sort(([a], [b]) => (a < b ? -1 : 1));
}

function writeHtml(path: string, report: BacktestReport): void {
  try {
    writeFileSync(path, reportHtml(report));
  } catch (cause) {
    const message = `cannot write the report ${path}: ${(cause as Error).message}`;
    throw new EngineError('backtest/unwritable', message, { cause });
  }
}
