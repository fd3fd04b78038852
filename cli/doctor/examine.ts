/**
 * Asks the machine. Every question is tried for real (a file is written, a thread is started, a
 * kernel is compiled), because what a system says of itself is not always so. A question that
 * cannot be answered is a finding and never an exception.
 */

import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import { statfs } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { terminalWidth } from '../terminal/palette.ts';
import { formatBytes, plural } from '../terminal/numbers.ts';
import { natsServer, queryEngine, simd, workerThreads, writable } from './attempts.ts';
import { type DoctorReport, type Finding, reportOf } from './report.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder that pipelines are run from. */
  readonly folder: string;
  /** A NATS server that has to answer. */
  readonly nats?: string | undefined;
}

export async function examine(
  { environment, folder, nats }: Surroundings = {
    environment: process.env,
    folder: process.cwd(),
  },
): Promise<DoctorReport> {
  const questions: readonly (readonly [name: string, ask: () => Finding | Promise<Finding>])[] = [
    ['node', () => node(process.versions.node)],
    ['tidemark', tidemark],
    ['platform', platform],
    ['cores', cores],
    ['memory', memory],
    ['wasm simd', simd],
    ['kernels', kernels],
    ['worker threads', workerThreads],
    ['duckdb', queryEngine],
    ...LIBRARIES.map((name) => [name, () => library(name)] as const),
    ['disk of working folder', () => disk('disk of working folder', folder)],
    ['disk of temporary files', () => disk('disk of temporary files', tmpdir())],
    ['out', () => writable('out', join(folder, 'out'))],
    ['temporary files', () => writable('temporary files', tmpdir())],
    ['time zone', timeZone],
    ['terminal', () => terminal(environment)],
    ['nats-server', () => natsServer(environment)],
  ];
  const findings = await Promise.all(questions.map(([name, ask]) => attempt(name, ask)));
  return reportOf([...findings, ...(await natsFindings(nats ?? environment['NATS_URL']))]);
}

async function natsFindings(url: string | undefined): Promise<readonly Finding[]> {
  try {
    // Its client is loaded by who asks only.
    const { natsService } = await import('./nats.ts');
    return await natsService(url);
  } catch (error) {
    return [await attempt('nats', () => Promise.reject(error as Error))];
  }
}

async function attempt(name: string, ask: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await ask();
  } catch (error) {
    const found = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    return { name, status: 'fail', found, remedy: 'see the message; nothing is known of this' };
  }
}

const NODE_MIN = [20, 19] as const;

/** @param version As of `process.versions.node`. */
export function node(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return isNew
    ? { name: 'node', status: 'ok', found: version }
    : {
        name: 'node',
        status: 'fail',
        found: version,
        remedy: `install Node ${NODE_MIN.join('.')} or newer`,
      };
}

/** The package's own description, two folders above `dist/cli/doctor`. */
function tidemark(): Finding {
  const { version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  return { name: 'tidemark', status: 'ok', found: version };
}

function platform(): Finding {
  const found = `${process.platform} ${process.arch}`;
  if (process.platform !== 'linux') return { name: 'platform', status: 'ok', found };
  const { header } = process.report.getReport() as unknown as {
    header: { glibcVersionRuntime?: string };
  };
  if (header.glibcVersionRuntime !== undefined) {
    return {
      name: 'platform',
      status: 'ok',
      found: `${found}, glibc ${header.glibcVersionRuntime}`,
    };
  }
  return {
    name: 'platform',
    status: 'warn',
    found: `${found}, no glibc`,
    remedy: 'use an image with glibc, such as debian:12-slim: DuckDB is built for it',
  };
}

function cores(): Finding {
  const count = availableParallelism();
  if (count > 1) return { name: 'cores', status: 'ok', found: String(count) };
  return {
    name: 'cores',
    status: 'warn',
    found: '1',
    remedy: 'give it a second core: reading and computing take turns on one',
  };
}

const MEMORY_MIN = 2 ** 30;

function memory(): Finding {
  const limit = process.constrainedMemory() ?? 0;
  const isLimited = limit > 0 && limit < totalmem();
  const total = isLimited ? limit : totalmem();
  const free = isLimited ? Math.max(0, limit - process.memoryUsage.rss()) : freemem();
  const whose = isLimited ? ' for this container' : '';
  const found = `${formatBytes(total)}${whose}, ${formatBytes(free)} free`;
  if (free >= MEMORY_MIN) return { name: 'memory', status: 'ok', found };
  return {
    name: 'memory',
    status: 'warn',
    found,
    remedy: `a pipeline with its checks takes up to ${formatBytes(MEMORY_MIN)}: free some`,
  };
}

/** Modules of the build that every slot instantiates. */
function kernels(): Finding {
  const folder = new URL('../../wasm/kernels/', import.meta.url);
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.wasm'));
    for (const name of names) new WebAssembly.Module(readFileSync(new URL(name, folder)));
    if (names.length === 0) throw new Error('there are none');
    return { name: 'kernels', status: 'ok', found: `${names.length} compile` };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { name: 'kernels', status: 'fail', found, remedy: 'run npm run build' };
  }
}

const LIBRARIES = ['parquet-wasm', 'piscina'];

/** Looked up and not loaded: one of them has 15 MB. */
function library(name: string): Finding {
  const version = packageVersion(name);
  return version === undefined
    ? { name, status: 'fail', found: 'missing', remedy: 'run npm install' }
    : { name, status: 'ok', found: version };
}

function packageVersion(name: string): string | undefined {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(join(folder, name, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Not in this folder: the next one up may have it.
    }
  }
  return undefined;
}

const DISK_MIN = 2 ** 30;

async function disk(name: string, folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${formatBytes(free)} free in ${folder}`;
  if (free >= DISK_MIN) return { name, status: 'ok', found };
  return {
    name,
    status: 'warn',
    found,
    remedy: 'make room: outputs are staged in full before they replace what was there',
  };
}

function timeZone(): Finding {
  const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
  return { name: 'time zone', status: 'info', found: `${zone}; pipelines use UTC whatever it is` };
}

function terminal(environment: Surroundings['environment']): Finding {
  if (process.stdout.isTTY !== true) {
    return { name: 'terminal', status: 'info', found: 'none: no colours, progress line by line' };
  }
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  const width = plural(terminalWidth(process.stdout, environment), 'column');
  const found = `${width}, ${locale === '' ? 'no locale' : locale}`;
  if (/utf-?8/i.test(locale)) return { name: 'terminal', status: 'ok', found };
  return {
    name: 'terminal',
    status: 'warn',
    found,
    remedy: 'set LANG=C.UTF-8 if the lines of tables are not drawn as lines',
  };
}
