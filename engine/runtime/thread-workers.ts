/**
 * Readers, slots and sinks on threads. A slot is a Piscina pool of exactly one thread, so that a
 * partition always runs on the same one. Typed arrays are transferred, never copied; errors travel
 * as data, because a rejection loses its code on the way.
 */

import { move, Piscina, transferableSymbol, valueSymbol } from 'piscina';
import type { Catalog } from '../contract/connector.ts';
import { decodeError, type ErrorData, encodeError } from '../contract/error.ts';
import { buffersOf } from './output-buffer.ts';
import { SinkHost } from './sink-host.ts';
import { Slot, type SlotBatch, type SlotResult, type SlotSnapshot } from './slot.ts';
import { type ReaderMessage, type ReaderOptions, SplitReaderHost } from './split-reader-host.ts';
import { serially, type SlotOptions, type Workers } from './workers.ts';

/** Modules whose default export is made by `readerThread`, `slotThread` and `sinkThread`. */
export interface ThreadModules {
  readonly reader: URL;
  readonly slot: URL;
  readonly sink: URL;
}

/**
 * Messages that may wait inside a thread, so that it never waits for the main thread between two.
 */
const QUEUED_CALLS_MAX = 4;

/**
 * Rows lie outside the heap of JavaScript, so little is allocated in it; by default each thread
 * would spread that over up to 48 MiB before it collects.
 */
const YOUNG_MEBIBYTES = 6;

type Call = readonly [method: string, ...values: unknown[]];
/** A call and its number: calls of one thread are answered in order, or not at all. */
type NumberedCall = readonly [number: number, call: Call];
type Answer = { readonly value: unknown } | { readonly error: ErrorData };
type Methods = Readonly<Record<string, (...values: never[]) => unknown>>;
/** What a thread module exports: answers a call. */
export type ThreadHandler = (call: NumberedCall) => unknown;

/**
 * One thread. Piscina does not keep the order of tasks that wait in its own queue (it puts one that
 * it cannot place back at the end), so calls wait here, and only as many are handed over as the
 * thread takes at once; the thread checks their numbers.
 */
class Thread {
  readonly #pool: Piscina;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  #calls = 0;

