/**
 * Runs a pipeline over its sources with nothing written: the anomalies that its sinks would get
 * stay here, and the symbols and days that were read are counted.
 */

import type { ColumnBatch } from '../../engine/contract/batch.ts';
import { columnIndex, INT64_NULL, type Schema, STRING_NULL } from '../../engine/contract/schema.ts';
import type { PipelinePlan } from '../../engine/plan/pipeline-plan.ts';
import type { RunResult } from '../../engine/runtime/run-result.ts';
import { collectingPipeline, type WantedRows } from '../collecting-pipeline.ts';
import type { FoundAnomaly } from './match.ts';

const DAY_NS = 86_400_000_000_000n;

export interface Collected {
  readonly anomalies: readonly FoundAnomaly[];
  /** Pairs of a symbol and a day, UTC, that had rows. */
  readonly symbolDays: number;
  readonly symbols: number;
  readonly result: RunResult;
}

/** Outputs with anomalies that a sink of the pipeline reads, each once. */
export function anomalyOutputs(plan: PipelinePlan): readonly WantedRows[] {
  const outputs = new Map<string, WantedRows>();
  for (const { schema, inputs } of plan.sinks) {
    const names = schema.columns.map(({ name }) => name);
    if (!['anomaly_id', 'type', 'window_end'].every((name) => names.includes(name))) continue;
    for (const input of inputs) {
      const name = `${input.step}.${input.output}`;
      outputs.set(name, { name, input, schema });
    }
  }
  return [...outputs.values()];
}

/** @throws {EngineError} Of whatever fails in the run. */
export async function collectAnomalies(
  plan: PipelinePlan,
  options: { readonly slots: number | undefined; readonly signal: AbortSignal },
): Promise<Collected> {
  const anomalies: FoundAnomaly[] = [];
  const days = new Set<string>();
  const found = anomalyOutputs(plan);
  const read = plan.sources.map(({ name, schema }): WantedRows => {
    return { name: `source ${name}`, input: { step: name, output: 'main' }, schema };
  });
  const wanted = [...found, ...read];
  const pipeline = collectingPipeline(plan, wanted, {
    ...options,
    onRows: (index, batch) => {
      const { schema } = wanted[index]!;
      if (index < found.length) addAnomalies(anomalies, schema, batch);
      else addDays(days, schema, batch);
    },
  });
  const result = await pipeline.run();
  if (result.failure !== undefined) throw result.failure;
  const symbols = new Set([...days].map((day) => day.slice(day.indexOf(' '))));
  return { anomalies, symbolDays: days.size, symbols: symbols.size, result };
}

function addAnomalies(anomalies: FoundAnomaly[], schema: Schema, batch: ColumnBatch): void {
  const column = (name: string) => batch.columns[columnIndex(schema, name)]!;
  const texts = (name: string): ((row: number) => string) => {
    const values = column(name);
    if (values.type !== 'string') throw new TypeError(`${name} is no text`);
    return (row) =>
      values.codes[row] === STRING_NULL ? '' : values.dictionary[values.codes[row]!]!;
  };
  const times = (name: string): BigInt64Array => {
    const values = column(name);
    if (values.type !== 'timestamp') throw new TypeError(`${name} is no time`);
    return values.values;
  };
  const [key, type] = [texts(schema.key), texts('type')];
  const [time, start, end] = [times(schema.time), times('window_start'), times('window_end')];
  const score = column('score');
  for (let row = 0; row < batch.rowCount; row++) {
    const at = time[row]!;
    const value = score.type === 'float64' ? score.values[row]! : Number.NaN;
    anomalies.push({
      key: key(row),
      type: type(row),
      time: at,
      windowStart: start[row] === INT64_NULL ? at : start[row]!,
      windowEnd: end[row] === INT64_NULL ? at : end[row]!,
      score: Number.isNaN(value) ? null : value,
    });
  }
}

function addDays(days: Set<string>, schema: Schema, batch: ColumnBatch): void {
  const times = batch.columns[columnIndex(schema, schema.time)]!;
  const keys = batch.columns[columnIndex(schema, schema.key)]!;
  if (times.type !== 'timestamp' || keys.type !== 'string') throw new TypeError('no time or key');
  const seen = new Set<number>();
  for (let row = 0; row < batch.rowCount; row++) {
    const day = Number(times.values[row]! / DAY_NS);
    // A number for each pair: most rows are of one that this batch has had.
    const pair = day * 2 ** 32 + keys.codes[row]!;
    if (seen.has(pair)) continue;
    seen.add(pair);
    days.add(`${day} ${keys.dictionary[keys.codes[row]!] ?? ''}`);
  }
}
