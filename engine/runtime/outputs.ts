/**
 * What goes to the sinks. Rows come from the slots, and dead letters past them.
 *
 * A checkpoint cuts every output at one moment, which the slots reach at different times: rows of a
 * slot that has reached it are held back until all have, and the sinks have been told.
 */

import type { ColumnBatch, ColumnVector, RejectedRow } from '../contract/batch.ts';
import type { PreparedCommit } from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { AnomalyTally } from './anomaly-tally.ts';
import type { InFlight } from './in-flight.ts';
import { buffersOf } from './output-buffer.ts';
import type { SinkPort } from './workers.ts';

/** Where rows come from, beside the slots by their number. */
export const DEAD_LETTERS = -1;

export class Outputs {
  readonly #plan: PipelinePlan;
  readonly #inFlight: InFlight;
  readonly #port: SinkPort;
  readonly #rows: number[];
  /** Of them, those that are held back. */
  #heldRows: number[];
  readonly anomalies: AnomalyTally;
  /** Origins that have reached the checkpoint under way. */
  readonly #ahead = new Set<number>();
  #held: (() => void)[] = [];

  constructor(plan: PipelinePlan, port: SinkPort, inFlight: InFlight) {
    this.#plan = plan;
    this.#port = port;
    this.#inFlight = inFlight;
    this.#rows = plan.sinks.map(() => 0);
    this.#heldRows = plan.sinks.map(() => 0);
    this.anomalies = new AnomalyTally(plan.sinks);
  }

  /** Rows written to each sink. */
  get rows(): readonly number[] {
    return this.#rows;
  }

  /** Of them, those before the checkpoint under way. */
  get rowsBeforeMark(): readonly number[] {
    return this.#rows.map((rows, sink) => rows - this.#heldRows[sink]!);
  }

  /** @param from Number of the slot, or `DEAD_LETTERS`. */
  write(from: number, sink: number, batch: ColumnBatch): void {
    this.#rows[sink]! += batch.rowCount;
    this.anomalies.add(sink, batch);
    const bytes = buffersOf(batch).reduce((sum, buffer) => sum + buffer.byteLength, 0);
    if (this.#ahead.has(from)) this.#heldRows[sink]! += batch.rowCount;
    const write = this.#ahead.has(from)
      ? new Promise<void>((resolve) => {
          this.#held.push(() => resolve(this.#port.write(sink, batch)));
        })
      : this.#port.write(sink, batch);
    this.#inFlight.track(bytes, write, () => undefined);
  }

  /** Dead letters go past the slots: a row without a valid key or time has no partition. */
  reject(source: string, rejected: readonly RejectedRow[]): void {
    for (const [sink, { inputs }] of this.#plan.sinks.entries()) {
      if (inputs.some(({ step, output }) => step === source && output === 'rejected')) {
        this.write(DEAD_LETTERS, sink, rejectedBatch(source, rejected));
      }
    }
  }

  /** Rows of this origin now belong to the time after the checkpoint under way. */
  passMark(from: number): void {
    this.#ahead.add(from);
  }

  /** Every origin has passed the mark: the sinks prepare, then get what was held back. */
  prepareCommit(epoch: number, isFinal: boolean): Promise<readonly PreparedCommit[]> {
    const prepared = this.#port.prepareCommit(epoch, isFinal);
    this.#ahead.clear();
    const held = this.#held;
    this.#held = [];
    this.#heldRows = this.#heldRows.map(() => 0);
    for (const write of held) write();
    return prepared;
  }

  async close(): Promise<void> {
    await this.#port.close();
  }
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
