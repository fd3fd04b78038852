/**
 * Which charts a result gives: bars of throughput for each section in which contenders stand side
 * by side, lines for what was varied along an axis, and percentiles of latencies over the rate.
 */

import { median, rateOf } from '../harness/benchmark.ts';
import { compact, formatNumber } from '../harness/format.ts';
import type { BenchResult, MeasurementRecord } from '../harness/results.ts';
import { type Bar, barChart, COLOURS, type Line, lineChart, type LinePoint } from './svg.ts';

export interface Chart {
  /** Name of the file, and what stands for it where there are no pictures. */
  readonly file: string;
  readonly title: string;
  readonly svg: string;
  /** Section that it belongs to; undefined for those about the whole benchmark. */
  readonly section?: string;
}

/** Others than ours, by how benchmarks call them. */
const PEERS = new RegExp(
  '^(?:C,|duckdb|nodejs-polars|plain JavaScript|row objects|bare |hyparquet|parquetjs|' +
    'JSON\\.parse|node,)',
);

export function chartsOf(result: BenchResult): Chart[] {
  return [...axisCharts(result), ...latencyCharts(result), ...barCharts(result)];
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
}

/** Units a second at the fastest, median and slowest repetition. */
function rates({ amount, seconds }: MeasurementRecord): { y: number; low: number; high: number } {
  const [fastest, slowest] = [Math.min(...seconds), Math.max(...seconds)];
  return { y: amount / median(seconds), low: amount / slowest, high: amount / fastest };
}

function barCharts({ name, measurements }: BenchResult): Chart[] {
  return sectionsOf(measurements).flatMap(([section, all]) => {
    const own = all.filter(({ unit }) => unit !== 'starts');
    const isVaried = own.some(({ point }) => point !== undefined);
    if (own.length < 3 || isVaried) return [];
    const title = [name, section].filter((part) => part !== '').join(': ');
    const bars = own.map((each): Bar => {
      const { y, low, high } = rates(each);
      const words = `${compact(rateOf(each))} ${each.unit}/s`;
      return { label: each.name, value: y, low, high, text: words, isOwn: !PEERS.test(each.name) };
    });
    const file = `${slug(title)}.svg`;
    return [{ file, title: `Throughput: ${title}`, svg: barChart(title, bars), section }];
  });
}

function axisCharts({ name, measurements }: BenchResult): Chart[] {
  const varied = measurements.filter(({ point }) => point !== undefined);
  return grouped(varied, ({ point }) => point!.axis).flatMap(([axis, onAxis]) => {
    const series = grouped(onAxis, ({ point }) => point!.series);
    const lines = series.map(([seriesName, all], index): Line => {
      const points = all.map((each): LinePoint => ({ x: each.point!.x, ...rates(each) }));
      return { name: seriesName, points, colour: COLOURS[index % COLOURS.length]! };
    });
    if (!lines.some(({ points }) => points.length > 1)) return [];
    const title = `${name}: throughput by ${axis}`;
    const svg = lineChart({
      ...{ title, xTitle: axis, yTitle: `${onAxis[0]!.unit}/s`, lines, format: compact },
      hasLogarithmicY: spread(lines) > 20,
    });
    return [{ file: `${slug(`${name} by ${axis}`)}.svg`, title, svg }];
  });
}

function spread(lines: readonly Line[]): number {
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  return Math.max(...values) / Math.min(...values);
}

function latencyCharts({ name, latencies }: BenchResult): Chart[] {
  if (latencies.length === 0) return [];
  const kinds = grouped(latencies, (each) => each.name);
  const lines = kinds.flatMap(([kind, all], index) =>
    (['p50', 'p99', 'p999'] as const).map((percentile, depth): Line => {
      const colour = COLOURS[(index * 3 + depth) % COLOURS.length]!;
      const points = all.map((each) => ({ x: each.rate, y: each[percentile] }));
      const label = percentile === 'p999' ? 'p99.9' : percentile;
      return { name: `${kind}, ${label}`, points, colour, isDashed: index > 0 };
    }),
  );
  const title = `${name}: latency by rate`;
  const svg = lineChart({
    ...{ title, xTitle: 'ticks a second', yTitle: 'ms', lines, format: formatNumber },
    hasLogarithmicY: true,
  });
  return [{ file: `${slug(`${name} by rate`)}.svg`, title, svg }];
}

function sectionsOf(
  measurements: readonly MeasurementRecord[],
): [string, readonly MeasurementRecord[]][] {
  return grouped(measurements, ({ section }) => section);
}

/** In the order in which the keys first come. */
export function grouped<T>(
  values: readonly T[],
  keyOf: (value: T) => string,
): [string, readonly T[]][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const own = groups.get(keyOf(value));
    if (own === undefined) groups.set(keyOf(value), [value]);
    else own.push(value);
  }
  return [...groups];
}
