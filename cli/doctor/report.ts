/** What the doctor found: one finding a question, and how they are shown. */

import type { RenderOptions } from '../terminal/render-checks.ts';
import { pad, printable, wrap } from '../terminal/text.ts';

export type FindingStatus = 'ok' | 'info' | 'warn' | 'fail';

export interface Finding {
  /** What was asked: `node`, `memory`. */
  readonly name: string;
  /** `info` is neither good nor bad; `warn` works, but not well; with `fail` no pipeline runs. */
  readonly status: FindingStatus;
  /** What was found, in a few words. */
  readonly found: string;
  /** What to do; set where the status is `warn` or `fail`. */
  readonly remedy?: string;
}

export interface DoctorReport {
  /** The worst of the findings, of ok, warn and fail. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly findings: readonly Finding[];
}

export function reportOf(findings: readonly Finding[]): DoctorReport {
  const has = (status: FindingStatus): boolean =>
    findings.some((finding) => finding.status === status);
  return { status: has('fail') ? 'fail' : has('warn') ? 'warn' : 'ok', findings };
}

const MARKS = { ok: '✓', info: '·', warn: '!', fail: '✗' } as const;

export function renderReport(
  { status, findings }: DoctorReport,
  { palette, width }: RenderOptions,
): string[] {
  const paint = (of: FindingStatus): ((text: string) => string) =>
    ({ ok: palette.green, info: palette.dim, warn: palette.yellow, fail: palette.red })[of];
  const nameWidth = Math.max(...findings.map(({ name }) => name.length));
  const indent = ' '.repeat(nameWidth + 5);
  const body = findings.flatMap(({ name, status: own, found, remedy = '' }) => {
    const room = width - indent.length;
    const head = `${paint(own)(MARKS[own])}  ${pad(name, nameWidth)}  `;
    const facts = wrap(printable(found), room).map((line) => palette.dim(line));
    const advice = remedy === '' ? [] : wrap(`→ ${printable(remedy)}`, room).map(paint(own));
    return [...facts, ...advice].map((line, index) => (index === 0 ? head : indent) + line);
  });
  const verdict = {
    ok: 'Everything a pipeline needs is here.',
    warn: 'Pipelines run here; see the remarks.',
    fail: 'Pipelines do not run here as it is.',
  }[status];
  return [...body, '', paint(status)(verdict)];
}
