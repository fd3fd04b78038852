/**
 * What is to be said of a run when it is over: one plain object, made by the command that ran it,
 * printed for people by `render-summary.ts` and for programs as JSON, as it stands.
 */

import type { RowAccounts } from '../../engine/contract/row-accounts.ts';
import type { QualityReport } from '../../quality/run-checks.ts';

export interface RunSummary {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Path of the pipeline file as the user gave it; it stands in the queries to try. */
  readonly file: string;
  /** Those that the file was read with, such as `-s` and `a.b=c`; they stand there too. */
  readonly options: readonly string[];
  /**
   * `completed`: all sources were read to their end. `stopped`: a signal asked for the end, and
   * everything read was processed. `failed`: a source failed; what came before was processed.
   */
  readonly outcome: 'completed' | 'stopped' | 'failed';
  /** Set where the pipeline takes checkpoints. */
  readonly checkpoints?: CheckpointSummary;
  /** Set where the outcome is `failed`. */
  readonly failure?: { readonly code: string; readonly message: string };
  readonly elapsedMs: number;
  /** Rows read a second, over the whole run. */
  readonly rowsPerSecond: number;
  readonly slots: number;
  readonly partitions: number;
  /** processed + late + rejected + duplicate = read. */
  readonly accounts: Readonly<RowAccounts>;
  /** Where rows that were not processed can be found: paths by kind, where there are any. */
  readonly kept: { readonly late?: string; readonly rejected?: string };
  /** What the user may not expect of the rows read, each a sentence; empty for most runs. */
  readonly warnings: readonly string[];
  /** Of sources that have something to tell beyond rows, such as the skew of a clock. */
  readonly sources?: readonly SourceSummary[];
  /** In the order of the plan. */
  readonly steps: readonly StepSummary[];
  /** Left out where no sink takes anomalies. */
  readonly anomalies?: AnomalySummary;
  /** Left out where the input has no labels. */
  readonly detection?: DetectionSummary;
  /** Left out where the pipeline has no checks. */
  readonly quality?: QualityReport;
  /** In the order of the plan. */
  readonly outputs: readonly OutputSummary[];
  /** A few queries worth a look, over views named like the sinks. */
  readonly queries: readonly { readonly title: string; readonly sql: string }[];
}

export interface CheckpointSummary {
  /** Epoch that the run went on from; left out where it began anew. */
  readonly resumedFrom?: number;
  /** Checkpoints completed by this run. */
  readonly count: number;
  /** Epoch of the last one; the next run goes on from it unless this one was completed. */
  readonly epoch: number;
  /** Size of the last one. */
  readonly bytes: number;
  /** From its mark to its commit, in the mean; the run goes on meanwhile. */
  readonly durationMs: number;
  /** Longest that a thread stood still for one. */
  readonly stallMs: number;
  readonly folder: string;
}

export interface SourceSummary {
  readonly name: string;
  /** By name in snake_case with its unit; the counts of a source's splits add up. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface StepSummary {
  readonly name: string;
  readonly type: string;
  readonly rowsIn: number;
  /** Of the main output. */
  readonly rowsOut: number;
}

export interface AnomalySummary {
  readonly total: number;
  /** Milliseconds from the start of the run to the first anomaly; left out where there is none. */
  readonly firstAfterMs?: number;
  /** Severities that occur, the mildest first. */
  readonly severities: readonly string[];
  readonly byType: readonly {
    readonly type: string;
    readonly total: number;
    /** Severity to number; a severity that does not occur may be left out. */
    readonly bySeverity: Readonly<Record<string, number>>;
  }[];
}

/** Anomalies that were planted in the input and labelled, against those that were found. */
export interface DetectionSummary {
  readonly planted: number;
  /** Planted anomalies that at least one anomaly of the output points at. */
  readonly found: number;
  /** Anomalies of the output. */
  readonly raised: number;
  /** Anomalies of the output that point at a planted one. */
  readonly matched: number;
  /** matched / raised; null where nothing was raised. */
  readonly precision: number | null;
  /** found / planted; null where nothing was planted. */
  readonly recall: number | null;
  readonly byKind: readonly {
    readonly kind: string;
    readonly planted: number;
    readonly found: number;
  }[];
  /** When an anomaly points at a planted one, in a few words. */
  readonly rule: string;
}

export interface OutputSummary {
  /** Name of the sink. */
  readonly name: string;
  readonly type: string;
  /** Where its rows are; left out for a sink that keeps none. */
  readonly path?: string;
  /** Of this run; left out where there are no files. */
  readonly files?: number;
  readonly bytes?: number;
  /** Of this run. */
  readonly rows: number;
  /** Of all runs, where this one went on from a checkpoint: the files there now, and the rows. */
  readonly total?: { readonly files?: number; readonly rows: number };
}
