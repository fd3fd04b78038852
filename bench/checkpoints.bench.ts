/**
 * What checkpoints cost: W1 with 10,000 symbols and a state of 20 bars each, Parquet to Parquet,
 * with a checkpoint every second and without; how long a thread stands still for one; and how long
 * a run that was killed takes from its restart to its first new output.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Benchmark, type Contender, measure, median, speedup } from './harness/benchmark.ts';
import { type ProcessRun, runProcess } from './harness/run-process.ts';
import { tradesParquet } from './workloads/w1-files.ts';

const CLI = new URL('../cli/main.js', import.meta.url);
const PIPELINE = fileURLToPath(new URL('../../bench/workloads/w1.yaml', import.meta.url));

interface Summary {
  readonly checkpoints?: {
    readonly count: number;
    readonly bytes: number;
    readonly stallMs: number;
  };
}

export const benchmark: Benchmark = {
  name: 'checkpoints',
  question: 'What does a checkpoint every second cost, and how fast does a killed run go on?',
  async run({ quick, repetitions, report }) {
    const rows = quick ? 500_000 : 20_000_000;
    const symbols = 10_000;
    const input = await tradesParquet({ rows, symbols });
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
    const environment = { TRADES: input, OUTPUT: 'out' };
    const every = ['-s', 'checkpoint.interval=1s', '-s', 'checkpoint.directory=state'];
    const summaries: Summary[] = [];
    const contender = (name: string, flags: readonly string[]): Contender<ProcessRun> => ({
      name,
      prepare: () => rmSync(join(folder, 'out'), { recursive: true, force: true }),
      run: () =>
        runProcess(CLI, ['run', PIPELINE, '--json', ...flags], { environment, directory: folder }),
      usage: ({ stdout, ...usage }) => {
        const summary = JSON.parse(stdout) as Summary;
        if (summary.checkpoints !== undefined) summaries.push(summary);
        return usage;
      },
    });
    try {
      const measured = await measure(
        report,
        [contender('without', []), contender('a checkpoint every second', every)],
        { repetitions: Math.min(5, repetitions), amount: rows, unit: 'trades' },
      );
      report.ratio('throughput with to without', speedup(measured[1]!, measured[0]!), {
        comparison: 'at least',
        value: 0.95,
      });
      const taken = summaries.map(({ checkpoints }) => checkpoints!);
      report.figure('checkpoints of a run', median(taken.map(({ count }) => count)), '');
      report.figure('size', median(taken.map(({ bytes }) => bytes)) / 2 ** 20, 'MiB');
      report.figure('longest stall', median(taken.map(({ stallMs }) => stallMs)), 'ms', {
        comparison: 'at most',
        value: 10,
      });
      const seconds: number[] = [];
      for (let turn = 0; turn < Math.min(3, repetitions); turn++) {
        seconds.push(await restart(folder, environment));
      }
      report.figure('from the restart to the first new output', median(seconds), 's', {
        comparison: 'at most',
        value: 2,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Kills a run after its second checkpoint; seconds until the next one has put out more. */
async function restart(
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  for (const name of ['out', 'state']) rmSync(join(folder, name), { recursive: true, force: true });
  const settings = ['checkpoint.interval=100ms', 'checkpoint.directory=state'];
  const flags = [...settings, 'sinks.scores.roll.age=1ms'].flatMap((each) => ['-s', each]);
  const run = () =>
    spawn(process.execPath, [fileURLToPath(CLI), 'run', PIPELINE, ...flags], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
  const first = run();
  const files = (): number => {
    const path = join(folder, 'out', 'scores');
    if (!existsSync(path)) return 0;
    return readdirSync(path).filter((name) => name.endsWith('.parquet')).length;
  };
  while (files() < 2 && first.exitCode === null) await sleep(5);
  if (first.exitCode !== null) throw new Error('the run was over before it could be killed');
  first.kill('SIGKILL');
  await new Promise((resolve) => {
    first.once('exit', resolve);
  });
  const before = files();
  const start = performance.now();
  const second = run();
  while (files() <= before && second.exitCode === null) await sleep(5);
  const seconds = (performance.now() - start) / 1000;
  second.kill('SIGKILL');
  return seconds;
}
