/**
 * The plan: a validated pipeline, as plain data. Threads get it by message and open operators and
 * connectors from their own catalogues by type name.
 */

import type { Schema } from '../contract/schema.ts';

/** Configuration after defaults, as the zod schema of its declaration gives it. */
export type StepConfig = Readonly<Record<string, unknown>>;

/** `trades`, `bars`, or `bars.late`, `trades.rejected`. */
export interface InputReference {
  /** Name of a source or operator. */
  readonly step: string;
  /** `main`, or a named output. */
  readonly output: string;
}

export interface SourcePlan {
  readonly name: string;
  readonly type: string;
  readonly config: StepConfig;
  readonly schema: Schema;
  readonly watermark: { readonly maxOutOfOrdernessNs: bigint; readonly idleTimeoutMs: number };
  readonly batchRows: number;
}

export interface OperatorPlan {
  readonly name: string;
  readonly type: string;
  readonly config: StepConfig;
  /** At least one; several only where the operator takes them. */
  readonly inputs: readonly InputReference[];
  /** Of all inputs. */
  readonly inputSchema: Schema;
  readonly outputs: { readonly main: Schema } & Readonly<Record<string, Schema>>;
}

export interface SinkPlan {
  readonly name: string;
  readonly type: string;
  readonly config: StepConfig;
  /** At least one; all have this schema. Rows of one keep their order. */
  readonly inputs: readonly InputReference[];
  readonly schema: Schema;
}

export interface PipelinePlan {
  readonly name: string;
  readonly key: string;
  readonly partitions: number;
  readonly sources: readonly SourcePlan[];
  /** In an order in which every operator comes after its inputs. */
  readonly operators: readonly OperatorPlan[];
  readonly sinks: readonly SinkPlan[];
  readonly deadLetter: { readonly path: string };
  /** Undefined where the pipeline takes no checkpoints. */
  readonly checkpoint?: CheckpointPlan | undefined;
  readonly quality: readonly QualityCheckPlan[];
}

export interface CheckpointPlan {
  readonly intervalMs: number;
  /** Folder of this pipeline's checkpoints, and of nothing else. */
  readonly folder: string;
  readonly keep: number;
}

/** One check, in dbt's terms: a query that returns the rows one does not want. */
export interface QualityCheckPlan {
  readonly name: string;
  /** A sink's name. */
  readonly dataset: string;
  readonly check: Readonly<Record<string, unknown>>;
  readonly severity: 'error' | 'warn';
  /** Comparisons on the number of failing rows, such as `> 10`. */
  readonly warnIf: string;
  readonly errorIf: string;
}

/**
 * Schema of the `rejected` output of every source: rows that could not be decoded or are invalid.
 * They bypass the operators, because a row without a valid key or time has no partition.
 */
export const REJECTED_SCHEMA: Schema = {
  columns: [
    { name: 'source', type: 'string' },
    { name: 'origin', type: 'string' },
    { name: 'line', type: 'int64' },
    { name: 'reason', type: 'string' },
    { name: 'raw', type: 'string' },
  ],
  time: '',
  key: '',
};
