/** Runs a pipeline over a series of values, in this process, and takes its scores. */

import { catalog } from '../../catalog.ts';
import { lintText } from '../../config/lint.ts';
import { SourceText } from '../../config/source-text.ts';
import type { PipelinePlan } from '../../engine/plan/pipeline-plan.ts';
import { runInProcess } from '../../engine/testing/run-in-process.ts';
import type { NabSeries } from './nab-corpus.ts';

/** Rows that a source hands out at once. */
const BATCH_ROWS = 4096;

/** @throws {TypeError} Where the pipeline has an error. */
export function planNabPipeline(name: string, text: string): PipelinePlan {
  const { plan, lints } = lintText(new SourceText(name, text), { catalog, overrides: [] });
  if (plan !== undefined) return plan;
  throw new TypeError(lints.map(({ message }) => message).join('\n'));
}

/** The pipeline of one detector, over a source of values. */
export function detectorPipeline(detector: string, options: string): string {
  return `
name: nab
sources:
  values:
    type: file
    path: values.csv
    format: csv
    columns: { event_time: timestamp, symbol: series, value: value }
    watermark: { max_out_of_orderness: 0s }
key: symbol
operators:
  found: { type: ${detector}, input: values, value: value, ${options} }
sinks:
  found: { type: ndjson, input: found, path: '-' }
`;
}

/**
 * The absolute score of the anomaly of each row; NaN where the row makes none. The pipeline sees
 * the rows one after the other, and nothing of a series but them: its name is not among them.
 *
 * @param plan Its step `found` reads the source `values` and makes at most one anomaly of a row.
 */
export async function nabScores(plan: PipelinePlan, series: NabSeries): Promise<Float64Array> {
  const rows = rowsOf(series);
  const batches = [];
  for (let start = 0; start < rows.length; start += BATCH_ROWS) {
    batches.push(rows.slice(start, start + BATCH_ROWS));
  }
  const run = await runInProcess(plan, catalog, {
    inputs: { values: batches },
    outputs: ['found'],
  });
  const { failure } = run.result;
  if (failure !== undefined) throw failure;
  const rowAt = new Map(rows.map(({ event_time: time }, row) => [time, row]));
  const scores = new Float64Array(rows.length).fill(Number.NaN);
  for (const { event_time: time, score } of run.rows['found']!) {
    scores[rowAt.get(time as bigint)!] = Math.abs(Number(score));
  }
  return scores;
}

/** In the order of the file, also where a clock is set back: each row is later than the last. */
function rowsOf({
  times,
  values,
}: NabSeries): { event_time: bigint; symbol: string; value: number }[] {
  let last = times[0]! - 1n;
  return values.map((value, row) => {
    last = times[row]! > last ? times[row]! : last + 1n;
    return { event_time: last, symbol: 'series', value };
  });
}
