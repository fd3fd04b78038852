/**
 * A pipeline at work: reads the splits, moves the watermark, deals the routed rows out to the
 * slots, passes what comes back to the sinks, and keeps the accounts. It runs on the main thread
 * and only ever handles whole batches.
 *
 *   feeds ──► watermark ──► slots ──► sinks ──► commit
 *
 * Back-pressure: rows on their way through slots and sinks are bounded in bytes and in messages;
 * while the bound is reached, no source is polled.
 */

import type { ColumnBatch, ColumnVector, RejectedRow } from '../contract/batch.ts';
import type { Catalog, Committable } from '../contract/connector.ts';
import { EngineError } from '../contract/error.ts';
import { addAccounts, emptyAccounts, type RowAccounts } from '../contract/row-accounts.ts';
import { type Clock, END_OF_TIME, type EventTime } from '../contract/time.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { AnomalyTally } from './anomaly-tally.ts';
import { buffersOf } from './output-buffer.ts';
import { type CommitState, commitAll } from './commit.ts';
import type { RunProgress, RunResult, StepResult } from './run-result.ts';

import type { SlotCounters, SlotResult } from './slot.ts';
import { type FoundSplit, refuseSourcesAsSinks } from './source-files.ts';
import { type FeedMessage, SplitFeed } from './split-feed.ts';
import type { ReaderRows } from './split-reader-host.ts';
import { WatermarkTracker } from './watermark-tracker.ts';
import type { SinkPort, SlotPort, Workers } from './workers.ts';

const IN_FLIGHT_BYTES_MAX = 32 << 20;
const IN_FLIGHT_CALLS_MAX = 64;

export interface RunOptions {
  readonly slots: number;
  /** Reader threads that one split may use. */
  readonly lanes: number;
  readonly clock: Clock;
  /** Aborted to ask for a clean end: what has been read is processed and committed. */
  readonly signal?: AbortSignal | undefined;
}

export class Pipeline {
  readonly #plan: PipelinePlan;
  readonly #catalog: Catalog;
  readonly #workers: Workers;
  readonly #options: RunOptions;
  readonly #watermarks = new WatermarkTracker();
  readonly #perSource: RowAccounts[];
  readonly #sinkRows: number[];
  readonly #anomalies: AnomalyTally;
  readonly #startMs: number;
  #feeds: SplitFeed[] = [];
  #slots: SlotPort[] = [];
  #sinks: SinkPort | undefined;
  #bytesTotal: number | undefined = 0;
  #bytesRead = 0;
  #inFlightBytes = 0;
  #inFlightCalls = 0;
  #wake: (() => void) | undefined;
  /** First failure of a slot or a sink: nothing may be committed after it. */
  #broken: Error | undefined;
  #firstAnomalyMs: number | undefined;
  #commitState: CommitState = { done: [] };

  constructor(plan: PipelinePlan, catalog: Catalog, workers: Workers, options: RunOptions) {
    this.#plan = plan;
    this.#catalog = catalog;
    this.#workers = workers;
    this.#options = options;
    this.#perSource = plan.sources.map(emptyAccounts);
    this.#sinkRows = plan.sinks.map(() => 0);
    this.#anomalies = new AnomalyTally(plan.sinks);
    this.#startMs = options.clock.nowMs();
  }

  /** What is visible of the outputs of this run, for whoever tells that it has failed. */
  get commitState(): CommitState {
    return this.#commitState;
  }

  progress(): RunProgress {
    const accounts = emptyAccounts();
    for (const own of this.#perSource) addAccounts(accounts, own);
    return {
      elapsedMs: this.#options.clock.nowMs() - this.#startMs,
      accounts,
      watermark: this.#watermarks.watermark,
      anomalies: this.#anomalies.total,
      firstAnomalyMs: this.#firstAnomalyMs,
      bytesRead: this.#bytesRead + this.#feeds.reduce((sum, feed) => sum + feed.bytesRead, 0),
      bytesTotal: this.#bytesTotal,
    };
  }

  /**
   * Runs to the end of the sources, or until the signal. Where a source fails on the way, what came
   * before is committed and the failure is in the result.
   * @throws {EngineError} Where not everything could be committed, or nothing was read: see
   *   `commitState`.
   */
  async run(): Promise<RunResult> {
    let failure: EngineError | undefined;
    try {
      await this.#open();
      try {
        await this.#readAll();
      } catch (error) {
        if (this.#broken !== undefined || !(error instanceof EngineError)) throw error;
        failure = error;
      }
      await this.#finish();
      const counters = await Promise.all(this.#slots.map((slot) => slot.counters()));
      const wasStopped = this.#isStopping();
      // Nothing read is no reason to replace what an earlier run has written.
      const isVain =
        (failure !== undefined || wasStopped) && this.#perSource.every(({ read }) => read === 0);
      if (isVain && failure !== undefined) throw failure;
      const committed = isVain ? this.#plan.sinks.map(() => []) : await this.#commit();
      return {
        ...this.progress(),
        perSource: Object.fromEntries(
          this.#plan.sources.map(({ name }, index) => [name, this.#perSource[index]!]),
        ),
        steps: this.#steps(counters),
        sinks: this.#plan.sinks.map(({ name, type }, index) => ({
          name,
          type,
          rows: this.#sinkRows[index]!,
          ...filesOf(committed[index]!),
        })),
        anomalyCounts: this.#anomalies.counts(),
        wasStopped,
        failure,
      };
    } finally {
      await this.#close();
    }
  }

