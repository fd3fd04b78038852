/** Runs a Node program as a process of its own and says what it took, all in all. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ProcessRun {
  /** From the start of the process to its end. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly stdout: string;
}

export interface ProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Working directory; default that of this process. */
  readonly directory?: string;
}

/**
 * @param module URL of a compiled module.
 * @throws {Error} With what it printed, where it ends with another code than 0.
 */
export async function runProcess(
  module: URL,
  values: readonly string[],
  { environment = {}, directory }: ProcessOptions = {},
): Promise<ProcessRun> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const usagePath = join(folder, 'usage.json');
  const preload = new URL('./process-usage.js', import.meta.url).href;
  const start = process.hrtime.bigint();
  const child = spawn(process.execPath, ['--import', preload, fileURLToPath(module), ...values], {
    cwd: directory,
    env: { ...process.env, ...environment, TIDEMARK_BENCH_USAGE: usagePath },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (code !== 0) {
      throw new Error(`${module.pathname} ${values.join(' ')}: exit code ${code}\n${stderr}`);
    }
    const usage = JSON.parse(readFileSync(usagePath, 'utf8')) as {
      cpuSeconds: number;
      peakBytes: number;
    };
    return { seconds, stdout, ...usage };
  } finally {
    process.off('exit', kill);
    rmSync(folder, { recursive: true });
  }
}
