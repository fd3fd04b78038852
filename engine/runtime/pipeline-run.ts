/**
 * One run of a pipeline, from a start point to the end of its sources, to a signal or a failure. It
 * runs on the main thread and only ever handles whole batches.
 *
 *   feeds ──► watermarks ──► slots ──► outputs ──► commit
 *
 * A checkpoint is a mark between two batches. Positions and watermarks are noted at the mark; each
 * slot, reaching it, copies the state of its tasks and goes on; the outputs are cut there; then the
 * checkpoint is stored, and its outputs committed. The run does not wait for any of it, but at its
 * end.
 */

import type { RejectedRow } from '../contract/batch.ts';
import type { Catalog } from '../contract/connector.ts';
import { EngineError } from '../contract/error.ts';
import { addAccounts, emptyAccounts, type RowAccounts } from '../contract/row-accounts.ts';
import { BEGINNING_OF_TIME, type Clock, END_OF_TIME, type EventTime } from '../contract/time.ts';
import type {
  Checkpoint,
  SinkTotals,
  SourceSnapshot,
  TaskSnapshot,
} from '../checkpoint/checkpoint.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import type { StartRequest } from '../checkpoint/decide-start.ts';
import {
  Checkpointer,
  forgetAll,
  type CheckpointOptions,
  type GatheredCheckpoint,
} from './checkpointer.ts';
import { type CommitState, commitAll, commitCheckpoint, commitPromised } from './commit.ts';
import { FeedTurns } from './feed-turns.ts';
import { InFlight } from './in-flight.ts';
import { type Inspection, inspectKey } from './inspection.ts';
import { DEAD_LETTERS, Outputs } from './outputs.ts';
import { type RunListener, type RunOutcome, type RunState, stepResults } from './run-result.ts';
import { findSplits, openParts, type RunParts, sinkNotes } from './run-parts.ts';
import { SinkCounts } from './sink-totals.ts';
import { type FoundSplit, refuseSourcesAsSinks } from './source-files.ts';
import type { ReaderRows } from './split-reader-host.ts';
import { findStart, identifyOperators } from './start-point.ts';
import type { SlotResult } from './slot.ts';
import { unlessAborted } from './stop-signal.ts';
import type { Workers } from './workers.ts';

/** Rows of a source without a good one among them that tell of a wrong format, or wrong columns. */
const ROWS_TO_JUDGE = 1000;

export interface RunSettings {
  readonly slots: number;
  /** Reader threads that one split may use. */
  readonly lanes: number;
  readonly clock: Clock;
  /**
   * Aborted to ask for a clean end: what has been read is processed and committed, and where there
   * are checkpoints, the next run goes on from there.
   */
  readonly signal?: AbortSignal | undefined;
  readonly checkpoints?:
    | (CheckpointOptions & { readonly store: CheckpointStore; readonly start: StartRequest })
    | undefined;
}

export class PipelineRun {
  readonly #plan: PipelinePlan;
  readonly #catalog: Catalog;
  readonly #workers: Workers;
  readonly #options: RunSettings;
  readonly #inFlight = new InFlight();
  readonly #startMs: number;
  /** Rows of each source since the pipeline first began. */
  readonly accounts: RowAccounts[];
  /** What became of the rows before this run. */
  readonly #before: RowAccounts[];
  /** What became of the rows of this run, by slot and source. */
  readonly #fates: RowAccounts[][];
  readonly #counts = new SinkCounts();
  /** Undefined before it is open, and where there was nothing to open. */
  #parts: RunParts | undefined;
  #outputs: Outputs | undefined;
  #checkpointer: Checkpointer | undefined;
  #firstAnomalyMs: number | undefined;
  #commitState: CommitState = { done: [] };
  #wasCompleteBefore = false;

  constructor(plan: PipelinePlan, catalog: Catalog, workers: Workers, options: RunSettings) {
    this.#plan = plan;
    this.#catalog = catalog;
    this.#workers = workers;
    this.#options = options;
    this.accounts = plan.sources.map(emptyAccounts);
    this.#before = plan.sources.map(emptyAccounts);
    this.#fates = Array.from({ length: options.slots }, () => plan.sources.map(emptyAccounts));
    this.#startMs = options.clock.nowMs();
  }

  get commitState(): CommitState {
    return this.#commitState;
  }

  /** Whether it has got as far as to read. */
  get isOpen(): boolean {
    return this.#outputs !== undefined;
  }

  /** Epoch of the checkpoint to go on from; 0 where there is none, undefined where unknown. */
  get keptEpoch(): number | undefined {
    return this.#checkpointer?.progress.storedEpoch;
  }

