/** The summary of a run for people: sections of aligned columns, fitted to the width. */

import { unaccountedRows } from '../../engine/contract/row-accounts.ts';
import { grid, type GridColumn } from './grid.ts';
import {
  formatBytes,
  formatCount,
  formatElapsed,
  formatMagnitude,
  formatShare,
  plural,
} from './numbers.ts';
import { checkCounts, renderChecks, type RenderOptions } from './render-checks.ts';
import type { DetectionSummary, RunSummary } from './run-summary.ts';
import { printable, wrap } from './text.ts';

export type { RenderOptions } from './render-checks.ts';

/** Lines without an end of line; sections are parted by an empty one. */
export function renderSummary(summary: RunSummary, options: RenderOptions): string[] {
  const sections = [
    head(summary, options),
    rows(summary, options),
    sources(summary, options),
    steps(summary, options),
    anomalies(summary, options),
    detection(summary, options),
    quality(summary, options),
    outputs(summary, options),
    queries(summary, options),
  ].filter((section) => section.length > 0);
  return sections.flatMap((section, index) => (index === 0 ? section : ['', ...section]));
}

/** The summary as one JSON document. */
export function summaryJson(summary: RunSummary): string {
  return JSON.stringify(summary, null, 2);
}

function head(summary: RunSummary, { palette, width }: RenderOptions): string[] {
  const { outcome, failure } = summary;
  const verdict = {
    completed: () => palette.green('✓ completed'),
    stopped: () => palette.yellow('■ stopped'),
    failed: () => palette.red('✗ failed'),
  }[outcome]();
  const facts = [
    `${formatMagnitude(summary.rowsPerSecond)} rows/s`,
    plural(summary.slots, 'slot'),
    plural(summary.partitions, 'partition'),
  ];
  const elapsed = formatElapsed(summary.elapsedMs);
  const state = checkpointText(summary);
  const title = `${palette.bold(summary.pipeline)}  ${verdict} in ${elapsed}`;
  const reason =
    failure === undefined
      ? []
      : wrap(`${failure.code}: ${printable(failure.message)}`, width - 2).map(
          (line) => `  ${palette.red(line)}`,
        );
  return [
    title,
    `  ${palette.dim(facts.join(' · '))}`,
    ...(state === undefined ? [] : wrap(state, width - 2).map((line) => `  ${palette.dim(line)}`)),
    ...reason,
  ];
}

/** Where it went on from, and where the next run will. */
function checkpointText({ checkpoints, outcome }: RunSummary): string | undefined {
  if (checkpoints === undefined) return undefined;
  const { resumedFrom, count, epoch, bytes, folder } = checkpoints;
  const from = resumedFrom === undefined ? '' : `went on from checkpoint ${resumedFrom} · `;
  const taken = `${plural(count, 'checkpoint')} taken`;
  if (outcome === 'completed') return `${from}${taken}, none needed any more`;
  if (epoch === 0) return `${from}${taken} · the next run begins anew`;
  const size = bytes === 0 ? '' : `, ${formatBytes(bytes)}`;
  return `${from}${taken} · the next run goes on from ${epoch} in ${folder}${size}`;
}

