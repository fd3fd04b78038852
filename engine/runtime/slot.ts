/**
 * A slot: the partition tasks of one thread over one linear memory. It takes routed batches in
 * order, runs each through its tasks, moves their watermark, and hands out what the sinks need.
 * Everything here is synchronous.
 */

import type { Batch, Column, ColumnBatch, Dictionary, Pointer } from '../contract/batch.ts';
import type { Catalog } from '../contract/connector.ts';
import { columnIndex, elementBytes, type Schema } from '../contract/schema.ts';
import { BEGINNING_OF_TIME, type EventTime } from '../contract/time.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { partitionOf } from '../contract/hash.ts';
import type { TaskSnapshot } from '../checkpoint/checkpoint.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import { type RouterExports, routerKernels } from '../../wasm/host/router.ts';
import { OutputBuffer } from './output-buffer.ts';
import { nearestWord } from '../contract/problem.ts';
import { PartitionTask, type StepCounters, type TaskInspection } from './partition-task.ts';
import { type NewTexts, type RoutedRows, partitionsOfSlot } from './router.ts';
import { GrowingStringTable } from './string-table.ts';
import type { TimeRanges, WatermarkStep } from './watermark-tracker.ts';

/** Rows that make a message to a sink worth its cost. */
const OUTPUT_ROWS_MAX = 32_768;
/** How long rows wait in a slot for company, so that a quiet stream is not held up. */
const OUTPUT_WAIT_MS = 200;

export interface SlotBatch {
  /** Position of the source in the plan. */
  readonly source: number;
  /** Which reader routed it: each has a dictionary of its own. */
  readonly reader: number;
  readonly rows: RoutedRows | undefined;
  readonly newTexts: readonly NewTexts[];
  /** Event times of the batch, or of each partition's part of it. */
  readonly times: TimeRanges;
  /** How the watermark moves: for all tasks, or a step a partition. */
  readonly steps: readonly WatermarkStep[];
  readonly nowMs: number;
  /** The source has no more for now: what the rows cause shall not wait for company. */
  readonly isUrgent: boolean;
}

export interface SlotOutput {
  /** Position of the sink in the plan. */
  readonly sink: number;
  readonly batch: ColumnBatch;
}

export interface SlotResult {
  readonly outputs: readonly SlotOutput[];
  /** The buffer of the rows, for the reader to use again: fresh memory costs more than copying. */
  readonly spent: ArrayBuffer | undefined;
  readonly processed: number;
  readonly late: number;
  readonly duplicate: number;
}

/** The state of the tasks between two batches, and the rows that came before it. */
/** What a slot knows of a key. */
export interface SlotInspection {
  /** Undefined where the key belongs to another slot. */
  readonly task: TaskInspection | undefined;
  /** Where it knows no such key: one of its keys that may have been meant. */
  readonly nearestKey?: string | undefined;
}

export interface SlotSnapshot {
  readonly outputs: readonly SlotOutput[];
  readonly tasks: readonly TaskSnapshot[];
  /** How long the slot stood still for it. */
  readonly stallMs: number;
}

/** Counts since the slot was opened. */
export interface SlotCounters {
  readonly rowsIn: readonly number[];
  readonly rowsOut: readonly number[];
  readonly metrics: Readonly<Record<string, number>>;
}

/** u32[length]: what the codes of one dictionary are in another. */
interface CodeMap {
  pointer: Pointer;
  length: number;
}

/** What the codes of each string column of one reader are in the task (keys) or in the slot. */
type ReaderDictionaries = Map<number, CodeMap>;

/** Where the map can be extended to `length` codes. */
function growCodes(memory: LinearMemory, map: CodeMap, length: number): Pointer {
  if (map.pointer !== 0 && memory.capacity(map.pointer) >= length * 4) return map.pointer;
  return memory.reallocate(map.pointer, map.length * 4, length * 8);
}

export class Slot {
  readonly #plan: PipelinePlan;
  readonly #kernels = new Kernels();
  readonly #router: RouterExports;
  readonly #strings = new GrowingStringTable();
  readonly #tasks: PartitionTask[];
  /** Task of each partition; undefined where it belongs to another slot. */
  readonly #taskOf: (PartitionTask | undefined)[];
  readonly #readers = new Map<number, ReaderDictionaries>();
  readonly #keyTables = new Map<Dictionary, CodeMap>();
  readonly #buffers: OutputBuffer[];
  readonly #counters: StepCounters;
  #outputs: SlotOutput[] = [];
  #lastFlushMs = 0;
  #isDisposed = false;

