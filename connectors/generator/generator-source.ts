/** A market that does not exist: trades of any number, with labelled anomalies among them. */

import {
  defineSource,
  type SourceDefinition,
  type SourceSplit,
} from '../../engine/contract/connector.ts';
import {
  type ConfigOf,
  duration,
  integer,
  number,
  path,
  text,
  z,
} from '../../engine/contract/fields.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type ColumnSchema, type Schema } from '../../engine/contract/schema.ts';
import { durationNs, type EventTime, parseIsoTime } from '../../engine/contract/time.ts';
import { GeneratorReader, ROW_BYTES } from './generator-reader.ts';
import { ANOMALY_TYPES, type AnomalyType, type MarketConfig } from './market-config.ts';

const ANOMALIES_MAX = 10_000;
const count = (doc: string) => integer({ doc, minimum: 0, maximum: ANOMALIES_MAX });
const share = (doc: string, maximum: number, example: number) =>
  number({ doc, examples: [example] })
    .min(0, { error: `expected a share from 0 to ${maximum}` })
    .max(maximum, { error: `expected a share from 0 to ${maximum}` });

const anomalyCounts = {
  bad_print: count('Single trades far off the price.').optional(),
  gap: count('Jumps of the price from one trade to the next, for good.').optional(),
  price_spike: count('Sharp moves within seconds, taken back over minutes.').optional(),
  stuck_price: count('Minutes in which every trade has the same price.').optional(),
  volatility_burst: count('Minutes in which prices whip to and fro.').optional(),
  volume_surge: count('Minutes of many times the usual volume.').optional(),
} satisfies Record<AnomalyType, z.ZodType>;

export const fields = {
  seed: integer({
    doc: 'The same seed and options give the same rows, bit for bit.',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
  }).default(1),
  symbols: integer({
    doc: 'Number of symbols: a few busy ones and many quiet ones.',
    minimum: 1,
    maximum: 400_000,
  }).default(50),
  start: text({
    doc: 'When the first session begins, UTC.',
    examples: ['2026-03-02T14:30:00Z'],
  })
    .refine((value) => parseIsoTime(value) !== undefined, {
      error: 'expected a time such as 2026-03-02T14:30:00Z',
    })
    .default('2026-03-02T14:30:00Z'),
  duration: duration({
    doc: 'Length of a session: whole seconds, at most a day.',
    examples: ['6h30m'],
  }).default('6h30m'),
  sessions: integer({
    doc: 'Number of sessions, one each weekday.',
    minimum: 1,
    maximum: 60,
  }).default(1),
  trades: integer({
    doc: 'Number of trades, in all sessions together.',
    minimum: 1,
    maximum: 100_000_000_000,
  }).default(3_000_000),
  anomalies: z
    .union([count('Anomalies of all six kinds together.'), z.strictObject(anomalyCounts)], {
      error: 'expected a number, or numbers by kind such as { gap: 3 }',
    })
    .meta({
      description:
        'Anomalies that are planted: a number in all, or one for each kind. Fewer where the ' +
        'market is too short for them.',
      examples: [48, { price_spike: 5, stuck_price: 5 }],
    })
    .default(48),
  out_of_order: share('Share of rows that arrive late by up to `max_delay`.', 0.5, 0.02).default(
    0.02,
  ),
  max_delay: duration({ doc: 'Longest delay of a row that is out of order.' }).default('1s'),
  late: share('Share of rows that arrive much later than that.', 0.1, 0.0005).default(0.0005),
  late_delay: duration({ doc: 'Delay of those: from this to twice as long.' }).default('2m'),
  speed: text({
    doc: 'How fast rows arrive: `max`, or a multiple of real time.',
    examples: ['max', '1x', '60x'],
  })
    .regex(/^(?:max|(?!0+(?:\.0+)?x)\d+(?:\.\d+)?x)$/, {
      error: 'expected max or a multiple such as 10x',
    })
    .default('max'),
  labels: path({
    doc: 'CSV file of what was planted (symbol, type, start, end, note), written at the start.',
    examples: ['out/labels.csv'],
  }).optional(),
};

export type GeneratorConfig = ConfigOf<typeof fields>;

