/**
 * Takes the checkpoints of a run: when one is due, its number, and the steps after every slot and
 * sink has given its part: store, commit, forget older ones. One is under way at a time.
 *
 * Where a checkpoint cannot be stored, the run goes on from the last one, whose state stays good:
 * what the sinks have staged for it waits for the next. After a few failures in a row the run ends.
 */

import type { Committable, PreparedCommit } from '../contract/connector.ts';
import { EngineError } from '../contract/error.ts';
import type { Clock, ProcessingTimeMs } from '../contract/time.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { encodeCheckpoint } from '../checkpoint/checkpoint-file.ts';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import { decideRetention } from '../checkpoint/decide-start.ts';

export interface CheckpointOptions {
  readonly intervalMs: number;
  /** Checkpoints that stay. */
  readonly keep: number;
}

/** How the checkpoints of a run are going. */
export interface CheckpointProgress {
  /** Of the last one that is complete; 0 before the first. */
  readonly epoch: number;
  /** Of the last one that is stored, whose outputs may not all be in sight yet. */
  readonly storedEpoch: number;
  readonly completedMs: ProcessingTimeMs | undefined;
  /** From its mark to its commit. */
  readonly durationMs: number;
  /** Of all of them together. */
  readonly spentMs: number;
  /** Longest that a slot, or the main thread, stood still for a checkpoint of this run. */
  readonly stallMs: number;
  readonly bytes: number;
  /** Complete since the run began. */
  readonly count: number;
  /** Why the last one failed, where it did. */
  readonly failure: string | undefined;
}

/** Failures in a row after which a run ends. */
const FAILURES_MAX = 3;

export class Checkpointer {
  readonly #options: CheckpointOptions;
  readonly #store: CheckpointStore;
  readonly #clock: Clock;
  readonly #commit: (checkpoint: Checkpoint) => Promise<void>;
  #epoch: number;
  #begunMs: ProcessingTimeMs;
  #underWay: Promise<void> | undefined;
  /** Staged for checkpoints that could not be stored, a list a sink. */
  #pending: (readonly Committable[])[] = [];
  #failures = 0;
  #progress: CheckpointProgress;

  /**
   * @param epoch Of the checkpoint that the run goes on from, or 0.
   * @param commit Makes visible what a stored checkpoint holds.
   */
  constructor(
    options: CheckpointOptions,
    store: CheckpointStore,
    clock: Clock,
    epoch: number,
    commit: (checkpoint: Checkpoint) => Promise<void>,
  ) {
    this.#options = options;
    this.#store = store;
    this.#clock = clock;
    this.#epoch = epoch;
    this.#commit = commit;
    this.#begunMs = clock.nowMs();
    this.#progress = {
      epoch,
      storedEpoch: epoch,
      completedMs: undefined,
      durationMs: 0,
      spentMs: 0,
      stallMs: 0,
      bytes: 0,
      count: 0,
      failure: undefined,
    };
  }

  get progress(): CheckpointProgress {
    return this.#progress;
  }

  isDue(): boolean {
    const elapsed = this.#clock.nowMs() - this.#begunMs;
    return this.#underWay === undefined && elapsed >= this.#options.intervalMs;
  }

  /**
   * Takes a checkpoint.
   * @param isFinal The last one: where it fails, so does the run.
   * @param gather Asks slots and sinks for their parts, at once; resolves when it has them.
   * @returns When it is committed, or has failed and the run may go on.
   * @throws {EngineError} Where it has failed and the run may not.
   */
  take(isFinal: boolean, gather: (epoch: number) => Promise<GatheredCheckpoint>): Promise<void> {
    const begunMs = this.#clock.nowMs();
    this.#begunMs = begunMs;
    const epoch = ++this.#epoch;
    this.#underWay = this.#complete(begunMs, isFinal, gather(epoch)).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Resolves when none is under way; fails where the last one did. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #complete(
    begunMs: ProcessingTimeMs,
    isFinal: boolean,
    parts: Promise<GatheredCheckpoint>,
  ): Promise<void> {
    const { checkpoint: gathered, prepared, stallMs } = await parts;
    const sinks = gathered.sinks.map((sink, index) => ({
      ...sink,
      committables: [...(this.#pending[index] ?? []), ...prepared[index]!.committables],
      carried: prepared[index]!.carried,
    }));
    const checkpoint: Checkpoint = { ...gathered, sinks };
    const encoding = performance.now();
    const pieces = encodeCheckpoint(checkpoint);
    const stood = Math.max(stallMs, performance.now() - encoding);
    const bytes = await this.#write(checkpoint, pieces, isFinal);
    if (bytes === undefined) return;
    const { epoch: storedEpoch } = checkpoint;
    this.#progress = { ...this.#progress, storedEpoch };
    await this.#commit(checkpoint);
    await this.#store.noteCommitted(storedEpoch);
    await this.#forgetOlder(checkpoint);
    const completedMs = this.#clock.nowMs();
    this.#progress = {
      epoch: storedEpoch,
      storedEpoch,
      completedMs,
      durationMs: completedMs - begunMs,
      spentMs: this.#progress.spentMs + completedMs - begunMs,
      stallMs: Math.max(this.#progress.stallMs, stood),
      bytes,
      count: this.#progress.count + 1,
      failure: undefined,
    };
  }

  /** Returns its size, or undefined where it could not be stored and the run may go on. */
  async #write(
    checkpoint: Checkpoint,
    pieces: readonly Uint8Array[],
    isFinal: boolean,
  ): Promise<number | undefined> {
    try {
      await this.#store.write(checkpoint.epoch, pieces);
    } catch (error) {
      this.#pending = checkpoint.sinks.map(({ committables }) => committables);
      this.#failures++;
      const isLast = isFinal || this.#failures >= FAILURES_MAX;
      if (!(error instanceof EngineError) || isLast) throw error;
      this.#progress = { ...this.#progress, failure: error.message };
      return undefined;
    }
    this.#pending = [];
    this.#failures = 0;
    return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  async #forgetOlder({ epoch, isComplete }: Checkpoint): Promise<void> {
    if (isComplete) return forgetAll(this.#store);
    const epochs = (await this.#store.list()).map((stored) => stored.epoch);
    for (const each of decideRetention(epochs, epoch, this.#options.keep)) {
      await this.#store.remove(each);
    }
  }
}

/**
 * A complete pipeline needs no checkpoint any more: its next run begins anew. The newest goes last,
 * so that no older one is ever taken for it.
 */
export async function forgetAll(store: CheckpointStore): Promise<void> {
  for (const { epoch } of (await store.list()).toReversed()) await store.remove(epoch);
}

/** The parts of a checkpoint: all but what the sinks have prepared, and that. */
export interface GatheredCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly prepared: readonly PreparedCommit[];
  /** Longest that a slot stood still. */
  readonly stallMs: number;
}
