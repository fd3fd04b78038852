/**
 * A process that reads a stream from its first to its last message and does nothing with them, or
 * parses each as JSON: what a reader cannot be faster than. Prints the seconds it took.
 */

import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';

const [servers, stream, what] = process.argv.slice(2) as [string, string, 'read' | 'parse'];
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
let [count, bytes] = [0, 0];
const decoder = new TextDecoder();
for await (const message of messages) {
  bytes += message.data.byteLength;
  if (what === 'parse') JSON.parse(decoder.decode(message.data));
  if (++count === state.messages) break;
}
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
await connection.close();
process.stdout.write(JSON.stringify({ seconds, count, bytes }));
