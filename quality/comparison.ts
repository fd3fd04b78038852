/**
 * The verdict on a check, in dbt's terms: `warn_if` and `error_if` compare the number of failing
 * rows. With severity `error`, `error_if` is asked first and then `warn_if`; with severity `warn`,
 * `error_if` is not asked at all.
 */

export type CheckSeverity = 'error' | 'warn';
export type CheckStatus = 'pass' | 'warn' | 'error';

/** What `warn_if` and `error_if` are where the check does not say. */
export const DEFAULT_COMPARISON = '!= 0';

export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

export interface Comparison {
  readonly operator: ComparisonOperator;
  readonly count: number;
}

const COMPARISON = /^\s*(==?|!=|<>|<=?|>=?)\s*(\d{1,15})\s*$/;

/** `> 10`; undefined where the text is anything but one comparison with a whole number. */
export function parseComparison(text: string): Comparison | undefined {
  const match = COMPARISON.exec(text);
  if (match === null) return undefined;
  const spelled = match[1]!;
  const operator = spelled === '==' ? '=' : spelled === '<>' ? '!=' : spelled;
  return { operator: operator as ComparisonOperator, count: Number(match[2]) };
}

/** Whether a number of failing rows meets the comparison. */
export function meets(failures: number, { operator, count }: Comparison): boolean {
  switch (operator) {
    case '=':
      return failures === count;
    case '!=':
      return failures !== count;
    case '<':
      return failures < count;
    case '<=':
      return failures <= count;
    case '>':
      return failures > count;
    case '>=':
      return failures >= count;
  }
}

/** Status of a check whose query returned `failures` rows. */
export function verdict(
  failures: number,
  severity: CheckSeverity,
  warnIf: Comparison,
  errorIf: Comparison,
): CheckStatus {
  if (severity === 'error' && meets(failures, errorIf)) return 'error';
  return meets(failures, warnIf) ? 'warn' : 'pass';
}

/** The worse of two. */
export function worseStatus(a: CheckStatus, b: CheckStatus): CheckStatus {
  const order: readonly CheckStatus[] = ['pass', 'warn', 'error'];
  return order[Math.max(order.indexOf(a), order.indexOf(b))]!;
}