  async #open(): Promise<void> {
    const plan = this.#plan;
    // Splits first: a missing file is told before anything is started or written.
    const found: FoundSplit[] = [];
    for (const [index, source] of plan.sources.entries()) {
      const definition = this.#catalog.sources.find(({ name }) => name === source.type)!;
      const splits = await definition.splits(source.config, { source: source.name });
      found.push(...splits.map((split) => ({ index, split })));
    }
    await refuseSourcesAsSinks(plan, this.#catalog, found);
    // Then everything at once: most of the time of a start goes into loading threads.
    const opening = [this.#openSinks(), this.#openSlots(), this.#openFeeds(found)];
    const outcomes = await Promise.allSettled(opening);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #openSinks(): Promise<void> {
    this.#sinks = await this.#workers.openSinks(this.#plan);
  }

  async #openSlots(): Promise<void> {
    const { slots } = this.#options;
    const opening = Array.from({ length: slots }, (_, slot) =>
      this.#workers.openSlot({ plan: this.#plan, slot, slots }),
    );
    this.#slots = await Promise.all(opening);
  }

  async #openFeeds(found: readonly FoundSplit[]): Promise<void> {
    const { slots, clock } = this.#options;
    const plan = this.#plan;
    let readers = 0;
    const feeds = found.map(async ({ index, split }) => {
      const { maxOutOfOrdernessNs, idleTimeoutMs } = plan.sources[index]!.watermark;
      this.#watermarks.addSplit(maxOutOfOrdernessNs, idleTimeoutMs, clock.nowMs());
      this.#bytesTotal =
        split.totalBytes === undefined || this.#bytesTotal === undefined
          ? undefined
          : this.#bytesTotal + split.totalBytes;
      const lanes = Math.max(1, Math.min(this.#options.lanes, split.lanesMax));
      const first = readers;
      readers += lanes;
      const ports = await Promise.all(
        Array.from({ length: lanes }, (_, lane) =>
          this.#workers.openReader({ plan, source: index, split, lane, lanes, slots }),
        ),
      );
      return new SplitFeed(index, split, ports, first);
    });
    this.#feeds = await Promise.all(feeds);
  }

  async #readAll(): Promise<void> {
    const open = new Set(this.#feeds.keys());
    while (open.size > 0 && !this.#isStopping()) {
      const split = this.#nextSplit(open);
      const message = await this.#unlessStopped(this.#feeds[split]!.next());
      if (message === undefined) break;
      if (message.kind === 'rows') this.#deal(split, message.reader, message.rows);
      else if (message.kind === 'end') {
        open.delete(split);
        this.#advanceAll(this.#watermarks.end(split));
      } else this.#advanceAll(this.#watermarks.tick(this.#options.clock.nowMs()));
      await this.#room();
    }
  }

  /** The split that is furthest behind: so bounded sources are merged by event time. */
  #nextSplit(open: ReadonlySet<number>): number {
    let next = -1;
    for (const split of open) {
      if (next < 0 || this.#isBehind(split, next)) next = split;
    }
    return next;
  }

  #isBehind(split: number, other: number): boolean {
    const idle = this.#watermarks.isIdle(split);
    if (idle !== this.#watermarks.isIdle(other)) return !idle;
    return this.#watermarks.peak(split) < this.#watermarks.peak(other);
  }

  #deal(split: number, reader: number, rows: ReaderRows): void {
    const feed = this.#feeds[split]!;
    const { source } = feed;
    const { routed, rejected } = rows;
    const accounts = this.#perSource[source]!;
    addAccounts(accounts, {
      read: routed.rowCount + rejected.length,
      rejected: rejected.length,
    });
    if (rejected.length > 0) this.#reject(source, rejected);
    const nowMs = this.#options.clock.nowMs();
    const { watermark: before } = this.#watermarks;
    const step =
      routed.rowCount > 0
        ? this.#watermarks.rows(split, routed.largestTime, nowMs)
        : {
            peakBefore: before,
            othersWatermark: before,
            watermarkBefore: before,
            watermark: before,
          };
    for (const [slot, port] of this.#slots.entries()) {
      const own = routed.slots[slot];
      const { newTexts, smallestTime } = routed;
      const batch = { source, reader, rows: own, newTexts, smallestTime, nowMs, ...step };
      this.#track(own?.buffer.byteLength ?? 0, port.process(batch), (result) => {
        addAccounts(accounts, result);
        if (result.spent !== undefined) feed.recycle(reader, result.spent);
        this.#passOn(result);
      });
    }
  }

  #advanceAll(watermark: EventTime): void {
    for (const port of this.#slots) {
      this.#track(0, port.advance(watermark), (result) => this.#passOn(result));
    }
  }

  #passOn(result: SlotResult): void {
    for (const { sink, batch } of result.outputs) this.#write(sink, batch);
  }

  #write(sink: number, batch: ColumnBatch): void {
    this.#sinkRows[sink]! += batch.rowCount;
    this.#anomalies.add(sink, batch);
    if (this.#firstAnomalyMs === undefined && this.#anomalies.total > 0) {
      this.#firstAnomalyMs = this.#options.clock.nowMs() - this.#startMs;
    }
    const bytes = buffersOf(batch).reduce((sum, buffer) => sum + buffer.byteLength, 0);
    this.#track(bytes, this.#sinks!.write(sink, batch), () => undefined);
  }

  /** Dead letters go past the slots: a row without a valid key or time has no partition. */
  #reject(source: number, rejected: readonly RejectedRow[]): void {
    const { name } = this.#plan.sources[source]!;
    for (const [sink, { input }] of this.#plan.sinks.entries()) {
      if (input.step === name && input.output === 'rejected') {
        this.#write(sink, rejectedBatch(name, rejected));
      }
    }
  }

  /** Keeps count of a call and of the bytes it holds until it is answered. */
  #track<T>(bytes: number, call: Promise<T>, done: (value: T) => void): void {
    this.#inFlightBytes += bytes;
    this.#inFlightCalls++;
    call
      .then(done)
      .catch((error: unknown) => {
        this.#broken ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#inFlightBytes -= bytes;
        this.#inFlightCalls--;
        this.#wake?.();
      });
  }

  async #room(): Promise<void> {
    await this.#until(
      () => this.#inFlightBytes < IN_FLIGHT_BYTES_MAX && this.#inFlightCalls < IN_FLIGHT_CALLS_MAX,
    );
  }

  /** Waits for calls to come back until the condition holds; fails as soon as one of them has. */
  async #until(condition: () => boolean): Promise<void> {
    while (this.#broken === undefined && !condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #finish(): Promise<void> {
    this.#advanceAll(END_OF_TIME);
    await this.#until(() => this.#inFlightCalls === 0);
  }

  /** Returns what was committed, a list a sink. */
  async #commit(): Promise<readonly (readonly Committable[])[]> {
    const prepared = await this.#sinks!.prepareCommit(0, true);
    const committables = prepared.map((sink) => sink.committables);
    await commitAll(this.#plan, this.#catalog, committables, (state) => {
      this.#commitState = state;
    });
    return committables;
  }

  #steps(counters: readonly SlotCounters[]): StepResult[] {
    return this.#plan.operators.map(({ name, type }, index) => {
      const metrics: Record<string, number> = {};
      let rowsIn = 0;
      let rowsOut = 0;
      for (const slot of counters) {
        rowsIn += slot.rowsIn[index]!;
        rowsOut += slot.rowsOut[index]!;
        for (const [metric, amount] of Object.entries(slot.metrics)) {
          if (!metric.startsWith(`${name}.`)) continue;
          const own = metric.slice(name.length + 1);
          metrics[own] = (metrics[own] ?? 0) + amount;
        }
      }
      return { name, type, rowsIn, rowsOut, metrics };
    });
  }

  #isStopping(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  /** The message, or undefined where the signal comes first. */
  async #unlessStopped(next: Promise<FeedMessage>): Promise<FeedMessage | undefined> {
    const { signal } = this.#options;
    if (signal === undefined) return next;
    let stop!: () => void;
    const stopped = new Promise<undefined>((resolve) => {
      stop = () => resolve(undefined);
      signal.addEventListener('abort', stop);
    });
    try {
      return await Promise.race([next, stopped]);
    } finally {
      signal.removeEventListener('abort', stop);
      next.catch(() => undefined);
    }
  }

  async #close(): Promise<void> {
    this.#bytesRead = this.progress().bytesRead;
    const feeds = this.#feeds;
    this.#feeds = [];
    await Promise.allSettled(feeds.map((feed) => feed.close()));
    await Promise.allSettled(this.#slots.map((slot) => slot.close()));
    await this.#sinks?.close();
  }
}

function filesOf(committables: readonly Committable[]): { files: number; bytes: number } {
  const files = committables.filter(({ bytes }) => bytes !== undefined);
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + Number(bytes), 0) };
}

function rejectedBatch(source: string, rejected: readonly RejectedRow[]): ColumnBatch {
  const texts = (values: readonly string[]): ColumnVector => ({
    type: 'string',
    codes: Uint32Array.from(values.keys()),
    dictionary: values,
  });
  return {
    rowCount: rejected.length,
    columns: [
      texts(rejected.map(() => source)),
      texts(rejected.map(({ origin }) => origin)),
      { type: 'int64', values: BigInt64Array.from(rejected, ({ line }) => BigInt(line)) },
      texts(rejected.map(({ reason }) => reason)),
      texts(rejected.map(({ raw }) => raw)),
    ],
  };
}