const COLUMNS: readonly ColumnSchema[] = [
  { name: 'event_time', type: 'timestamp' },
  { name: 'symbol', type: 'string' },
  { name: 'price', type: 'float64' },
  { name: 'size', type: 'float64' },
  { name: 'venue', type: 'string' },
  { name: 'sequence', type: 'int64' },
];

export const generator: SourceDefinition = defineSource({
  name: 'generator',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Makes up the trades of a market, the same for the same seed, with labelled anomalies.',
  guarantees: {
    order: 'By event time, but for the shares that are out of order or late.',
    delivery: 'Exactly once: a restart makes the same rows again and goes on after the last one.',
    backPressure: 'Rows are made when they are asked for.',
  },
  fields,
  constraints: [
    {
      at: ['start'],
      violated: ({ start }) =>
        isWithinTime(parseIsoTime(start)!) ? undefined : 'must lie from 1678 to 2261',
    },
    { at: ['duration'], violated: (config) => durationProblem(config) },
    {
      at: ['late_delay'],
      violated: ({ late_delay, max_delay }) =>
        durationNs(late_delay) < durationNs(max_delay) ? 'must not be below max_delay' : undefined,
    },
  ],
  examples: [
    { title: 'A trading day of 50 symbols', config: {} },
    {
      title: 'A week at sixty times real time, with labels',
      config: { sessions: 5, trades: 15_000_000, speed: '60x', labels: 'out/labels.csv' },
    },
    { title: 'Gaps and stuck prices only', config: { anomalies: { gap: 10, stuck_price: 10 } } },
  ],
  plan: planSchema,
  splits: async (config): Promise<readonly SourceSplit[]> => [
    { id: 'market', lanesMax: 1, totalBytes: config.trades * ROW_BYTES, details: {} },
  ],
  open: async (config, context) =>
    GeneratorReader.open(marketConfig(config), context, {
      speed: config.speed === 'max' ? undefined : Number.parseFloat(config.speed),
      labels: config.labels,
    }),
});

/** Whether all sessions and the windows around them fit into the nanoseconds of 64 bits. */
function isWithinTime(start: EventTime): boolean {
  return start >= parseIsoTime('1678-01-01')! && start < parseIsoTime('2262-01-01')!;
}

function durationProblem(config: GeneratorConfig): string | undefined {
  const nanoseconds = durationNs(config.duration);
  if (nanoseconds === 0n || nanoseconds % 1_000_000_000n !== 0n) return 'must be whole seconds';
  return nanoseconds > 86_400_000_000_000n ? 'must not exceed 1d' : undefined;
}

function planSchema(_config: GeneratorConfig, key: string, report: Report): Schema {
  const schema: Schema = { columns: COLUMNS, time: 'event_time', key };
  const index = columnIndex(schema, key);
  if (index < 0 || COLUMNS[index]!.type !== 'string') {
    report({
      path: [],
      code: 'config/unknown-column',
      message: `a generated market has no text column ${key} to be the key`,
      help: 'set key: symbol',
    });
    return { ...schema, key: 'symbol' };
  }
  return schema;
}

/** The market of a configuration that the linter has accepted. */
export function marketConfig(config: GeneratorConfig): MarketConfig {
  return {
    seed: config.seed,
    symbolCount: config.symbols,
    start: parseIsoTime(config.start)!,
    sessionSeconds: Number(durationNs(config.duration) / 1_000_000_000n),
    sessionCount: config.sessions,
    tradeCount: config.trades,
    anomalies: countsOf(config.anomalies),
    outOfOrder: config.out_of_order,
    delayNs: Number(durationNs(config.max_delay)),
    late: config.late,
    lateNs: Number(durationNs(config.late_delay)),
  };
}

/** A total is dealt out evenly; the first kinds get what is left over. */
function countsOf(anomalies: GeneratorConfig['anomalies']): Record<AnomalyType, number> {
  const counts = ANOMALY_TYPES.map((type, index): [AnomalyType, number] => {
    if (typeof anomalies === 'object') return [type, anomalies[type] ?? 0];
    return [
      type,
      Math.floor((anomalies + ANOMALY_TYPES.length - 1 - index) / ANOMALY_TYPES.length),
    ];
  });
  return Object.fromEntries(counts) as Record<AnomalyType, number>;
}
