/** What figures were measured on, and how fast it was at that moment. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whose versions a figure may depend on. */
const PACKAGES = [
  '@duckdb/node-api',
  'nodejs-polars',
  'parquet-wasm',
  'hyparquet-writer',
  'parquetjs-lite',
  'apache-arrow',
  'msgpackr',
  '@nats-io/transport-node',
];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  /** There were changes that are not in the commit. */
  readonly hasChanges: boolean;
  /** Load average of the last minute when it began: of the other work on the machine. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** The folder with package.json: sources lie below it, whatever is compiled in `dist`. */
export function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    commit: output('git', ['rev-parse', '--short', 'HEAD']) ?? 'unknown',
    hasChanges: (output('git', ['status', '--porcelain', '-uno']) ?? '') !== '',
    load: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
    versions: versions(),
  };
}

function versions(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of PACKAGES) {
    const path = join(projectFolder(), 'node_modules', name, 'package.json');
    if (!existsSync(path)) continue;
    found[name] = (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  }
  const gcc = output('gcc', ['-dumpfullversion']);
  if (gcc !== undefined) found['gcc'] = gcc;
  const server = output(process.env['NATS_SERVER'] ?? 'nats-server', ['--version']);
  if (server !== undefined) found['nats-server'] = server.replace(/^nats-server: v?/, '');
  return found;
}

function output(program: string, values: readonly string[]): string | undefined {
  try {
    return execFileSync(program, values, {
      cwd: projectFolder(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

const PROBE_VALUES = 1 << 21;
const PROBE_RUNS = 5;

export interface Probe {
  /** The best of a few runs. */
  readonly seconds: number;
  /** Of the time, how much the processor was ours: far below 1 where the machine is busy. */
  readonly share: number;
}

/**
 * A fixed piece of work, arithmetic over 16 MiB in a scattered order. It knows nothing of this
 * project, so where it differs between two runs the machine does.
 */
export function probeMachine(): Probe {
  const values = new Float64Array(PROBE_VALUES).fill(1.5);
  let best = Number.POSITIVE_INFINITY;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  for (let run = 0; run < PROBE_RUNS; run++) {
    const start = process.hrtime.bigint();
    let at = 1;
    for (let i = 0; i < PROBE_VALUES; i++) {
      at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0;
      const place = at & (PROBE_VALUES - 1);
      values[place] = Math.sqrt(values[place]! * values[i]! + 1);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
  }
  const { user, system } = process.cpuUsage(cpu);
  const share = (user + system) / 1000 / (performance.now() - begin);
  return { seconds: best, share: Math.min(1, share) };
}
