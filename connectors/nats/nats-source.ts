/** Messages of a NATS JetStream stream. */

import { jetstreamManager } from '@nats-io/jetstream';
import {
  defineSource,
  type SourceDefinition,
  type SourceSplit,
  type SplitsContext,
} from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { closeConnection, openConnection } from './connection.ts';
import { NatsReader } from './nats-reader.ts';
import { fields, type NatsSourceConfig, planSchema } from './source-fields.ts';
import { readFacts, type StreamFacts } from './stream-facts.ts';
import { subjectsOverlap } from './subjects.ts';

export const nats: SourceDefinition = defineSource({
  name: 'nats',
  since: '0.2.0',
  stability: 'beta',
  summary: 'Reads the messages of a NATS JetStream stream: Arrow, JSON or MessagePack rows.',
  guarantees: {
    order: 'By sequence of the stream, then as the rows stand in the message.',
    delivery:
      'Every message exactly once with checkpoints: reading goes on behind the last message of ' +
      'the checkpoint, after it was seen that the stream is still the same one and has lost ' +
      'nothing. A message that cannot be read is a rejected row.',
    backPressure:
      'Messages are asked for while fewer than `max_pending_bytes` and `max_pending_messages` ' +
      'wait; what is not asked for stays in the stream.',
  },
  fields,
  constraints: [],
  examples: [
    {
      title: 'A partitioned stream, as `tidemark publish` writes it',
      config: {
        servers: 'nats://localhost:4222',
        stream: 'TRADES',
        columns: { symbol: 'symbol', event_time: 'event_time', price: 'price', size: 'size' },
      },
    },
    {
      title: 'One JSON trade a message, the symbol in the subject, from now on',
      config: {
        stream: 'TICKS',
        subject: 'ticks.*',
        format: 'json',
        subject_token: 2,
        columns: { event_time: 'T', price: 'p', size: 'q' },
        start: 'new',
      },
    },
    {
      title: 'With TLS and an NKey',
      config: {
        servers: ['tls://n1.example.com:4222', 'tls://n2.example.com:4222'],
        tls: { ca_file: 'certs/ca.pem' },
        nkey: 'secrets/engine.nk',
        stream: 'TRADES',
        columns: { symbol: 'symbol', event_time: 'event_time', price: 'price' },
      },
    },
  ],
  plan: planSchema,
  splits: findSplits,
  open: NatsReader.open,
});

async function findSplits(
  config: NatsSourceConfig,
  { source, partitions, signal }: SplitsContext,
): Promise<readonly SourceSplit[]> {
  const who = `source "${source}"`;
  const connection = await openConnection(config, {
    who,
    note: (text) => process.stderr.write(`${text}\n`),
    signal,
  });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const facts = await readFacts(manager, config.stream, who);
    checkSubject(config, facts, who);
    return [splitOf(config, facts, partitions, who)];
  } finally {
    await closeConnection(connection);
  }
}

function splitOf(
  config: NatsSourceConfig,
  { layout, id }: StreamFacts,
  partitions: number | undefined,
  who: string,
): SourceSplit {
  // Each of the pipeline's partitions must be a part of one of the stream's, whose rows are in
  // order; otherwise one of them would mix streams that run ahead of each other.
  const isAligned =
    layout !== undefined && (partitions === undefined || partitions % layout.partitions === 0);
  return {
    id: config.subject === undefined ? config.stream : `${config.stream} ${config.subject}`,
    lanesMax: 1,
    watermarkScope: isAligned ? 'partition' : 'split',
    ...(layout === undefined || isAligned
      ? {}
      : { notes: [notAligned(config.stream, layout.partitions, partitions!, who)] }),
    details: { stream: id, ...(layout === undefined ? {} : { partitions: layout.partitions }) },
  };
}

function notAligned(stream: string, parts: number, partitions: number, who: string): string {
  return (
    `${who}: stream ${stream} has ${parts} partitions, each in order of time, and the pipeline ` +
    `has ${partitions}, so the stream is read as one and rows of a partition that lies behind ` +
    `another by more than max_out_of_orderness are late; set partitions to ${parts} or a ` +
    'multiple of it'
  );
}

function checkSubject(
  { subject, stream }: NatsSourceConfig,
  facts: StreamFacts,
  who: string,
): void {
  const { subjects } = facts;
  if (subject === undefined || subjects.length === 0) return;
  if (subjects.some((each) => subjectsOverlap(each, subject))) return;
  throw new EngineError(
    'nats/no-subject',
    `${who}: no subject of stream ${stream} matches ${subject}: it takes ${subjects.join(', ')}`,
  );
}
