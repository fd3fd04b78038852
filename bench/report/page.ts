/** docs/benchmarks.md: the whole page, and the charts beside it, from a results file. */

import { median } from '../harness/benchmark.ts';
import { formatNumber } from '../harness/format.ts';
import { isMet } from '../harness/report.ts';
import type { BenchResult, ResultsFile } from '../harness/results.ts';
import { type Chart, chartsOf, grouped } from './charts.ts';
import {
  figureTable,
  latencyTable,
  measurementTable,
  noteLines,
  ratioTable,
  sectionNames,
  table,
  targetCell,
} from './tables.ts';

export interface Page {
  readonly markdown: string;
  readonly charts: readonly Chart[];
}

/** Of a processor. */
const SHARE_MIN = 0.9;
/** Folder of the charts, as seen from the page. */
const CHARTS = 'benchmarks';

/** @param whereWeLose What a person has written about it, in Markdown, without a title. */
export function drawPage({ benchmarks }: ResultsFile, whereWeLose: string): Page {
  const charts = benchmarks.map((result) => chartsOf(result));
  const parts = [
    '<!-- Written by `npm run bench:report`: change it there, in bench/report. -->',
    '# Benchmarks',
    'Every figure was measured by the command that stands with it; how, says ' +
      '[bench/README.md](../bench/README.md#how-it-is-measured). Lines in charts show the ' +
      'median, thin strokes the fastest and slowest repetition. Trust ratios: contenders take ' +
      'turns in one run, while absolute figures move with the machine and its neighbours.',
    benchmarks.some(({ quick }) => quick)
      ? '**Some of this is of quick runs, over so few rows that it says nothing of speed.**'
      : '',
    machineLines(benchmarks),
    busyLine(benchmarks),
    '## Against others',
    'How many times faster ours is for each unit of work, at the median of neighbouring runs; ' +
      'below 1 we lose.',
    peersTable(benchmarks),
    '## Where we lose',
    whereWeLose.trim(),
    ...losses(benchmarks),
    ...benchmarks.flatMap((result, index) => benchmarkParts(result, charts[index]!)),
  ];
  return {
    markdown: `${parts.filter((part) => part !== '').join('\n\n')}\n`,
    charts: charts.flat(),
  };
}

function machineLines(benchmarks: readonly BenchResult[]): string {
  const lines = grouped(benchmarks, ({ machine }) => {
    const { cpu, cores, memoryGiB, kernel, node, versions } = machine;
    const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    return (
      `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}; ` +
      packages.join(', ')
    );
  });
  if (lines.length === 1) return `Machine and versions: ${lines[0]![0]}.`;
  return [
    'Machines and versions:',
    '',
    ...lines.map(([text, own]) => `- ${own.map(({ name }) => name).join(', ')}: ${text}.`),
  ].join('\n');
}

/** Where a thread did not get a processor for itself, before or after. */
function busyLine(benchmarks: readonly BenchResult[]): string {
  const busy = benchmarks.filter(({ probes }) => probes.some(({ share }) => share < SHARE_MIN));
  if (busy.length === 0) return '';
  const names = busy.length === benchmarks.length ? 'all' : busy.map(({ name }) => name).join(', ');
  return `**Measured while the machine was busy with other work:** ${names}.`;
}

function peersTable(benchmarks: readonly BenchResult[]): string {
  const rows = benchmarks.flatMap(({ name, command, ratios }) =>
    ratios
      .filter(({ isPeer }) => isPeer)
      .map(({ name: ratio, values, target }) => [
        `[${name}](#${anchor(name)})`,
        ratio,
        median(values).toFixed(2),
        targetCell(median(values), target),
        `\`${command}\``,
      ]),
  );
  return table(['benchmark', 'what', 'ratio', 'bar', 'command'], rows);
}

const anchor = (heading: string): string => heading.toLowerCase().replace(/[^a-z0-9_-]/g, '');

/** Slower than somebody else, and bars that were set and are not met. */
function losses(benchmarks: readonly BenchResult[]): string[] {
  const slower = benchmarks.flatMap(({ name, ratios }) =>
    ratios
      .filter(({ isPeer, values }) => isPeer && median(values) < 1)
      .map(({ name: ratio, values }) => ({ name, ratio, value: median(values) })),
  );
  slower.sort((a, b) => a.value - b.value);
  const missed = benchmarks.flatMap(({ name, ratios, figures }) =>
    [
      ...ratios.map((each) => ({ ...each, value: median(each.values), unit: 'times' })),
      ...figures,
    ].flatMap(({ section, name: what, value, unit, target }) => {
      if (target === undefined || isMet(value, target)) return [];
      const where = section === '' ? name : `${name}, ${section}`;
      const limit = `${target.comparison} ${formatNumber(target.value)}`;
      return [`- ${where}: ${what}: ${formatNumber(value)} ${unit}, wanted ${limit}.`];
    }),
  );
  const parts: string[] = [];
  if (slower.length > 0) {
    parts.push(
      'Measured to be slower than others:',
      slower
        .map(({ name, ratio, value }) => `- ${name}: ${ratio}: ${value.toFixed(2)} times.`)
        .join('\n'),
    );
  }
  if (missed.length > 0) parts.push('Bars that were set and are not met:', missed.join('\n'));
  return parts;
}

function benchmarkParts(result: BenchResult, charts: readonly Chart[]): string[] {
  const { name, question, command, machine, startedAt, elapsedSeconds } = result;
  const changes = machine.hasChanges ? ' with changes' : '';
  const date = startedAt.slice(0, 16).replace('T', ' ');
  const facts = [
    `\`${command}\``,
    `commit ${machine.commit}${changes}`,
    `${date} UTC`,
    `load ${machine.load} when it began`,
    `${Math.round(elapsedSeconds)} s`,
  ];
  return [
    `## ${name}`,
    question,
    facts.join(' · '),
    ...charts.filter(({ section }) => section === undefined).map(picture),
    ...sectionNames(result).flatMap((section) => sectionParts(result, section, charts)),
  ];
}

function picture({ file, title }: Chart): string {
  return `![${title}](${CHARTS}/${file})`;
}

function sectionParts(
  { measurements, ratios, latencies, figures, notes }: BenchResult,
  section: string,
  charts: readonly Chart[],
): string[] {
  const own = <T extends { readonly section: string }>(records: readonly T[]): readonly T[] =>
    records.filter((record) => record.section === section);
  const tabled = <T extends { readonly section: string }>(
    records: readonly T[],
    draw: (records: readonly T[]) => string,
  ): string => (own(records).length === 0 ? '' : draw(own(records)));
  return [
    section === '' ? '' : `### ${section}`,
    ...charts.filter((chart) => chart.section === section).map(picture),
    tabled(measurements, measurementTable),
    tabled(latencies, latencyTable),
    tabled(ratios, ratioTable),
    tabled(figures, figureTable),
    ...noteLines(own(notes).map(({ text }) => text)),
  ];
}