  constructor(module: URL, atomics: 'sync' | 'disabled') {
    this.#pool = new Piscina({
      filename: module.href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: QUEUED_CALLS_MAX,
      idleTimeout: Number.POSITIVE_INFINITY,
      stricterFIFO: true,
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEBIBYTES },
      atomics,
    });
  }

  async call<T>(transfer: ArrayBuffer[], ...call: Call): Promise<T> {
    const numbered: NumberedCall = [this.#calls++, call];
    if (this.#underWay >= QUEUED_CALLS_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#underWay++;
    }
    try {
      const answer: Answer = await this.#pool.run(numbered, { transferList: transfer });
      if ('error' in answer) throw decodeError(answer.error);
      return answer.value as T;
    } finally {
      // The place goes to the first that waits, or becomes free.
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }

  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Threads of one module. One that is done with a reader, slot or sink takes the next. */
class ThreadPool {
  readonly #module: URL;
  readonly #atomics: 'sync' | 'disabled';
  readonly #threads: Thread[] = [];
  readonly #free: Thread[] = [];

  constructor(module: URL, atomics: 'sync' | 'disabled') {
    this.#module = module;
    this.#atomics = atomics;
  }

  async open(...options: readonly unknown[]): Promise<Thread> {
    let thread = this.#free.pop();
    if (thread === undefined) {
      thread = new Thread(this.#module, this.#atomics);
      this.#threads.push(thread);
    }
    try {
      await thread.call([], 'open', ...options);
    } catch (error) {
      await this.release(thread);
      throw error;
    }
    return thread;
  }

  async release(thread: Thread): Promise<void> {
    await thread.call([], 'close');
    this.#free.push(thread);
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

/** The threads live until `close`, over as many pipelines as are run one after the other. */
export function threadWorkers(modules: ThreadModules): Workers {
  const readers = new ThreadPool(modules.reader, 'disabled');
  // Slots only compute, so their thread may sleep on an atomic between two batches.
  const slots = new ThreadPool(modules.slot, 'sync');
  const sinks = new ThreadPool(modules.sink, 'disabled');
  return {
    openReader: async (options) => {
      const thread = await readers.open(options);
      return {
        poll: (spent) => thread.call([...spent], 'poll', spent),
        close: () => readers.release(thread),
      };
    },
    openSlot: async (options) => {
      const thread = await slots.open(options);
      return {
        process: (batch) => thread.call(batch.rows ? [batch.rows.buffer] : [], 'process', batch),
        advance: (watermarks) => thread.call([], 'advance', watermarks),
        snapshot: () => thread.call([], 'snapshot'),
        counters: () => thread.call([], 'counters'),
        inspect: (key) => thread.call([], 'inspect', key),
        close: () => slots.release(thread),
      };
    },
    openSinks: async (plan, resume) => {
      const thread = await sinks.open(plan, resume);
      return {
        write: (sink, batch) => thread.call(buffersOf(batch), 'write', sink, batch),
        prepareCommit: (epoch, isFinal) => thread.call([], 'prepareCommit', epoch, isFinal),
        close: () => sinks.release(thread),
      };
    },
    close: async () => {
      await Promise.all([readers, slots, sinks].map((pool) => pool.end()));
    },
  };
}

export function readerThread(catalog: Catalog): ThreadHandler {
  let host: SplitReaderHost | undefined;
  return answering({
    open: async (options: ReaderOptions) => {
      host = await SplitReaderHost.open(options, catalog);
    },
    poll: async (spent: readonly ArrayBuffer[]) => movedMessage(await host!.poll(spent)),
    close: async () => {
      await host?.close();
      host = undefined;
    },
  });
}

export function slotThread(catalog: Catalog): ThreadHandler {
  let slot: Slot | undefined;
  return answeringNow({
    open: ({ plan, tasks, ...place }: SlotOptions) => {
      slot = new Slot(plan, catalog, place, tasks);
    },
    process: (batch: SlotBatch) => movedResult(slot!.process(batch)),
    advance: (watermarks: readonly bigint[]) => movedResult(slot!.advance(watermarks)),
    snapshot: () => movedSnapshot(slot!.snapshot()),
    counters: () => slot!.counters(),
    inspect: (key: string) => slot!.inspect(key),
    close: () => {
      slot?.dispose();
      slot = undefined;
    },
  });
}

export function sinkThread(catalog: Catalog): ThreadHandler {
  let host: SinkHost | undefined;
  return answering({
    open: async (...values: Parameters<Workers['openSinks']>) => {
      const [plan, resume] = values;
      host = await SinkHost.open(plan, catalog, resume);
    },
    write: (...values: Parameters<SinkHost['write']>) => host!.write(...values),
    prepareCommit: (epoch: number, isFinal: boolean) => host!.prepareCommit(epoch, isFinal),
    close: async () => {
      await host?.close();
      host = undefined;
    },
  });
}

/** A value together with the buffers that move with it. */
class Moved {
  readonly value: unknown;
  readonly buffers: ArrayBuffer[];

  constructor(value: unknown, buffers: ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

function movedMessage(message: ReaderMessage): unknown {
  if (message.kind !== 'rows') return message;
  const buffers = message.routed.slots.flatMap((rows) => (rows === undefined ? [] : [rows.buffer]));
  return new Moved(message, buffers);
}

function movedResult(result: SlotResult): unknown {
  const buffers = result.outputs.flatMap(({ batch }) => buffersOf(batch));
  return new Moved(result, result.spent === undefined ? buffers : [...buffers, result.spent]);
}

function movedSnapshot(snapshot: SlotSnapshot): unknown {
  const buffers = new Set(snapshot.outputs.flatMap(({ batch }) => buffersOf(batch)));
  for (const { operators } of snapshot.tasks) {
    for (const table of Object.values(operators).flatMap((tables) => Object.values(tables))) {
      // A part of a larger buffer, such as Node's pool, is copied instead.
      if (table.byteLength === table.buffer.byteLength) buffers.add(table.buffer as ArrayBuffer);
    }
  }
  return new Moved(snapshot, [...buffers]);
}

function toAnswer(value: unknown): unknown {
  if (!(value instanceof Moved)) return { value };
  return move({
    [transferableSymbol]: value.buffers as unknown as object,
    [valueSymbol]: { value: value.value },
  } as unknown as ArrayBuffer);
}

/** For asynchronous methods: one call after the other. */
function answering(methods: Methods): ThreadHandler {
  const inOrder = serially();
  const ordered = callsInOrder();
  return (numbered) => {
    const [method, ...values] = ordered(numbered);
    return inOrder(async () => {
      try {
        return toAnswer(await methods[method]!(...(values as never[])));
      } catch (error) {
        return { error: encodeError(error) };
      }
    });
  };
}

/** For synchronous methods, whose order is that of the messages. */
function answeringNow(methods: Methods): ThreadHandler {
  const ordered = callsInOrder();
  return (numbered) => {
    try {
      const [method, ...values] = ordered(numbered);
      return toAnswer(methods[method]!(...(values as never[])));
    } catch (error) {
      return { error: encodeError(error) };
    }
  };
}

function callsInOrder(): (numbered: NumberedCall) => Call {
  let expected = 0;
  return ([number, call]) => {
    if (number !== expected) throw new Error(`call ${number} came before call ${expected}`);
    expected++;
    return call;
  };
}
