/**
 * The contract of sources and sinks.
 *
 * A source is a set of splits. A split is read in order, by one reader or by several *lanes*: lane
 * `i` of `k` reads the units (row groups, say) whose number is `i` modulo `k`, and the engine puts
 * the batches back in order of their units. Readers run on reader threads, writers on a sink
 * thread.
 *
 * A sink writes to staged outputs that nobody sees; `prepareCommit` makes them durable and returns
 * committables; `commit` makes them visible, idempotently.
 */

import type { ColumnBatch, RejectedRow } from './batch.ts';
import type { ConfigInput, ConfigOf, Fields } from './fields.ts';
import type { Constraint, OperatorDefinition, Stability } from './operator.ts';
import { assertDeclaration } from './operator.ts';
import type { Report } from './problem.ts';
import type { ColumnSchema, ColumnType, Schema } from './schema.ts';

/** Where reading resumes: after the last row returned by `poll`. Plain data. */
export type SplitPosition = Readonly<Record<string, string | number>>;

export interface SourceSplit {
  /** Stable across restarts. */
  readonly id: string;
  /** How many lanes this split can be read by at once; at least 1. */
  readonly lanesMax: number;
  /** Bytes to read where known, for progress. */
  readonly totalBytes?: number;
  /** Files that it reads, where it reads files: no sink may write to one of them. */
  readonly files?: readonly string[];
  /** What `open` needs to find it. Plain data. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ReaderContext {
  /** Name of the source in the pipeline. */
  readonly source: string;
  readonly schema: Schema;
  readonly split: SourceSplit;
  /** This reader is lane `lane` of `lanes`. */
  readonly lane: number;
  readonly lanes: number;
  /** Rows a batch should have at most. */
  readonly batchRows: number;
  readonly resumeAt?: SplitPosition | undefined;
}

export interface SourceBatch extends ColumnBatch {
  /** Number of the unit it was read from; never falls, and stays in this reader's lane. */
  readonly unit: number;
  /** Bytes consumed from the split so far by this reader, for progress. */
  readonly bytesRead: number;
  /** Rows of the input that this batch lacks because they are invalid. Counted as read too. */
  readonly rejected: readonly RejectedRow[];
}

export interface SplitReader {
  /**
   * The next rows; 'idle' when none arrived within the reader's poll timeout; 'end' when the split
   * is exhausted (for this lane), again and again. Where the input is damaged it first returns
   * every row before the damage, then throws an EngineError that names the place.
   */
  poll(): Promise<SourceBatch | 'idle' | 'end'>;
  position(): SplitPosition;
  /** The checkpoint that holds this position is complete. Only now may a broker be told. */
  acknowledge(position: SplitPosition): Promise<void>;
  close(): Promise<void>;
}

interface ConnectorSpec<F extends Fields> {
  readonly name: string;
  readonly since: string;
  readonly stability: Stability;
  readonly summary: string;
  readonly fields: F;
  readonly constraints: readonly Constraint<ConfigOf<F>>[];
  readonly examples: readonly { readonly title: string; readonly config: ConfigInput<F> }[];
}

export interface SourceSpec<F extends Fields> extends ConnectorSpec<F> {
  readonly guarantees: {
    readonly order: string;
    readonly delivery: string;
    readonly backPressure: string;
  };
  /**
   * The schema of the rows, from the configuration alone; `key` is the pipeline's key column. Pure.
   */
  readonly plan: (config: ConfigOf<F>, key: string, report: Report) => Schema;
  /** Looks at the world: which splits are there now? Runs on the main thread. */
  readonly splits: (
    config: ConfigOf<F>,
    context: { readonly source: string },
  ) => Promise<readonly SourceSplit[]>;
  readonly open: (config: ConfigOf<F>, context: ReaderContext) => Promise<SplitReader>;
}

/**
 * Staged output that becomes visible, idempotently, at the commit. Plain data. Where it is a file
 * that will be seen, `target` is its path to be and `bytes` its size.
 */
export type Committable = Readonly<Record<string, string | number>>;

export interface SinkContext {
  /** Name of the sink in the pipeline. */
  readonly sink: string;
  readonly pipeline: string;
  readonly schema: Schema;
}

export interface SinkWriter {
  /** Takes the batch; resolves when it may be given the next one. */
  write(batch: ColumnBatch): Promise<void>;
  /** Makes everything written so far durable, though not visible, and says what to commit. */
  prepareCommit(epoch: number): Promise<readonly Committable[]>;
  /** Closes; removes what was staged and not handed out by `prepareCommit`. */
  close(): Promise<void>;
}

/** The visible files of a sink, as `quality/datasets.ts` reads them. */
export interface SinkDataset {
  readonly format: 'parquet' | 'ndjson' | 'csv';
  /** Path or glob, relative to the working directory. It names this sink's files and no others. */
  readonly glob: string;
  /** The one file that holds all rows, where it is one. */
  readonly file?: string;
  /** Columns that stand in the files. */
  readonly columns: readonly ColumnSchema[];
  /** Columns whose values stand in folder names such as `date=2013-10-07`. */
  readonly partitions: readonly { readonly name: string; readonly type: ColumnType | 'date' }[];
}

export interface SinkSpec<F extends Fields> extends ConnectorSpec<F> {
  readonly guarantees: {
    readonly order: string;
    readonly delivery: string;
    readonly backPressure: string;
  };
  /** Checks the configuration against the rows it will get. Pure. */
  readonly plan: (config: ConfigOf<F>, input: Schema, report: Report) => void;
  readonly open: (config: ConfigOf<F>, context: SinkContext) => Promise<SinkWriter>;
  /**
   * Makes the committables visible and, at the last commit of a run that replaces earlier output,
   * removes what it replaces. Idempotent: after a crash it is called again.
   */
  readonly commit: (
    config: ConfigOf<F>,
    committables: readonly Committable[],
    context: SinkContext,
  ) => Promise<void>;
  /**
   * Removes what the committables stage, where they will not be committed. Never fails: what cannot
   * be removed stays until the next start.
   */
  readonly discard: (config: ConfigOf<F>, committables: readonly Committable[]) => Promise<void>;
  /** Where the rows can be queried afterwards, or undefined where they cannot. Pure. */
  readonly dataset: (config: ConfigOf<F>, context: SinkContext) => SinkDataset | undefined;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type SourceDefinition = SourceSpec<any>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type SinkDefinition = SinkSpec<any>;

export function defineSource<F extends Fields>(spec: SourceSpec<F>): SourceDefinition {
  assertDeclaration(spec);
  return spec;
}

export function defineSink<F extends Fields>(spec: SinkSpec<F>): SinkDefinition {
  assertDeclaration(spec);
  return spec;
}

/** Everything a pipeline can name: handed to the engine, which itself names none of it. */
export interface Catalog {
  readonly operators: readonly OperatorDefinition[];
  readonly sources: readonly SourceDefinition[];
  readonly sinks: readonly SinkDefinition[];
}
