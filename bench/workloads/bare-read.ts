/**
 * A process that reads a stream from its first to its last message and does nothing with them, or
 * decodes each as its users would: what a reader cannot be faster than.
 *
 *     node bare-read.js SERVER STREAM read | arrow | json | msgpack
 *
 * Prints the seconds it took, and how many messages, bytes and, where decoded, rows there were.
 */

import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { tableFromIPC } from 'apache-arrow';
import { unpack } from '../../engine/contract/message-pack.ts';

type What = 'read' | 'arrow' | 'json' | 'msgpack';

const text = new TextDecoder();

/** The number of rows. A message of several rows is a list, or lines of JSON. */
const DECODERS: Readonly<Record<What, (payload: Uint8Array) => number>> = {
  read: () => 0,
  arrow: (payload) => tableFromIPC(payload).numRows,
  json: (payload) => {
    const body = text.decode(payload);
    const value: unknown = body.startsWith('[') ? JSON.parse(body) : parseLines(body);
    return Array.isArray(value) ? value.length : 1;
  },
  msgpack: (payload) => {
    const value = unpack(payload);
    return Array.isArray(value) ? value.length : 1;
  },
};

function parseLines(body: string): unknown[] {
  return body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

const [servers, stream, what] = process.argv.slice(2) as [string, string, What];
const connection = await connect({ servers });
const manager = await jetstreamManager(connection);
const { state } = await manager.streams.info(stream);
const start = process.hrtime.bigint();
const { name } = await manager.consumers.add(stream, {
  ack_policy: 'none',
  deliver_policy: 'all',
  mem_storage: true,
  inactive_threshold: nanos(30_000),
});
const consumer = await jetstream(connection).consumers.get(stream, name);
// By bytes, as the server ends a connection with more than 64 MB on its way.
const messages = await consumer.consume({ max_bytes: 8 << 20, expires: 5000 });
let [count, bytes, rows] = [0, 0, 0];
const decode = DECODERS[what];
for await (const message of messages) {
  bytes += message.data.byteLength;
  rows += decode(message.data);
  if (++count === state.messages) break;
}
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
await connection.close();
process.stdout.write(JSON.stringify({ seconds, count, bytes, rows }));
