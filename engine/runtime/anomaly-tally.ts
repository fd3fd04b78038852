/**
 * Counts anomalies by type and severity as they go by, for the progress and the summary. Of alerts,
 * which state an episode several times, its opening counts.
 */

import type { ColumnBatch } from '../contract/batch.ts';
import { columnIndex } from '../contract/schema.ts';
import type { SinkPlan } from '../plan/pipeline-plan.ts';
import type { AnomalyCount } from './run-result.ts';

/** Positions, -1 where there is no such column. */
interface Columns {
  readonly type: number;
  readonly severity: number;
  /** Of alerts only. */
  readonly status: number;
}

export class AnomalyTally {
  /** Positions of the type and severity columns of each sink that takes anomalies. */
  readonly #columns: readonly (Columns | undefined)[];
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
      return {
        type: columnIndex(schema, 'type'),
        severity: columnIndex(schema, 'severity'),
        status: columnIndex(schema, 'episode_id') < 0 ? -1 : columnIndex(schema, 'status'),
      };
    });
  }

  get total(): number {
    return this.#total;
  }

  add(sink: number, batch: ColumnBatch): void {
    const columns = this.#columns[sink];
    if (columns === undefined) return;
    const types = batch.columns[columns.type];
    const severities = batch.columns[columns.severity];
    const statuses = batch.columns[columns.status];
    if (types?.type !== 'string' || severities?.type !== 'string') {
      this.#total += batch.rowCount;
      return;
    }
    for (let row = 0; row < batch.rowCount; row++) {
      if (statuses?.type === 'string' && statuses.dictionary[statuses.codes[row]!] !== 'open') {
        continue;
      }
      this.#total++;
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
