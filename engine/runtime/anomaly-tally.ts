/** Counts anomalies by type and severity as they go by, for the progress and the summary. */

import type { ColumnBatch } from '../contract/batch.ts';
import { columnIndex } from '../contract/schema.ts';
import type { SinkPlan } from '../plan/pipeline-plan.ts';
import type { AnomalyCount } from './run-result.ts';

export class AnomalyTally {
  /** Positions of the type and severity columns of each sink that takes anomalies. */
  readonly #columns: readonly ({ type: number; severity: number } | undefined)[];
  readonly #counts = new Map<string, AnomalyCount>();
  #total = 0;

  constructor(sinks: readonly SinkPlan[]) {
    const counted = new Set<string>();
    this.#columns = sinks.map(({ schema, inputs }) => {
      if (columnIndex(schema, 'anomaly_id') < 0) return undefined;
      // Anomalies that go to two places are counted on their way to the first.
      const names = inputs.map(({ step, output }) => `${step}.${output}`);
      if (names.every((name) => counted.has(name))) return undefined;
      for (const name of names) counted.add(name);
      return { type: columnIndex(schema, 'type'), severity: columnIndex(schema, 'severity') };
    });
  }

  get total(): number {
    return this.#total;
  }

  add(sink: number, batch: ColumnBatch): void {
    const columns = this.#columns[sink];
    if (columns === undefined) return;
    this.#total += batch.rowCount;
    const types = batch.columns[columns.type];
    const severities = batch.columns[columns.severity];
    if (types?.type !== 'string' || severities?.type !== 'string') return;
    for (let row = 0; row < batch.rowCount; row++) {
      const type = types.dictionary[types.codes[row]!] ?? '';
      const severity = severities.dictionary[severities.codes[row]!] ?? '';
      const name = `${type}\n${severity}`;
      const count = (this.#counts.get(name)?.count ?? 0) + 1;
      this.#counts.set(name, { type, severity, count });
    }
  }

  counts(): readonly AnomalyCount[] {
    return [...this.#counts.values()];
  }
}
