/**
 * A long trial of what a kill may do: a real nats-server, a publisher that replays a numbered
 * market, and an engine that reads it live. Server and engine are killed with SIGKILL in turns, at
 * random moments, and started again. At the end DuckDB compares what the engine has written with
 * one undisturbed run over the same rows: every bar of every symbol, every anomaly, once.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NatsServer } from '../../connectors/testing/nats-server.ts';
import { randomOf } from '../simulation/simulate.ts';
import { alertsPipeline, batchPipeline, livePipeline, marketPipeline } from './pipelines.ts';

const TIDEMARK = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const RUNS_TO_THE_END_MS = 120_000;

export interface SoakOptions {
  readonly seconds: number;
  readonly tradesPerSecond: number;
  readonly seed: number;
  readonly log: (text: string) => void;
}

export interface SoakResult {
  readonly trades: number;
  readonly engineKills: number;
  readonly serverKills: number;
  readonly bars: number;
  readonly anomalies: number;
  readonly checkpointsSeen: number;
}

/** @throws Where anything is missing, double or different; the folder is kept then and named. */
export async function soak({
  seconds,
  tradesPerSecond,
  seed,
  log,
}: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-soak-'));
  await using server = await NatsServer.start();
  const market = { seconds, trades: seconds * tradesPerSecond, seed, url: server.url };
  const files = {
    market: marketPipeline,
    batch: batchPipeline,
    live: livePipeline,
    alerts: alertsPipeline,
  };
  for (const [name, make] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.yaml`), make(market));
  }
  mkdirSync(join(folder, 'logs'));
  const world = new Engines(folder);
  try {
    const publishing = world.run('publisher', [
      'publish',
      'market.yaml',
      '--stream',
      'TRADES',
      '--to',
      server.url,
      '--speed',
      '1x',
      '--rows-per-message',
      '500',
      '--partitions',
      '8',
      '--timeout',
      '10m',
    ]);
    await streamMade(server);
    const kills = await harass(world, server, publishing, { seconds, seed, log });
    await expectDone('the publisher', publishing);
    log('the publisher is done; one last engine reads to the end');
    const last = world.run('engine', ['run', 'live.yaml', '-s', 'sources.trades.until=last']);
    await expectDone('the last engine', last);
    await expectDone('the batch run', world.run('batch', ['run', 'batch.yaml']));
    await expectDone('the reader of alerts', world.run('alerts', ['run', 'alerts.yaml']));
    const counts = await compare(world);
    rmSync(folder, { recursive: true, force: true });
    return { trades: market.trades, ...kills, ...counts };
  } catch (error) {
    world.killAll();
    throw new Error(`soak with seed ${seed} failed; everything is in ${folder}`, { cause: error });
  }
}

/** An engine that finds no stream ends with an error, as it should. */
async function streamMade(server: NatsServer): Promise<void> {
  for (;;) {
    const isThere = await server.manage((manager) =>
      manager.streams.info('TRADES').then(
        () => true,
        () => false,
      ),
    );
    if (isThere) return;
    await sleep(50);
  }
}

/** Kills engine and server in turns until the publisher is done. */
async function harass(
  world: Engines,
  server: NatsServer,
  publishing: ChildProcess,
  { seconds, seed, log }: Pick<SoakOptions, 'seconds' | 'seed' | 'log'>,
): Promise<{ engineKills: number; serverKills: number; checkpointsSeen: number }> {
  const random = randomOf(seed);
  const untilMs = Date.now() + seconds * 1000;
  let engineKills = 0;
  let serverKills = 0;
  let checkpointsSeen = 0;
  for (let turn = 0; Date.now() < untilMs; turn++) {
    const engine = world.run('engine', ['run', 'live.yaml']);
    await sleep(Math.min(700 + random() * 4500, Math.max(0, untilMs - Date.now())));
    if (publishing.exitCode !== null && publishing.exitCode !== 0) break;
    if (turn % 2 === 1) {
      await server.kill();
      serverKills++;
      // The engine sees the server go, or dies while it is away.
      await sleep(random() * 1500);
      if (random() < 0.5) await end(engine, 'SIGKILL');
      await server.resume();
      await sleep(500 + random() * 1500);
    }
    // 0 is the answer to a signal from elsewhere, which is as good as another end.
    if (engine.exitCode !== null && engine.exitCode !== 0) {
      throw new Error(`the engine ended by itself with exit code ${engine.exitCode}`);
    }
    await end(engine, 'SIGKILL');
    engineKills++;
    checkpointsSeen = Math.max(checkpointsSeen, await world.newestCheckpoint());
    log(`${engineKills} engines and ${serverKills} servers killed, checkpoint ${checkpointsSeen}`);
  }
  return { engineKills, serverKills, checkpointsSeen };
}

async function expectDone(what: string, child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), RUNS_TO_THE_END_MS);
  const code = await exitOf(child);
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${what} ended with exit code ${code ?? 'none: killed'}`);
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = exitOf(child);
  child.kill(signal);
  await gone;
}

