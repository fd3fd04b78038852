/** What the doctor found: one finding a question, and how they are shown. */

import { grid } from '../terminal/grid.ts';
import type { RenderOptions } from '../terminal/render-checks.ts';
import { printable, wrap } from '../terminal/text.ts';

export type FindingStatus = 'ok' | 'info' | 'warn' | 'fail';

export interface Finding {
  /** What was asked: `node`, `memory`. */
  readonly name: string;
  /** `info` is neither good nor bad; `warn` works, but not well; `fail` keeps pipelines from running. */
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

const MARKS: Readonly<Record<FindingStatus, string>> = { ok: '✓', info: '·', warn: '!', fail: '✗' };

export function renderReport(
  { status, findings }: DoctorReport,
  { palette, width }: RenderOptions,
): string[] {
  const paint = (of: FindingStatus): ((text: string) => string) =>
    ({ ok: palette.green, info: palette.dim, warn: palette.yellow, fail: palette.red })[of];
  const lines = grid(
    findings.map((finding) => [MARKS[finding.status], finding.name, printable(finding.found)]),
    [
      { paint: (text, row) => paint(findings[row]!.status)(text) },
      {},
      { cut: 'end', paint: palette.dim },
    ],
    width,
  );
  const body = findings.flatMap((finding, index) => [
    lines[index]!,
    ...(finding.remedy === undefined
      ? []
      : wrap(printable(finding.remedy), width - 5).map(
          (line, at) => `   ${at === 0 ? paint(finding.status)('→') : ' '} ${line}`,
        )),
  ]);
  const verdict = {
    ok: 'Everything a pipeline needs is here.',
    warn: 'Pipelines run here; see the remarks.',
    fail: 'Pipelines do not run here as it is.',
  }[status];
  return [...body, '', paint(status)(verdict)];
}
