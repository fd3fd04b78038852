/**
 * Composite: anomalies of several kinds that a key has at once become one, which is more certain
 * than each. `HeldRows` puts anomalies into order, `Groups` finds those that belong together.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import {
  choice,
  type ConfigOf,
  duration,
  type Fields,
  integer,
  number,
  text,
  z,
} from '../../engine/contract/fields.ts';
import {
  type Collector,
  type Constraint,
  defineOperator,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type Outputs,
  type StateTables,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type Schema } from '../../engine/contract/schema.ts';
import { durationNs, type EventTime, formatTime } from '../../engine/contract/time.ts';
import { anomalyType } from '../anomalies/anomaly-fields.ts';
import { anomalyPositions, requireAnomalies } from '../anomalies/anomaly-input.ts';
import { ANOMALY_METRICS, anomalySchema, type Severity } from '../anomalies/anomaly.ts';
import { jsonNumber, windowJson } from '../anomalies/explanation.ts';
import { HeldRows, rowOrder } from '../stored-rows/held-rows.ts';
import { type StoredRow, writeStoredRows } from '../stored-rows/stored-rows.ts';
import { confidenceOfPart, noisyOr, scoreOf, type WeightedPart } from './confidence.ts';
import { type Group, Groups } from './groups.ts';

/** A century: event times and this add up within 64 bits. */
const WITHIN_MAX = '36500d';

const weight = number({ doc: 'From 0, which leaves a type out of account, to 1.' })
  .min(0, { error: 'expected a number from 0 to 1' })
  .max(1, { error: 'expected a number from 0 to 1' });