/** The accounts as an addition: what became of the rows, and the rows read as the sum. */
function rows(
  { accounts, kept, warnings }: RunSummary,
  { palette, width }: RenderOptions,
): string[] {
  const where = (path: string | undefined): string => (path === undefined ? '' : `→ ${path}`);
  const lines: [sign: string, count: string, what: string, where: string][] = [
    ['', formatCount(accounts.processed), 'processed', ''],
    ['+', formatCount(accounts.late), 'late', accounts.late > 0 ? where(kept.late) : ''],
    [
      '+',
      formatCount(accounts.rejected),
      'rejected',
      accounts.rejected > 0 ? where(kept.rejected) : '',
    ],
    ['+', formatCount(accounts.duplicate), 'duplicate', ''],
  ];
  const missing = unaccountedRows(accounts);
  const sum = formatCount(accounts.read);
  const isSum = missing === 0;
  const table = grid(
    [...lines, [isSum ? '=' : '≠', sum, 'read', '']],
    [{}, { align: 'right' }, {}, { cut: 'middle', paint: palette.dim }],
    width - 2,
  );
  const digits = Math.max(sum.length, ...lines.map(([, count]) => count.length));
  const rule = palette.dim('─'.repeat(digits + 3));
  const total = table.pop()!;
  return [
    palette.bold('Rows'),
    ...table.map((line) => `  ${line}`),
    `  ${rule}`,
    `  ${isSum ? palette.bold(total) : palette.red(palette.bold(total))}`,
    ...(isSum ? [] : [`  ${palette.red(`${plural(missing, 'row')} in no account`)}`]),
    ...warnings
      .flatMap((warning) => wrap(`warning: ${printable(warning)}`, width - 2))
      .map((line) => `  ${palette.yellow(line)}`),
  ];
}

/** `clock_skew_seconds` reads `clock skew` and `-1.271 s`. */
function sources({ sources: all = [] }: RunSummary, { palette, width }: RenderOptions): string[] {
  if (all.length === 0) return [];
  const lines = all.flatMap(({ name, metrics }) =>
    Object.entries(metrics).map(([metric, value], index) => {
      const isTime = metric.endsWith('_seconds');
      const words = metric.replace(/_seconds$/, '').replaceAll('_', ' ');
      const text = isTime ? `${value.toFixed(3)} s` : formatCount(value);
      return [index === 0 ? `  ${name}` : '', words, text];
    }),
  );
  return titled(['Sources', '', ''], lines, [{ cut: 'end' }, { cut: 'end' }, { align: 'right' }], {
    palette,
    width,
  });
}

function steps(summary: RunSummary, { palette, width }: RenderOptions): string[] {
  if (summary.steps.length === 0) return [];
  return titled(
    ['Steps', '', 'in', 'out'],
    summary.steps.map(({ name, type, rowsIn, rowsOut }) => [
      `  ${name}`,
      type,
      formatCount(rowsIn),
      formatCount(rowsOut),
    ]),
    [{ cut: 'end' }, { cut: 'end' }, { align: 'right' }, { align: 'right' }],
    { palette, width },
  );
}

function anomalies({ anomalies }: RunSummary, { palette, width }: RenderOptions): string[] {
  if (anomalies === undefined) return [];
  const { total, severities, byType, firstAfterMs } = anomalies;
  if (total === 0) return [palette.bold('Anomalies'), '  none'];
  const sums = severities.map((severity) =>
    byType.reduce((sum, row) => sum + (row.bySeverity[severity] ?? 0), 0),
  );
  const table = titled(
    ['Anomalies', ...severities, 'total'],
    [
      ...byType.map(({ type, total, bySeverity }) => [
        `  ${printable(type)}`,
        ...severities.map((severity) => formatCount(bySeverity[severity] ?? 0)),
        formatCount(total),
      ]),
      ['  all', ...sums.map(formatCount), formatCount(total)],
    ],
    [{ cut: 'end' }, ...severities.map(() => RIGHT), RIGHT],
    { palette, width },
  );
  const first =
    firstAfterMs === undefined
      ? []
      : [`  first one ${formatElapsed(firstAfterMs)} after the start`];
  return [...table, ...first.map((line) => palette.dim(line))];
}

function detection({ detection }: RunSummary, { palette, width }: RenderOptions): string[] {
  if (detection === undefined) return [];
  const table = titled(
    ['Detection', 'planted', 'found', 'recall'],
    [
      ...detection.byKind.map(({ kind, planted, found }) => [
        `  ${printable(kind)}`,
        formatCount(planted),
        formatCount(found),
        formatShare(found, planted),
      ]),
      [
        '  all',
        formatCount(detection.planted),
        formatCount(detection.found),
        formatShare(detection.found, detection.planted),
      ],
    ],
    [{ cut: 'end' }, RIGHT, RIGHT, RIGHT],
    { palette, width },
  );
  return [...table, ...detectionRates(detection, { palette, width })];
}

