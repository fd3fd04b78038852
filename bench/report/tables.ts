/** What a benchmark has found, as Markdown. */

import { median, peakOf, rateOf } from '../harness/benchmark.ts';
import { compact, formatBytes, formatNumber, formatSeconds } from '../harness/format.ts';
import { isMet } from '../harness/report.ts';
import type {
  BenchResult,
  FigureRecord,
  LatencyRecord,
  MeasurementRecord,
  RatioRecord,
  Target,
} from '../harness/results.ts';

/** A table; cells are escaped where a bar would break them. Numbers stand on the right. */
export function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const marks = names.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(names), line(marks), ...rows.map(line)].join('\n');
}

export function measurementTable(measurements: readonly MeasurementRecord[]): string {
  const hasPeak = measurements.some((each) => peakOf(each) > 0);
  const names = ['contender', 'median', 'fastest to slowest', 'runs', 'throughput', 'cpu'];
  const rows = measurements.map((each) => {
    const { seconds, cpuSeconds, unit } = each;
    const [fastest, slowest] = [Math.min(...seconds), Math.max(...seconds)];
    const peak = peakOf(each) > 0 ? formatBytes(peakOf(each)) : '';
    return [
      each.name,
      formatSeconds(median(seconds)),
      `${formatSeconds(fastest)} to ${formatSeconds(slowest)}`,
      String(seconds.length),
      `${compact(rateOf(each))} ${unit}/s`,
      formatSeconds(median(cpuSeconds)),
      ...(hasPeak ? [peak] : []),
    ];
  });
  return table(hasPeak ? [...names, 'peak memory'] : names, rows);
}

export function targetCell(value: number, target: Target | undefined): string {
  if (target === undefined) return '';
  const words = isMet(value, target) ? 'met' : '**not met**';
  return `${target.comparison} ${formatNumber(target.value)}: ${words}`;
}

export function ratioTable(ratios: readonly RatioRecord[]): string {
  const hasTarget = ratios.some(({ target }) => target !== undefined);
  const rows = ratios.map(({ name, values, target }) => {
    const [low, high] = [Math.min(...values).toFixed(2), Math.max(...values).toFixed(2)];
    const cells = [name, median(values).toFixed(2), `${low} to ${high}`];
    return hasTarget ? [...cells, targetCell(median(values), target)] : cells;
  });
  const names = ['ratio', 'median', 'smallest to largest'];
  return table(hasTarget ? [...names, 'bar'] : names, rows);
}

export function figureTable(figures: readonly FigureRecord[]): string {
  const hasTarget = figures.some(({ target }) => target !== undefined);
  const rows = figures.map(({ name, value, unit, target }) => {
    const cells = [name, `${formatNumber(value)} ${unit}`.trim()];
    return hasTarget ? [...cells, targetCell(value, target)] : cells;
  });
  return table(hasTarget ? ['figure', 'value', 'bar'] : ['figure', 'value'], rows);
}

export function latencyTable(latencies: readonly LatencyRecord[]): string {
  const rows = latencies.map(({ name, rate, count, medians, ...percentiles }) => [
    name,
    formatNumber(rate),
    ...(['p50', 'p99', 'p999', 'largest'] as const).map(
      (each) => `${percentiles[each].toFixed(2)} ms`,
    ),
    `${Math.min(...medians).toFixed(2)} to ${Math.max(...medians).toFixed(2)} ms`,
    formatNumber(count),
  ]);
  const names = ['what', 'ticks/s', 'p50', 'p99', 'p99.9', 'largest', 'p50 of the runs', 'answers'];
  return table(names, rows);
}

/** Lists; what was aligned with spaces keeps them. */
export function noteLines(notes: readonly string[]): string[] {
  const isAligned = (note: string): boolean => /\S {2,}\S/.test(note);
  const parts: string[] = [];
  let block: string[] = [];
  const endBlock = (): void => {
    if (block.length > 0) parts.push(['```text', ...block, '```'].join('\n'));
    block = [];
  };
  let list: string[] = [];
  const endList = (): void => {
    if (list.length > 0) parts.push(list.join('\n'));
    list = [];
  };
  for (const note of notes) {
    if (isAligned(note)) {
      endList();
      block.push(note);
    } else {
      endBlock();
      list.push(`- ${note.trim().replace(/\s*\n\s*/g, ' ')}`);
    }
  }
  endBlock();
  endList();
  return parts;
}

/** Sections in the order in which they were measured; the part before the first has no title. */
export function sectionNames(result: BenchResult): string[] {
  const all = [
    ...result.notes,
    ...result.measurements,
    ...result.latencies,
    ...result.ratios,
    ...result.figures,
  ];
  const names = new Set(all.map(({ section }) => section));
  const measured = result.measurements.map(({ section }) => section);
  const order = (name: string): number => {
    if (name === '') return -1;
    const index = measured.indexOf(name);
    return index < 0 ? measured.length : index;
  };
  return [...names].toSorted((a, b) => order(a) - order(b));
}
