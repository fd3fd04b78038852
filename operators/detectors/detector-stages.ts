/**
 * From the rules of a detector to the steps that a user would write by hand.
 *
 *     abs(zscore(close)) > 3        over 20 rows, the current one excluded
 *
 *     rolling    over: 20 rows, exclude_current: true
 *                "zscore(close) over 20 rows before": zscore(close)
 *     threshold  when: abs("zscore(close) over 20 rows before") > 3
 *
 * Rules with the same window share one rolling stage, and in it one column for each call. What runs
 * is `rolling` and the rules of `threshold` themselves, so a detector gives exactly what these
 * steps give.
 */

import type { ExpressionValue } from '../../engine/contract/fields.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { splitCalls } from '../../engine/expression/split-calls.ts';
import type { SeverityLimits } from '../anomalies/anomaly.ts';
import type { RuleConfig } from '../anomalies/rule.ts';
import { ROLLING_NAMES } from '../rolling/rolling-functions.ts';
import type { RollingConfig } from '../rolling/rolling-program.ts';

/** The rows that the rolling functions of a rule see. */
export interface DetectorWindow {
  readonly over: string;
  readonly exclude_current: boolean;
  readonly min_rows?: number | undefined;
}

/** A rule as a detector declares it: texts of expressions in which rolling functions are known. */
export interface DetectorRule {
  /** One of the types of the declaration. */
  readonly type: string;
  readonly when: string;
  /** What was observed. */
  readonly value: string;
  /** How unusual it is; its sign is the direction unless that is given. */
  readonly score: string;
  readonly direction?: string;
  /** What |score| is compared with; 0 where any score is beyond its limit. */
  readonly threshold: number;
  readonly baseline?: string;
  /** In place of that from score and threshold, which needs a threshold above 0. */
  readonly confidence?: string;
  /** Further numbers for the explanation. */
  readonly details?: Readonly<Record<string, string>>;
  /** By default 4/3 and 5/3 of the threshold: 4 and 5 where it is 3. */
  readonly severity?: SeverityLimits;
  /** Needed where an expression has rolling functions. */
  readonly window?: DetectorWindow;
}

/** What the user may set of every rule of a detector. */
export interface RuleOptions {
  readonly detector: string;
  /** In place of the type of the rule. */
  readonly anomaly_type?: string | undefined;
  readonly severity?: SeverityLimits | undefined;
  readonly score: 'signed' | 'absolute';
}

export interface DetectorStages {
  /** Rolling steps, one behind the other; none where no rule has rolling functions. */
  readonly windows: readonly RollingStage[];
  /** Over the columns of the input and of all windows. */
  readonly rules: readonly RuleConfig[];
}

export interface RollingStage extends RollingConfig {
  /** Tells the window from the others of the detector, in words. */
  readonly name: string;
}

/** @param rules Texts that parse; whether they fit the input is checked by the stages. */
export function detectorStages(
  rules: readonly DetectorRule[],
  options: RuleOptions,
): DetectorStages {
  const windows = new Map<string, RollingStage & { columns: Record<string, ExpressionValue> }>();
  /** The text with columns of a window in the place of calls, which are added to the window. */
  const overColumns = (text: string, window: DetectorWindow | undefined): string => {
    if (window === undefined) return text;
    const name = windowName(window);
    const columns = windows.get(name)?.columns ?? {};
    const columnOf = (call: string): string => `${call} over ${name}`;
    const { calls, outer } = splitCalls(parseAccepted(text), ROLLING_NAMES, columnOf);
    for (const call of calls) columns[call.column] = formatExpression({ ...call, kind: 'call' });
    const { over, exclude_current, min_rows } = window;
    if (calls.length > 0) windows.set(name, { name, over, exclude_current, min_rows, columns });
    return formatExpression(outer);
  };
  return {
    rules: rules.map((rule) => ruleConfig(rule, options, (text) => overColumns(text, rule.window))),
    windows: [...windows.values()],
  };
}

function ruleConfig(
  rule: DetectorRule,
  { detector, anomaly_type, severity, score }: RuleOptions,
  over: (text: string) => string,
): RuleConfig {
  const { threshold, baseline, confidence, details = {}, window } = rule;
  const signed = over(rule.score);
  return {
    type: anomaly_type ?? rule.type,
    detector,
    when: over(rule.when),
    text: formatExpression(parseAccepted(rule.when)),
    value: over(rule.value),
    score: score === 'absolute' ? `abs(${signed})` : signed,
    direction: rule.direction === undefined ? signed : over(rule.direction),
    threshold,
    baseline: baseline === undefined ? undefined : over(baseline),
    confidence: confidence === undefined ? undefined : over(confidence),
    details: Object.fromEntries(Object.entries(details).map(([name, text]) => [name, over(text)])),
    severity: severity ??
      rule.severity ?? { medium: (threshold * 4) / 3, high: (threshold * 5) / 3 },
    history:
      window === undefined
        ? undefined
        : { over: window.over, exclude_current: window.exclude_current },
  };
}

/** What the window is, as part of the name of a column. */
function windowName({ over, exclude_current, min_rows }: DetectorWindow): string {
  const least = min_rows === undefined ? '' : `, at least ${min_rows}`;
  return `${over}${exclude_current ? ' before' : ''}${least}`;
}
