/**
 * Two results of the same benchmark: what changed, and whether that is more than noise.
 *
 * The change is the ratio of the median rates. Its interval is a bootstrap: both lists of
 * repetitions are drawn again 2,000 times, with replacement, and 95 % of the ratios lie within. A
 * change counts where a rank test (Mann and Whitney's, exact, two-sided) finds p < 0.01: nothing is
 * assumed of how times are distributed, one slow repetition decides nothing, and with fewer than
 * five repetitions on each side it is hardly ever reached. What neither can see is that the whole
 * machine was slower that day: therefore the fixed piece of work that is timed around each
 * benchmark is compared too.
 */

import { Random } from '../../connectors/generator/random.ts';
import { median } from './benchmark.ts';
import type { BenchResult, ResultsFile } from './results.ts';

const DRAWS = 2000;
const SIGNIFICANT = 0.01;
/** The machine itself counts as changed from here on. */
const DRIFT = 0.05;

export interface Change {
  /** Rate after to rate before: 1.1 is 10 % faster. */
  readonly ratio: number;
  /** 95 % of the noise lies within. */
  readonly low: number;
  readonly high: number;
  readonly p: number;
  readonly verdict: 'faster' | 'slower' | 'within noise' | 'too few repetitions';
}

/** @param before Seconds of each repetition. */
export function changeOf(before: readonly number[], after: readonly number[]): Change {
  const ratio = median(before) / median(after);
  const random = new Random(1, 0);
  const draw = (values: readonly number[]): number =>
    median(values.map(() => values[random.below(values.length)]!));
  const ratios = Array.from({ length: DRAWS }, () => draw(before) / draw(after));
  ratios.sort((a, b) => a - b);
  const p = rankTest(before, after);
  return {
    ratio,
    low: ratios[Math.floor(DRAWS * 0.025)]!,
    high: ratios[Math.ceil(DRAWS * 0.975) - 1]!,
    p,
    verdict: verdictOf(ratio, p, before.length, after.length),
  };
}

function verdictOf(ratio: number, p: number, n: number, m: number): Change['verdict'] {
  // What the test could find at best: all of one side before all of the other.
  if (2 / combinations(n + m, n) >= SIGNIFICANT) return 'too few repetitions';
  if (p >= SIGNIFICANT) return 'within noise';
  return ratio > 1 ? 'faster' : 'slower';
}

function combinations(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}

/**
 * Two-sided p of Mann and Whitney's test, exact: the share of all ways to deal the ranks out that
 * are at least as uneven. Values that are equal count half.
 */
export function rankTest(a: readonly number[], b: readonly number[]): number {
  let wins = 0;
  for (const x of a) for (const y of b) wins += x < y ? 1 : x === y ? 0.5 : 0;
  const middle = (a.length * b.length) / 2;
  const distance = Math.abs(wins - middle);
  const ways = waysToWin(a.length, b.length);
  const all = ways.reduce((sum, count) => sum + count, 0);
  const uneven = ways.reduce(
    (sum, count, u) => (Math.abs(u - middle) >= distance - 1e-9 ? sum + count : sum),
    0,
  );
  return uneven / all;
}

/** `[u]`: ways to deal ranks out to `n` and `m` values so that u pairs are won by the first. */
function waysToWin(n: number, m: number): number[] {
  // Coefficients of the product of (1 - q^(m + i)) / (1 - q^i), i from 1 to n.
  const ways = new Array<number>(n * m + 1).fill(0);
  ways[0] = 1;
  for (let i = 1; i <= n; i++) {
    for (let u = n * m; u >= m + i; u--) ways[u]! -= ways[u - m - i]!;
    for (let u = i; u <= n * m; u++) ways[u]! += ways[u - i]!;
  }
  return ways;
}

/** Lines that show how `after` differs from what `before` has of the same benchmark. */
export function compareResults(before: ResultsFile, after: BenchResult): string[] {
  const old = before.benchmarks.find(({ name }) => name === after.name);
  if (old === undefined) return [`compared: nothing of ${after.name} in the earlier file`];
  const lines = [
    `compared with commit ${old.machine.commit}, ${old.startedAt.slice(0, 16).replace('T', ' ')}:`,
    ...machineLines(old, after),
  ];
  const rows: string[][] = [];
  let missing = 0;
  for (const each of after.measurements) {
    const same = old.measurements.find(
      ({ section, name }) => section === each.section && name === each.name,
    );
    if (same === undefined || same.amount !== each.amount) {
      missing++;
      continue;
    }
    const change = changeOf(same.seconds, each.seconds);
    const percent = (change.ratio - 1) * 100;
    const range = [change.low, change.high].map((ratio) => signed((ratio - 1) * 100, 0));
    rows.push([
      [each.section, each.name].filter((text) => text !== '').join(': '),
      `${signed(percent, 1)} %`,
      `(${range.join(' to ')} %)`,
      change.verdict,
    ]);
  }
  lines.push(...latencyLines(old, after), ...aligned(rows));
  if (missing > 0) lines.push(`${missing} measurements are not in the earlier file`);
  return lines.map((line, index) => (index === 0 ? line : `  ${line}`));
}

function machineLines(old: BenchResult, now: BenchResult): string[] {
  const lines: string[] = [];
  for (const fact of ['cpu', 'cores', 'node'] as const) {
    if (old.machine[fact] === now.machine[fact]) continue;
    lines.push(`another ${fact}: ${old.machine[fact]}, now ${now.machine[fact]}`);
  }
  const probed = ({ probes }: BenchResult): number => median(probes.map(({ seconds }) => seconds));
  const drift = probed(old) / probed(now);
  if (Math.abs(drift - 1) > DRIFT) {
    const speed = `${drift.toFixed(2)} times the speed of then`;
    lines.push(`the machine itself ran at ${speed}: mind changes of that size`);
  }
  return lines;
}

function latencyLines(old: BenchResult, now: BenchResult): string[] {
  return now.latencies.flatMap((each) => {
    const same = old.latencies.find(
      ({ section, name }) => section === each.section && name === each.name,
    );
    if (same === undefined) return [];
    const { verdict } = changeOf(same.medians, each.medians);
    const pair = (key: 'p50' | 'p99'): string =>
      `${key} ${same[key].toFixed(2)} → ${each[key].toFixed(2)} ms`;
    return [`${each.section}: ${each.name}: ${pair('p50')}, ${pair('p99')}, ${verdict}`];
  });
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((i) => Math.max(0, ...rows.map((row) => row[i]!.length)));
  return rows.map(([name, change, range, verdict]) =>
    [
      name!.padEnd(widths[0]!),
      change!.padStart(widths[1]!),
      range!.padEnd(widths[2]!),
      verdict,
    ].join('  '),
  );
}
