/** A process that stood still (SIGSTOP, a laptop asleep) takes what it missed for no silence. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NatsServer } from '../../connectors/testing/nats-server.ts';
import { partitionOf } from '../../engine/contract/hash.ts';
import { environment, MAIN, temporaryFolder } from './command.ts';

const folder = temporaryFolder();
const IDLE_MS = 1000;
const WAIT_MS = 10_000;
const [FIRST, SECOND] = [0, 1].map((partition) =>
  ['A', 'B', 'C', 'D', 'E', 'F'].find((symbol) => partitionOf(symbol, 2) === partition),
) as [string, string];

function pipeline(port: number): string {
  const file = join(folder, 'live.yaml');
  const trades = {
    type: 'nats',
    servers: `nats://127.0.0.1:${port}`,
    stream: 'T',
    format: 'json',
    columns: { symbol: 's', event_time: 't', price: 'p' },
    watermark: { idle_timeout: `${IDLE_MS}ms` },
    batch_rows: 1,
  };
  const aggregates = { trades: 'count()' };
  const document = {
    name: 'live',
    sources: { trades },
    partitions: 2,
    operators: { bars: { type: 'tumbling_window', input: 'trades', size: '1s', aggregates } },
    sinks: {
      bars: { type: 'ndjson', input: 'bars', path: '-' },
      late: { type: 'ndjson', input: 'bars.late', path: 'late.ndjson' },
    },
  };
  writeFileSync(file, JSON.stringify(document));
  return file;
}

test('rows sent while it stood still are not late, whichever partition is read first', async () => {
  await using server = await NatsServer.start();
  await server.manage((manager) =>
    manager.streams.add({
      name: 'T',
      subjects: ['t.>'],
      description: 'tidemark partitions=2 hash=fnv1a32 sid=abc',
    }),
  );
  const connection = await server.connect();
  const publish = async (symbol: string, ...seconds: readonly number[]): Promise<void> => {
    for (const second of seconds) {
      const t = `2024-01-01T00:00:${String(second).padStart(2, '0')}Z`;
      const row = JSON.stringify({ s: symbol, t, p: 1 });
      await connection.request(`t.${partitionOf(symbol, 2)}.${symbol}`, row);
    }
  };
  const child = spawn(process.execPath, [MAIN, 'run', pipeline(server.port), '-q'], {
    cwd: folder,
    env: environment(),
  });
  let [stdout, stderr] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const closed = new Promise((resolve) => child.on('close', resolve));
  const arrival = async (symbol: string, second: number): Promise<void> => {
    const bar = `"symbol":"${symbol}","window_start":"2024-01-01T00:00:0${second}`;
    for (let waits = 0; waits < WAIT_MS / 20 && !stdout.includes(bar); waits++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert(stdout.includes(bar), `${bar} has not come\n${stdout}\n${stderr}`);
  };
  try {
    await publish(FIRST, 0, 1);
    await publish(SECOND, 0, 1);
    await arrival(SECOND, 0);
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2 * IDLE_MS));
    await publish(FIRST, 30, 31);
    await publish(SECOND, 2, 3, 4);
    child.kill('SIGCONT');
    await arrival(SECOND, 3);
  } finally {
    child.kill('SIGTERM');
    await closed;
    await connection.close();
  }
  assert.match(stderr, /\+ +0 +late/);
  assert.match(stderr, /= +9 +read/);
});
