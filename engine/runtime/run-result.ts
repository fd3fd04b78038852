/** What is known of a run, while it goes on and when it is over. */

import type { SplitStatus } from '../contract/connector.ts';
import type { EngineError } from '../contract/error.ts';
import type { RowAccounts } from '../contract/row-accounts.ts';
import type { EventTime } from '../contract/time.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import type { SinkTotals } from '../checkpoint/checkpoint.ts';
import type { CheckpointProgress } from './checkpointer.ts';
import type { SlotCounters } from './slot.ts';

export interface RunState {
  readonly watermark: EventTime;
  /** Rows written to sinks that take anomalies. */
  readonly anomalies: number;
  /** Milliseconds after the start at which the first anomaly was on its way to a sink. */
  readonly firstAnomalyMs: number | undefined;
  readonly bytesRead: number;
  /** Undefined where a source does not know its size. */
  readonly bytesTotal: number | undefined;
  /** Undefined where the pipeline has no checkpoints. */
  readonly checkpoint: CheckpointProgress | undefined;
  /** Of the splits that tell how they are doing. */
  readonly sources: readonly SourceStatus[];
}

export interface SourceStatus extends SplitStatus {
  /** Name of the source. */
  readonly source: string;
}

export interface RunProgress extends RunState {
  readonly elapsedMs: number;
  /** Rows of this process; those before the checkpoint that it went on from are not in it. */
  readonly accounts: Readonly<RowAccounts>;
  /** Epoch of the checkpoint that the run went on from, if it did. */
  readonly resumedFrom: number | undefined;
  /**
   * Epoch of the checkpoint that the next run would go on from, as far as this one knows; 0 where
   * there is none, undefined before it knows and where the pipeline has no checkpoints.
   */
  readonly keptEpoch: number | undefined;
  /** What the user should know of the start, or of failures that have passed. */
  readonly warnings: readonly string[];
}

export interface StepResult {
  readonly name: string;
  readonly type: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What a run has given a sink, and the files that its commits have made visible. */
export interface SinkResult extends SinkTotals {
  readonly name: string;
  readonly type: string;
  /** Of all runs since the pipeline first began, as far as they counted. */
  readonly total: SinkTotals | undefined;
}

/** Anomalies of one type and severity. */
export interface AnomalyCount {
  readonly type: string;
  readonly severity: string;
  readonly count: number;
}

/** Told when it is known where the run begins. */
export interface RunBeginning {
  readonly epoch: number | undefined;
  readonly accounts: readonly Readonly<RowAccounts>[];
  /** What the checkpoint tells of each sink; undefined where it does not. */
  readonly totals: ReadonlyMap<string, SinkTotals | undefined>;
}

export interface RunListener {
  begin(start: RunBeginning): void;
  warn(warnings: readonly string[]): void;
}

/** How a run has ended. */
export interface RunOutcome {
  readonly steps: readonly StepResult[];
  readonly sinks: readonly SinkResult[];
  /** Of all sinks that take anomalies; empty where none does. */
  readonly anomalyCounts: readonly AnomalyCount[];
  /** A signal asked for the end before the sources had reached theirs. */
  readonly wasStopped: boolean;
  /** An earlier run had read everything and was cut off at its commit, which is now done. */
  readonly wasCompleteBefore: boolean;
  /** The source failed; everything read before has been processed and committed. */
  readonly failure: EngineError | undefined;
}

export interface RunResult extends RunProgress, RunOutcome {
  readonly perSource: Readonly<Record<string, Readonly<RowAccounts>>>;
}

/** Adds up over the slots. */
export function stepResults(plan: PipelinePlan, counters: readonly SlotCounters[]): StepResult[] {
  return plan.operators.map(({ name, type }, index) => {
    const metrics: Record<string, number> = {};
    let rowsIn = 0;
    let rowsOut = 0;
    for (const slot of counters) {
      rowsIn += slot.rowsIn[index]!;
      rowsOut += slot.rowsOut[index]!;
      for (const [metric, amount] of Object.entries(slot.metrics)) {
        if (!metric.startsWith(`${name}.`)) continue;
        const own = metric.slice(name.length + 1);
        metrics[own] = (metrics[own] ?? 0) + amount;
      }
    }
    return { name, type, rowsIn, rowsOut, metrics };
  });
}
