/** Limits of severities, as every operator that writes anomalies takes them. */

import { number, z } from '../../engine/contract/fields.ts';
import type { Constraint } from '../../engine/contract/operator.ts';
import type { SeverityLimits } from './anomaly.ts';

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
