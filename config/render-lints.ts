/** Lints as text for people, and as JSON and GitHub annotations for programs. */

import type { Lint } from './lint-of.ts';

/** Colours, handed in, so that nothing here knows of terminals. */
export interface LintPalette {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const same = (text: string): string => text;
export const NO_COLOURS: LintPalette = {
  bold: same,
  dim: same,
  red: same,
  yellow: same,
  cyan: same,
};

const LINTS_SHOWN_MAX = 100;
const LINE_SHOWN_MAX = 120;
const GUTTER = 5;

/**
 *     bikes.yaml:4:3: error[config/unknown-field]: tumbling_window has no option alowed_lateness
 *         4 |   alowed_lateness: 5s
 *           |   ^
 *       help: did you mean allowed_lateness?
 */
export function renderLint(lint: Lint, palette: LintPalette = NO_COLOURS): string {
  const { file, line, column, code, severity, message, help } = lint;
  const where = line === 0 ? shortened(file) : `${file}:${line}:${column}`;
  const colour = severity === 'error' ? palette.red : palette.yellow;
  const { text, caret } = excerpt(lint);
  const number = (line === 0 ? '' : String(line)).padStart(GUTTER);
  const bar = palette.dim('|');
  return [
    `${palette.bold(where)}: ${colour(`${severity}[${code}]`)}: ${message}`,
    `${palette.dim(number)} ${bar} ${text}`.trimEnd(),
    `${' '.repeat(number.length)} ${bar} ${caret}${colour('^')}`,
    ...(help === undefined ? [] : [`  ${palette.cyan('help')}: ${help}`]),
  ].join('\n');
}

/** All of them, or the first and how many more there are. Without a line break at the end. */
export function renderLints(lints: readonly Lint[], palette: LintPalette = NO_COLOURS): string {
  const shown = lints.slice(0, LINTS_SHOWN_MAX).map((lint) => renderLint(lint, palette));
  if (lints.length > shown.length) {
    shown.push(`… and ${lints.length - shown.length} more problems`);
  }
  return shown.join('\n');
}

export interface LintCounts {
  readonly errors: number;
  readonly warnings: number;
}

export function countLints(lints: readonly Lint[]): LintCounts {
  const errors = lints.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: lints.length - errors };
}

/** One annotation a line, for the log of a GitHub workflow. */
export function renderGithub(lints: readonly Lint[]): string {
  return lints
    .map(({ file, line, column, code, severity, message, help }) => {
      const place = line === 0 ? '' : `file=${escapeProperty(file)},line=${line},col=${column},`;
      const text = help === undefined ? message : `${message}\n${help}`;
      return `::${severity} ${place}title=${escapeProperty(code)}::${escapeData(text)}`;
    })
    .join('\n');
}

function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** The line, cut around the caret where it is long, and the blanks before the caret. */
function excerpt({ sourceLine, column }: Lint): { readonly text: string; readonly caret: string } {
  let text = sourceLine.replace(/(?!\t)\p{Cc}/gu, '\ufffd');
  let before = column - 1;
  if (text.length > LINE_SHOWN_MAX) {
    const start = Math.max(0, Math.min(before - 40, text.length - LINE_SHOWN_MAX));
    const isCutAfter = start + LINE_SHOWN_MAX < text.length;
    text = text.slice(start, start + LINE_SHOWN_MAX) + (isCutAfter ? '…' : '');
    before -= start;
    if (start > 0) {
      text = `…${text.slice(1)}`;
    }
  }
  const lead = text.slice(0, before).padEnd(before);
  return { text, caret: lead.replace(WIDE, '  ').replace(/[^\t ]/g, ' ') };
}

/** Characters that take two cells of a terminal. */
const WIDE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/gu;
