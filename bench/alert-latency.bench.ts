/**
 * From the moment at which a tick was to be published to the moment at which its anomaly is
 * received, at several rates, beside a bare round trip through the server in the same run. Ticks
 * are due by the clock: one that goes out late, because something stalls, counts from when it was
 * due. Publisher, server, engine and receiver share the cores.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/transport-node';
import { findServer, NatsServer } from '../connectors/testing/nats-server.ts';
import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import { withFolder } from './harness/bench-folder.ts';
import { percentiles } from './harness/percentiles.ts';

const CLI = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const PIPELINE = fileURLToPath(new URL('../../bench/workloads/alerts.yaml', import.meta.url));
/** One tick in so many is an anomaly. */
const ALERT_EVERY = 50;
/** Of the largest rate. */
const SHARES = [0.1, 0.5, 0.8];
const SECONDS = 3;

export const benchmark: Benchmark = {
  name: 'alert-latency',
  question: 'How long from a tick to its anomaly, and how does that change with the rate?',
  async run(options) {
    try {
      findServer();
    } catch (error) {
      options.report.note(`left out: ${(error as Error).message}`);
      return;
    }
    await using server = await NatsServer.start();
    await server.manage((manager) =>
      manager.streams.add({ name: 'TICKS', subjects: ['ticks.>'], max_bytes: 2 ** 30 }),
    );
    const connection = await server.connect();
    await withFolder(async (folder) => {
      const engine = spawn(process.execPath, [CLI, 'run', PIPELINE, '--quiet'], {
        cwd: folder,
        env: { ...process.env, NATS_URL: server.url },
        stdio: 'ignore',
      });
      const kill = (): void => void engine.kill('SIGKILL');
      process.once('exit', kill);
      try {
        const trial = new Trial(connection);
        await trial.untilReady(engine);
        await measureRates(options, trial);
      } finally {
        kill();
        await connection.close();
      }
    });
  },
};

/** The rates take turns, as contenders do. */
async function measureRates(options: BenchOptions, trial: Trial): Promise<void> {
  const { quick, report, repetitions } = options;
  const seconds = quick ? 0.5 : SECONDS;
  const largest = await largestRate(options, trial);
  report.figure('largest rate that it keeps up with', largest, 'ticks/s');
  const rates = SHARES.map((share) => {
    const runs: Latencies[] = [];
    return { share, rate: Math.round(largest * share), runs };
  });
  for (let turn = 0; turn < repetitions; turn++) {
    for (const { rate, runs } of rates) {
      report.progress(`${rate} ticks/s: ${turn + 1} of ${repetitions}`);
      runs.push(await trial.run(rate, seconds));
    }
  }
  for (const { share, rate, runs } of rates) {
    report.section(`At ${Math.round(share * 100)} % of it`);
    const behind = runs.filter(({ isBehind }) => isBehind).length;
    if (behind > 0) report.note(`fell behind in ${behind} of ${runs.length} runs`);
    const values = (key: 'alerts' | 'echoes') => runs.map((run) => run[key]);
    report.latencies('tick to anomaly', values('alerts'), rate);
    report.latencies('bare round trip', values('echoes'), rate);
  }
}

/** Doubles the rate until anomalies come more than half a second late. */
async function largestRate({ quick, report }: BenchOptions, trial: Trial): Promise<number> {
  let rate = 2000;
  for (; rate < 256_000; rate *= 2) {
    report.progress(`trying ${rate} ticks/s`);
    const { alerts, isBehind } = await trial.run(rate, quick ? 0.5 : 2);
    if (isBehind || percentiles(alerts).p50 > 500) break;
    if (quick) return rate;
  }
  return rate / 2;
}

interface Latencies {
  readonly alerts: readonly number[];
  readonly echoes: readonly number[];
  /** Not all ticks could be published when they were due, or not all anomalies came. */
  readonly isBehind: boolean;
}

class Trial {
  readonly #connection: NatsConnection;
  #alerts: number[] = [];
  #echoes: number[] = [];
  #sequence = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    const payload = (data: Uint8Array): number =>
      performance.now() - (JSON.parse(new TextDecoder().decode(data)) as { value: number }).value;
    connection.subscribe('alerts.>', {
      callback: (_error, { data }) => void this.#alerts.push(payload(data)),
    });
    connection.subscribe('echo', {
      callback: (_error, { data }) => void this.#echoes.push(payload(data)),
    });
  }

  async untilReady(engine: ChildProcess): Promise<void> {
    while (this.#alerts.length === 0) {
      if (engine.exitCode !== null) throw new Error(`the engine ended with ${engine.exitCode}`);
      this.#publish(performance.now(), true);
      await sleep(50);
    }
  }

  async run(rate: number, seconds: number): Promise<Latencies> {
    await sleep(300);
    [this.#alerts, this.#echoes] = [[], []];
    const count = Math.round(rate * seconds);
    const start = performance.now() + 5;
    let expected = 0;
    for (let next = 0; next < count; ) {
      const due = Math.min(count, Math.floor(((performance.now() - start) / 1000) * rate) + 1);
      for (; next < due; next++) {
        const isAlert = next % ALERT_EVERY === 0;
        if (isAlert) expected++;
        this.#publish(start + (next / rate) * 1000, isAlert);
      }
      await setImmediate();
    }
    const isLate = performance.now() - start > seconds * 1000 + 500;
    const untilMs = performance.now() + 3000;
    while (this.#alerts.length < expected && performance.now() < untilMs) await sleep(5);
    const isBehind = isLate || this.#alerts.length < expected;
    return { alerts: this.#alerts, echoes: this.#echoes, isBehind };
  }

  #publish(dueMs: number, isAlert: boolean): void {
    const sequence = this.#sequence++;
    const time = BigInt(1_700_000_000_000_000_000) + BigInt(sequence) * 1000n;
    const price = isAlert ? 101 : 99;
    const symbol = `S${sequence % 50}`;
    const tick = `{"event_time":${time},"symbol":"${symbol}","price":${price},"sent":${dueMs}}`;
    this.#connection.publish(`ticks.${symbol}`, tick);
    if (isAlert) this.#connection.publish('echo', `{"value":${dueMs}}`);
  }
}
