/**
 * Runs one operator over rows, outside the engine and exactly as the engine does.
 *
 * Rows arrive in the order given. The watermark of a row is the largest event time of all rows
 * before it in the whole stream, less `maxOutOfOrdernessNs`. Each batch is split by partition; each
 * partition has an operator, a memory, keys and strings of its own. Meanwhile the harness checks
 * what every operator owes: columns fit the promised schema, inputs are left alone, metrics and
 * state tables are declared, snapshots are copies, nothing in the arena outlives a call.
 */

import assert from 'node:assert/strict';
import type { Batch, Pointer } from '../contract/batch.ts';
import { z } from '../contract/fields.ts';
import { partitionOf } from '../contract/hash.ts';
import type {
  Collector,
  Operator,
  OperatorDefinition,
  Outputs,
  StateTables,
} from '../contract/operator.ts';
import type { Problem } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import { elementBytes } from '../contract/schema.ts';
import { BEGINNING_OF_TIME, END_OF_TIME } from '../contract/time.ts';
import { PoisonedMemory } from './poisoned-memory.ts';
import { readRows, TextTable, writeColumn } from './rows.ts';
import type { Row } from './table.ts';

export type { Row } from './table.ts';

export interface RunOptions {
  readonly maxOutOfOrdernessNs?: bigint;
  /** After this batch (the first is 0) the operator is stopped and restored into another memory. */
  readonly restartAfterBatch?: number | readonly number[];
  readonly partitions?: number;
  /** Whether the end of the input moves the watermark to the end of time; true by default. */
  readonly finish?: boolean;
  /** Whether to take the size of the state after the last batch, before the end of the input. */
  readonly measuresState?: boolean;
  /** 'none' where the rows are aggregates, which no row account counts. */
  readonly origin?: 'source' | 'none';
  /** Rows that a partition may put out before the run is given up; no limit by default. */
  readonly rowsOutMax?: number;
}

/** One batch that an operator has put out. */
export interface Emission {
  readonly partition: number;
  readonly output: string;
  readonly rows: readonly Row[];
  /** Per row; undefined where no row can be late. */
  readonly rowWatermarks: readonly bigint[] | undefined;
  /** Watermark that the operator had promised before. */
  readonly promised: bigint;
}

export interface RunResult {
  /** Rows of each output, partition by partition as they came. */
  readonly outputs: Record<string, Row[]>;
  /** Source rows counted as late, and as duplicates. */
  readonly late: number;
  readonly duplicate: number;
  readonly metrics: Record<string, number>;
  readonly outputsPlan: Outputs;
  readonly emissions: readonly Emission[];
  /** What `advance` returned, partition by partition. */
  readonly watermarks: readonly (readonly bigint[])[];
  /** Bytes of the snapshots of all partitions; 0 where they are not measured. */
  readonly stateBytes: number;
  /** Blocks of memory that the operators did not give back when they were disposed. */
  readonly leakedSlabs: number;
}

export interface PlannedOperator {
  readonly config: unknown;
  readonly problems: readonly Problem[];
  /** Undefined where there are problems (other than warnings). */
  readonly outputs: Outputs | undefined;
}

/** What the linter does with one step: fields, constraints, plan. No bad document throws. */
export function planOperator(
  definition: OperatorDefinition,
  config: unknown,
  input: Schema,
): PlannedOperator {
  const parsed = z.strictObject(definition.fields).safeParse(config);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue): Problem => ({
        path: issue.path.filter((part) => typeof part !== 'symbol'),
        code: issue.code === 'unrecognized_keys' ? 'config/unknown-field' : 'config/invalid-value',
        message: issue.message,
      }),
    );
    return { config, problems, outputs: undefined };
  }
  const problems: Problem[] = [];
  for (const { at, violated } of definition.constraints) {
    const message = violated(parsed.data);
    if (message !== undefined) problems.push({ path: at, code: 'config/constraint', message });
  }
  const outputs = definition.plan(parsed.data, input, (problem) => problems.push(problem));
  const isRefused = problems.some(({ severity }) => severity !== 'warning');
  return { config: parsed.data, problems, outputs: isRefused ? undefined : outputs };
}

/**
 * Runs the operator over the batches.
 * @throws {TypeError} Listing the problems, where the configuration is not accepted.
 */