const fields = {
  within: duration({
    doc:
      'How far, exclusive, anomalies that belong together lie behind the first of them. By ' +
      'default they have the same event time, as those of one window do.',
    examples: ['5m'],
  }).optional(),
  count: choice(['types', 'detectors'], {
    doc: 'Of what there must be several. Of anomalies that are alike in it, the surest counts.',
  }).default('types'),
  min_parts: integer({
    doc: 'How many of them make a composite.',
    minimum: 1,
    maximum: 1000,
  }).default(2),
  weights: z
    .record(z.string(), weight, { error: 'expected a number for each type' })
    .meta({
      description: 'How far the confidence of a type is trusted, from 0 to 1; 1 by default.',
      examples: [{ price_gap: 0.5 }],
    })
    .default({}),
  severity: z
    .strictObject(
      {
        by: choice(['confidence', 'parts', 'highest'], {
          doc:
            'What the limits are of: the confidence, or the number of parts; or the severity is ' +
            'the highest of the parts, and there are no limits.',
        }).default('confidence'),
        medium: number({ doc: 'From here the severity is medium.' }).optional(),
        high: number({ doc: 'From here the severity is high.' }).optional(),
      },
      { error: 'expected a mapping such as { by: parts, medium: 2, high: 3 }' },
    )
    .meta({
      description:
        'How grave a composite is. By default by confidence, medium from 0.75 and high from 0.9; ' +
        'by parts, medium from 2 and high from 3.',
      examples: [{ by: 'parts', medium: 2, high: 4 }],
    })
    .default({ by: 'confidence' }),
  anomaly_type: anomalyType('Type of the anomalies; part of their ids.').default('composite'),
  detector: text({ doc: 'Name of the method in the anomalies.' }).min(1).default('composite'),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const LIMITS = {
  confidence: { medium: 0.75, high: 0.9 },
  parts: { medium: 2, high: 3 },
  highest: { medium: Number.NaN, high: Number.NaN },
} as const;

const constraints: readonly Constraint<Config>[] = [
  {
    at: ['within'],
    violated: ({ within }) => {
      if (within === undefined) return undefined;
      if (durationNs(within) === 0n) return `must be longer than 0s, got ${within}`;
      const isTooLong = durationNs(within) > durationNs(WITHIN_MAX);
      return isTooLong ? `must not exceed ${WITHIN_MAX}, got ${within}` : undefined;
    },
  },
  {
    at: ['severity', 'high'],
    violated: ({ severity: { by, medium, high } }) => {
      const least = medium ?? LIMITS[by].medium;
      return (high ?? LIMITS[by].high) < least ? `must not be below medium (${least})` : undefined;
    },
  },
  {
    at: ['severity', 'by'],
    violated: ({ severity: { by, medium, high } }) =>
      by === 'highest' && (medium ?? high) !== undefined
        ? 'has no limits where it is the highest of the parts'
        : undefined,
  },
];

const REQUIRED = ['anomaly_id', 'type', 'confidence'] as const;

/** What parts are described by as far as the input has it. */
const OPTIONAL = [
  'window_start',
  'window_end',
  'detector',
  'value',
  'score',
  'threshold',
  'severity',
  'direction',
] as const;

const READ = [...REQUIRED, ...OPTIONAL] as const;

function plan({ count, severity }: Config, input: Schema, report: Report): Outputs {
  const needed = [
    ...REQUIRED,
    ...(count === 'detectors' ? (['detector'] as const) : []),
    ...(severity.by === 'highest' ? (['severity'] as const) : []),
  ];
  const known = OPTIONAL.filter((name) => columnIndex(input, name) >= 0);
  requireAnomalies([...new Set([...needed, ...known])], input, report);
  return { main: anomalySchema(input, ['input'], report), late: input };
}

/** A part of a composite: the surest anomaly of its type or detector. */
interface Part extends WeightedPart {
  readonly row: StoredRow;
}

const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high'];

class Composite implements Operator {
  readonly #config: Config;
  readonly #context: OperatorContext;
  readonly #at: Readonly<Record<(typeof READ)[number], number>>;
  readonly #time: number;
  readonly #key: number;
  readonly #held: HeldRows;
  readonly #groups: Groups;
  readonly #rule: string;

  constructor(config: Config, context: OperatorContext, state: StateTables | undefined) {
    const { input } = context;
    const { within, count, min_parts } = config;
    this.#config = config;
    this.#context = context;
    this.#at = anomalyPositions(READ, input);
    const order = rowOrder(input, ['anomaly_id', 'type', 'detector']);
    this.#time = order.time;
    this.#key = order.key;
    this.#held = new HeldRows(order, context, state?.['held_rows']);
    this.#groups = new Groups(within === undefined ? 1n : durationNs(within));
    if (state !== undefined) this.#groups.restore(state['groups']!, input.columns);
    const when = within === undefined ? 'at once' : `within ${within}`;
    this.#rule = `at least ${min_parts} ${count} ${when}`;
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount > 0) this.#held.take(batch, collector);
  }

  advance(watermark: EventTime, collector: Collector): EventTime {
    for (const row of this.#held.release(watermark)) {
      const key = row[this.#key] as string | null;
      if (key !== null) this.#groups.add(key, row[this.#time] as bigint, row);
    }
    const rows = this.#groups
      .take(watermark)
      .map((group) => this.#compositeOf(group))
      .filter((row) => row !== undefined);
    if (rows.length > 0) {
      collector.emit(writeStoredRows(rows, this.#context.outputs.main, this.#context));
    }
    const start = this.#groups.earliestStart();
    return start === undefined || start > watermark ? watermark : start;
  }

  #compositeOf({ key, rows }: Group): StoredRow | undefined {
    const parts = this.#partsOf(rows);
    const { min_parts, anomaly_type, detector } = this.#config;
    if (parts.length < min_parts) return undefined;
    const confidence = noisyOr(parts);
    const direction = this.#directionOf(parts);
    const size = scoreOf(confidence);
    const score = direction === 'down' ? 0 - size : size;
    const time = rows[rows.length - 1]![this.#time] as bigint;
    const severity = this.#severityOf(parts, confidence);
    this.#context.count(`anomalies_${severity}_total`, 1);
    const windowStart = this.#times(parts, 'window_start').reduce((a, b) => (a < b ? a : b));
    const windowEnd = this.#times(parts, 'window_end').reduce((a, b) => (a > b ? a : b));
    const explanation =
      `{"rule":${JSON.stringify(this.#rule)},"observed":${parts.length},` +
      `"score":${jsonNumber(score)},"threshold":1,"baseline":null,` +
      `"window":${windowJson(formatTime(windowStart), formatTime(windowEnd))},` +
      `"parts":[${parts.map((part) => this.#partJson(part)).join(',')}]}`;
    // Groups of a key do not overlap, so that none other has this time.
    const id = `${this.#context.step}/${key}/${time}/${anomaly_type}`;
    return [
      ...[id, key, time, windowStart, windowEnd, anomaly_type, detector],
      ...[parts.length, Number.NaN, score, 1, severity, confidence, direction, explanation],
    ];
  }

  /** Of the window of each part; where it has none, of itself. */
  #times(parts: readonly Part[], column: 'window_start' | 'window_end'): bigint[] {
    const at = this.#at[column];
    return parts.map(({ row }) => (row[at] ?? row[this.#time]) as bigint);
  }

  /** The surest of each type or detector, in the order of their names. */
  #partsOf(rows: readonly StoredRow[]): readonly Part[] {
    const { count, weights } = this.#config;
    const parts = new Map<string, Part>();
    for (const row of rows) {
      const type = this.#text(row, 'type') ?? '';
      const name = count === 'types' ? type : (this.#text(row, 'detector') ?? '');
      const own = Object.hasOwn(weights, type) ? weights[type]! : 1;
      if (own === 0) continue;
      const confidence = confidenceOfPart(
        this.#number(row, 'confidence'),
        this.#number(row, 'score'),
        this.#number(row, 'threshold'),
      );
      const known = parts.get(name);
      if (known === undefined || own * confidence > known.weight * known.confidence) {
        parts.set(name, { row, confidence, weight: own });
      }
    }
    return [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  }

  /** Where all parts that have one agree. */
  #directionOf(parts: readonly Part[]): string | null {
    const directions = new Set(parts.map(({ row }) => this.#text(row, 'direction')));
    directions.delete(null);
    const [direction = null] = directions;
    return directions.size === 1 ? direction : null;
  }

  #severityOf(parts: readonly Part[], confidence: number): Severity {
    const { by, medium, high } = this.#config.severity;
    if (by === 'highest') {
      const ranks = parts.map(({ row }) =>
        (SEVERITIES as readonly string[]).indexOf(this.#text(row, 'severity') ?? ''),
      );
      return SEVERITIES[Math.max(0, ...ranks)]!;
    }
    const size = by === 'parts' ? parts.length : confidence;
    if (size >= (high ?? LIMITS[by].high)) return 'high';
    return size >= (medium ?? LIMITS[by].medium) ? 'medium' : 'low';
  }

  #partJson({ row, confidence, weight: own }: Part): string {
    const words = (['type', 'detector', 'anomaly_id', 'direction'] as const).map(
      (name) => `"${name}":${JSON.stringify(this.#text(row, name))}`,
    );
    const numbers = (['value', 'score', 'threshold'] as const).map(
      (name) => `"${name}":${jsonNumber(this.#number(row, name))}`,
    );
    const weighed = `"confidence":${confidence},"weight":${own}`;
    return `{${[...words, ...numbers, weighed].join(',')}}`;
  }

  #text(row: StoredRow, column: (typeof READ)[number]): string | null {
    return (row[this.#at[column]] ?? null) as string | null;
  }

  #number(row: StoredRow, column: (typeof READ)[number]): number {
    return (row[this.#at[column]] ?? Number.NaN) as number;
  }

  snapshot(): StateTables {
    return { held_rows: this.#held.snapshot(), groups: this.#groups.snapshot() };
  }

  dispose(): void {}
}

const ROW_BYTES = 600;

export const composite: OperatorDefinition = defineOperator({
  name: 'composite',
  since: '0.1.0',
  stability: 'beta',
  summary:
    'Makes one anomaly of several kinds that a key has at once, with a confidence boosted by ' +
    'their agreement.',
  guarantees: {
    order: 'Composites come by the ends of their groups, whatever the order of the anomalies.',
    lateness: 'Anomalies below the watermark go to the output `late` and change nothing.',
    backPressure: 'Holds anomalies back until the watermark has passed their group.',
  },
  inputs: 'several',
  fields,
  constraints,
  plan,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      held_rows: 'Anomalies that the watermark has not passed, as JSON.',
      groups: 'Groups that are still open, each with its anomalies, as JSON.',
    },
    bytesPerKey: () => ({
      key: 0,
      parts: [{ bytes: ROW_BYTES, each: 'anomaly of a group that is still open' }],
    }),
  },
  metrics: ANOMALY_METRICS,
  examples: [
    {
      title: 'Two kinds at once are surer than each',
      config: { weights: { gap: 0.5 } },
      input: `
        event_time|symbol|anomaly_id:string|type:string|value|confidence|direction:string
        09:30 | AAPL | a1 | spike  | 3 | 0.5   | up
        09:30 | AAPL | a2 | volume | 9 | 0.75  | up
        09:30 | AAPL | a3 | gap    | 2 | 0.8   | down
        09:30 | IBM  | i1 | spike  | 4 | 0.875 | down
        09:35 | AAPL | a4 | spike  | 4 | 0.5   | down
        09:35 | AAPL | a5 | volume | 4 | 0.5   |
        09:35 | AAPL | a6 | spike  | 8 | 0.875 | down
      `,
      output: `
        anomaly_id                              | type      | value | confidence | score | direction
        step/AAPL/1704187800000000000/composite | composite | 3     | 0.925 | 3.736965594166206 |
        step/AAPL/1704188100000000000/composite | composite | 2     | 0.9375 | -4 | down
      `,
    },
    {
      title: 'Detectors that report within a minute of each other',
      config: { within: '1m', count: 'detectors', severity: { by: 'highest' } },
      input: `
        event_time|symbol|anomaly_id:string|type:string|detector:string|confidence|severity:string
        09:30:00 | AAPL | a1 | price_spike  | zscore | 0.5  | low
        09:30:20 | AAPL | a2 | volume_surge | zscore | 0.75 | medium
        09:30:40 | AAPL | a3 | price_spike  | iqr    | 0.75 | low
        09:31:00 | AAPL | a4 | price_gap    | gap    | 0.5  | high
      `,
      output: `
        event_time | window_start | window_end | value | confidence | severity
        09:30:40   | 09:30:20     | 09:30:40   | 2     | 0.9375     | medium
      `,
    },
  ],
  open: (config, context, state) => new Composite(config, context, state),
});
