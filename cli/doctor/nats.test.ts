import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { featuresOf } from '../../connectors/nats/server-report.ts';
import { findServer, NatsServer } from '../../connectors/testing/nats-server.ts';
import { natsService } from './nats.ts';

test('a server that answers is told with what it can do', async () => {
  await using server = await NatsServer.start();
  const findings = await natsService(server.url);
  assert.deepEqual(
    findings.map(({ name, status }) => [name, status]),
    [
      ['nats', 'ok'],
      ['nats jetstream', 'ok'],
      ['nats features', 'info'],
    ],
  );
  assert.match(findings[0]!.found, /^\d+\.\d+\.\d+ answers at nats:.* up to 1\.00 MiB$/);
  assert.match(findings[1]!.found, /^0 streams, 0 B, no limit$/);
});

test('several servers of a cluster are named with commas, as in NATS_URL', async () => {
  await using server = await NatsServer.start();
  const findings = await natsService(`${server.url}, nats://127.0.0.1:1`);
  assert.equal(findings[0]!.status, 'ok');
});

test('a server that wants a password is told from one that does not answer', async () => {
  const connect = { user: 'admin', pass: 's3cret' };
  const config = 'authorization { user: admin, password: s3cret }';
  await using server = await NatsServer.start({ config, connect });
  const [finding] = await natsService(server.url);
  assert.equal(finding!.status, 'fail');
  assert.match(finding!.found, /refuses the connection: .*authorization/i);
  assert.match(finding!.remedy!, /user and password/);
});

test('a server that does not answer is a failure where it was asked for', async () => {
  const [finding] = await natsService('nats://127.0.0.1:1');
  assert.equal(finding!.status, 'fail');
  assert.match(finding!.found, /no NATS server answers at nats:\/\/127\.0\.0\.1:1/);
  assert.match(finding!.remedy!, /docker compose up/);
  const [bad] = await natsService('nats://user:secret@host');
  assert.equal(bad!.found, 'nats://…@host is no address of a server');
});

test('features follow the version', () => {
  const there = (version: string): number =>
    featuresOf(version).filter(({ isThere }) => isThere).length;
  assert.equal(there('2.9.10'), 0);
  assert.ok(there('2.10.0') > 0);
  assert.equal(there('2.15.0'), featuresOf('2.15.0').length);
  assert.equal(there('3.0.0'), featuresOf('3.0.0').length);
});

test('the configurations for servers are ones that a server takes', async () => {
  await using server = await NatsServer.start();
  const isOld = featuresOf((await natsVersion(server)) ?? '').every(({ isThere }) => !isThere);
  for (const name of ['single.conf', 'cluster.conf']) {
    const text = readFileSync(new URL(`../../../config/nats/${name}`, import.meta.url), 'utf8');
    assert.match(text, /^ {2}sync_interval: always$/m);
    const path = join(server.folder, name);
    // Older servers do not know the option, as its comment says.
    writeFileSync(path, isOld ? text.replace(/^ {2}sync_interval: always$/m, '') : text);
    const env = { ...process.env, NODE: 'n1', ROUTE_PASSWORD: 'x' };
    execFileSync(findServer(), ['-t', '-c', path], { env, stdio: 'pipe' });
  }
});

async function natsVersion(server: NatsServer): Promise<string | undefined> {
  const connection = await server.connect();
  const version = connection.info?.version;
  await connection.close();
  return version;
}
