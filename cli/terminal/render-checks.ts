/** A quality report for people: one line a check, and more on those that did not pass. */

import type { CheckResult, QualityReport } from '../../quality/run-checks.ts';
import { renderBox } from './box-table.ts';
import { grid } from './grid.ts';
import { formatCount } from './numbers.ts';
import type { Palette } from './palette.ts';
import { displayWidth, fit, printable, wrap } from './text.ts';

export interface RenderOptions {
  readonly width: number;
  readonly palette: Palette;
}

export interface RenderChecksOptions extends RenderOptions {
  /** Also shows the SQL and a few of the failing rows of each check that did not pass. */
  readonly isDetailed?: boolean;
}

const MARKS = { pass: '✓', warn: '!', error: '✗' } as const;

/** `6 passed · 1 warned · 0 failed` */
export function checkCounts(report: QualityReport, palette: Palette): string {
  const { passed, warned, failed } = report;
  return [
    `${passed} passed`,
    ...(warned > 0 ? [palette.yellow(`${warned} warned`)] : []),
    ...(failed > 0 ? [palette.red(`${failed} failed`)] : []),
  ].join(palette.dim(' · '));
}

/** Lines indented by two. */
export function renderChecks(report: QualityReport, options: RenderChecksOptions): string[] {
  const { palette, width } = options;
  const { checks } = report;
  const heads = checks.map((check) => [MARKS[check.status], check.name, check.dataset]);
  const headWidth = Math.max(0, ...grid(heads, [{}, {}, {}], width).map(displayWidth));
  // A message that matters is never cut: where it does not fit beside the name, it goes below.
  const room = width - 2 - headWidth - 2;
  const isBeside = checks.map(
    ({ status, message }) =>
      status === 'pass' || (!message.includes('\n') && displayWidth(printable(message)) <= room),
  );
  const lines = grid(
    checks.map(({ message }, index) => [
      ...heads[index]!,
      isBeside[index]! ? printable(message) : '',
    ]),
    [
      { paint: (text, row) => paintStatus(checks[row]!, text, palette) },
      { cut: 'end' },
      { cut: 'end', paint: palette.dim },
      {
        cut: 'end',
        paint: (text, row) =>
          checks[row]!.status === 'pass'
            ? palette.dim(text)
            : paintStatus(checks[row]!, text, palette),
      },
    ],
    width - 2,
  );
  return checks.flatMap((check, index) => [
    `  ${lines[index]!}`,
    ...(isBeside[index]! ? [] : message(check, options)),
    ...(options.isDetailed === true && check.status !== 'pass' ? details(check, options) : []),
  ]);
}

const INDENT = '    ';

function message(check: CheckResult, { width, palette }: RenderOptions): string[] {
  return check.message
    .split('\n')
    .flatMap((line) =>
      isPicture(line)
        ? [fit(printable(line), width - INDENT.length)]
        : wrap(printable(line), width - INDENT.length),
    )
    .filter((line) => line.trim() !== '')
    .map((line) => INDENT + paintStatus(check, line, palette));
}

/** The statement and a few of the rows it returned. */
function details(check: CheckResult, { width, palette }: RenderOptions): string[] {
  const room = Math.max(16, width - INDENT.length);
  const sql = check.sql
    .split('\n')
    .flatMap((line) => wrap(printable(line), room))
    .filter((line) => line !== '')
    .map((line) => INDENT + palette.dim(line));
  const { columns, rows } = check.sample;
  if (rows.length === 0) return sql;
  const more = (check.failures ?? 0) - rows.length;
  const box = {
    columns,
    rows,
    footer: more > 0 ? [`and ${formatCount(more)} more`] : [],
  };
  return [...sql, ...renderBox(box, { width: room, palette }).map((line) => INDENT + line)];
}

/** DuckDB points into the statement with a line of blanks and a caret, which must stay as it is. */
function isPicture(line: string): boolean {
  return line.startsWith('LINE ') || /^\s*\^$/.test(line);
}

function paintStatus({ status }: CheckResult, text: string, palette: Palette): string {
  if (status === 'pass') return palette.green(text);
  return status === 'warn' ? palette.yellow(text) : palette.red(text);
}
