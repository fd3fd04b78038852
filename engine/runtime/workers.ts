/**
 * Where the parts of a pipeline run. The pipeline talks to readers, slots and sinks through these
 * ports and does not know whether a thread is behind them: `inlineWorkers` runs everything on the
 * calling thread (tests, `tidemark test`), `threadWorkers` on Piscina pools of one thread each.
 */

import type { ColumnBatch } from '../contract/batch.ts';
import type { Catalog, PreparedCommit, SinkResume } from '../contract/connector.ts';
import type { EventTime } from '../contract/time.ts';
import type { TaskSnapshot } from '../checkpoint/checkpoint.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { SinkHost } from './sink-host.ts';
import {
  type SlotInspection,
  Slot,
  type SlotBatch,
  type SlotCounters,
  type SlotResult,
  type SlotSnapshot,
} from './slot.ts';
import { type ReaderMessage, type ReaderOptions, SplitReaderHost } from './split-reader-host.ts';

/**
 * Calls of a port are answered in the order in which they were made, also when several are under
 * way; `close` is such a call, so that those before it still find what it frees.
 */
export interface ReaderPort {
  /** @param spent Buffers of earlier batches, given back to be used again. */
  poll(spent: readonly ArrayBuffer[]): Promise<ReaderMessage>;
  close(): Promise<void>;
}

export interface SlotPort {
  process(batch: SlotBatch): Promise<SlotResult>;
  /** @param watermarks One for all tasks, or one a partition. */
  advance(watermarks: readonly EventTime[]): Promise<SlotResult>;
  snapshot(): Promise<SlotSnapshot>;
  counters(): Promise<SlotCounters>;
  inspect(key: string): Promise<SlotInspection>;
  close(): Promise<void>;
}

export interface SinkPort {
  write(sink: number, batch: ColumnBatch): Promise<void>;
  prepareCommit(epoch: number, isFinal: boolean): Promise<readonly PreparedCommit[]>;
  close(): Promise<void>;
}

export interface SlotOptions {
  readonly plan: PipelinePlan;
  readonly slot: number;
  readonly slots: number;
  /** State of the slot's tasks to go on from. */
  readonly tasks?: readonly TaskSnapshot[] | undefined;
}

export interface Workers {
  openReader(options: ReaderOptions): Promise<ReaderPort>;
  openSlot(options: SlotOptions): Promise<SlotPort>;
  /** @param resume What each sink goes on from; undefined where it begins, as in a new run. */
  openSinks(plan: PipelinePlan, resume?: readonly (SinkResume | undefined)[]): Promise<SinkPort>;
  /** Ends the threads, once every port is closed. */
  close(): Promise<void>;
}

/** Everything on the calling thread. */
export function inlineWorkers(catalog: Catalog): Workers {
  return {
    openReader: async (options) => {
      const host = await SplitReaderHost.open(options, catalog);
      const inOrder = serially();
      return {
        poll: (spent) => inOrder(() => host.poll(spent)),
        close: () => inOrder(() => host.close()),
      };
    },
    openSlot: async ({ plan, tasks: snapshots, ...place }) => {
      const tasks = new Slot(plan, catalog, place, snapshots);
      return {
        process: async (batch) => tasks.process(batch),
        advance: async (watermarks) => tasks.advance(watermarks),
        snapshot: async () => tasks.snapshot(),
        counters: async () => tasks.counters(),
        inspect: async (key) => tasks.inspect(key),
        close: async () => tasks.dispose(),
      };
    },
    openSinks: async (plan, resume) => {
      const host = await SinkHost.open(plan, catalog, resume);
      const inOrder = serially();
      return {
        write: (sink, batch) => inOrder(() => host.write(sink, batch)),
        prepareCommit: (epoch, isFinal) => inOrder(() => host.prepareCommit(epoch, isFinal)),
        close: () => inOrder(() => host.close()),
      };
    },
    close: async () => undefined,
  };
}

/** Runs asynchronous work one after the other, in the order of the calls. */
export function serially(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
