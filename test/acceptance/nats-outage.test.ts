/**
 * An engine over a stream, killed and restarted, and a server that goes away while it runs: what it
 * is doing is told, it goes on, and every row and every message that cannot be read is put out
 * exactly once. `TIDEMARK_OUTAGE_MS` makes the server stay away for longer.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { NatsServer } from '../../connectors/testing/nats-server.ts';
import { environment, MAIN, temporaryFolder } from './command.ts';

const OUTAGE_MS = Number(process.env['TIDEMARK_OUTAGE_MS'] ?? 1_000);
const folder = temporaryFolder();
const START_MS = Date.UTC(2026, 2, 2, 14, 30);

/** Message number `i`: every 25th cannot be read. */
function message(i: number): string {
  if (i % 25 === 24) return `{"symbol": poison ${i}`;
  const event_time = new Date(START_MS + i * 100).toISOString();
  return JSON.stringify({ symbol: `S${i % 5}`, event_time, price: i });
}

function numbers(to: number, isPoison: boolean): number[] {
  return Array.from({ length: to }, (_, i) => i).filter((i) => (i % 25 === 24) === isPoison);
}

function writePipeline(server: Pick<NatsServer, 'url'>): void {
  const pipeline = {
    name: 'outage',
    sources: {
      trades: {
        type: 'nats',
        servers: server.url,
        stream: 'T',
        format: 'json',
        columns: { symbol: 'symbol', event_time: 'event_time', price: 'price' },
        connect_timeout: '20s',
      },
    },
    key: 'symbol',
    partitions: 4,
    sinks: {
      rows: { type: 'ndjson', input: 'trades', path: 'rows.ndjson' },
      copies: {
        type: 'nats',
        input: 'trades',
        servers: server.url,
        stream: 'COPIES',
        subject: 'copies.{symbol}',
        publish: 'at_once',
        id: ['symbol', 'event_time'],
        create: true,
      },
      rejected: { type: 'ndjson', input: 'trades.rejected', path: 'rejected.ndjson' },
    },
    checkpoint: { interval: '300ms', directory: 'state', keep: 2 },
  };
  writeFileSync(join(folder, 'outage.yaml'), JSON.stringify(pipeline));
}

interface Engine {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
}

function start(...values: readonly string[]): Engine {
  const child = spawn(process.execPath, [MAIN, 'run', 'outage.yaml', ...values], {
    cwd: folder,
    env: environment(),
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  void ended.then(() => process.off('exit', end));
  return { child, stderr: () => stderr, ended };
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < endMs, `waited a minute for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const countOf = (server: NatsServer, stream: string): Promise<number> =>
  server.manage(async (manager) =>
    manager.streams.info(stream).then(
      ({ state }) => state.messages,
      () => 0,
    ),
  );

async function publish(server: NatsServer, from: number, to: number): Promise<void> {
  await server.manage(async (_manager, connection) => {
    const client = jetstream(connection);
    for (let i = from; i < to; i++) await client.publish('t.0', message(i));
  });
}

const checkpoints = (): number => {
  const state = join(folder, 'state');
  if (!existsSync(state)) return 0;
  return readdirSync(state, { recursive: true }).filter((name) => /\d/.test(String(name))).length;
};

const linesOf = (name: string): Record<string, unknown>[] =>
  readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('killed engines and a server that goes away: every row and every poison once', async () => {
  await using server = await NatsServer.start();
  await server.manage((manager) => manager.streams.add({ name: 'T', subjects: ['t.>'] }));
  writePipeline(server);

  // Killed after a checkpoint, with messages read behind it.
  await publish(server, 0, 300);
  const first = start();
  await until('a checkpoint', () => checkpoints() > 0);
  await publish(server, 300, 400);
  await until('copies', async () => (await countOf(server, 'COPIES')) >= 330);
  first.child.kill('SIGKILL');
  await first.ended;
  const copies = await countOf(server, 'COPIES');

  // The server goes away and comes back.
  await publish(server, 400, 500);
  const second = start();
  await until('what is left', async () => (await countOf(server, 'COPIES')) >= copies + 30);
  await server.kill();
  await until('its state', () => second.stderr().includes('trades: reconnecting'));
  await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
  assert.equal(second.child.exitCode, null, second.stderr());
  await server.resume();
  await publish(server, 500, 600);
  await until('all copies', async () => (await countOf(server, 'COPIES')) === 576);
  assert.match(second.stderr(), /trades: reconnecting\n(?:.*\n)*trades: connected/);
  second.child.kill('SIGKILL');
  await second.ended;

  await publish(server, 600, 650);
  const third = start('-s', 'sources.trades.until=last');
  assert.equal(await third.ended, 0, third.stderr());

  const rows = linesOf('rows.ndjson').map(({ price }) => Number(price));
  assert.deepEqual(
    rows.toSorted((a, b) => a - b),
    numbers(650, false),
  );
  const rejected = linesOf('rejected.ndjson').map(({ raw }) => Number(/\d+/.exec(String(raw))));
  assert.deepEqual(
    rejected.toSorted((a, b) => a - b),
    numbers(650, true),
  );
  assert.equal(await countOf(server, 'COPIES'), numbers(650, false).length);
});

test('without a server a run says what it does, gives up in time, and can be stopped', async () => {
  writePipeline({ url: 'nats://127.0.0.1:1' });
  const timeout = 'sources.trades.connect_timeout=700ms';
  const vain = start('-s', timeout);
  assert.equal(await vain.ended, 1);
  const lines = vain.stderr().split('\n');
  assert.match(
    lines[0]!,
    /^source "trades": no NATS server answers at .*; trying again for 700ms$/,
  );
  assert.match(lines[1]!, /^error\[nats\/unreachable\]: .*; gave up after 700ms$/);
  assert.match(lines[2]!, /^ {2}help: start it \(docker compose up -d, or nats-server -js\)/);

  const stopped = start();
  await until('the first try', () => stopped.stderr().includes('trying again for 20s'));
  stopped.child.kill('SIGINT');
  assert.equal(await stopped.ended, 0, stopped.stderr());
});
