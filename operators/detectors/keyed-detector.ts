/**
 * What detectors with a state of their own have in common: a record of numbers for each key, gone
 * through row by row in order of arrival, and anomalies of the rows found. Where a column parts the
 * rows of a key into groups (its venues), the record of a key is followed by one for each group:
 *
 *     key 0 | group 0 | group 1 | (room) | key 1 | group 0 | ...
 *
 * A subclass looks at one row at a time; nothing is allocated but for what it finds.
 */

import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import type { ExpressionValue } from '../../engine/contract/fields.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import type { EventTime } from '../../engine/contract/time.ts';
import { compileToFloat64 } from '../../engine/expression/compile-expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { KeyedRecords } from '../../wasm/host/keyed-records.ts';
import type { SeverityLimits } from '../anomalies/anomaly.ts';
import { AnomalyOutput, type FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { RowGroups } from './row-groups.ts';

export interface KeyedDetectorSpec {
  /** Numbers of a row, as the subclass reads them. */
  readonly inputs: readonly ExpressionValue[];
  /** Numbers of the record of a key; all are 0 at first. */
  readonly recordNumbers: number;
  /** Column of the groups, if there are any. */
  readonly by?: string | undefined;
  /** Numbers of the record of a group of a key. Without `by` each key has one group. */
  readonly groupNumbers?: number;
  readonly found: readonly FoundAnomalies[];
  readonly severity: SeverityLimits;
}

/** Name of the state table of the records. */
export const KEYED_TABLE = 'symbols';
/** Name of the state table of the groups, in the order of their numbers, as JSON. */
export const GROUPS_TABLE = 'groups';

export abstract class KeyedDetector implements Operator {
  readonly #context: OperatorContext;
  readonly #spec: KeyedDetectorSpec;
  readonly #evaluate: readonly ((batch: Batch) => Pointer)[];
  readonly #groups: RowGroups;
  readonly #groupNumbers: number;
  #records: KeyedRecords;
  /** For how many groups a key has room. */
  #room: number;
  readonly #output: AnomalyOutput;
  readonly #keyColumn: number;
  readonly #timeColumn: number;

  constructor(spec: KeyedDetectorSpec, context: OperatorContext, state?: StateTables) {
    const { input, memory, keys } = context;
    this.#context = context;
    this.#spec = spec;
    this.#keyColumn = columnIndex(input, input.key);
    this.#timeColumn = columnIndex(input, input.time);
    this.#evaluate = spec.inputs.map((value) =>
      compileToFloat64(parseAccepted(value), input, context),
    );
    this.#output = new AnomalyOutput(spec.found, spec.severity, context, state);
    this.#groupNumbers = spec.groupNumbers ?? 0;
    this.#groups = new RowGroups(spec.by, context, state?.[GROUPS_TABLE]);
    this.#room = roomFor(this.#groups.count);
    this.#records = new KeyedRecords(memory, this.#stride() * 8);
    const records = state?.[KEYED_TABLE];
    if (records !== undefined) this.#records.restore(records, keys.size);
  }

  /** Groups that rows have had so far. */
  protected get groups(): Pick<RowGroups, 'count' | 'text'> {
    return this.#groups;
  }

  /** Adds what is found under a further type, or of a further group. */
  protected addFound(found: FoundAnomalies): void {
    this.#output.add(found);
  }

  /** Numbers of a key: of its own, and of its groups. */
  #stride(): number {
    return this.#spec.recordNumbers + this.#room * this.#groupNumbers;
  }

  /** Makes room for all groups, in new records if need be. May grow the memory. */
  #makeRoom(): void {
    if (this.#groups.count <= this.#room || this.#groupNumbers === 0) return;
    const { memory } = this.#context;
    const [old, oldStride] = [this.#records, this.#stride()];
    this.#room = roomFor(this.#groups.count);
    const stride = this.#stride();
    this.#records = new KeyedRecords(memory, stride * 8);
    this.#records.resize(old.count);
    const from = memory.f64(old.pointer, old.count * oldStride);
    const to = memory.f64(this.#records.pointer, old.count * stride);
    for (let key = 0; key < old.count; key++) {
      to.set(from.subarray(key * oldStride, (key + 1) * oldStride), key * stride);
    }
    old.dispose();
  }

  /**
   * Looks at a row, and adds what it finds.
   * @param records Of all keys; that of the row starts at `at`.
   * @param time Of the row, in seconds: exact to a microsecond.
   * @param group Of the row; its record starts at `at + recordNumbers + group * groupNumbers`.
   */
  protected abstract judge(
    row: number,
    inputs: readonly Float64Array[],
    records: Float64Array,
    at: number,
    time: number,
    group: number,
  ): void;

  process(batch: Batch, collector: Collector): void {
    const { rowCount } = batch;
    if (rowCount === 0) return;
    const { memory, keys: texts } = this.#context;
    const groups = this.#groups.of(batch);
    this.#makeRoom();
    this.#records.resize(texts.size);
    const stride = this.#stride();
    const pointers = this.#evaluate.map((evaluate) => evaluate(batch));
    // No memory may grow from here on.
    const inputs = pointers.map((pointer) => memory.f64(pointer, rowCount));
    const keys = memory.u32(batch.columns[this.#keyColumn]!.pointer, rowCount);
    const times = memory.u32(batch.columns[this.#timeColumn]!.pointer, 2 * rowCount);
    const records = memory.f64(this.#records.pointer, this.#records.count * stride);
    for (let row = 0; row < rowCount; row++) {
      const nanoseconds = (times[2 * row + 1]! | 0) * 2 ** 32 + times[2 * row]!;
      this.judge(row, inputs, records, keys[row]! * stride, nanoseconds / 1e9, groups[row]!);
    }
    this.#output.emit(batch, collector);
  }

  advance(watermark: EventTime): EventTime {
    this.#output.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    const tables = { ...this.#output.snapshot(), [KEYED_TABLE]: this.#records.snapshot() };
    if (this.#groupNumbers === 0) return tables;
    return { ...tables, [GROUPS_TABLE]: this.#groups.snapshot() };
  }

  dispose(): void {
    this.#records.dispose();
  }
}

/** Powers of two, so that records are seldom moved. */
function roomFor(groups: number): number {
  return groups <= 1 ? 1 : 2 ** Math.ceil(Math.log2(groups));
}