export function runOperator(
  definition: OperatorDefinition,
  config: unknown,
  input: Schema,
  batches: readonly (readonly Row[])[],
  options: RunOptions = {},
): RunResult {
  const planned = planOperator(definition, config, input);
  if (planned.outputs === undefined) {
    const lines = planned.problems.map((p) => `${p.path.join('.')}: ${p.message} [${p.code}]`);
    throw new TypeError(`${definition.name}: configuration not accepted\n${lines.join('\n')}`);
  }
  const stream = new Stream(input, options.maxOutOfOrdernessNs ?? 0n);
  const tasks = Array.from(
    { length: options.partitions ?? 1 },
    (_, partition) => new Task(definition, planned, input, partition, options),
  );
  const restarts = new Set([options.restartAfterBatch ?? []].flat());
  for (const [index, rows] of batches.entries()) {
    const marked = stream.mark(rows);
    for (const task of tasks) {
      task.process(marked.filter((row) => row.partitionIn(tasks.length) === task.partition));
    }
    for (const task of tasks) task.advance(stream.watermark);
    if (restarts.has(index)) for (const task of tasks) task.restart();
  }
  if (options.measuresState === true) for (const task of tasks) task.measureState();
  if (options.finish !== false) for (const task of tasks) task.advance(END_OF_TIME);
  for (const task of tasks) task.close();
  return collectResults(tasks, planned.outputs);
}

function collectResults(tasks: readonly Task[], outputsPlan: Outputs): RunResult {
  const outputs: Record<string, Row[]> = {};
  for (const name of Object.keys(outputsPlan)) outputs[name] = [];
  const metrics: Record<string, number> = {};
  for (const task of tasks) {
    for (const { output, rows } of task.emissions)
      for (const row of rows) outputs[output]!.push(row);
    for (const [name, amount] of task.metrics) metrics[name] = (metrics[name] ?? 0) + amount;
  }
  const sum = (of: (task: Task) => number): number =>
    tasks.reduce((all, task) => all + of(task), 0);
  return {
    outputs,
    late: sum((task) => task.counted.late.size),
    duplicate: sum((task) => task.counted.duplicate.size),
    metrics,
    outputsPlan,
    emissions: tasks.flatMap((task) => task.emissions),
    watermarks: tasks.map((task) => task.watermarks),
    stateBytes: sum((task) => task.stateBytes),
    leakedSlabs: sum((task) => task.leakedSlabs),
  };
}

interface MarkedRow {
  readonly row: Row;
  readonly watermark: bigint;
  readonly time: bigint;
  partitionIn(partitions: number): number;
}

/** The whole stream's watermark, moved on row by row. */
class Stream {
  readonly #input: Schema;
  readonly #delayNs: bigint;
  #latest: bigint | undefined;

  constructor(input: Schema, delayNs: bigint) {
    this.#input = input;
    this.#delayNs = delayNs;
  }

  get watermark(): bigint {
    return this.#latest === undefined ? BEGINNING_OF_TIME : this.#latest - this.#delayNs;
  }

