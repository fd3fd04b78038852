/**
 * What detectors with a state of their own have in common: a record of numbers for each key, gone
 * through row by row in order of arrival, and anomalies of the rows found.
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

export interface KeyedDetectorSpec {
  /** Numbers of a row, as the subclass reads them. */
  readonly inputs: readonly ExpressionValue[];
  /** Numbers of the record of a key; all are 0 at first. */
  readonly recordNumbers: number;
  readonly found: readonly FoundAnomalies[];
  readonly severity: SeverityLimits;
}

/** Name of the state table of the records. */
export const KEYED_TABLE = 'symbols';

export abstract class KeyedDetector implements Operator {
  readonly #context: OperatorContext;
  readonly #spec: KeyedDetectorSpec;
  readonly #evaluate: readonly ((batch: Batch) => Pointer)[];
  readonly #records: KeyedRecords;
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
    this.#records = new KeyedRecords(memory, spec.recordNumbers * 8);
    const records = state?.[KEYED_TABLE];
    if (records !== undefined) this.#records.restore(records, keys.size);
  }

  /**
   * Looks at a row, and adds what it finds.
   * @param records Of all keys; that of the row starts at `at`.
   * @param time Of the row, in seconds: exact to a microsecond.
   */
  protected abstract judge(
    row: number,
    inputs: readonly Float64Array[],
    records: Float64Array,
    at: number,
    time: number,
  ): void;

  process(batch: Batch, collector: Collector): void {
    const { rowCount } = batch;
    if (rowCount === 0) return;
    const { memory, keys: texts } = this.#context;
    const { recordNumbers } = this.#spec;
    this.#records.resize(texts.size);
    const pointers = this.#evaluate.map((evaluate) => evaluate(batch));
    // No memory may grow from here on.
    const inputs = pointers.map((pointer) => memory.f64(pointer, rowCount));
    const keys = memory.u32(batch.columns[this.#keyColumn]!.pointer, rowCount);
    const times = memory.u32(batch.columns[this.#timeColumn]!.pointer, 2 * rowCount);
    const records = memory.f64(this.#records.pointer, this.#records.count * recordNumbers);
    for (let row = 0; row < rowCount; row++) {
      const nanoseconds = (times[2 * row + 1]! | 0) * 2 ** 32 + times[2 * row]!;
      this.judge(row, inputs, records, keys[row]! * recordNumbers, nanoseconds / 1e9);
    }
    this.#output.emit(batch, collector);
  }

  advance(watermark: EventTime): EventTime {
    this.#output.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    return { ...this.#output.snapshot(), [KEYED_TABLE]: this.#records.snapshot() };
  }

  dispose(): void {
    this.#records.dispose();
  }
}
