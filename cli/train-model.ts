/** Trains a model for `train`: collects rows, grows the trees, writes the file, tells about it. */

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../engine/contract/error.ts';
import { fnv1a32 } from '../engine/contract/hash.ts';
import { didYouMean } from '../engine/contract/problem.ts';
import { formatTime, systemClock } from '../engine/contract/time.ts';
import type { OperatorPlan, PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import type { RunResult } from '../engine/runtime/run-result.ts';
import type { Model } from '../operators/isolation-forest/model-file.ts';
import { type TrainingConfig, trainModel } from '../operators/isolation-forest/train-model.ts';
import { TrainingSample } from '../operators/isolation-forest/training-sample.ts';
import { note, print, toJson } from './command.ts';
import { ExitCode } from './exit-code.ts';
import { onSignals } from './run-pipeline.ts';
import { formatBytes, formatCount, formatElapsed } from './terminal/numbers.ts';
import { paletteFor } from './terminal/palette.ts';
import { Progress } from './terminal/progress.ts';
import type { TrainFlags } from './train.ts';
import { type TrainingColumns, trainingPipeline } from './training-plan.ts';

const TRAINABLE = 'isolation_forest';
const PROGRESS_MS = 100;

export interface TrainingRequest {
  readonly plan: PipelinePlan;
  readonly step: OperatorPlan;
  /** Path of the model file. */
  readonly out: string;
}

/** What is to be trained, or what is wrong with the options. */
export function trainingRequest(plan: PipelinePlan, flags: TrainFlags): TrainingRequest | string {
  const { operators, name } = plan;
  const step = operators.find((each) => each.name === flags.operator);
  const trainable = operators.filter(({ type }) => type === TRAINABLE).map((each) => each.name);
  const known =
    trainable.length === 0
      ? `${name} has no step of type ${TRAINABLE}`
      : `it can be ${trainable.join(', ')}`;
  if (step === undefined) {
    const help = didYouMean(flags.operator, trainable) ?? known;
    return `--operator ${flags.operator}: there is no such step; ${help}`;
  }
  if (step.type !== TRAINABLE) {
    return `--operator ${flags.operator}: a step of type ${step.type} has no model; ${known}`;
  }
  const out = flags.out ?? step.config['model'];
  if (typeof out !== 'string') {
    return `--out is missing, and step ${step.name} names no model file`;
  }
  return { plan, step, out };
}

export async function train(request: TrainingRequest, flags: TrainFlags): Promise<number> {
  const staged = new StagedModel(request.out);
  try {
    return await trainInto(staged, request, flags);
  } finally {
    staged.discard();
  }
}

async function trainInto(
  staged: StagedModel,
  request: TrainingRequest,
  flags: TrainFlags,
): Promise<number> {
  const { plan, step, out } = request;
  const startMs = systemClock.nowMs();
  const config = step.config as unknown as TrainingConfig;
  const rows = new CollectedRows(Object.keys(config.features).length, flags.rows, config.seed);
  const result = await collect(request, flags, rows);
  if (result.failure !== undefined) throw result.failure;
  const matrix = rows.sample.matrix();
  if (matrix.length === 0) {
    const { seen } = rows.sample;
    throw new EngineError(
      'model/no-rows',
      `step "${step.name}": nothing to train from: ${formatCount(seen)} rows arrived, ` +
        'expected some with a number in every feature',
    );
  }
  const model = trainModel(matrix, config, {
    pipeline: plan.name,
    step: step.name,
    from: formatTime(rows.first),
    to: formatTime(rows.last),
    rows_seen: rows.sample.seen,
    rows_skipped: rows.sample.skipped,
  });
  const bytes = staged.write(model);
  const elapsedMs = systemClock.nowMs() - startMs;
  if (flags.json === true) print(toJson(summaryJson(out, bytes, model, result, elapsedMs)));
  else note(...summaryLines(out, bytes, model, result, elapsedMs, step));
  return ExitCode.done;
}

/** The sample, and the times it spans. */
class CollectedRows {
  readonly sample: TrainingSample;
  first = 0n;
  last = 0n;
  readonly #hashes: number[] = [];

  constructor(width: number, rowsMax: number, seed: number) {
    this.sample = new TrainingSample(width, rowsMax, seed);
  }

  add({ features, times, keys }: TrainingColumns): void {
    const { codes, texts } = keys;
    // A batch may come with a dictionary of its own.
    this.#hashes.length = 0;
    const hashes = Int32Array.from(codes, (code) => (this.#hashes[code] ??= fnv1a32(texts[code]!)));
    const { buffer, byteOffset, length } = times;
    this.#span(times);
    this.sample.add(features, new Int32Array(buffer, byteOffset, 2 * length), hashes);
  }

  #span(times: BigInt64Array): void {
    if (this.sample.seen === 0 && times.length > 0) this.first = this.last = times[0]!;
    for (const time of times) {
      if (time < this.first) this.first = time;
      else if (time > this.last) this.last = time;
    }
  }
}

async function collect(
  { plan, step }: TrainingRequest,
  flags: TrainFlags,
  rows: CollectedRows,
): Promise<RunResult> {
  const stop = new AbortController();
  const { features } = step.config as unknown as TrainingConfig;
  const pipeline = trainingPipeline(plan, step, features, {
    slots: flags.slots,
    signal: stop.signal,
    onRows: (columns) => rows.add(columns),
  });
  const progress = new Progress({
    stream: process.stderr,
    clock: systemClock,
    isQuiet: flags.quiet === true || flags.json === true,
  });
  const release = onSignals(stop, progress, 'the model is trained from what has been read');
  const timer = setInterval(() => progress.update(pipeline.progress()), PROGRESS_MS);
  try {
    return await pipeline.run();
  } finally {
    clearInterval(timer);
    progress.clear();
    release();
  }
}

/** A file that is written beside its place first, so that it is never seen half-written. */
class StagedModel {
  readonly #path: string;
  readonly #staged: string;

  /** Finds out at once whether it can be written: training may take a while. */
  constructor(path: string) {
    this.#path = path;
    this.#staged = `${path}.${process.pid}.inprogress`;
    this.#writing(() => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(this.#staged, '');
    });
  }

  /** @returns Its bytes. */
  write(model: Model): number {
    const text = `${JSON.stringify(model)}\n`;
    this.#writing(() => {
      writeFileSync(this.#staged, text, { flush: true });
      renameSync(this.#staged, this.#path);
    });
    return Buffer.byteLength(text);
  }

  /** Removes what is staged; once it is in its place, does nothing. */
  discard(): void {
    rmSync(this.#staged, { force: true });
  }

  #writing(write: () => void): void {
    try {
      write();
    } catch (cause) {
      const told = `cannot write the model ${this.#path}: ${(cause as Error).message}`;
      throw new EngineError('model/unwritable', told, { cause });
    }
  }
}