  mark(rows: readonly Row[]): MarkedRow[] {
    return rows.map((row) => {
      const time = row[this.#input.time];
      const key = row[this.#input.key];
      assert(typeof time === 'bigint', 'every row has an event time, as a bigint');
      assert(typeof key === 'string', 'every row has a key');
      const { watermark } = this;
      if (this.#latest === undefined || time > this.#latest) this.#latest = time;
      return { row, watermark, time, partitionIn: (n) => (n === 1 ? 0 : partitionOf(key, n)) };
    });
  }
}

/** One partition: an operator with its memory, keys and strings. */
class Task {
  readonly partition: number;
  readonly emissions: Emission[] = [];
  readonly watermarks: bigint[] = [];
  readonly metrics = new Map<string, number>();
  readonly counted = { late: new Set<number>(), duplicate: new Set<number>() };
  leakedSlabs = 0;
  stateBytes = 0;
  readonly #definition: OperatorDefinition;
  readonly #planned: PlannedOperator;
  readonly #input: Schema;
  readonly #origin: 'source' | 'none';
  readonly #rowsOutMax: number;
  #rowsOut = 0;
  #memory = PoisonedMemory.lease();
  #keys = new TextTable();
  #strings = new TextTable();
  #operator: Operator;
  #starts = 0;
  #promised = BEGINNING_OF_TIME;
  /** Number of source rows before the batch at hand. */
  #rowsBefore = 0;

  constructor(
    definition: OperatorDefinition,
    planned: PlannedOperator,
    input: Schema,
    partition: number,
    options: RunOptions,
  ) {
    this.partition = partition;
    this.#definition = definition;
    this.#planned = planned;
    this.#input = input;
    this.#origin = options.origin ?? 'source';
    this.#rowsOutMax = options.rowsOutMax ?? Number.POSITIVE_INFINITY;
    this.#operator = this.#open(undefined);
  }

  process(rows: readonly MarkedRow[]): void {
    const batch = this.#write(rows);
    const before = this.#fingerprint(batch);
    this.#operator.process(batch, this.#collector());
    assert.deepEqual(this.#fingerprint(batch), before, 'process leaves its input alone');
    this.#memory.arena.reset();
    this.#rowsBefore += rows.length;
  }

  advance(watermark: bigint): void {
    const promised = this.#operator.advance(watermark, this.#collector());
    assert.equal(typeof promised, 'bigint', 'advance returns a watermark');
    this.#promised = promised;
    this.watermarks.push(promised);
    this.#memory.arena.reset();
  }

  measureState(): void {
    const tables = Object.values(this.#operator.snapshot());
    this.stateBytes = tables.reduce((sum, { length }) => sum + length, 0);
  }

  /** Snapshot, then a new operator elsewhere: other addresses, other codes of the same strings. */
  restart(): void {
    const state = this.#operator.snapshot();
    const moved: Record<string, Uint8Array> = {};
    for (const [name, bytes] of Object.entries(state)) {
      assert(name in this.#definition.state.tables, `state table ${name} is declared`);
      assert.notEqual(bytes.buffer, this.#memory.memory.buffer, 'a snapshot is a copy');
      // A checkpoint may hand a table out at any offset.
      const copy = new Uint8Array(bytes.length + 1).subarray(1);
      copy.set(bytes);
      moved[name] = copy;
    }
    this.#starts++;
    const memory = PoisonedMemory.lease(1000 * this.#starts);
    this.close();
    this.#memory = memory;
    this.#keys = new TextTable(this.#keys.texts());
    this.#strings = new TextTable(['other', `codes ${this.#starts}`]);
    this.#operator = this.#open(moved);
  }

  close(): void {
    this.#operator.dispose();
    this.#operator.dispose();
    this.#memory.arena.reset();
    this.leakedSlabs += this.#memory.slabCount;
    this.#memory.release();
  }

  #open(state: StateTables | undefined): Operator {
    const operator = this.#definition.open(
      this.#planned.config as Readonly<Record<string, unknown>>,
      {
        input: this.#input,
        outputs: this.#planned.outputs!,
        memory: this.#memory,
        kernels: this.#memory.kernels,
        keys: this.#keys,
        strings: this.#strings,
        step: 'step',
        countRows: (as, batch, rows) => this.#countRows(as, batch, rows),
        count: (metric, amount) => {
          assert(metric in this.#definition.metrics, `metric ${metric} is declared`);
          this.metrics.set(metric, (this.metrics.get(metric) ?? 0) + amount);
        },
      },
      state,
    );
    this.#memory.arena.reset();
    return operator;
  }

  #write(rows: readonly MarkedRow[]): Batch {
    const memory = this.#memory;
    const plain = rows.map(({ row }) => row);
    const columns = this.#input.columns.map((column) =>
      writeColumn(
        memory,
        column,
        plain,
        column.name === this.#input.key ? this.#keys : this.#strings,
      ),
    );
    let rowWatermarks: Pointer = 0;
    if (rows.some(({ time, watermark }) => time < watermark)) {
      rowWatermarks = memory.arena.allocate(rows.length * 8);
      memory.i64(rowWatermarks, rows.length).set(rows.map(({ watermark }) => watermark));
    }
    const origin = this.#origin === 'none' ? 'none' : 0;
    return { rowCount: rows.length, columns, rowWatermarks, origin };
  }

  #fingerprint(batch: Batch): unknown {
    return batch.columns.map(({ pointer, type }) =>
      Buffer.from(this.#memory.bytes(pointer, batch.rowCount * elementBytes(type))).toString('hex'),
    );
  }

  #collector(): Collector {
    return {
      emit: (batch, output = 'main') => {
        const schema = (this.#planned.outputs as Readonly<Record<string, Schema>>)[output];
        assert(schema !== undefined, `output ${output} is planned`);
        const { rowWatermarks, rowCount } = batch;
        this.#rowsOut += rowCount;
        assert(this.#rowsOut <= this.#rowsOutMax, `at most ${this.#rowsOutMax} rows come out`);
        if (typeof batch.origin === 'number' && batch.origin !== 0) {
          assert(batch.origin % 4 === 0, 'origin is an aligned u32[rowCount]');
        }
        this.emissions.push({
          partition: this.partition,
          output,
          rows: readRows(this.#memory, schema, batch),
          rowWatermarks:
            rowWatermarks === 0 ? undefined : [...this.#memory.i64(rowWatermarks, rowCount)],
          promised: this.#promised,
        });
      },
    };
  }

  #countRows(as: 'late' | 'duplicate', batch: Batch, rows: Uint32Array): void {
    const { origin } = batch;
    if (origin === 'none') return;
    const sources = origin === 0 ? undefined : this.#memory.u32(origin, batch.rowCount);
    for (const row of rows) {
      assert(row < batch.rowCount, `row ${row} is one of the batch`);
      this.counted[as].add(this.#rowsBefore + (sources === undefined ? row : sources[row]!));
    }
  }
}
