/**
 * How well detectors detect: the series of the Numenta Anomaly Benchmark, scored by its own
 * function. Each detector runs as a pipeline of one step, once over each series, with the same
 * configuration for all; the first is the default one, the others are for comparison. Nothing of a
 * series is known beforehand; the limit of the scores is the best for all series together, as the
 * benchmark demands.
 */

import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import { realDataFolder } from './harness/real-data.ts';
import { type NabSeries, readNabCorpus } from './nab/nab-corpus.ts';
import { detectorPipeline, nabScores, planNabPipeline } from './nab/nab-pipeline.ts';
import { NAB_PROFILES, nabScore, type ScoredSeries } from './nab/nab-score.ts';

/** Below any score that could matter: which scores count is for the sweep to say. */
const ANY = 'threshold: 0.000001';

const DETECTORS = [
  ['breakout_detector', ANY],
  ['breakout_detector', `${ANY}, level_rows: 40`],
  ['breakout_detector', `${ANY}, over: 2000 rows`],
  ['breakout_detector', `${ANY}, level_rows: 1`],
  ['breakout_detector', `${ANY}, rest_rows: 1`],
  ['zscore_detector', `${ANY}, over: 1000 rows, min_rows: 50`],
  ['ewm_zscore_detector', `${ANY}, span: 1000, min_rows: 50`],
  ['robust_zscore_detector', `${ANY}, over: 1000 rows, min_rows: 50`],
] as const;

/** Standard profile, default detector. */
const TARGET = { comparison: 'at least', value: 52 } as const;

export const benchmark: Benchmark = {
  name: 'nab',
  question: 'How well do the detectors find the labelled anomalies of NAB? (--data DIR)',
  async run(options) {
    const folder = realDataFolder(options, 'nab', [/^data$/, /^labels$/]);
    if (folder === undefined) return;
    await scoreDetectors(options, readNabCorpus(folder));
  },
};

async function scoreDetectors(
  { report, quick }: BenchOptions,
  corpus: readonly NabSeries[],
): Promise<void> {
  const rows = corpus.reduce((sum, { values }) => sum + values.length, 0);
  const windows = corpus.reduce((sum, series) => sum + series.windows.length, 0);
  report.note(`${corpus.length} series, ${rows.toLocaleString('en-US')} rows, ${windows} windows`);
  for (const [index, [detector, options]] of DETECTORS.slice(0, quick ? 1 : undefined).entries()) {
    const shown = [detector, ...options.split(', ').slice(1)].join(', ');
    report.section(index === 0 ? `${shown} (the default)` : shown);
    const scored = await scoredBy(detector, options, corpus, (done) => {
      report.progress(`${shown}: ${done} of ${corpus.length} series`);
    });
    for (const profile of NAB_PROFILES) {
      const { score, limit, found, falseRows } = nabScore(scored, profile);
      const isTarget = index === 0 && profile.name === 'standard';
      report.figure(profile.name, score, 'points', isTarget ? TARGET : undefined);
      report.note(
        `  ${found} of ${windows} windows, ${falseRows} rows outside, limit ${limit.toFixed(4)}`,
      );
    }
  }
}

async function scoredBy(
  detector: string,
  options: string,
  corpus: readonly NabSeries[],
  progress: (done: number) => void,
): Promise<readonly ScoredSeries[]> {
  const plan = planNabPipeline(`${detector}.yaml`, detectorPipeline(detector, options));
  const scored: ScoredSeries[] = [];
  for (const series of corpus) {
    progress(scored.length);
    scored.push({ scores: await nabScores(plan, series), windows: series.windows });
  }
  return scored;
}
