/** Questions that are answered by trying. */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Finding } from './report.ts';

/** A module with one function: `v128.any_true(v128.const 0)`. */
const SIMD_MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x18, 0x01, 0x16, 0x00, 0xfd, 0x0c],
  ...new Array<number>(16).fill(0),
  ...[0xfd, 0x53, 0x0b],
]);

export function simd(): Finding {
  try {
    const module = new WebAssembly.Module(SIMD_MODULE);
    return { name: 'wasm simd', status: 'ok', found: module === undefined ? 'no' : 'yes' };
  } catch {
    return {
      name: 'wasm simd',
      status: 'fail',
      found: 'no',
      remedy: 'use a processor and a Node with WebAssembly SIMD: the kernels are built with it',
    };
  }
}

const THREAD_TIMEOUT_MS = 10_000;

export async function workerThreads(): Promise<Finding> {
  const worker = new Worker(`require('node:worker_threads').parentPort.postMessage('here')`, {
    eval: true,
  });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => resolve('no answer'), THREAD_TIMEOUT_MS);
      worker.once('message', (text: string) => {
        clearTimeout(timer);
        resolve(text);
      });
      worker.once('error', reject);
    });
    if (answer === 'here') return { name: 'worker threads', status: 'ok', found: 'start' };
    return {
      name: 'worker threads',
      status: 'fail',
      found: answer,
      remedy: 'raise the limit on threads of this user or container (ulimit -u)',
    };
  } finally {
    await worker.terminate();
  }
}

export async function queryEngine(): Promise<Finding> {
  try {
    const { Datasets } = await import('../../quality/datasets.ts');
    const { displayRows, runQuery } = await import('../../quality/query.ts');
    await using datasets = await Datasets.open([]);
    const rows = await displayRows(await runQuery(datasets, 'select version()'));
    return { name: 'duckdb', status: 'ok', found: (rows[0]?.[0] ?? '').replace(/^v/, '') };
  } catch (error) {
    return {
      name: 'duckdb',
      status: 'fail',
      found: error instanceof Error ? error.message.split('\n')[0]! : String(error),
      remedy: 'run npm install on this machine: check and query need DuckDB built for it',
    };
  }
}

/** Writes, syncs and renames a file as a sink does, in the folder or where it would be made. */
export async function writable(name: string, folder: string): Promise<Finding> {
  const made: string[] = [];
  const file = join(folder, `.tidemark-doctor-${process.pid}`);
  try {
    await makeFolder(folder, made);
    const handle = await open(file, 'wx');
    try {
      await handle.write('tidemark');
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(file, `${file}-renamed`);
    return { name, status: 'ok', found: `${folder} can be written to` };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return {
      name,
      status: 'fail',
      found: `${folder} cannot be written to: ${reason}`,
      remedy: 'change its owner or permissions, or run from another folder',
    };
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
    await rm(`${file}-renamed`, { force: true }).catch(() => undefined);
    // Nothing is left behind; a folder that somebody else has begun to use stays.
    for (const path of made) await rmdir(path).catch(() => undefined);
  }
}

/** Makes the folder and those above it, and tells which, the deepest first. */
async function makeFolder(folder: string, made: string[]): Promise<void> {
  try {
    await mkdir(folder);
    made.unshift(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder), made);
    await mkdir(folder);
    made.unshift(folder);
  }
}

const NOT_ON_PATH =
  'not on the PATH; only streams need one: the Debian package nats-server, or docker compose up -d';

/** Nothing needs it here; who wants to stream may want to know. */
export async function natsServer(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Finding> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'nats-server');
    if (folder === '' || !(await isExecutable(path))) continue;
    try {
      const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 5_000 });
      return { name: 'nats-server', status: 'info', found: `${stdout.trim()} (${path})` };
    } catch {
      return { name: 'nats-server', status: 'info', found: `${path}, which does not start` };
    }
  }
  return { name: 'nats-server', status: 'info', found: NOT_ON_PATH };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