function summaryJson(
  out: string,
  bytes: number,
  model: Model,
  { accounts, wasStopped }: RunResult,
  elapsedMs: number,
): object {
  const { features, parameters, sample_size, limit, training } = model;
  return {
    model: out,
    bytes,
    features,
    parameters,
    sample_size,
    limit,
    training,
    accounts,
    wasStopped,
    elapsedMs,
  };
}

function summaryLines(
  out: string,
  bytes: number,
  { features, parameters, sample_size, limit, training }: Model,
  { accounts, wasStopped }: RunResult,
  elapsedMs: number,
  step: OperatorPlan,
): string[] {
  const { bold, dim, green } = paletteFor(process.stderr);
  const count = (name: string): string => formatCount(Number(training[name]));
  const scores = training['scores'] as Readonly<Record<string, number>>;
  const line = (label: string, text: string): string => `  ${dim(label.padEnd(9))} ${text}`;
  const share = (100 * Number(training['above_limit'])) / Number(training['rows']);
  const rejected = accounts.rejected > 0 ? `, ${formatCount(accounts.rejected)} rejected` : '';
  const isSampled = Number(training['rows_seen']) - Number(training['rows_skipped']);
  const of = isSampled > Number(training['rows']) ? `a sample of ${count('rows')} of ` : '';
  const lines = [
    `${green('✓')} ${bold(out)}  ${formatBytes(bytes)} in ${formatElapsed(elapsedMs)}`,
    line('rows', `${of}${formatCount(isSampled)}, ${count('rows_skipped')} skipped${rejected}`),
    line('span', `${String(training['from'])} to ${String(training['to'])}`),
    line('trees', `${formatCount(parameters.trees)} of ${formatCount(sample_size)} rows`),
    line('features', Object.keys(features).join(', ')),
    line(
      'scores',
      `median ${scores['median']!.toFixed(3)}, 99 % ${scores['p99']!.toFixed(3)}, ` +
        `largest ${scores['largest']!.toFixed(3)}`,
    ),
    line('limit', `${limit.toFixed(4)}, with ${share.toFixed(2)} % of the rows above it`),
  ];
  if (wasStopped) lines.push('Stopped before the end of the input: trained from what was read.');
  if (step.config['model'] !== out) {
    lines.push(`Use it with: -s operators.${step.name}.model=${out}`);
  }
  return lines;
}
