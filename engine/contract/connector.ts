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
import type { ProcessingTimeMs } from './time.ts';

/** Where reading resumes: after the last row returned by `poll`. Plain data. */
export type SplitPosition = Readonly<Record<string, string | number>>;

export type WatermarkScope = 'split' | 'partition';

export interface SourceSplit {
  /** Stable across restarts. */
  readonly id: string;
  /** How many lanes this split can be read by at once; at least 1. */
  readonly lanesMax: number;
  /** Bytes to read where known, for progress. */
  readonly totalBytes?: number;
  /** Files that it reads, where it reads files: no sink may write to one of them. */
  readonly files?: readonly string[];
  /**
   * Whether event time runs in the split as a whole, or in each partition of it on its own, as in a
   * stream whose publishers write partition after partition. Default: the split.
   */
  readonly watermarkScope?: WatermarkScope;
  /** What the user should be warned of in the way it is going to be read, a sentence each. */
  readonly notes?: readonly string[];
  /** What `open` needs to find it. Plain data. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface SplitsContext {
  /** Name of the source in the pipeline. */
  readonly source: string;
  /** Partitions of the pipeline. */
  readonly partitions?: number;
  /** Ends the waiting for a world that is not there yet. */
  readonly signal?: AbortSignal | undefined;
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

/** Its arrays may be views of the reader's memory: they hold until the next call of `poll`. */
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
   * The next rows; 'idle' when none arrived within the reader's poll timeout, which is at most half
   * a second: a longer time without an answer is not taken for silence; 'end' when the split is exhausted (for this lane), again and again. Where the input is damaged it first returns
   * every row before the damage, then throws an EngineError that names the place.
   */
  poll(): Promise<SourceBatch | 'idle' | 'end'>;
  /** Behind the last row that `poll` has returned; read between two polls. */
  position(): SplitPosition;
  /** How the reader is doing, where there is more to tell than rows and bytes. */
  status?(): SplitStatus;
  close(): Promise<void>;
}

/** What a live source tells of itself, for progress, summary and metrics. Plain data. */
export interface SplitStatus {
  /** In words, such as `connected` or `reconnecting`. */
  readonly state?: string;
  /** When it came into that state. */
  readonly sinceMs?: ProcessingTimeMs;
  /**
   * Whether everything that there is has been read, as far as the reader can know: only then does
   * silence mean that nothing comes. Default: with 'idle' yes, with rows unknown.
   */
  readonly isCaughtUp?: boolean;
  /** Messages that are stored and not read yet. */
  readonly pendingMessages?: number;
  /** Age of the last message read when it was read. */
  readonly lagSeconds?: number;
  /** Further figures, by name in snake_case with its unit. */
  readonly metrics?: Readonly<Record<string, number>>;
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
  readonly splits: (config: ConfigOf<F>, context: SplitsContext) => Promise<readonly SourceSplit[]>;
  readonly open: (config: ConfigOf<F>, context: ReaderContext) => Promise<SplitReader>;
}

/**
 * Staged output that becomes visible, idempotently, at the commit. Plain data. Where it is a file
 * that will be seen, `target` is its path to be and `bytes` its size.
 */
export type Committable = Readonly<Record<string, string | number | Uint8Array>>;

export interface SinkContext {
  /** Name of the sink in the pipeline. */
  readonly sink: string;
  readonly pipeline: string;
  readonly schema: Schema;
  /** Time between checkpoints; undefined where the pipeline takes none. */
  readonly checkpointMs?: number | undefined;
  /** Set where the run goes on from a checkpoint, whose committables have been committed. */
  readonly resume?: SinkResume | undefined;
}

/**
 * A run that goes on replaces nothing of what it wrote before. What was staged, or committed, after
 * the epoch is taken back by `open`; only what a sink cannot take back may stay.
 */
export interface SinkResume {
  readonly epoch: number;
  /** What `prepareCommit` of that epoch gave the checkpoint to carry. */
  readonly carried?: Uint8Array | undefined;
}

/** A commit, and what is known of it. */
export interface CommitContext extends SinkContext {
  /**
   * It has been made before, whole: what is missing now, others have taken away since. Of a commit
   * that may never have been made, what is missing is lost.
   */
  readonly wasMade?: boolean | undefined;
}

/** What a pipeline that goes on from a checkpoint has made visible before. */
export interface SinkPast {
  readonly epoch: number;
  /** Made visible by the last commit before the run. */
  readonly committables: readonly Committable[];
  /** All files that commits have made visible; undefined where nobody has counted. */
  readonly files: number | undefined;
}

/** What a sink gives a checkpoint. */
export interface PreparedCommit {
  readonly committables: readonly Committable[];
  /** Rows that are not worth a file yet, and whatever else `open` needs to go on from here. */
  readonly carried?: Uint8Array | undefined;
}

export interface SinkWriter {
  /** Takes the batch; resolves when it may be given the next one. */
  write(batch: ColumnBatch): Promise<void>;
  /**
   * Makes everything written so far durable, though not visible: staged, or carried in the
   * checkpoint. Epochs rise. With `isFinal`, the run ends here and nothing is carried that could
   * be staged.
   */
  prepareCommit(epoch: number, isFinal: boolean): Promise<PreparedCommit>;
  /** Closes; removes what was staged and not handed out by `prepareCommit`. */
  close(): Promise<void>;
}

/** The visible files of a sink, as `quality/datasets.ts` reads them. */
export interface SinkDataset {
  readonly format: 'parquet' | 'ndjson' | 'csv';
  /** Path or glob, relative to the working directory. It names this sink's files and no others. */
  readonly glob: string;
  /**
   * The files of this moment that hold each row once, where the glob may for a moment show others.
   */
  readonly files?: () => readonly string[];
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
  /**
   * Whether `open` can take back what was committed after the epoch of `resume`, so that a run can
   * go on from an older checkpoint.
   */
  readonly takesBack: boolean;
  readonly open: (config: ConfigOf<F>, context: SinkContext) => Promise<SinkWriter>;
  /**
   * Makes the committables visible and, at the last commit of a run that replaces earlier output,
   * removes what it replaces. Idempotent: after a crash it is called again.
   * @throws {EngineError} sink/lost where what it is to make visible is gone.
   */
  readonly commit: (
    config: ConfigOf<F>,
    committables: readonly Committable[],
    context: CommitContext,
  ) => Promise<void>;
  /**
   * What the user should know of what lies at its place before `open`, a sentence each.
   * @param past Undefined where the sink begins.
   */
  readonly notes?: (
    config: ConfigOf<F>,
    context: SinkContext,
    past: SinkPast | undefined,
  ) => readonly string[];
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
