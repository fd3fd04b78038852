/** Is there a NATS server that answers, and what can it do? */

import { askServer, type ServerReport } from '../../connectors/nats/server-report.ts';
import { connectionFields } from '../../connectors/nats/connection-fields.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { z } from '../../engine/contract/fields.ts';
import { formatBytes, plural } from '../terminal/numbers.ts';
import { remedyOf } from '../terminal/remedies.ts';
import type { Finding } from './report.ts';

const LOCAL = 'nats://localhost:4222';

/**
 * @param url The server asked for; without one the local one is tried, which nobody has to have.
 */
export async function natsService(url: string | undefined): Promise<Finding[]> {
  const name = 'nats';
  const servers = url ?? LOCAL;
  const checked = z.object(connectionFields).safeParse({ servers, connect_timeout: '500ms' });
  if (!checked.success) {
    return [
      {
        name,
        status: 'fail',
        found: `${servers.replace(/\/\/.*@/, '//…@')} is no address of a server`,
        remedy: `give one such as ${LOCAL}; user and password are options of pipelines`,
      },
    ];
  }
  try {
    return findingsOf(servers, await askServer(checked.data));
  } catch (error) {
    const { code, message } = error as EngineError;
    if (!(error instanceof EngineError)) throw error;
    if (url === undefined && code === 'nats/unreachable') {
      return [{ name, status: 'info', found: `none at ${LOCAL}; only streams need one` }];
    }
    const status = url === undefined ? 'warn' : 'fail';
    return [{ name, status, found: message, remedy: remedyOf(code) ?? 'see the message' }];
  }
}

function findingsOf(servers: string, report: ServerReport): Finding[] {
  const { version, payloadBytesMax, roundTripMs, storage, problem, features } = report;
  const answers: Finding = {
    name: 'nats',
    status: 'ok',
    found:
      `${version} answers at ${servers} in ${roundTripMs} ms, messages up to ` +
      formatBytes(payloadBytesMax),
  };
  const there = features.filter(({ isThere }) => isThere).map(({ name }) => name);
  const lacking = features.filter(({ isThere }) => !isThere).map(({ name }) => name);
  const lacks: Finding = {
    name: 'nats features',
    status: 'info',
    found: [
      ...(there.length > 0 ? [`has ${there.join(', ')}`] : []),
      ...(lacking.length > 0 ? [`lacks ${lacking.join(', ')}`] : []),
    ].join('; '),
  };
  if (storage === undefined) {
    const remedy = 'start the server with -js, or with a jetstream block in its configuration';
    const found = problem ?? 'JetStream cannot be used';
    return [answers, { name: 'nats jetstream', status: 'warn', found, remedy }, lacks];
  }
  const limit = storage.bytesMax > 0 ? ` of ${formatBytes(storage.bytesMax)}` : ', no limit';
  const found = `${plural(storage.streams, 'stream')}, ${formatBytes(storage.bytes)}${limit}`;
  return [answers, { name: 'nats jetstream', status: 'ok', found }, lacks];
}
