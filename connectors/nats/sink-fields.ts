/** The options of the nats sink, and what follows from them without a server. */

import {
  bytes,
  choice,
  columns,
  type ConfigOf,
  duration,
  flag,
  integer,
  text,
} from '../../engine/contract/fields.ts';
import { didYouMean, type Report } from '../../engine/contract/problem.ts';
import { columnIndex, type Schema } from '../../engine/contract/schema.ts';
import { checkConnection, connectionFields } from './connection-fields.ts';
import { streamName } from './source-fields.ts';
import { subjectColumns } from './subject-template.ts';

const TEMPLATE = /^(?:[^\s.*>{}]|\{[A-Za-z_]\w*\})+(?:\.(?:[^\s.*>{}]|\{[A-Za-z_]\w*\})+)*$/;

export const fields = {
  stream: streamName,
  ...connectionFields,
  subject: text({
    doc:
      'Subject of each row, in which `{column}` stands for the value of a column. Characters ' +
      'that subjects do not take become `_`.',
    examples: ['anomalies.{symbol}', 'bars.5m.{symbol}'],
  }).regex(TEMPLATE, { error: 'expected a subject such as anomalies.{symbol}' }),
  format: choice(['json', 'msgpack'], {
    doc: 'Format of a row: an object of its columns.',
  }).default('json'),
  publish: choice(['at_once', 'at_checkpoint'], {
    doc:
      '`at_once` publishes rows as they come, each with an id made of its `id` columns; ' +
      '`at_checkpoint` when a checkpoint, or the run, is complete. By default `at_once` for ' +
      'anomalies, `at_checkpoint` for other rows.',
  }).optional(),
  id: columns({
    doc:
      'Columns that tell a row from every other, for `at_once`: by default `anomaly_id` (and ' +
      '`revision`, where rows are stated again).',
    examples: [['symbol', 'window_start']],
  }).optional(),
  create: flag({ doc: 'Makes the stream where there is none.' }).default(false),
  max_age: duration({ doc: 'How long a stream made by `create` keeps messages.' }).default('7d'),
  max_bytes: bytes({ doc: 'How much a stream made by `create` keeps.' }).default('1GiB'),
  duplicate_window: duration({
    doc: 'How long the server of a stream made by `create` knows the ids of messages.',
  }).default('10m'),
  replicas: integer({
    doc: 'Servers that keep a stream made by `create`.',
    minimum: 1,
    maximum: 5,
  }).default(1),
};

export type NatsSinkConfig = ConfigOf<typeof fields>;

export function publishesAtOnce(config: NatsSinkConfig, schema: Schema): boolean {
  if (config.publish !== undefined) return config.publish === 'at_once';
  return columnIndex(schema, 'anomaly_id') >= 0;
}

export function idColumns(config: NatsSinkConfig, schema: Schema): readonly string[] {
  if (config.id !== undefined) return config.id;
  return columnIndex(schema, 'revision') < 0 ? ['anomaly_id'] : ['anomaly_id', 'revision'];
}

export function checkSink(config: NatsSinkConfig, input: Schema, report: Report): void {
  checkConnection(config, report);
  const names = input.columns.map(({ name }) => name);
  const missing = (at: string, column: string): void => {
    report({
      path: [at],
      code: 'config/unknown-column',
      message: `the rows have no column ${column}`,
      help: didYouMean(column, names) ?? `they have ${names.join(', ')}`,
    });
  };
  for (const column of subjectColumns(config.subject)) {
    if (!names.includes(column)) missing('subject', column);
  }
  if (!publishesAtOnce(config, input)) {
    if (config.id === undefined) return;
    report({
      path: ['id'],
      target: 'key',
      code: 'config/constraint',
      message: 'id is for at_once; at a checkpoint rows are known by their number in it',
      help: 'remove id, or set publish: at_once',
    });
    return;
  }
  if (config.id === undefined && !names.includes('anomaly_id')) {
    report({
      path: ['publish'],
      code: 'config/constraint',
      message: 'rows that are published at once need an id',
      help: 'add id: [columns that tell a row from every other], such as [symbol, window_start]',
    });
    return;
  }
  for (const column of idColumns(config, input)) if (!names.includes(column)) missing('id', column);
}
