/**
 * A checkpoint: everything from which a pipeline can go on as if it had never stopped. Plain data.
 *
 * It belongs to one *epoch*, a number that rises with every checkpoint of a pipeline. All of it is
 * of one moment: behind the last row of each position, every state and every output is that of
 * exactly the rows before it.
 */

import type { Committable, SplitPosition } from '../contract/connector.ts';
import type { StateTables } from '../contract/operator.ts';
import type { RowAccounts } from '../contract/row-accounts.ts';
import type { Schema } from '../contract/schema.ts';
import type { EventTime, ProcessingTimeMs } from '../contract/time.ts';

/** State of one partition's chain. */
export interface TaskSnapshot {
  readonly partition: number;
  readonly watermark: EventTime;
  /** Keys in the order of their codes. */
  readonly keys: readonly string[];
  /** Operator name to its state. */
  readonly operators: Readonly<Record<string, StateTables>>;
}

export interface SplitSnapshot {
  readonly id: string;
  /** Behind the last row read; undefined where none was. */
  readonly position: SplitPosition | undefined;
  /** Largest event time, or one a partition. */
  readonly peaks: readonly EventTime[];
}

export interface SourceSnapshot {
  readonly name: string;
  readonly type: string;
  /** Rows since the pipeline first began, over all restarts. */
  readonly accounts: RowAccounts;
  readonly splits: readonly SplitSnapshot[];
}

/** What decides whether the state of an operator fits the one of a plan. */
export interface OperatorIdentity {
  readonly name: string;
  readonly type: string;
  /** 0 where it has no state. */
  readonly stateVersion: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly input: Schema;
}

/** What a sink has been given and has made visible since the pipeline first began. */
export interface SinkTotals {
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

export interface SinkSnapshot {
  readonly name: string;
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly schema: Schema;
  /** Staged outputs that this checkpoint makes visible. */
  readonly committables: readonly Committable[];
  /** What the sink lets the checkpoint carry. */
  readonly carried: Uint8Array | undefined;
  /**
   * Files and bytes without those of `committables`; undefined where it was written, or gone on
   * from, by a version that did not count.
   */
  readonly totals?: SinkTotals | undefined;
}

export interface Checkpoint {
  readonly epoch: number;
  readonly createdMs: ProcessingTimeMs;
  /** The sources had ended: nothing is left to do but to commit. */
  readonly isComplete: boolean;
  readonly pipeline: string;
  readonly key: string;
  readonly partitions: number;
  /** One, or one a partition. */
  readonly watermarks: readonly EventTime[];
  readonly sources: readonly SourceSnapshot[];
  readonly operators: readonly OperatorIdentity[];
  readonly sinks: readonly SinkSnapshot[];
  readonly tasks: readonly TaskSnapshot[];
}