  constructor(
    plan: PipelinePlan,
    catalog: Catalog,
    place: { readonly slot: number; readonly slots: number },
    snapshots: readonly TaskSnapshot[] = [],
  ) {
    this.#plan = plan;
    this.#router = routerKernels(this.#kernels);
    const { memory } = this.#kernels;
    const outputs = {
      memory,
      kernels: this.#router,
      strings: this.#strings,
      keyCodes: (dictionary: Dictionary) => this.#keyCodes(dictionary),
    };
    this.#buffers = plan.sinks.map((sink) => new OutputBuffer(sink.schema, outputs));
    this.#counters = {
      rowsIn: new Float64Array(plan.operators.length),
      rowsOut: new Float64Array(plan.operators.length),
      metrics: new Map(),
    };
    const surroundings = {
      plan,
      catalog,
      kernels: this.#kernels,
      strings: this.#strings,
      counters: this.#counters,
      deliver: (sink: number, batch: Batch) => this.#deliver(sink, batch),
    };
    this.#taskOf = new Array<PartitionTask | undefined>(plan.partitions).fill(undefined);
    this.#tasks = partitionsOfSlot(place.slot, place.slots, plan.partitions).map((partition) => {
      const snapshot = snapshots.find((candidate) => candidate.partition === partition);
      const task = new PartitionTask(partition, surroundings, snapshot);
      this.#taskOf[partition] = task;
      this.#keyTables.set(task.keys, { pointer: 0, length: 0 });
      return task;
    });
  }

  process(batch: SlotBatch): SlotResult {
    this.#assertLives();
    const { arena } = this.#kernels.memory;
    arena.reset();
    this.#learn(batch);
    let late = 0;
    let duplicate = 0;
    if (batch.rows !== undefined) {
      const { name, schema } = this.#plan.sources[batch.source]!;
      const loaded = this.#load(batch, batch.rows, schema);
      const start = arena.mark();
      for (const [index, task] of this.#tasks.entries()) {
        const from = batch.rows.starts[index]!;
        const rowCount = batch.rows.starts[index + 1]! - from;
        if (rowCount === 0) continue;
        const slice = this.#slice(task, schema, loaded, from, rowCount);
        const rowWatermarks = this.#rowWatermarks(task, batch, loaded, from, rowCount);
        const fates = task.process(name, { ...slice, rowWatermarks });
        late += fates.late;
        duplicate += fates.duplicate;
        arena.release(start);
      }
    }
    this.#advance(batch.steps.map(({ watermark }) => watermark));
    if (batch.isUrgent || batch.nowMs - this.#lastFlushMs >= OUTPUT_WAIT_MS) {
      this.#flush(1);
      this.#lastFlushMs = batch.nowMs;
    }
    const processed = (batch.rows?.rowCount ?? 0) - late - duplicate;
    const spent = batch.rows?.buffer;
    return { outputs: this.#takeOutputs(), spent, processed, late, duplicate };
  }

  /** The watermark has moved without rows: a source fell idle, or one has ended. */
  advance(watermarks: readonly EventTime[]): SlotResult {
    this.#assertLives();
    this.#kernels.memory.arena.reset();
    this.#advance(watermarks);
    this.#flush(1);
    const outputs = this.#takeOutputs();
    return { outputs, spent: undefined, processed: 0, late: 0, duplicate: 0 };
  }

  counters(): SlotCounters {
    return {
      rowsIn: [...this.#counters.rowsIn],
      rowsOut: [...this.#counters.rowsOut],
      metrics: Object.fromEntries(this.#counters.metrics),
    };
  }

  /** What its task knows of a key, where it is of this slot, and the nearest of all its keys. */
  inspect(key: string): SlotInspection {
    const task = this.#taskOf[partitionOf(key, this.#plan.partitions)]?.inspect(key);
    if (task?.isKnown === true) return { task };
    const keys = this.#taskOf.flatMap((each) => each?.keys.texts() ?? []);
    return { task, nearestKey: nearestWord(key, keys) };
  }

  snapshot(): SlotSnapshot {
    this.#assertLives();
    // Rows that wait are worked on first, as they would be without a checkpoint.
    this.#flush(1);
    const outputs = this.#takeOutputs();
    const start = performance.now();
    const tasks = this.#tasks.map((task) => task.snapshot());
    return { outputs, tasks, stallMs: performance.now() - start };
  }

  /** Frees the state of the tasks. Twice is harmless; any other call afterwards throws. */
  dispose(): void {
    this.#isDisposed = true;
    for (const task of this.#tasks) task.dispose();
  }

  /** State that was freed belongs to others: a kernel that went on in it might never end. */
  #assertLives(): void {
    if (this.#isDisposed) throw new Error('a slot that was closed is used');
  }

  /** One watermark for all tasks, or one a partition. */
  #advance(watermarks: readonly EventTime[]): void {
    const { arena } = this.#kernels.memory;
    for (const task of this.#tasks) {
      arena.reset();
      task.advance(ofTask(watermarks, task)!);
    }
  }

  /** Takes in the texts that a reader has met since its last batch. */
  #learn({ source, reader, newTexts }: SlotBatch): void {
    const { memory } = this.#kernels;
    const { schema } = this.#plan.sources[source]!;
    const keyIndex = columnIndex(schema, schema.key);
    let dictionaries = this.#readers.get(reader);
    if (dictionaries === undefined) {
      dictionaries = new Map();
      this.#readers.set(reader, dictionaries);
    }
    for (const { column, from, texts } of newTexts) {
      const map = dictionaries.get(column) ?? { pointer: 0, length: 0 };
      const length = from + texts.length;
      map.pointer = growCodes(memory, map, length);
      const codes = memory.u32(map.pointer, length);
      texts.forEach((text, index) => {
        codes[from + index] =
          column === keyIndex ? this.#keyCode(text) : this.#strings.intern(text);
      });
      map.length = length;
      dictionaries.set(column, map);
    }
  }

  /** The slot's codes for the keys of one of its tasks, brought up to date. */
  #keyCodes(dictionary: Dictionary): Pointer | undefined {
    const known = this.#keyTables.get(dictionary);
    if (known === undefined) return undefined;
    if (known.length < dictionary.size) {
      const { memory } = this.#kernels;
      known.pointer = growCodes(memory, known, dictionary.size);
      const codes = memory.u32(known.pointer, dictionary.size);
      for (let code = known.length; code < dictionary.size; code++) {
        codes[code] = this.#strings.intern(dictionary.text(code));
      }
      known.length = dictionary.size;
    }
    return known.pointer;
  }

  /** Code of a key in its task; keys of other slots never occur in rows. */
  #keyCode(key: string): number {
    return this.#taskOf[partitionOf(key, this.#plan.partitions)]?.keys.intern(key) ?? 0;
  }

  /** Copies the rows into linear memory and translates their codes. */
  #load(batch: SlotBatch, rows: RoutedRows, schema: Schema): LoadedRows {
    const { memory } = this.#kernels;
    const base = memory.arena.allocate(rows.byteCount);
    memory.bytes(base, rows.byteCount).set(new Uint8Array(rows.buffer, 0, rows.byteCount));
    const columns = rows.columnOffsets.map((offset) => base + offset);
    for (const [column, map] of this.#readers.get(batch.reader)!) {
      this.#router.remapCodes(columns[column]!, rows.rowCount, map.pointer);
    }
    const times = columns[columnIndex(schema, schema.time)]!;
    return { columns, times, peaks: rows.hasPeaks ? columns.at(-1)! : 0 };
  }

  /** The watermark at each row of a task where some row is below it, else 0. */
  #rowWatermarks(
    task: PartitionTask,
    batch: SlotBatch,
    loaded: LoadedRows,
    from: number,
    rowCount: number,
  ): Pointer {
    const delay = this.#plan.sources[batch.source]!.watermark.maxOutOfOrdernessNs;
    const { memory } = this.#kernels;
    const { peakBefore, othersWatermark, watermarkBefore } = ofTask(batch.steps, task)!;
    const hasPeaks = loaded.peaks !== 0;
    if (!hasPeaks && ofTask(batch.times, task)!.smallest >= watermarkBefore) return 0;
    const peaks = hasPeaks ? loaded.peaks + from * 8 : memory.arena.allocate(rowCount * 8);
    if (!hasPeaks) memory.i64(peaks, rowCount).fill(BEGINNING_OF_TIME);
    const below = this.#router.rowWatermarks(
      peaks,
      loaded.times + from * 8,
      rowCount,
      peakBefore,
      delay,
      othersWatermark,
      watermarkBefore,
    );
    return below === 0 ? 0 : peaks;
  }

  /** The rows of one task, in place. */
  #slice(
    task: PartitionTask,
    schema: Schema,
    rows: LoadedRows,
    from: number,
    rowCount: number,
  ): Omit<Batch, 'rowWatermarks'> {
    const columns = schema.columns.map(({ name, type }, index): Column => {
      const pointer = rows.columns[index]! + from * elementBytes(type);
      if (type !== 'string') return { type, pointer };
      return { type, pointer, dictionary: name === schema.key ? task.keys : this.#strings };
    });
    return { rowCount, columns, origin: 0 };
  }

  #deliver(sink: number, batch: Batch): void {
    const buffer = this.#buffers[sink]!;
    buffer.append(batch);
    if (buffer.rowCount >= OUTPUT_ROWS_MAX) this.#flushSink(sink);
  }

  /** Hands out the rows of every sink that has at least so many. */
  #flush(rowsMin: number): void {
    for (const [sink, buffer] of this.#buffers.entries()) {
      if (buffer.rowCount >= rowsMin) this.#flushSink(sink);
    }
  }

  #flushSink(sink: number): void {
    const batch = this.#buffers[sink]!.take();
    if (batch !== undefined) this.#outputs.push({ sink, batch });
  }

  #takeOutputs(): SlotOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}

/** What holds for a task, of what there is one for all tasks or one a partition. */
function ofTask<T>(values: readonly T[], { partition }: PartitionTask): T {
  return values[values.length === 1 ? 0 : partition]!;
}

/** Source rows in linear memory. */
interface LoadedRows {
  /** One a column, and one more for the peaks where there are any. */
  readonly columns: readonly Pointer[];
  readonly times: Pointer;
  /** 0 where there are none. */
  readonly peaks: Pointer;
}
