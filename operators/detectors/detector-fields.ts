/** Fields that detectors have in common. */

import {
  choice,
  type ConfigOf,
  expression,
  extent,
  type FieldDoc,
  type Fields,
  flag,
  integer,
  number,
  text,
  type z,
} from '../../engine/contract/fields.ts';
import type { Constraint } from '../../engine/contract/operator.ts';
import { anomalyType, severityLimits } from '../anomalies/anomaly-fields.ts';
import { rolling } from '../rolling/rolling.ts';

/** A number of the input, a column unless the user says otherwise. */
export function input(
  column: string,
  what: string,
): ReturnType<ReturnType<typeof expression>['default']> {
  return expression({ doc: `${what}; a column or an expression.` }).default(column);
}

export type WindowFields = {
  readonly over: z.ZodDefault<z.ZodString>;
  readonly exclude_current: z.ZodDefault<z.ZodBoolean>;
  readonly min_rows: z.ZodOptional<z.ZodNumber>;
};

/** The window that a value is compared with. `min_rows` means the same as in `rolling`. */
export function windowFields(over: string, excludeCurrent = true): WindowFields {
  return {
    over: extent({
      doc: 'How far back the window reaches: a number of values of the symbol, or a duration.',
      examples: [over, '1h'],
    }).default(over),
    exclude_current: flag({
      doc: 'Whether the window ends before the row that is compared with it.',
    }).default(excludeCurrent),
    min_rows: integer({
      doc:
        'Values the window must hold, else there is no anomaly. By default a window of rows must ' +
        'be full, and a duration must hold 1.',
      minimum: 1,
      maximum: 10_000_000,
      examples: [5],
    }).optional(),
  };
}

export type WindowConfig = ConfigOf<WindowFields>;

/** What `rolling` demands of a window, for a detector that has the fields of one. */
export function windowConstraints(fields: Fields): readonly Constraint<WindowConfig>[] {
  if (!('over' in fields)) return [];
  return rolling.constraints.filter(({ at }) => at[0] === 'over' || at[0] === 'min_rows');
}

export type Side = 'both' | 'above' | 'below';

/** Which way a score must be off. */
export function side(): z.ZodDefault<z.ZodEnum<{ [S in Side]: S }>> {
  return choice(['both', 'above', 'below'], {
    doc: 'Whether values above the usual are anomalies, values below it, or both.',
  }).default('both');
}

/** The condition that a score is beyond a threshold on the given side. */
export function beyond(score: string, threshold: number, side: Side): string {
  if (side === 'above') return `${score} > ${threshold}`;
  return side === 'below' ? `${score} < ${-threshold}` : `abs(${score}) > ${threshold}`;
}

/** What the user may say of the anomalies of any detector. */
export function anomalyFields(detector: string, types: readonly string[]): Fields {
  const fields = {
    severity: severityLimits.optional().meta({
      description: 'Limits of the absolute score, in place of those of the detector.',
      examples: [{ medium: 4, high: 5 }],
    }),
    score: choice(['signed', 'absolute'], {
      doc: 'Whether the score is negative where the value is below the usual, or has no sign.',
    }).default('signed'),
    detector: text({ doc: 'Name of the method in the anomalies.' }).min(1).default(detector),
  } satisfies Fields;
  const [type] = types;
  if (types.length !== 1) return fields;
  const anomaly_type = anomalyType('Type of the anomalies; part of their ids.').default(type!);
  return { anomaly_type, ...fields };
}

/** A number above 0. */
export function positive(field: FieldDoc): ReturnType<typeof number> {
  return number(field).positive({ error: 'expected a number above 0' });
}
