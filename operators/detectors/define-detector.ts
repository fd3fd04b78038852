/**
 * A detector is declared by its fields, its types of anomalies, and a function from a configuration
 * to rules, whose expressions may use the functions of `rolling`. What every detector has comes
 * from here: the fields that all share, checks of the user's expressions where they stand, the
 * schema of its anomalies, state, metrics, and the operator itself.
 */

import {
  type ConfigInput,
  type ConfigOf,
  type ExpressionValue,
  expressionText,
  type Fields,
  fieldMeta,
} from '../../engine/contract/fields.ts';
import {
  type Constraint,
  defineOperator,
  type OperatorDefinition,
  type OperatorExample,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { type StateSize, sumOfSizes } from '../../engine/contract/state-size.ts';
import { planExpression } from '../../engine/expression/plan-expression.ts';
import {
  ANOMALY_METRICS,
  ANOMALY_TABLES,
  anomalySchema,
  anomalyStateSize,
} from '../anomalies/anomaly.ts';
import { severityConstraints } from '../anomalies/anomaly-fields.ts';
import { planProgram } from '../rolling/rolling-program.ts';
import { rolling } from '../rolling/rolling.ts';
import { rollingStateSize } from '../rolling/rolling-state-size.ts';
import { anomalyFields, windowConstraints } from './detector-fields.ts';
import { DetectorOperator } from './detector-operator.ts';
import {
  type DetectorRule,
  type DetectorStages,
  detectorStages,
  type RuleOptions,
} from './detector-stages.ts';

export interface DetectorSpec<F extends Fields> {
  /** `<method>_detector`; its anomalies have `<method>` in the column `detector`. */
  readonly name: string;
  readonly since: string;
  readonly stability: OperatorDefinition['stability'];
  /** One sentence. */
  readonly summary: string;
  /**
   * Expressions among them are numbers of the input. They may have rolling functions in them where
   * there is a field `over`.
   */
  readonly fields: F;
  readonly constraints?: readonly Constraint<ConfigOf<F>>[];
  /** Types of its anomalies. Where there is but one, the user may call it otherwise. */
  readonly types: readonly string[];
  /** The rules of a configuration, each of whose expressions comes in parentheses. Pure. */
  readonly rules: (config: InParentheses<ConfigOf<F>>) => readonly DetectorRule[];
  readonly examples: readonly OperatorExample<ConfigInput<F> & Partial<RuleOptions>>[];
}

/** A configuration in which each expression is a text. */
type InParentheses<C> = {
  readonly [K in keyof C]: ExpressionValue extends C[K]
    ? string | Exclude<C[K], ExpressionValue>
    : C[K];
};

/** A configuration after its fields have been checked. */
type Config = RuleOptions & Readonly<Record<string, unknown>>;

/** A spec whose configuration type has been erased. */
interface ErasedSpec {
  readonly fields: Fields;
  readonly rules: (config: Config) => readonly DetectorRule[];
}

const SUFFIX = '_detector';

export function defineDetector<F extends Fields>(spec: DetectorSpec<F>): OperatorDefinition {
  const { name, since, stability, summary, types, constraints = [] } = spec;
  if (!name.endsWith(SUFFIX)) throw new TypeError(`${name}: expected a name in ${SUFFIX}`);
  const method = name.slice(0, -SUFFIX.length);
  const erased = spec as unknown as ErasedSpec;
  return defineOperator<Fields>({
    ...{ name, since, stability, summary },
    fields: { ...spec.fields, ...anomalyFields(method, types) },
    constraints: [
      ...constraints,
      ...windowConstraints(spec.fields),
      ...severityConstraints,
    ] as unknown as readonly Constraint<ConfigOf<Fields>>[],
    guarantees: {
      order: 'Anomalies come in the order of their rows, those of one row in that of the types.',
      lateness:
        'A late row is judged like any other, against what its window has then; its anomalies ' +
        'have ids of their own.',
      backPressure: 'Holds no rows back.',
    },
    plan: (config, input, report) => ({
      main: planDetector(erased, config as Config, input, report),
    }),
    state: {
      version: 1,
      scope: 'keyed',
      tables: {
        ...ANOMALY_TABLES,
        windows: 'What the rolling functions of its rules remember, by window.',
      },
      bytesPerKey: (config, input) => {
        const { windows, rules } = stagesOf(erased, config as Config);
        const sizes: StateSize[] = [];
        let schema = input;
        for (const { name: _, ...window } of windows) {
          sizes.push(rollingStateSize(window, schema));
          schema = rolling.plan(window, schema, () => undefined).main;
        }
        return sumOfSizes([...sizes, anomalyStateSize(rules.map(({ type }) => type))]);
      },
    },
    metrics: ANOMALY_METRICS,
    examples: spec.examples as readonly OperatorExample<ConfigInput<Fields>>[],
    open: (config, context, state) =>
      new DetectorOperator(stagesOf(erased, config as Config), context, state),
  });
}

/** The stages of a configuration whose expressions parse. */
function stagesOf({ fields, rules }: ErasedSpec, config: Config): DetectorStages {
  const inParentheses = expressionsOf(fields, config).map(([name, value]) => {
    return [name, `(${expressionText(value)})`] as const;
  });
  return detectorStages(rules({ ...config, ...Object.fromEntries(inParentheses) }), config);
}

/** Fields that are expressions, with what the user (or the default) says. */
function expressionsOf(
  fields: Fields,
  config: Config,
): readonly (readonly [name: string, value: ExpressionValue])[] {
  return Object.entries(fields)
    .filter(
      ([name, field]) => fieldMeta(field, 'kind') === 'expression' && config[name] !== undefined,
    )
    .map(([name]) => [name, config[name] as ExpressionValue] as const);
}

function planDetector(spec: ErasedSpec, config: Config, input: Schema, report: Report): Schema {
  let isSound = true;
  const refuse: Report = (problem) => {
    if (problem.severity !== 'warning') isSound = false;
    report(problem);
  };
  const given = expressionsOf(spec.fields, config);
  for (const [name, value] of given) {
    if ('over' in spec.fields) planRollingNumber(name, value, input, refuse);
    else planExpression(value, input, 'number', [name], refuse);
  }
  if (isSound) {
    // What is wrong here is none of the expressions alone, so it stands at the first of them.
    const at = given.slice(0, 1).map(([name]) => name);
    let schema = input;
    for (const { name: _, ...window } of stagesOf(spec, config).windows) {
      schema = rolling.plan(window, schema, ({ offset: _offset, path, ...problem }) => {
        refuse({ ...problem, path: path[0] === 'columns' ? at : path });
      }).main;
    }
  }
  return anomalySchema(input, ['type'], report);
}

/** What an expression is checked with before its window is known. */
const ANY_WINDOW = { over: '1d', exclude_current: false };

/** Checks an expression in which rolling functions are known. */
function planRollingNumber(
  name: string,
  value: ExpressionValue,
  input: Schema,
  report: Report,
): void {
  const column = 'the value';
  const { columns } = planProgram(
    { ...ANY_WINDOW, columns: { [column]: value } },
    input,
    (problem) => {
      report({ ...problem, path: [name] });
    },
  );
  const type = columns[0]?.type;
  if (type === undefined || type === 'float64' || type === 'int64') return;
  report({
    path: [name],
    code: 'config/expression-type',
    message: `expected a number, got ${expressionText(value)} of type ${type}`,
  });
}
