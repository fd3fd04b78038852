/** Fields of operators that write anomalies. */

import { number, text, z } from '../../engine/contract/fields.ts';
import type { Constraint } from '../../engine/contract/operator.ts';
import type { SeverityLimits } from './anomaly.ts';

/** The type of an anomaly. It has no slash, so that an id can be taken apart. */
export function anomalyType(doc: string): z.ZodString {
  const error = 'expected a word of letters, digits, _ . and -, such as price_spike';
  return text({ doc, examples: ['price_spike'] }).regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, { error });
}

export const severityLimits = z.strictObject({
  medium: number({ doc: 'An absolute score above this is of medium severity.' }),
  high: number({ doc: 'An absolute score above this is of high severity.' }),
});

/** Of a field `severity`, which may be left out. */
export const severityConstraints: readonly Constraint<{
  readonly severity?: SeverityLimits | undefined;
}>[] = [
  {
    at: ['severity', 'medium'],
    violated: ({ severity }) =>
      severity !== undefined && severity.medium < 0 ? 'must not be negative' : undefined,
  },
  {
    at: ['severity', 'high'],
    violated: ({ severity }) =>
      severity !== undefined && severity.high < severity.medium
        ? 'must not be below medium'
        : undefined,
  },
];
