/**
 * A partition task: one partition's chain of operators and their state. A batch runs through the
 * whole chain to completion, depth first; then the watermark follows in the same order. Between two
 * batches the task is consistent, and a snapshot is a copy.
 */

import type { Batch } from '../contract/batch.ts';
import type { Catalog } from '../contract/connector.ts';
import type {
  Collector,
  OpenWindow,
  Operator,
  OperatorContext,
  StateTables,
} from '../contract/operator.ts';
import { BEGINNING_OF_TIME, type EventTime } from '../contract/time.ts';
import type { TaskSnapshot } from '../checkpoint/checkpoint.ts';
import type { OperatorPlan, PipelinePlan } from '../plan/pipeline-plan.ts';
import type { Kernels } from '../../wasm/host/kernels.ts';
import { GrowingStringTable } from './string-table.ts';

/** What a task shares with the others of its slot. */
export interface TaskSurroundings {
  readonly plan: PipelinePlan;
  readonly catalog: Catalog;
  readonly kernels: Kernels;
  readonly strings: GrowingStringTable;
  readonly counters: StepCounters;
  /** Takes rows for the sink at this position of the plan. */
  readonly deliver: (sink: number, batch: Batch) => void;
}

/** Rows in and out and declared metrics of each step, added up over the tasks of a slot. */
export interface StepCounters {
  readonly rowsIn: Float64Array;
  readonly rowsOut: Float64Array;
  readonly metrics: Map<string, number>;
}

export interface TaskInspection {
  readonly partition: number;
  /** Whether the key has had rows. */
  readonly isKnown: boolean;
  readonly steps: readonly {
    readonly step: string;
    readonly type: string;
    /** Of the rows that the step reads. */
    readonly watermark: EventTime;
    readonly windows: readonly OpenWindow[];
  }[];
}

interface Consumer {
  readonly kind: 'operator' | 'sink';
  readonly index: number;
}

const PROCESSED = 0;
const LATE = 1;
const DUPLICATE = 2;

export class PartitionTask {
  readonly partition: number;
  readonly keys = new GrowingStringTable();
  readonly #shared: TaskSurroundings;
  readonly #operators: Operator[];
  readonly #collectors: Collector[];
  /** `step.output` to who reads it. */
  readonly #consumers = new Map<string, Consumer[]>();
  /** Positions of the operators that feed each operator; -1 for a source. */
  readonly #upstream: readonly (readonly number[])[];
  readonly #inputWatermarks: EventTime[];
  readonly #outputWatermarks: EventTime[];
  #watermark: EventTime = BEGINNING_OF_TIME;
  /** What became of each row of the source batch at hand; made when a row is first late. */
  #fates: Uint8Array | undefined;
  #sourceRows = 0;

