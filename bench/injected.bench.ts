/**
 * What is found of anomalies that were put into real trades: spikes, misplaced decimal points,
 * prices that stand still, symbols that fall silent, surges of volume, trades that are repeated,
 * late or missing. What they look like, and how large they are, says injected/inject.ts.
 *
 * The pipeline is config/pipelines/feed-quality.yaml, with one set of parameters for all symbols.
 * It was tuned on the first day and its seeds; what counts are the other days, which have seeds of
 * their own. Trades go to `tidemark backtest` as a file, labels as another, so that detectors
 * cannot know of them.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { segmentAt } from '../operators/trading-session/segments.ts';
import { type Benchmark, type BenchOptions, median } from './harness/benchmark.ts';
import { realDataFolder } from './harness/real-data.ts';
import type { Report } from './harness/report.ts';
import { runProcess } from './harness/run-process.ts';
import { inject, type Stretch, type Trade } from './injected/inject.ts';
import {
  type BacktestJson,
  f1Of,
  InjectedScores,
  precisionBeyondNatural,
  precisionByEvent,
  precisionOf,
  recallOf,
} from './injected/scores.ts';
import { readTrades, writeLabels, writeTrades } from './injected/trades-file.ts';

const MAIN = new URL('../cli/main.js', import.meta.url);
const PIPELINE = fileURLToPath(
  new URL('../../config/pipelines/feed-quality.yaml', import.meta.url),
);
const DAYS = /^trades-.*\.csv\.gz$/;
const TUNED_SEEDS = [1, 2, 3];
const OTHER_SEEDS = [11, 12, 13, 14, 15];
/** On the days and seeds that nothing was tuned on. */
const TARGET = { comparison: 'at least', value: 0.9 } as const;
const TARGET_TYPES = ['price_spike', 'misplaced_decimal', 'stuck_price'];

export const benchmark: Benchmark = {
  name: 'injected',
  question: 'What is found of anomalies that were put into real trades? (--data DIR)',
  async run(options) {
    const data = realDataFolder(options, 'us-equities', [DAYS]);
    if (data === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-injected-'));
    try {
      await scoreDays(options, data, folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function scoreDays(
  { report, quick }: BenchOptions,
  data: string,
  folder: string,
): Promise<void> {
  const files = readdirSync(data)
    .filter((name) => DAYS.test(name))
    .sort()
    .map((name) => join(data, name));
  if (files.length < 2) throw new RangeError(`${data}: expected trades of at least two days`);
  const sets = [
    ['tuned on these', files.slice(0, 1), TUNED_SEEDS],
    ['days and seeds that nothing was tuned on', files.slice(1), OTHER_SEEDS],
  ] as const;
  for (const [title, own, seeds] of quick ? sets.slice(0, 1) : sets) {
    const used = quick ? seeds.slice(0, 1) : seeds;
    report.section(`${title}: ${own.map(dayOf).join(', ')}, seeds ${used.join(', ')}`);
    const scores = new InjectedScores();
    for (const file of own) await scoreDay(report, scores, file, used, folder);
    show(report, scores, seeds === OTHER_SEEDS);
  }
}

const dayOf = (file: string): string => basename(file).slice('trades-'.length, -'.csv.gz'.length);

async function scoreDay(
  report: Report,
  scores: InjectedScores,
  file: string,
  seeds: readonly number[],
  folder: string,
): Promise<void> {
  const trades = readTrades(file);
  const session = sessionOf(trades);
  const paths = { trades: join(folder, 'trades.csv'), labels: join(folder, 'labels.csv') };
  report.progress(`${dayOf(file)}: as it is`);
  await writeTrades(paths.trades, trades);
  writeFileSync(paths.labels, 'symbol,event_time,type\n');
  const clean = await backtest(paths);
  for (const seed of seeds) {
    report.progress(`${dayOf(file)}: seed ${seed}`);
    const injected = inject(trades, session, seed);
    await writeTrades(paths.trades, injected.trades);
    writeLabels(paths.labels, injected.labels);
    scores.add(await backtest(paths), clean);
  }
}

/** The regular session of the day of most trades. */
function sessionOf(trades: readonly Trade[]): Stretch {
  const { open, close } = segmentAt('nyse', trades[trades.length >> 1]!.time);
  return { start: BigInt(open) * 1_000_000_000n, end: BigInt(close) * 1_000_000_000n };
}

async function backtest(paths: {
  readonly trades: string;
  readonly labels: string;
}): Promise<BacktestJson> {
  const { stdout } = await runProcess(
    MAIN,
    ['backtest', PIPELINE, '--labels', paths.labels, '--json'],
    { environment: { TRADES: paths.trades } },
  );
  return JSON.parse(stdout) as BacktestJson;
}

const COLUMNS = [
  ...['type', 'labels', 'found', 'alerts', 'right', 'natural'],
  ...['precision', 'not natural', 'by event', 'recall', 'F1', 'delay', 'longest'],
];

function show(report: Report, scores: InjectedScores, isJudged: boolean): void {
  const share = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : '-');
  const rows = scores.types.map(([type, score]) => [
    ...[type, score.labels, score.found, score.alerts, score.correct, score.natural].map(String),
    share(precisionOf(score)),
    share(precisionBeyondNatural(score)),
    share(precisionByEvent(score)),
    share(recallOf(score)),
    share(f1Of(score)),
    score.delays.length === 0 ? '-' : `${median(score.delays).toFixed(1)} s`,
    `${score.longest.toFixed(1)} s`,
  ]);
  const widths = COLUMNS.map((name, i) =>
    Math.max(name.length, ...rows.map((cells) => cells[i]!.length)),
  );
  for (const cells of [COLUMNS, ...rows]) {
    const padded = cells.map((cell, i) => {
      return i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
    });
    report.note(padded.join('  '));
  }
  if (!isJudged) return;
  for (const [type, score] of scores.types) {
    if (!TARGET_TYPES.includes(type)) continue;
    report.figure(`precision of ${type}, by event`, precisionByEvent(score), 'of 1', TARGET);
    report.figure(`recall of ${type}`, recallOf(score), 'of 1', TARGET);
  }
}