/** Commands of tidemark in the folder of the trial; each writes into a log of its name. */
class Engines {
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  run(name: string, args: readonly string[]): ChildProcess {
    const log = join(this.#folder, 'logs', `${name}.log`);
    const child = spawn(
      'sh',
      ['-c', `exec "$0" "$@" >> '${log}' 2>&1`, process.execPath, TIDEMARK, ...args],
      { cwd: this.#folder, stdio: 'ignore' },
    );
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Rows of a query over the outputs of a pipeline. */
  async query<T>(file: string, sql: string): Promise<T[]> {
    return JSON.parse(await this.#output(['query', file, sql, '--json'])) as T[];
  }

  async newestCheckpoint(): Promise<number> {
    const listed = JSON.parse(await this.#output(['checkpoints', 'live.yaml', '--json'])) as {
      epoch: number;
    }[];
    return listed[0]?.epoch ?? 0;
  }

  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #output(args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [TIDEMARK, ...args], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [text, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (errors += piece));
    const code = await exitOf(child);
    if (code !== 0) throw new Error(`tidemark ${args.join(' ')} ended with ${code}: ${errors}`);
    return text;
  }
}

/** DuckDB finds what is missing, double or different. */
async function compare(world: Engines): Promise<{ bars: number; anomalies: number }> {
  const expected = (name: string): string => `read_parquet('batch/${name}/*.parquet')`;
  const alerts = `read_parquet('alerts/*.parquet')`;
  const without = (some: string, others: string): string =>
    `from (${some} except all ${others}) limit 5`;
  const ids = 'select anomaly_id from';
  const checks = {
    'bars twice': `select symbol, window_start, count(*) as n from bars
      group by all having n > 1 limit 5`,
    'bars missing or different': without(`from ${expected('bars')}`, 'from bars'),
    'bars that should not be': without('from bars', `from ${expected('bars')}`),
    'anomalies missing': without(`from ${expected('anomalies')}`, 'from anomalies'),
    'anomalies that should not be': without('from anomalies', `from ${expected('anomalies')}`),
    'alerts missing': without(`${ids} anomalies`, `${ids} ${alerts}`),
    'alerts twice or wrong': without(`${ids} ${alerts}`, `${ids} anomalies`),
  };
  for (const [what, sql] of Object.entries(checks)) {
    const rows = await world.query('live.yaml', sql);
    if (rows.length > 0) throw new Error(`${what}: ${JSON.stringify(rows)}`);
  }
  const [counts] = await world.query<{ bars: string; anomalies: string }>(
    'live.yaml',
    'select (select count(*) from bars) as bars, (select count(*) from anomalies) as anomalies',
  );
  const [bars, anomalies] = [Number(counts!.bars), Number(counts!.anomalies)];
  if (bars === 0 || anomalies === 0) throw new Error('nothing was written: that proves nothing');
  return { bars, anomalies };
}
