/** Runs benchmarks one after the other, each as a process, and says of each how it ended. */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunOneOptions } from '../run-one.ts';
import type { BenchResult } from './results.ts';

const RUN_ONE = fileURLToPath(new URL('../run-one.js', import.meta.url));
const LIMIT_MS = { quick: 120_000, full: 1_800_000 };

export type RunOptions = Omit<RunOneOptions, 'command' | 'resultPath'>;

/** @returns What it measured, or, as a text, why there is nothing. */
export async function runBenchmark(
  name: string,
  options: RunOptions,
): Promise<BenchResult | string> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const resultPath = join(folder, 'result.json');
  const command = commandOf(name, options);
  const values = ['--expose-gc', '--enable-source-maps', RUN_ONE, name];
  const child = spawn(
    process.execPath,
    [...values, JSON.stringify({ ...options, command, resultPath } satisfies RunOneOptions)],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  const limit = options.quick ? LIMIT_MS.quick : LIMIT_MS.full;
  let isOverdue = false;
  const timer = setTimeout(() => {
    isOverdue = true;
    end();
  }, limit);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.on('error', reject);
        child.on('close', (...ended) => resolve(ended));
      },
    );
    if (isOverdue) return `not done after ${limit / 1000} s`;
    if (signal !== null) return `ended by ${signal}`;
    if (code !== 0) return `exit code ${code}`;
    if (!existsSync(resultPath)) return 'exit code 0, but no result';
    return JSON.parse(readFileSync(resultPath, 'utf8')) as BenchResult;
  } finally {
    process.off('exit', end);
    clearTimeout(timer);
    rmSync(folder, { recursive: true });
  }
}

/** Full and default options are left out: it is what somebody types to see the same figures. */
function commandOf(name: string, { quick, repetitions }: RunOptions): string {
  const flags = quick ? ['--quick'] : [];
  if (repetitions !== defaultRepetitions(quick)) flags.push('--repetitions', String(repetitions));
  return ['npm run bench --', name, ...flags].join(' ');
}

export function defaultRepetitions(quick: boolean): number {
  return quick ? 1 : 5;
}
