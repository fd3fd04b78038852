/** Rows as messages of a NATS JetStream stream. */

import { defineSink, type SinkDefinition } from '../../engine/contract/connector.ts';
import { commitMessages, openWriter } from './nats-sink-writer.ts';
import { checkSink, fields } from './sink-fields.ts';

export const natsSink: SinkDefinition = defineSink({
  name: 'nats',
  since: '0.2.0',
  stability: 'beta',
  summary: 'Publishes each row as a message to a NATS JetStream stream.',
  guarantees: {
    order: 'Rows of one subject keep their order.',
    delivery:
      'Exactly once with checkpoints: each message has an id that a replay gives again, and ' +
      'after a restart the stream is looked through for those it holds. Without checkpoints, ' +
      'once where a run is not broken off.',
    backPressure: 'A batch is taken when fewer than 1024 messages wait to be stored.',
  },
  fields,
  constraints: [],
  examples: [
    {
      title: 'Anomalies at once',
      config: { stream: 'ANOMALIES', subject: 'anomalies.{symbol}', create: true },
    },
    {
      title: 'Bars when a checkpoint is complete',
      config: { stream: 'BARS', subject: 'bars.5m.{symbol}', format: 'msgpack' },
    },
  ],
  plan: checkSink,
  takesBack: false,
  open: openWriter,
  commit: commitMessages,
  discard: () => Promise.resolve(),
  dataset: () => undefined,
});