function detectionRates(
  { planted, found, raised, matched, rule }: DetectionSummary,
  { palette, width }: RenderOptions,
): string[] {
  const rates = grid(
    [
      [
        'recall',
        formatShare(found, planted),
        `${formatCount(found)} of ${formatCount(planted)} planted were found`,
      ],
      [
        'precision',
        formatShare(matched, raised),
        `${formatCount(matched)} of ${formatCount(raised)} anomalies point at one`,
      ],
    ],
    [{}, { align: 'right', paint: palette.bold }, { cut: 'end', paint: palette.dim }],
    width - 2,
  );
  return [
    ...rates.map((line) => `  ${line}`),
    ...wrap(rule, width - 2).map((line) => `  ${palette.dim(line)}`),
  ];
}

function quality({ quality }: RunSummary, options: RenderOptions): string[] {
  if (quality === undefined || quality.checks.length === 0) return [];
  const title = `${options.palette.bold('Quality')}  ${checkCounts(quality, options.palette)}`;
  return [title, ...renderChecks(quality, options)];
}

function outputs(summary: RunSummary, { palette, width }: RenderOptions): string[] {
  if (summary.outputs.length === 0) return [];
  const isResumed = summary.outputs.some(({ total }) => total !== undefined);
  const inAll = isResumed ? ['files in all', 'rows in all'] : [];
  return titled(
    ['Output', '', 'files', 'size', 'rows', ...inAll],
    summary.outputs.map(({ name, type, path, files, bytes, rows, total }) => [
      `  ${name}`,
      path ?? type,
      files === undefined ? '' : formatCount(files),
      bytes === undefined ? '' : formatBytes(bytes),
      formatCount(rows),
      ...inAll.map((_, index) => {
        const count = index === 0 ? total?.files : total?.rows;
        return count === undefined ? '' : formatCount(count);
      }),
    ]),
    [{ cut: 'end' }, { cut: 'middle' }, RIGHT, RIGHT, RIGHT, ...inAll.map(() => RIGHT)],
    { palette, width },
  );
}

/** Ready to be copied: a shell takes a text in quotes over several lines. */
function queries(
  { queries, file, options }: RunSummary,
  { palette, width }: RenderOptions,
): string[] {
  if (queries.length === 0) return [];
  const commands = queries.flatMap(({ title, sql }) => {
    const { quote, text } = shellText(sql.replace(/\s+/g, ' ').trim());
    const command = `npx tidemark query ${[file, ...options].map(shellWord).join(' ')} `;
    const whole = `  ${command}${quote}${text}${quote}`;
    const body =
      whole.length <= width
        ? [whole]
        : [
            `  ${command}${quote}`,
            ...wrap(`${text}${quote}`, width - 4).map((line) => `    ${line}`),
          ];
    return [palette.dim(`  # ${title}`), ...body];
  });
  return [palette.bold('Try'), ...commands];
}

function shellText(text: string): { quote: string; text: string } {
  if (!/["$`\\!]/.test(text)) return { quote: '"', text };
  return { quote: "'", text: text.replaceAll("'", `'\\''`) };
}

function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const RIGHT: GridColumn = { align: 'right' };

/** A grid whose first line is a title, bold, with dim names of the columns. */
function titled(
  title: readonly string[],
  rows: readonly (readonly string[])[],
  columns: readonly GridColumn[],
  { palette, width }: RenderOptions,
): string[] {
  return grid(
    [title, ...rows],
    columns.map((column, index) => ({
      ...column,
      paint: (text, row) => {
        if (row > 0) return index === 1 && column.cut !== undefined ? palette.dim(text) : text;
        return index === 0 ? palette.bold(text) : palette.dim(text);
      },
    })),
    width,
  );
}
