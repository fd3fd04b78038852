/** What operators over anomalies demand of their input: the columns they read, by name and type. */

import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type ColumnType, type Schema } from '../../engine/contract/schema.ts';

/** Columns of an anomaly beside its key and time. */
const TYPES = {
  anomaly_id: 'string',
  window_start: 'timestamp',
  window_end: 'timestamp',
  type: 'string',
  detector: 'string',
  value: 'float64',
  score: 'float64',
  threshold: 'float64',
  severity: 'string',
  confidence: 'float64',
  direction: 'string',
} as const satisfies Record<string, ColumnType>;

export type AnomalyColumn = keyof typeof TYPES;

/** Reports the columns that the input lacks or that are of another type. */
export function requireAnomalies(
  columns: readonly AnomalyColumn[],
  input: Schema,
  report: Report,
): void {
  for (const name of columns) {
    const found = input.columns[columnIndex(input, name)];
    if (found?.type === TYPES[name]) continue;
    const help = 'let it read a detector, threshold or another step that puts out anomalies';
    const path = ['input'];
    if (found === undefined) {
      const message = `expected anomalies, which have a column ${name}`;
      report({ path, code: 'config/unknown-column', message, help });
    } else {
      const message = `${name}: expected a ${TYPES[name]} column, got ${found.type}`;
      report({ path, code: 'config/column-type', message, help, columns: [name] });
    }
  }
}

/** Positions of columns that `requireAnomalies` has found. */
export function anomalyPositions<const C extends AnomalyColumn>(
  columns: readonly C[],
  input: Schema,
): Readonly<Record<C, number>> {
  const entries = columns.map((name) => [name, columnIndex(input, name)]);
  return Object.fromEntries(entries) as Record<C, number>;
}
