/**
 * A pipeline: everything from its sources to the commit of its sinks, with the checkpoints on the
 * way. Where something fails that may pass by itself (a full disk), it goes on from the last
 * checkpoint in the same process, a few times in a row.
 */

import type { Catalog } from '../contract/connector.ts';
import { ERROR_CODES, EngineError } from '../contract/error.ts';
import type { RowAccounts } from '../contract/row-accounts.ts';
import { addAccounts, emptyAccounts } from '../contract/row-accounts.ts';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import type { StartRequest } from '../checkpoint/decide-start.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import type { CheckpointOptions } from './checkpointer.ts';
import type { CommitState } from './commit.ts';
import type { Inspection } from './inspection.ts';
import { PipelineRun, type RunSettings } from './pipeline-run.ts';
import type { RunBeginning, RunProgress, RunResult, SinkResult } from './run-result.ts';
import type { Workers } from './workers.ts';

export interface RunOptions extends Omit<RunSettings, 'checkpoints'> {
  /** Those to begin with. */
  readonly warnings?: readonly string[] | undefined;
  readonly checkpoints?:
    | (CheckpointOptions & {
        /** Opens the store, for this run alone; `warn` tells what the user should know of it. */
        readonly open: (warn: (warning: string) => void) => Promise<CheckpointStore>;
        readonly start: StartRequest;
      })
    | undefined;
}

/** Failures in a row, without a checkpoint between them, after which a run ends. */
const RESTARTS_MAX = 3;
/** Before going on from the last checkpoint, in the hope that the cause has passed. */
const RESTART_WAIT_MS = 1000;

export class Pipeline {
  readonly #plan: PipelinePlan;
  readonly #catalog: Catalog;
  readonly #workers: Workers;
  readonly #options: RunOptions;
  readonly #startMs: number;
  readonly #warnings: string[];
  #run: PipelineRun;
  /** Rows before this process; they are in the accounts of the checkpoint. */
  #base: readonly Readonly<RowAccounts>[] | undefined;
  #resumedFrom: number | undefined;
  #keptEpoch: number | undefined;
  /** Checkpoints of earlier runs of this process. */
  #checkpoints = 0;
  /** What earlier processes have given the sinks. */
  #totalsBefore: RunBeginning['totals'] | undefined;

  constructor(plan: PipelinePlan, catalog: Catalog, workers: Workers, options: RunOptions) {
    this.#plan = plan;
    this.#catalog = catalog;
    this.#workers = workers;
    this.#options = options;
    this.#startMs = options.clock.nowMs();
    this.#warnings = [...(options.warnings ?? [])];
    this.#run = this.#newRun(undefined, undefined);
  }

  /** What is visible of the outputs of this run, for whoever tells that it has failed. */
  get commitState(): CommitState {
    return this.#run.commitState;
  }

  progress(): RunProgress {
    const accounts = emptyAccounts();
    for (const own of this.#accounts()) addAccounts(accounts, own);
    const run = this.#run.progress();
    const { checkpoint } = run;
    return {
      ...run,
      checkpoint: checkpoint && { ...checkpoint, count: this.#checkpoints + checkpoint.count },
      elapsedMs: this.#options.clock.nowMs() - this.#startMs,
      accounts,
      resumedFrom: this.#resumedFrom,
      keptEpoch: this.#run.keptEpoch ?? this.#keptEpoch,
      warnings: this.#warnings,
    };
  }

  /** Why windows of a key have not been put out yet; undefined before the run is open. */
  inspect(key: string): Promise<Inspection | undefined> {
    return this.#run.inspect(key);
  }

  /**
   * Runs to the end of the sources, or until the signal. Where a source fails on the way, what came
   * before is committed and the failure is in the result.
   * @throws {EngineError} Where not everything could be committed, or nothing was read: see
   *   `commitState`.
   */
  async run(): Promise<RunResult> {
    const { checkpoints } = this.#options;
    if (checkpoints === undefined) return this.#outcome();
    const store = await checkpoints.open((warning) => this.#warnings.push(warning));
    try {
      this.#run = this.#newRun(store, checkpoints.start);
      let hasRead = false;
      for (let failures = 0; ; ) {
        try {
          return await this.#outcome();
        } catch (error) {
          failures = this.#run.checkpointCount > 0 ? 1 : failures + 1;
          this.#checkpoints += this.#run.checkpointCount;
          const isOver = failures > RESTARTS_MAX || this.#options.signal?.aborted === true;
          // What keeps a run from beginning is told at once: nothing is lost by ending it.
          hasRead ||= this.#run.isOpen;
          if (isOver || !hasRead || !mayPass(error)) throw error;
          const epoch = (this.#keptEpoch = this.#run.keptEpoch ?? this.#keptEpoch ?? 0);
          const next = epoch === 0 ? 'beginning anew' : `going on from checkpoint ${epoch}`;
          this.#warnings.push(`${error.message}; ${next}`);
          await this.#options.clock.sleep(RESTART_WAIT_MS);
          this.#run = this.#newRun(store, { kind: 'newest' });
        }
      }
    } finally {
      await store.close();
    }
  }

  async #outcome(): Promise<RunResult> {
    const outcome = await this.#run.run({
      begin: (start) => this.#begin(start),
      // A run that goes on in the same process has the same to say as the one before.
      warn: (warnings) => {
        this.#warnings.push(...warnings.filter((each) => !this.#warnings.includes(each)));
      },
    });
    const accounts = this.#accounts();
    const perSource = Object.fromEntries(
      this.#plan.sources.map(({ name }, index) => [name, accounts[index]!]),
    );
    const sinks = outcome.sinks.map((sink) => this.#sinceStart(sink));
    return { ...this.progress(), ...outcome, sinks, perSource };
  }

  /** Of this process, over all its runs. */
  #sinceStart(sink: SinkResult): SinkResult {
    const { total } = sink;
    if (total === undefined) return sink;
    const { rows = 0, files = 0, bytes = 0 } = this.#totalsBefore?.get(sink.name) ?? {};
    const own = { rows: total.rows - rows, files: total.files - files, bytes: total.bytes - bytes };
    return { ...sink, ...own };
  }

  #newRun(store: CheckpointStore | undefined, start: StartRequest | undefined): PipelineRun {
    const { checkpoints, ...options } = this.#options;
    return new PipelineRun(this.#plan, this.#catalog, this.#workers, {
      ...options,
      checkpoints: checkpoints && store && start && { ...checkpoints, store, start },
    });
  }

  #begin(start: RunBeginning): void {
    this.#keptEpoch = start.epoch ?? 0;
    if (this.#base !== undefined) return;
    this.#base = start.accounts.map((accounts) => ({ ...accounts }));
    this.#resumedFrom = start.epoch;
    this.#totalsBefore = start.totals;
  }

  /** Of the rows of this process, a source each. */
  #accounts(): RowAccounts[] {
    return this.#run.accounts.map((own, index) => {
      const before = this.#base?.[index];
      return {
        read: own.read - (before?.read ?? 0),
        processed: own.processed - (before?.processed ?? 0),
        late: own.late - (before?.late ?? 0),
        rejected: own.rejected - (before?.rejected ?? 0),
        duplicate: own.duplicate - (before?.duplicate ?? 0),
      };
    });
  }
}

function mayPass(error: unknown): error is EngineError {
  return error instanceof EngineError && ERROR_CODES[error.code].retry;
}
