/**
 * Runs a planned pipeline for `run` and `demo`: live progress, a clean end on a signal, the quality
 * checks, the summary, and the exit code.
 */

import { join } from 'node:path';
import { DEFAULT_DIRECTORY } from '../engine/plan/pipeline-fields.ts';
import { unaccountedRows } from '../engine/contract/row-accounts.ts';
import type { PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import type { StartRequest } from '../engine/checkpoint/decide-start.ts';
import {
  type CommitState,
  createPipeline,
  EngineError,
  type RunnablePipeline,
  type RunProgress,
  type RunResult,
} from '../index.ts';
import { encodeError, type ErrorCode } from '../engine/contract/error.ts';
import { systemClock } from '../engine/contract/time.ts';
import type { QualityReport } from '../quality/run-checks.ts';
import { note, type PipelineFlags, print, toJson } from './command.ts';
import { openDatasets } from './datasets.ts';
import { ExitCode } from './exit-code.ts';
import { serveInspection } from './inspection.ts';
import { summarize } from './summarize.ts';
import { paletteFor, terminalWidth } from './terminal/palette.ts';
import { Progress } from './terminal/progress.ts';
import { renderError } from './terminal/render-error.ts';
import { renderSummary, summaryJson } from './terminal/render-summary.ts';
import type { DetectionSummary, RunSummary } from './terminal/run-summary.ts';
import { tuneCompiler } from './tune-compiler.ts';

/** How often progress is looked at; it is drawn less often than that where that is better. */
const PROGRESS_MS = 100;

/** State of a source that is as it should be. */
const CONNECTED = 'connected';

/** Options of the commands that run a pipeline. */
export interface RunFlags extends PipelineFlags {
  readonly slots?: number;
  readonly quiet?: boolean;
  /** False to leave the quality checks out. */
  readonly check?: boolean;
  readonly fromCheckpoint?: number;
  readonly ignoreState?: boolean;
}

export interface RunRequest {
  readonly plan: PipelinePlan;
  /** Path of the pipeline file as the user gave it. */
  readonly file: string;
  /** The options that the file was read with, and those of the run. */
  readonly flags: RunFlags;
}

export async function runPipeline(request: RunRequest): Promise<number> {
  const { plan, flags } = request;
  tuneCompiler();
  const stop = new AbortController();
  const start = startRequest(flags);
  const pipeline = createPipeline(plan, {
    slots: flags.slots,
    signal: stop.signal,
    start,
    warnings: await waitingState(plan),
  });
  const progress = new Progress({
    stream: process.stderr,
    clock: systemClock,
    isQuiet: flags.quiet === true || flags.json === true,
  });
  const release = onSignals(
    stop,
    progress,
    plan.checkpoint && 'what has been read is processed and kept in a checkpoint',
  );
  const tell = teller(plan, progress);
  const timer = setInterval(() => {
    const now = pipeline.progress();
    tell(now);
    progress.update(now);
  }, PROGRESS_MS);
  const inspection = plan.checkpoint && serveInspection(plan.checkpoint.folder, pipeline);
  let result: RunResult;
  try {
    result = await pipeline.run();
    tell(result);
  } catch (error) {
    tell(pipeline.progress());
    return failed(error, pipeline, request);
  } finally {
    clearInterval(timer);
    inspection?.close();
    progress.clear();
    release();
  }
  const { quality, detection } = await examine(request, result);
  const summary = summarize({ ...request, slots: pipeline.slots, result, quality, detection });
  // People have been told of these already, when they happened.
  show(summary, request, result.warnings);
  return exitCode(result, quality);
}

/** State of earlier runs of a pipeline that takes no checkpoints any more. */
async function waitingState({ name, checkpoint }: PipelinePlan): Promise<string[]> {
  if (checkpoint !== undefined) return [];
  const folder = join(DEFAULT_DIRECTORY, name);
  const { FolderStore } = await import('../engine/checkpoint/folder-store.ts');
  const stored = await FolderStore.toLookAt(folder)
    .list()
    .catch(() => []);
  const [newest] = stored;
  if (newest === undefined) return [];
  return [
    `${folder} holds checkpoints of this pipeline, up to ${newest.epoch}, but the file has no ` +
      'checkpoint: section: this run reads every source from its start and leaves them waiting, ' +
      'and no later run may go on from them behind it; bring the section back to go on from ' +
      `there, or remove ${folder}`,
  ];
}

function startRequest({ fromCheckpoint, ignoreState }: RunFlags): StartRequest {
  if (fromCheckpoint !== undefined) return { kind: 'epoch', epoch: fromCheckpoint };
  return ignoreState === true ? { kind: 'ignore' } : { kind: 'newest' };
}

/** Tells once, above the live line, what changes while a run goes on. */
function teller(plan: PipelinePlan, progress: Progress): (now: RunProgress) => void {
  const { dim, yellow } = paletteFor(process.stderr);
  let warnings = 0;
  let failure: string | undefined;
  let isResumed = false;
  const states = new Map<string, string>();
  return (now) => {
    if (now.resumedFrom !== undefined && !isResumed) {
      isResumed = true;
      progress.note(
        dim(`Going on from checkpoint ${now.resumedFrom} in ${plan.checkpoint!.folder}`),
      );
    }
    for (const warning of now.warnings.slice(warnings)) {
      progress.note(`${yellow('warning')}: ${warning}`);
    }
    warnings = now.warnings.length;
    if (now.checkpoint?.failure !== undefined && now.checkpoint.failure !== failure) {
      progress.note(
        `${yellow('warning')}: ${now.checkpoint.failure}; the last good checkpoint is ` +
          `${now.checkpoint.epoch}, the next one is tried when it is due`,
      );
    }
    failure = now.checkpoint?.failure;
    for (const { source, state } of now.sources) {
      if (state === undefined || state === states.get(source)) continue;
      // That a source is connected is worth a word only where it was not.
      if (states.has(source) || state !== CONNECTED) progress.note(dim(`${source}: ${state}`));
      states.set(source, state);
    }
  };
}

/**
 * The first signal asks for a clean end, the second ends at once.
 * @param words What the first will lead to.
 */
export function onSignals(
  stop: AbortController,
  progress: Progress,
  words = 'what has been read is processed and written',
): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(ExitCode.interrupted);
    progress.note(`Stopping: ${words}. Again to quit at once.`);
    stop.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

function failed(
  error: unknown,
  { commitState: commit, progress }: RunnablePipeline,
  { plan, flags }: RunRequest,
): number {
  const { code, message } = encodeError(error);
  if (code === 'sink/closed' && keepsNothing(plan)) return ExitCode.done;
  note(...renderError({ code, message }, paletteFor(process.stderr)));
  if (!(error instanceof EngineError) && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  const isKept = plan.checkpoint !== undefined;
  const words = isKept ? keptState(progress(), commit, code) : visibleOutputs(commit);
  process.stderr.write(`${words}\n`);
  if (flags.json === true) print(toJson({ error: { code, message }, commit }));
  return ExitCode.failed;
}

/** No sink has a file: nothing is lost when the reader of stdout has seen enough, as `head`. */
function keepsNothing({ sinks }: PipelinePlan): boolean {
  return sinks.every(({ config }) => config['path'] === undefined || config['path'] === '-');
}

/** What the outputs are and what the next run does, where there are checkpoints. */
function keptState(
  { keptEpoch, checkpoint }: RunProgress,
  { failed: broken }: CommitState,
  code: ErrorCode,
): string {
  if (code === 'sink/lost' && checkpoint === undefined) return 'Nothing was read.';
  if (keptEpoch === undefined)
    return 'Nothing was started: outputs and checkpoints are as they were.';
  if (keptEpoch === 0) {
    return 'No checkpoint was complete: outputs are as they were, and the next run begins anew.';
  }
  const next = 'the next run goes on from there';
  if (broken === undefined || checkpoint?.epoch === keptEpoch) {
    return `Outputs are those of checkpoint ${keptEpoch}; ${next}.`;
  }
  return (
    `Checkpoint ${keptEpoch} is stored, but of its outputs those of ${broken} are not all in ` +
    `sight: ${next}, and begins by putting them there.`
  );
}

function visibleOutputs({ done, failed: broken }: CommitState): string {
  if (done.length === 0 && broken === undefined) {
    return 'Nothing was made visible: outputs are as they were before this run.';
  }
  const visible = `Made visible: ${done.length === 0 ? 'nothing' : done.join(', ')}.`;
  const rest = 'outputs of other sinks are as they were before this run.';
  return broken === undefined
    ? `${visible} The ${rest}`
    : `${visible} Of ${broken} a part may be visible. The ${rest}`;
}

/** Checks the outputs, and compares planted with found anomalies where the input is generated. */
async function examine(
  { plan, flags }: RunRequest,
  result: RunResult,
): Promise<{ quality: QualityReport | undefined; detection: DetectionSummary | undefined }> {
  const isGenerated = plan.sources.some(({ type }) => type === 'generator');
  const isChecked = flags.check !== false && plan.quality.length > 0;
  if (!isChecked && !isGenerated) return { quality: undefined, detection: undefined };
  // DuckDB is loaded only by who needs it: it costs a tenth of a second.
  const { runChecks } = await import('../quality/run-checks.ts');
  const { detect } = await import('./detection.ts');
  const datasets = await openDatasets(plan);
  try {
    const quality = isChecked
      ? await runChecks(datasets, plan.quality, { nowMs: Date.now() })
      : undefined;
    const detection = result.wasStopped ? undefined : await detect(plan, datasets);
    return { quality, detection };
  } finally {
    await datasets.close();
  }
}

function show(summary: RunSummary, { flags }: RunRequest, told: readonly string[]): void {
  if (flags.json === true) {
    process.stdout.write(`${summaryJson(summary)}\n`);
    return;
  }
  const width = terminalWidth(process.stderr);
  const warnings = summary.warnings.filter((warning) => !told.includes(warning));
  const options = { width, palette: paletteFor(process.stderr) };
  const lines = renderSummary({ ...summary, warnings }, options);
  process.stderr.write(`${lines.join('\n')}\n`);
}

function exitCode(result: RunResult, quality: QualityReport | undefined): number {
  if (result.failure !== undefined) return ExitCode.failed;
  if (unaccountedRows(result.accounts) !== 0) {
    process.stderr.write('error[engine/internal]: the row accounts do not add up\n');
    return ExitCode.failed;
  }
  // Of a run that was stopped, what the checks say is told, but it was asked to end well.
  const hasFailed = quality?.status === 'error' && !result.wasStopped;
  return hasFailed ? ExitCode.checkFailed : ExitCode.done;
}
