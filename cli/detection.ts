/** Planted against found anomalies, for pipelines that read a generated market. */

import {
  generator,
  marketConfig,
  type GeneratorConfig,
} from '../connectors/generator/generator-source.ts';
import { type FoundAnomaly, matchAnomalies } from '../connectors/generator/match-anomalies.ts';
import { plantedAnomalies } from '../connectors/generator/planting.ts';
import type { PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import type { Datasets } from '../quality/datasets.ts';
import { displayRows, runQuery } from '../quality/query.ts';
import { identifier } from '../quality/sql.ts';
import type { DetectionSummary } from './terminal/run-summary.ts';

/** Undefined where nothing was planted, or no anomalies can be read back. */
export async function detect(
  plan: PipelinePlan,
  datasets: Datasets,
): Promise<DetectionSummary | undefined> {
  const planted = plan.sources
    .filter(({ type }) => type === generator.name)
    .flatMap(({ config }) => plantedAnomalies(marketConfig(config as GeneratorConfig)));
  const sink = plan.sinks.find(
    ({ name, schema }) =>
      datasets.has(name) && schema.columns.some((column) => column.name === 'anomaly_id'),
  );
  if (planted.length === 0 || sink === undefined) return undefined;
  const found = await foundAnomalies(datasets, sink.name, plan.key);
  const { overall, types } = matchAnomalies(planted, found);
  return {
    planted: overall.planted,
    found: overall.matched,
    raised: overall.found,
    matched: overall.correct,
    precision: overall.precision,
    recall: overall.recall,
    byKind: Object.entries(types)
      .filter(([, counts]) => counts.planted > 0)
      .map(([kind, counts]) => ({ kind, planted: counts.planted, found: counts.matched })),
    rule: `same type and ${plan.key}, in a window that overlaps the planted time`,
  };
}

async function foundAnomalies(
  datasets: Datasets,
  view: string,
  key: string,
): Promise<FoundAnomaly[]> {
  const sql =
    `SELECT ${identifier(key)}, type, epoch_ns(window_start)::VARCHAR, ` +
    `epoch_ns(window_end)::VARCHAR FROM ${identifier(view)}`;
  const rows = await displayRows(await runQuery(datasets, sql));
  return rows.map(([symbol, type, start, end]) => ({
    symbol: symbol ?? '',
    type: type ?? '',
    windowStart: BigInt(start ?? 0),
    windowEnd: BigInt(end ?? 0),
  }));
}
