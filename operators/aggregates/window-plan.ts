/**
 * What the declarations of all windows share: fields, constraints, and the plan of their outputs.
 */

import {
  choice,
  duration,
  expressions,
  type ExpressionValue,
  type Fields,
} from '../../engine/contract/fields.ts';
import type { Constraint, Outputs } from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import type { ColumnSchema, Schema } from '../../engine/contract/schema.ts';
import { BEGINNING_OF_TIME, durationNs, END_OF_TIME } from '../../engine/contract/time.ts';
import { planAggregates } from './plan-aggregates.ts';

/** Column of the `late` output: by how many seconds. */
export const LATE_BY = 'late_by';

/** Spans are added to times; a century keeps the sum within an i64. */
const SPAN_MAX_DAYS = 36_525n;
const SPAN_MAX_NS = SPAN_MAX_DAYS * 86_400_000_000_000n;

export const windowFields = {
  allowed_lateness: duration({
    doc: 'How long after the watermark passes the end of a window its late rows still enter it.',
    examples: ['10s', '5m'],
  }).default('0s'),
  emit: choice(['final', 'early'], {
    doc:
      '`final` puts a window out once, when no more rows can enter it. `early` puts it out when ' +
      'the watermark reaches its end and again, with a rising `revision`, for each later change.',
  }).default('final'),
  aggregates: expressions({
    doc:
      'Columns of the output: aggregates of the rows of a window, and expressions over them. ' +
      'Aggregates are count, sum, mean, min, max, first, last, variance, stddev, variance_pop ' +
      'and stddev_pop.',
    examples: [{ open: 'first(price)', vwap: 'sum(price * size) / sum(size)', trades: 'count()' }],
  }),
} satisfies Fields;

export interface WindowConfig {
  readonly allowed_lateness: string;
  readonly emit: 'final' | 'early';
  readonly aggregates: Readonly<Record<string, ExpressionValue>>;
}

/** What is wrong with a span, if anything. */
export function spanProblem(text: string, isZeroAllowed: boolean): string | undefined {
  const span = durationNs(text);
  if (span === 0n && !isZeroAllowed) return 'must be above 0s';
  return span > SPAN_MAX_NS ? `must be at most ${SPAN_MAX_DAYS}d` : undefined;
}

export const windowConstraints: readonly Constraint<WindowConfig>[] = [
  {
    at: ['allowed_lateness'],
    violated: ({ allowed_lateness }) => spanProblem(allowed_lateness, true),
  },
  {
    at: ['aggregates'],
    violated: ({ aggregates }) =>
      Object.keys(aggregates).length === 0 ? 'must name at least one aggregate' : undefined,
  },
];

/** The outputs of a window: its rows, and the late rows of its input. */
export function planWindow(config: WindowConfig, input: Schema, report: Report): Outputs {
  if (input.revises === true) {
    report({
      path: ['input'],
      code: 'config/revised-input',
      message: 'the input states windows again, and their rows would be counted each time',
      help: 'use emit: final in the window that this step reads',
    });
  }
  const isRevised = config.emit === 'early';
  const bounds: ColumnSchema[] = [
    { name: input.key, type: 'string' },
    { name: 'window_start', type: 'timestamp' },
    { name: 'window_end', type: 'timestamp' },
  ];
  if (isRevised) bounds.push({ name: 'revision', type: 'int64' });
  const { outputs } = planAggregates(config.aggregates, input, report);
  const types = new Map(outputs.map(({ name, type }) => [name, type]));
  const columns = [...bounds];
  for (const name of Object.keys(config.aggregates)) {
    if (bounds.some((bound) => bound.name === name)) {
      report({
        path: ['aggregates', name],
        target: 'key',
        code: 'config/duplicate-column',
        message: `the window has a column ${name} already`,
        help: `columns beside the aggregates: ${bounds.map((bound) => bound.name).join(', ')}`,
      });
    } else {
      // After a problem the type is a guess, so that the steps behind can be checked too.
      columns.push({ name, type: types.get(name) ?? 'float64' });
    }
  }
  const main: Schema = { columns, time: 'window_start', key: input.key };
  const late: Schema = {
    ...input,
    columns: [
      ...input.columns.filter(({ name }) => name !== LATE_BY),
      { name: LATE_BY, type: 'float64' },
    ],
  };
  return { main: isRevised ? { ...main, revises: true } : main, late };
}

/** The largest multiple of the span at or below the time, but no earlier than time begins. */
/** The time, or the end of what 64 bits hold that is nearer to it. */
export function clampTime(time: bigint): bigint {
  if (time > END_OF_TIME) return END_OF_TIME;
  return time < BEGINNING_OF_TIME ? BEGINNING_OF_TIME : time;
}

export function floorTime(time: bigint, span: bigint): bigint {
  const past = ((time % span) + span) % span;
  const floor = time - past;
  return floor < BEGINNING_OF_TIME ? BEGINNING_OF_TIME : floor;
}
