/** What is known of a run, while it goes on and when it is over. */

import type { EngineError } from '../contract/error.ts';
import type { RowAccounts } from '../contract/row-accounts.ts';
import type { EventTime } from '../contract/time.ts';

export interface RunProgress {
  readonly elapsedMs: number;
  readonly accounts: Readonly<RowAccounts>;
  readonly watermark: EventTime;
  /** Rows written to sinks that take anomalies. */
  readonly anomalies: number;
  /** Milliseconds after the start at which the first anomaly was on its way to a sink. */
  readonly firstAnomalyMs: number | undefined;
  readonly bytesRead: number;
  /** Undefined where a source does not know its size. */
  readonly bytesTotal: number | undefined;
}

export interface StepResult {
  readonly name: string;
  readonly type: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface SinkResult {
  readonly name: string;
  readonly type: string;
  readonly rows: number;
  /** Files that the commit made visible. */
  readonly files: number;
  readonly bytes: number;
}

/** Anomalies of one type and severity. */
export interface AnomalyCount {
  readonly type: string;
  readonly severity: string;
  readonly count: number;
}

export interface RunResult extends RunProgress {
  readonly perSource: Readonly<Record<string, Readonly<RowAccounts>>>;
  readonly steps: readonly StepResult[];
  readonly sinks: readonly SinkResult[];
  /** Of all sinks that take anomalies; empty where none does. */
  readonly anomalyCounts: readonly AnomalyCount[];
  /** A signal asked for the end before the sources had reached theirs. */
  readonly wasStopped: boolean;
  /** The source failed; everything read before has been processed and committed. */
  readonly failure: EngineError | undefined;
}
