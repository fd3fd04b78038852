/** Declares a detector that keeps a record of numbers for each key. */

import {
  type ConfigOf,
  type ExpressionValue,
  type Fields,
  text,
  type z,
} from '../../engine/contract/fields.ts';
import {
  type Constraint,
  defineOperator,
  type OperatorDefinition,
  type OperatorSpec,
  type Outputs,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { NO_STATE, type StateSize, sumOfSizes } from '../../engine/contract/state-size.ts';
import { planExpression } from '../../engine/expression/plan-expression.ts';
import {
  ANOMALY_METRICS,
  ANOMALY_TABLES,
  anomalySchema,
  anomalyStateSize,
  type SeverityLimits,
} from '../anomalies/anomaly.ts';
import { GROUPS_TABLE } from './keyed-detector.ts';
import { planGroups } from './row-groups.ts';
import { anomalyType, severityConstraints, severityLimits } from '../anomalies/anomaly-fields.ts';

type AnomalyFields = {
  readonly anomaly_type: z.ZodDefault<z.ZodString>;
  readonly detector: z.ZodDefault<z.ZodString>;
  readonly severity: z.ZodDefault<typeof severityLimits>;
};

/** Fields of every such detector, behind those of its own. */
export function keyedFields(
  type: string,
  detector: string,
  severity: SeverityLimits,
): AnomalyFields {
  return {
    anomaly_type: anomalyType('Type of the anomalies; part of their ids.').default(type),
    detector: text({ doc: 'Name of the method in the anomalies.' }).min(1).default(detector),
    severity: severityLimits.default(severity).meta({
      description: 'Limits of the absolute score.',
      examples: [severity],
    }),
  };
}

interface Spec<F extends Fields>
  extends Pick<OperatorSpec<F>, 'name' | 'summary' | 'fields' | 'examples' | 'open'> {
  readonly constraints?: readonly Constraint<ConfigOf<F>>[];
  /** In place of those of a detector that judges each row at once. */
  readonly guarantees?: OperatorSpec<F>['guarantees'];
  /** Types of its anomalies, where they are not that of the field `anomaly_type`. */
  readonly types?: readonly string[] | ((config: ConfigOf<F>) => readonly string[]);
  /**
   * Fields that are expressions of numbers, or several by name; the first, if there is any, stands
   * for all where a key is reported.
   */
  readonly inputs: readonly (keyof F & string)[];
  /** What the record of a key holds, for the checkpoint's manifest. */
  readonly state: string;
  readonly recordNumbers: (config: ConfigOf<F>) => number;
  /** Where it looks at groups of rows of a key: the field that names their column, */
  readonly by?: keyof F & string;
  /** numbers of the record of each group, */
  readonly groupNumbers?: number;
  /** and what that holds, for the checkpoint's manifest. */
  readonly groupState?: string;
  /** Of the records; 1 unless their meaning has changed. */
  readonly stateVersion?: number;
}

const AT_ONCE = {
  order: 'Anomalies come in the order of their rows; rows are taken as they arrive.',
  lateness: 'A late row is judged and learnt like any other; its anomalies have other ids.',
  backPressure: 'Works in the same turn; holds no rows back.',
};

function typesOf<C>(
  types: readonly string[] | ((config: C) => readonly string[]) | undefined,
  config: C,
): readonly string[] {
  if (typeof types === 'function') return types(config);
  return types ?? [(config as { anomaly_type: string }).anomaly_type];
}

export function defineKeyedDetector<F extends Fields & Omit<AnomalyFields, 'anomaly_type'>>(
  spec: Spec<F>,
): OperatorDefinition {
  const {
    inputs,
    state,
    recordNumbers,
    types,
    by,
    groupNumbers = 0,
    groupState,
    stateVersion = 1,
    constraints = [],
    guarantees = AT_ONCE,
    ...rest
  } = spec;
  const plan = (config: ConfigOf<F>, input: Schema, report: Report): Outputs => {
    for (const name of inputs) {
      const value: unknown = config[name as keyof ConfigOf<F>];
      if (value === undefined) continue;
      const isMany = typeof value === 'object' && value !== null;
      for (const [of, each] of isMany ? Object.entries(value) : [['', value] as const]) {
        const path = isMany ? [name, of] : [name];
        planExpression(each as ExpressionValue, input, 'number', path, report);
      }
    }
    if (by !== undefined) {
      planGroups(config[by as keyof ConfigOf<F>] as string | undefined, input, by, report);
    }
    return { main: anomalySchema(input, [inputs[0] ?? 'detector'], report) };
  };
  const groupSize = (config: ConfigOf<F>): StateSize => {
    if (by === undefined) return NO_STATE;
    const bytes = 8 * groupNumbers;
    const column = config[by as keyof ConfigOf<F>] as string | undefined;
    if (column === undefined) return { key: bytes, parts: [] };
    return { key: 0, parts: [{ bytes, each: `distinct ${column}, and up to as much again` }] };
  };
  const severity = severityConstraints as unknown as readonly Constraint<ConfigOf<F>>[];
  return defineOperator<F>({
    ...rest,
    since: '0.1.0',
    stability: 'experimental',
    guarantees,
    constraints: [...severity, ...constraints],
    plan,
    state: {
      version: stateVersion,
      scope: 'keyed',
      tables: {
        ...ANOMALY_TABLES,
        symbols: groupState === undefined ? state : `${state} ${groupState}`,
        ...(by !== undefined && { [GROUPS_TABLE]: 'Texts of the groups, as JSON.' }),
      },
      bytesPerKey: (config) =>
        sumOfSizes([
          anomalyStateSize(typesOf(types, config)),
          { key: 8 * recordNumbers(config), parts: [] },
          groupSize(config),
        ]),
    },
    metrics: ANOMALY_METRICS,
  });
}