  constructor(partition: number, shared: TaskSurroundings, snapshot?: TaskSnapshot) {
    this.partition = partition;
    this.#shared = shared;
    for (const key of snapshot?.keys ?? []) this.keys.intern(key);
    const { operators, sinks } = shared.plan;
    operators.forEach(({ inputs }, index) => {
      for (const input of inputs) this.#connect(input, { kind: 'operator', index });
    });
    sinks.forEach(({ inputs }, index) => {
      for (const input of inputs) this.#connect(input, { kind: 'sink', index });
    });
    this.#operators = operators.map((plan) => this.#open(plan, snapshot?.operators[plan.name]));
    this.#collectors = operators.map((_, index) => this.#collector(index));
    this.#upstream = operators.map(({ inputs }) =>
      inputs.map((input) => operators.findIndex(({ name }) => name === input.step)),
    );
    this.#inputWatermarks = operators.map(() => BEGINNING_OF_TIME);
    this.#outputWatermarks = operators.map(() => BEGINNING_OF_TIME);
    if (snapshot !== undefined) this.advance(snapshot.watermark);
  }

  /** Runs source rows through the chain and tells how many were late and duplicate. */
  process(source: string, batch: Batch): { late: number; duplicate: number } {
    this.#sourceRows = batch.rowCount;
    this.#fates = undefined;
    this.#dispatch(`${source}.main`, batch);
    const fates = this.#fates as Uint8Array | undefined;
    if (fates === undefined) return { late: 0, duplicate: 0 };
    let late = 0;
    let duplicate = 0;
    for (const fate of fates) {
      if (fate === LATE) late++;
      else if (fate === DUPLICATE) duplicate++;
    }
    return { late, duplicate };
  }

  /** Moves the watermark on; no row before it is expected any more. */
  advance(watermark: EventTime): void {
    if (watermark <= this.#watermark) return;
    this.#watermark = watermark;
    for (const [index, operator] of this.#operators.entries()) {
      const input = this.#inputWatermark(index);
      if (input <= this.#inputWatermarks[index]!) continue;
      this.#inputWatermarks[index] = input;
      const output = operator.advance(input, this.#collectors[index]!);
      if (output > this.#outputWatermarks[index]!) this.#outputWatermarks[index] = output;
    }
  }

  /** No row of any input of the operator will be below this. */
  #inputWatermark(index: number): EventTime {
    let smallest = this.#watermark;
    for (const upstream of this.#upstream[index]!) {
      const own = upstream < 0 ? this.#watermark : this.#outputWatermarks[upstream]!;
      if (own < smallest) smallest = own;
    }
    return smallest;
  }

  /** The windows of a key that are still open, of each operator that has windows. */
  inspect(key: string): TaskInspection {
    const code = this.keys.codeOf(key);
    const steps = this.#shared.plan.operators.flatMap(({ name, type }, index) => {
      const operator = this.#operators[index]!;
      if (operator.openWindows === undefined) return [];
      const windows = code < 0 ? [] : operator.openWindows(code);
      return [{ step: name, type, watermark: this.#inputWatermarks[index]!, windows }];
    });
    return { partition: this.partition, isKnown: code >= 0, steps };
  }

  snapshot(): TaskSnapshot {
    const operators: Record<string, StateTables> = {};
    for (const [index, plan] of this.#shared.plan.operators.entries()) {
      operators[plan.name] = this.#operators[index]!.snapshot();
    }
    const keys = this.keys.texts();
    return { partition: this.partition, watermark: this.#watermark, keys, operators };
  }

  dispose(): void {
    for (const operator of this.#operators) operator.dispose();
  }

  #connect(input: { step: string; output: string }, consumer: Consumer): void {
    const name = `${input.step}.${input.output}`;
    const consumers = this.#consumers.get(name);
    if (consumers === undefined) this.#consumers.set(name, [consumer]);
    else consumers.push(consumer);
  }

  #open(plan: OperatorPlan, state: StateTables | undefined): Operator {
    const definition = this.#shared.catalog.operators.find(({ name }) => name === plan.type)!;
    const { kernels, strings, counters } = this.#shared;
    const context: OperatorContext = {
      input: plan.inputSchema,
      outputs: plan.outputs,
      memory: kernels.memory,
      kernels,
      keys: this.keys,
      strings,
      step: plan.name,
      countRows: (as, batch, rows) =>
        this.#countRows(as === 'late' ? LATE : DUPLICATE, batch, rows),
      count: (metric, amount) => {
        const name = `${plan.name}.${metric}`;
        counters.metrics.set(name, (counters.metrics.get(name) ?? 0) + amount);
      },
    };
    return definition.open(plan.config, context, state);
  }

  #collector(index: number): Collector {
    const { name } = this.#shared.plan.operators[index]!;
    const { counters } = this.#shared;
    return {
      emit: (batch, output = 'main') => {
        if (batch.rowCount === 0) return;
        if (output === 'main') counters.rowsOut[index]! += batch.rowCount;
        this.#dispatch(`${name}.${output}`, batch);
      },
    };
  }

  #dispatch(output: string, batch: Batch): void {
    const consumers = this.#consumers.get(output);
    if (consumers === undefined) return;
    for (const { kind, index } of consumers) {
      if (kind === 'sink') {
        this.#shared.deliver(index, batch);
      } else {
        this.#shared.counters.rowsIn[index]! += batch.rowCount;
        this.#operators[index]!.process(batch, this.#collectors[index]!);
      }
    }
  }

  /** A row that two branches judge keeps the graver fate, so that it is counted once. */
  #countRows(fate: number, batch: Batch, rows: Uint32Array): void {
    if (batch.origin === 'none') return;
    this.#fates ??= new Uint8Array(this.#sourceRows).fill(PROCESSED);
    const { memory } = this.#shared.kernels;
    const origin = batch.origin === 0 ? undefined : memory.u32(batch.origin, batch.rowCount);
    for (const row of rows) {
      const source = origin === undefined ? row : origin[row]!;
      this.#fates[source] = Math.max(this.#fates[source]!, fate);
    }
  }
}