  /** Checkpoints completed by this run. */
  get checkpointCount(): number {
    return this.#checkpointer?.progress.count ?? 0;
  }

  progress(): RunState {
    return {
      watermark: this.#parts?.watermarks.watermark ?? BEGINNING_OF_TIME,
      anomalies: this.#outputs?.anomalies.total ?? 0,
      firstAnomalyMs: this.#firstAnomalyMs,
      bytesRead: this.#parts?.feeds.reduce((sum, feed) => sum + feed.bytesRead, 0) ?? 0,
      bytesTotal: this.#parts?.bytesTotal,
      checkpoint: this.#checkpointer?.progress,
      sources: this.#statuses(),
    };
  }

  /** Why windows of a key have not been put out yet; undefined before the run is open. */
  async inspect(key: string): Promise<Inspection | undefined> {
    if (this.#parts === undefined) return undefined;
    return inspectKey(key, this.#plan, this.#parts, this.#options.clock.nowMs());
  }

  async run(listener: RunListener): Promise<RunOutcome> {
    let failure: EngineError | undefined;
    try {
      await this.#open(listener);
      if (this.#parts !== undefined) {
        try {
          await this.#readAll(this.#parts);
        } catch (error) {
          if (this.#inFlight.broken !== undefined || !(error instanceof EngineError)) throw error;
          failure = error;
        }
      }
      return await this.#finish(failure);
    } finally {
      await this.#close();
    }
  }

  async #open(listener: RunListener): Promise<void> {
    const { checkpoints, signal } = this.#options;
    // Splits first: a missing file is told before anything is started or written.
    const finding = findSplits(this.#plan, this.#catalog, signal);
    const found = await unlessAborted(finding, signal);
    if (found === undefined) return;
    await refuseSourcesAsSinks(this.#plan, this.#catalog, found);
    const start = checkpoints && (await this.#start(checkpoints, found));
    const checkpoint = start?.checkpoint;
    if (checkpoint !== undefined) this.#counts.goOn(checkpoint);
    const { accounts } = this;
    const totals = this.#sinkTotals(() => 0);
    listener.begin({ epoch: checkpoint?.epoch, accounts, totals });
    listener.warn([...found.flatMap(({ split }) => split.notes ?? []), ...(start?.warnings ?? [])]);
    if (checkpoint !== undefined) {
      // What it promised comes before anything is opened: a sink takes back what nobody promised.
      await commitPromised(checkpoint, checkpoints!.store, start!.superseded, () =>
        this.#commitCheckpoint(checkpoint, start!.isCommitted),
      );
      this.#wasCompleteBefore = checkpoint.isComplete;
    }
    listener.warn(sinkNotes(this.#plan, this.#catalog, checkpoint, totals));
    if (this.#wasCompleteBefore) {
      await forgetAll(checkpoints!.store);
      return;
    }
    this.#parts = await openParts({
      ...this.#options,
      plan: this.#plan,
      workers: this.#workers,
      splits: found,
      checkpoint,
    });
    this.#outputs = new Outputs(this.#plan, this.#parts.sinks, this.#inFlight);
    if (checkpoints === undefined) return;
    this.#checkpointer = new Checkpointer(
      checkpoints,
      checkpoints.store,
      this.#options.clock,
      checkpoint?.epoch ?? 0,
      async (complete) => {
        await this.#commitCheckpoint(complete, false);
        for (const { name, committables } of complete.sinks) {
          this.#counts.committed(name, committables);
        }
      },
    );
  }

  async #start(
    { store, start: request }: NonNullable<RunSettings['checkpoints']>,
    found: readonly FoundSplit[],
  ): ReturnType<typeof findStart> {
    const start = await findStart(store, request, this.#plan, this.#catalog, found);
    for (const { name, accounts } of start.checkpoint?.sources ?? []) {
      const source = this.#plan.sources.findIndex((candidate) => candidate.name === name);
      if (source < 0) continue;
      addAccounts(this.accounts[source]!, accounts);
      addAccounts(this.#before[source]!, accounts);
    }
    return start;
  }

  async #readAll({ feeds, watermarks }: RunParts): Promise<void> {
    const turns = new FeedTurns(feeds, watermarks);
    while (!turns.hasEnded && !this.#isStopping()) {
      const turn = await unlessAborted(turns.next(), this.#options.signal);
      if (turn === undefined) break;
      const { split, message } = turn;
      const nowMs = this.#options.clock.nowMs();
      if (message.kind === 'rows') this.#deal(split, message.reader, message.rows);
      else if (message.kind === 'end') this.#advanceAll(watermarks.end(split));
      else this.#advanceAll(watermarks.idle(split, nowMs, message.isCaughtUp));
      if (this.#checkpointer?.isDue() === true) this.#beginCheckpoint(this.#checkpointer);
      await this.#inFlight.room();
    }
  }

  #deal(split: number, reader: number, rows: ReaderRows): void {
    const { feeds, slots, watermarks, positions } = this.#parts!;
    const feed = feeds[split]!;
    const { source } = feed;
    const { routed, rejected } = rows;
    positions[split] = rows.position;
    const accounts = this.accounts[source]!;
    addAccounts(accounts, {
      read: routed.rowCount + rejected.length,
      rejected: rejected.length,
    });
    if (rejected.length > 0) this.#reject(source, rejected);
    const nowMs = this.#options.clock.nowMs();
    const steps =
      routed.rowCount > 0
        ? watermarks.rows(split, routed.times, nowMs, rows.status?.isCaughtUp)
        : watermarks.pause(split);
    const { newTexts, times } = routed;
    // A live source that gives few rows has given all it has.
    const isLive = feed.split.totalBytes === undefined;
    const { batchRows } = this.#plan.sources[source]!;
    const isUrgent = isLive && routed.rowCount < batchRows / 2;
    for (const [slot, port] of slots.entries()) {
      const own = routed.slots[slot];
      const batch = { source, reader, rows: own, newTexts, times, steps, nowMs, isUrgent };
      this.#inFlight.track(own?.buffer.byteLength ?? 0, port.process(batch), (result) => {
        addAccounts(accounts, result);
        addAccounts(this.#fates[slot]![source]!, result);
        if (result.spent !== undefined) feed.recycle(reader, result.spent);
        this.#passOn(slot, result);
      });
    }
  }

  /** @throws {EngineError} source/format where of so many rows not one is good. */
  #reject(source: number, rejected: readonly RejectedRow[]): void {
    const { name } = this.#plan.sources[source]!;
    this.#outputs!.reject(name, rejected);
    const accounts = this.accounts[source]!;
    if (accounts.read < ROWS_TO_JUDGE || accounts.rejected < accounts.read) return;
    const { origin, line, reason } = rejected[0]!;
    throw new EngineError(
      'source/format',
      `source ${name}: none of the first ${accounts.read.toLocaleString('en-US')} rows can be ` +
        `read; ${origin}:${line}: ${reason}; see whether its columns are named rightly`,
    );
  }

  #advanceAll(watermarks: readonly EventTime[]): void {
    for (const [slot, port] of this.#parts!.slots.entries()) {
      this.#inFlight.track(0, port.advance(watermarks), (result) => this.#passOn(slot, result));
    }
  }

  #passOn(slot: number, { outputs }: Pick<SlotResult, 'outputs'>): void {
    for (const { sink, batch } of outputs) this.#outputs!.write(slot, sink, batch);
    if (this.#firstAnomalyMs === undefined && this.#outputs!.anomalies.total > 0) {
      this.#firstAnomalyMs = this.#options.clock.nowMs() - this.#startMs;
    }
  }

  /** A checkpoint while the run goes on; its failure ends the run at the next turn. */
  #beginCheckpoint(checkpointer: Checkpointer): void {
    this.#takeCheckpoint(checkpointer, false, false).catch((error: unknown) =>
      this.#inFlight.fail(error),
    );
  }

  #takeCheckpoint(
    checkpointer: Checkpointer,
    isFinal: boolean,
    isComplete: boolean,
  ): Promise<void> {
    return checkpointer.take(isFinal, (epoch) => this.#gather(epoch, isFinal, isComplete));
  }

  /** Marks this moment in every slot and every output; resolves when all have reached it. */
  async #gather(epoch: number, isFinal: boolean, isComplete: boolean): Promise<GatheredCheckpoint> {
    const plan = this.#plan;
    const { slots, watermarks } = this.#parts!;
    const outputs = this.#outputs!;
    const mark = {
      epoch,
      createdMs: this.#options.clock.nowMs(),
      isComplete,
      pipeline: plan.name,
      key: plan.key,
      partitions: plan.partitions,
      watermarks: [...watermarks.watermarks],
      operators: identifyOperators(plan, this.#catalog),
      sinks: plan.sinks.map((sink) => ({ ...sink, committables: [], carried: undefined })),
    };
    const sources = this.#sourceSnapshots();
    outputs.passMark(DEAD_LETTERS);
    const tasks: TaskSnapshot[] = [];
    let stallMs = 0;
    const reached = slots.map(
      (port, slot) =>
        new Promise<void>((resolve) => {
          this.#inFlight.track(0, port.snapshot(), (snapshot) => {
            this.#passOn(slot, snapshot);
            outputs.passMark(slot);
            tasks.push(...snapshot.tasks);
            stallMs = Math.max(stallMs, snapshot.stallMs);
            this.#fates[slot]!.forEach((own, source) =>
              addAccounts(sources[source]!.accounts, own),
            );
            resolve();
          });
        }),
    );
    await this.#inFlight.unlessBroken(Promise.all(reached));
    const totals = this.#sinkTotals((sink) => outputs.rowsBeforeMark[sink]!);
    const preparing = outputs.prepareCommit(epoch, isFinal);
    const sinks = mark.sinks.map((sink) => ({ ...sink, totals: totals.get(sink.name) }));
    const prepared = await this.#inFlight.unlessBroken(preparing);
    return { checkpoint: { ...mark, sources, sinks, tasks }, prepared, stallMs };
  }

  /** Positions and rows read as of now; what became of the rows, the slots add at the mark. */
  #sourceSnapshots(): SourceSnapshot[] {
    const { feeds, positions, watermarks } = this.#parts!;
    return this.#plan.sources.map(({ name, type }, source) => {
      const { read, rejected } = this.accounts[source]!;
      const splits = feeds.flatMap((feed, index) => {
        if (feed.source !== source) return [];
        const peaks = watermarks.peaks(index);
        return [{ id: feed.split.id, position: positions[index], peaks }];
      });
      return { name, type, accounts: { ...this.#before[source]!, read, rejected }, splits };
    });
  }

  /** Of all runs, by sink. @param rowsOf Rows of this run, by the number of the sink. */
  #sinkTotals(rowsOf: (sink: number) => number): Map<string, SinkTotals | undefined> {
    return new Map(
      this.#plan.sinks.map(({ name }, sink) => [name, this.#counts.ofAll(name, rowsOf(sink))]),
    );
  }

  async #finish(failure: EngineError | undefined): Promise<RunOutcome> {
    const wasStopped = this.#isStopping();
    const isComplete = failure === undefined && !wasStopped;
    if (this.#outputs !== undefined) {
      // A run that will go on keeps its windows open.
      if (isComplete || this.#checkpointer === undefined) this.#advanceAll([END_OF_TIME]);
      await this.#inFlight.drained();
      const hasGoodRows = this.accounts.some(({ read, rejected }) => read > rejected);
      // Nothing that could be read is no reason to replace what an earlier run has written.
      if (failure !== undefined && !hasGoodRows) throw failure;
      if (isComplete || this.accounts.some(({ read }) => read > 0))
        await this.#commitFinally(isComplete);
    }
    const totals = this.#sinkTotals((sink) => this.#outputs?.rows[sink] ?? 0);
    const counters = await Promise.all(this.#parts?.slots.map((slot) => slot.counters()) ?? []);
    return {
      steps: stepResults(this.#plan, counters),
      sinks: this.#plan.sinks.map(({ name, type }, index) => ({
        name,
        type,
        rows: this.#outputs?.rows[index] ?? 0,
        ...this.#counts.ofRun(name),
        total: totals.get(name),
      })),
      anomalyCounts: this.#outputs?.anomalies.counts() ?? [],
      wasStopped,
      wasCompleteBefore: this.#wasCompleteBefore,
      failure,
    };
  }

  async #commitFinally(isComplete: boolean): Promise<void> {
    const checkpointer = this.#checkpointer;
    if (checkpointer !== undefined) {
      await checkpointer.settled();
      await this.#takeCheckpoint(checkpointer, true, isComplete);
      return;
    }
    const prepared = await this.#outputs!.prepareCommit(0, true);
    const committables = prepared.map((sink) => sink.committables);
    await commitAll(this.#plan, this.#catalog, committables, (state) => {
      this.#commitState = state;
    });
    for (const [index, { name }] of this.#plan.sinks.entries()) {
      this.#counts.committed(name, committables[index]!);
    }
  }

  async #commitCheckpoint({ pipeline, sinks }: Checkpoint, wasMade: boolean): Promise<void> {
    await commitCheckpoint(pipeline, sinks, this.#catalog, wasMade, (state) => {
      this.#commitState = state;
    });
  }

  #isStopping(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  #statuses(): RunState['sources'] {
    const feeds = this.#parts?.feeds ?? [];
    return feeds.flatMap(({ source, status }) =>
      status === undefined ? [] : [{ source: this.#plan.sources[source]!.name, ...status }],
    );
  }

  async #close(): Promise<void> {
    // What is being stored or committed comes to its end, before another run may begin.
    await this.#checkpointer?.settled().catch(() => undefined);
    if (this.#parts === undefined) return;
    const { feeds, slots, sinks } = this.#parts;
    await Promise.allSettled(feeds.map((feed) => feed.close()));
    await Promise.allSettled(slots.map((slot) => slot.close()));
    await sinks.close();
  }
}
