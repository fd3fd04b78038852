/** The options of the nats source, and what follows from them without a server. */

import {
  bytes,
  choice,
  COLUMN_NAME,
  column,
  type ConfigOf,
  integer,
  text,
  z,
} from '../../engine/contract/fields.ts';
import { didYouMean, type Report } from '../../engine/contract/problem.ts';
import type { ColumnType, Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import type { TimeUnitNs } from '../formats/decoder.ts';
import { checkConnection, connectionFields } from './connection-fields.ts';
import type { MessageColumn } from './message-decoder.ts';

const TYPES = ['float64', 'int64', 'timestamp', 'string', 'boolean'] as const;
export const MESSAGE_FORMATS = ['arrow', 'json', 'msgpack'] as const;
export type MessageFormat = (typeof MESSAGE_FORMATS)[number];

const from = z.string({ error: 'expected the name of a column in the messages' }).min(1);

const columns = z
  .record(
    z.string().regex(COLUMN_NAME, { error: 'expected a column name of letters, digits and _' }),
    z.union(
      [
        from,
        z.strictObject({
          from: from
            .meta({ description: 'The column in the messages; by default of the same name.' })
            .optional(),
          type: choice(TYPES, { doc: 'Type of the column.' }).optional(),
        }),
      ],
      { error: 'expected a column in the messages, or { from, type }' },
    ),
    { error: 'expected columns such as { price: last_price, size: qty }' },
  )
  .meta({
    description:
      'Columns to read: the name it gets, and the column or member it is read from (along the ' +
      'dots in nested values). By default `event_time` and the `time` column are timestamps, ' +
      'the key is a text, and everything else float64.',
    examples: [{ symbol: 'symbol', event_time: 'event_time', price: 'price', size: 'size' }],
  });

/** The names of streams and consumers that every server takes. */
export const STREAM_NAME = /^[^\s.*>/\\]+$/;
export const streamName = text({ doc: 'Name of the stream.', examples: ['TRADES'] }).regex(
  STREAM_NAME,
  { error: 'expected a name without spaces, dots, *, >, / and \\' },
);

const SUBJECT = /^(?:[^\s.*>]+|\*)(?:\.(?:[^\s.*>]+|\*))*(?:\.>)?$|^>$/;

const start = z
  .union(
    [
      z.enum(['first', 'new']),
      z.strictObject({
        sequence: integer({
          doc: 'The first message to read, by its sequence.',
          minimum: 1,
          maximum: Number.MAX_SAFE_INTEGER,
        }),
      }),
      z.strictObject({
        time: text({ doc: 'The first message stored at or after this time.' }).refine(
          (value) => parseIsoTime(value) !== undefined,
          { error: 'expected a time such as 2026-03-02T14:30:00Z' },
        ),
      }),
    ],
    { error: 'expected first, new, { sequence: 1000 } or { time: 2026-03-02T14:30:00Z }' },
  )
  .meta({
    description:
      'Where reading begins when there is no checkpoint: at the `first` message, at the next ' +
      '`new` one, at a sequence, or at the time when messages were stored.',
    examples: ['first', 'new', { sequence: 1000 }, { time: '2026-03-02T14:30:00Z' }],
  });

export const fields = {
  stream: streamName,
  ...connectionFields,
  subject: text({
    doc: 'Reads only messages whose subject matches, with `*` for a token and `>` for the rest.',
    examples: ['trades.*.AAPL', 'trades.3.>'],
  })
    .regex(SUBJECT, { error: 'expected a subject such as trades.> or trades.*.AAPL' })
    .optional(),
  format: choice(MESSAGE_FORMATS, {
    doc:
      'Format of the messages: `arrow` is an Arrow IPC stream of many rows; `json` and `msgpack` ' +
      'are an object, an array of objects or (json) an object a line.',
  }).default('arrow'),
  columns,
  subject_token: integer({
    doc:
      'Takes the key from the subject: its token of this number, counted from 1. The key is then ' +
      'not in `columns`.',
    minimum: 1,
    maximum: 64,
  }).optional(),
  time: column({ doc: 'The column, by its new name, that is the event time.' }).default(
    'event_time',
  ),
  time_unit: choice(['auto', 's', 'ms', 'us', 'ns'], {
    doc: 'Unit of times that are numbers; `auto` tells it from the magnitude of each.',
  }).default('auto'),
  start: start.default('first'),
  until: choice(['forever', 'last'], {
    doc: '`last` ends behind the message that is the last one when the run starts.',
  }).default('forever'),
  max_pending_bytes: bytes({
    doc: 'Bytes of messages that may be on their way or waiting.',
    examples: ['16MiB'],
  }).default('16MiB'),
  max_pending_messages: integer({
    doc: 'Messages that may be on their way or waiting.',
    minimum: 4,
    maximum: 1_000_000,
  }).default(16_384),
};

export type NatsSourceConfig = ConfigOf<typeof fields>;

const TIME_UNITS_NS = {
  auto: 0n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  ns: 1n,
} as const satisfies Record<string, TimeUnitNs>;

export function timeUnitOf({ time_unit: unit }: NatsSourceConfig): TimeUnitNs {
  return TIME_UNITS_NS[unit];
}

/** The columns to read; the key of a subject comes first. */
export function columnsOf(config: NatsSourceConfig, key: string): MessageColumn[] {
  const { subject_token: token } = config;
  const planned = Object.entries(config.columns).map(([name, value]): MessageColumn => {
    const spec = typeof value === 'object' ? value : { from: value };
    const isTime = name === config.time || name === 'event_time';
    const byDefault: ColumnType = isTime ? 'timestamp' : name === key ? 'string' : 'float64';
    return {
      name,
      type: spec.type ?? byDefault,
      from: spec.from ?? name,
      isRequired: name === key || name === config.time,
      token: 0,
    };
  });
  if (token === undefined) return planned;
  const others = planned.filter(({ name }) => name !== key);
  return [{ name: key, type: 'string', from: key, isRequired: true, token }, ...others];
}

export function planSchema(config: NatsSourceConfig, key: string, report: Report): Schema {
  checkConnection(config, report);
  const planned = columnsOf(config, key);
  const names = Object.keys(config.columns);
  if (config.subject_token !== undefined && names.includes(key)) {
    report({
      path: ['columns', key],
      target: 'key',
      code: 'config/constraint',
      message: `${key} comes from token ${config.subject_token} of the subject`,
      help: `remove ${key}, or subject_token`,
    });
  }
  for (const [name, role, type] of [
    [key, "the pipeline's key", 'string'],
    [config.time, 'event time', 'timestamp'],
  ] as const) {
    const found = planned.find((each) => each.name === name);
    if (found === undefined) {
      const isTimeOption = name === config.time && name !== 'event_time';
      report({
        path: [isTimeOption ? 'time' : 'columns'],
        target: isTimeOption ? 'value' : 'key',
        code: 'config/unknown-column',
        message: `columns has no ${name}, which is ${role}`,
        help: didYouMean(name, names) ?? `add ${name}: <column in the messages> to columns`,
      });
    } else if (found.type !== type) {
      report({
        path: ['columns', name, 'type'],
        code: 'config/column-type',
        message: `${name} is ${role} and must be a ${type}, got ${found.type}`,
      });
    }
  }
  return { columns: planned.map(({ name, type }) => ({ name, type })), time: config.time, key };
}
