import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EngineError } from '../../engine/contract/error.ts';
import { NatsServer } from '../testing/nats-server.ts';
import {
  addStream,
  configOf,
  publishAll,
  readAll,
  tradeRows,
  trades,
} from './read-stream.fixture.ts';

/** A certificate for 127.0.0.1 that vouches for itself; undefined where it cannot be made. */
function makeCertificate(folder: string): { cert: string; key: string } | undefined {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
  ];
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out'];
  try {
    execFileSync('openssl', ['req', ...options, cert, ...subject], { stdio: 'pipe' });
    return { cert, key };
  } catch {
    return undefined;
  }
}

test('TLS with an authority of its own, and without trust', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'));
  try {
    const made = makeCertificate(folder);
    if (made === undefined) {
      t.skip('openssl is not there to make a certificate');
      return;
    }
    const { cert, key } = made;
    const tls = { ca: readFileSync(cert, 'utf8') };
    await using server = await NatsServer.start({
      config: `tls { cert_file: "${cert}", key_file: "${key}" }`,
      connect: { tls },
    });
    await server.manage((manager) => addStream(manager));
    await publishAll(server, trades(0, 10));
    const trusting = configOf(server, { tls: { ca_file: cert } });
    assert.deepEqual((await readAll(trusting)).rows, tradeRows(0, 10));
    const failure = async (options: Record<string, unknown>): Promise<string> =>
      readAll(configOf(server, options)).then(
        () => 'read',
        (error: EngineError) => `${error.code}: ${error.message}`,
      );
    assert.match(await failure({}), /^nats\/tls: source "trades": no secure connection to nats:/);
    const missing = { tls: { ca_file: join(folder, 'none.pem') } };
    assert.match(await failure(missing), /^nats\/credentials: .*none\.pem: there is no such file/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
