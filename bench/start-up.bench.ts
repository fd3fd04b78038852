/**
 * How long one waits at the command line: for the help, for a lint, for the first rows that `demo`
 * has staged for its outputs, and for all of it. Beside it Node's own start, below which nothing
 * that runs in Node can come.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Benchmark, type Contender, measure } from './harness/benchmark.ts';
import { withFolder } from './harness/bench-folder.ts';
import { type ProcessRun, runProcess } from './harness/run-process.ts';
import { W1_PIPELINE } from './workloads/w1-engine.ts';

const CLI = new URL('../cli/main.js', import.meta.url);
const NOTHING = new URL('./workloads/nothing.js', import.meta.url);
const WAIT_MS_MAX = 30_000;

export const benchmark: Benchmark = {
  name: 'start-up',
  question: 'How long until the command line answers?',
  async run({ quick, report, repetitions }) {
    await withFolder(async (folder) => {
      const command = (name: string, module: URL, values: string[]): Contender<ProcessRun> => ({
        name,
        run: () =>
          runProcess(module, values, {
            environment: { TRADES: 'trades.parquet', OUTPUT: 'out' },
            directory: folder,
          }),
        usage: ({ seconds, cpuSeconds, peakBytes }) => ({ seconds, cpuSeconds, peakBytes }),
      });
      const trades = quick ? 100_000 : 3_000_000;
      const setting = `sources.trades.trades=${trades}`;
      const demo = ['demo', '--quiet', '-s', setting];
      await measure(
        report,
        [
          command('node, an empty program', NOTHING, []),
          command('tidemark --help', CLI, ['--help']),
          command('tidemark lint', CLI, ['lint', W1_PIPELINE]),
          {
            name: 'tidemark demo, until rows are staged',
            prepare: () => rmSync(join(folder, 'out'), { recursive: true, force: true }),
            run: () => untilStaged(folder, demo),
            usage: (seconds: number) => ({ seconds }),
          },
          {
            ...command(`tidemark demo, ${trades.toLocaleString('en-US')} trades`, CLI, demo),
            prepare: () => rmSync(join(folder, 'out'), { recursive: true, force: true }),
          },
        ],
        { repetitions, amount: 1, unit: 'starts' },
      );
    });
  },
};

/** Seconds from the start of the process to the first file of an output, which is not done yet. */
async function untilStaged(folder: string, values: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [fileURLToPath(CLI), ...values], {
    cwd: folder,
    stdio: 'ignore',
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', kill);
      resolve();
    });
  });
  try {
    while (!hasFile(join(folder, 'out'))) {
      if (child.exitCode !== null && child.exitCode !== 0) {
        throw new Error(`the demo ended with ${child.exitCode}`);
      }
      if (performance.now() - start > WAIT_MS_MAX) throw new Error('the demo puts nothing out');
      await sleep(1);
    }
    return (performance.now() - start) / 1000;
  } finally {
    kill();
    await ended;
  }
}

function hasFile(path: string): boolean {
  if (!existsSync(path)) return false;
  return readdirSync(path, { recursive: true, withFileTypes: true }).some((each) => each.isFile());
}
