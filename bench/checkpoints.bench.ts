/**
 * What checkpoints cost, and how that grows with the number of symbols and with the state of each:
 * W1, Parquet to Parquet, with a checkpoint every second and without; how long one takes and how
 * long a thread stands still for it; and how long a run that was killed takes from its restart to
 * its first new output.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  measure,
  median,
} from './harness/benchmark.ts';
import { withFolder } from './harness/bench-folder.ts';
import { type ProcessRun, runProcess } from './harness/run-process.ts';
import { tradesParquet } from './workloads/w1-files.ts';

const CLI = new URL('../cli/main.js', import.meta.url);
const PIPELINE = fileURLToPath(new URL('../../bench/workloads/w1.yaml', import.meta.url));
const RESTART_MS_MAX = 30_000;

interface Variant {
  readonly symbols: number;
  /** How many bars back the scores look: the state of a symbol. */
  readonly bars: number;
  /** The one that targets are about. */
  readonly isMain?: boolean;
}

const VARIANTS: readonly Variant[] = [
  { symbols: 1_000, bars: 20 },
  { symbols: 10_000, bars: 20, isMain: true },
  { symbols: 100_000, bars: 20 },
  { symbols: 10_000, bars: 200 },
];

interface Summary {
  readonly checkpoints?: {
    readonly count: number;
    readonly bytes: number;
    readonly durationMs: number;
    readonly stallMs: number;
  };
}

export const benchmark: Benchmark = {
  name: 'checkpoints',
  question: 'What does a checkpoint every second cost, and how fast does a killed run go on?',
  async run(options) {
    const variants = options.quick ? VARIANTS.filter(({ isMain }) => isMain) : VARIANTS;
    for (const variant of variants) {
      await withFolder((folder) => measureVariant(options, variant, folder));
    }
  },
};

async function measureVariant(
  { quick, repetitions, report }: BenchOptions,
  { symbols, bars, isMain = false }: Variant,
  folder: string,
): Promise<void> {
  const rows = quick ? 500_000 : 10_000_000;
  report.section(`${symbols.toLocaleString('en-US')} symbols, a state of ${bars} bars each`);
  report.progress('writing the trades');
  const environment = { TRADES: await tradesParquet({ rows, symbols }), OUTPUT: 'out' };
  const window = ['-s', `operators.scores.over=${bars} rows`];
  const every = ['-s', 'checkpoint.interval=1s', '-s', 'checkpoint.directory=state'];
  const summaries: Summary['checkpoints'][] = [];
  const contender = (name: string, flags: readonly string[]): Contender<ProcessRun> => ({
    name,
    ...(bars === 20 ? { point: { series: name, axis: 'symbols', x: symbols } } : {}),
    prepare: () => rmSync(join(folder, 'out'), { recursive: true, force: true }),
    run: () =>
      runProcess(CLI, ['run', PIPELINE, '--json', ...window, ...flags], {
        environment,
        directory: folder,
      }),
    usage: ({ stdout, ...usage }) => {
      const { checkpoints } = JSON.parse(stdout) as Summary;
      if (checkpoints !== undefined) summaries.push(checkpoints);
      return usage;
    },
  });
  const [without, with_] = await measure(
    report,
    [contender('without', []), contender('a checkpoint every second', every)],
    { repetitions: Math.min(isMain ? 5 : 3, repetitions), amount: rows, unit: 'trades' },
  );
  const target = { comparison: 'at least', value: 0.95 } as const;
  report.ratio('throughput with to without', with_!, without!, isMain ? target : undefined);
  const middle = (key: 'count' | 'bytes' | 'durationMs' | 'stallMs'): number =>
    median(summaries.map((summary) => summary![key]));
  report.figure('checkpoints of a run', middle('count'), '');
  report.figure('size', middle('bytes') / 2 ** 20, 'MiB');
  report.figure('duration of one, in the mean', middle('durationMs'), 'ms');
  report.figure('longest stall', middle('stallMs'), 'ms', { comparison: 'at most', value: 10 });
  const flags = [...window, '-s', 'checkpoint.directory=state'];
  const seconds: number[] = [];
  for (let turn = 0; turn < Math.min(3, repetitions); turn++) {
    report.progress(`restart ${turn + 1}`);
    const taken = await restart(folder, environment, flags);
    if (taken !== undefined) seconds.push(taken);
  }
  if (seconds.length === 0) {
    report.note('the run was over before it could be killed');
    return;
  }
  report.figure('from the restart to the first new output', median(seconds), 's', {
    comparison: 'at most',
    value: 2,
  });
}

/**
 * Kills a run after its second checkpoint.
 * @returns Seconds until the next one has put out more; undefined where the first one was too fast.
 */
async function restart(
  folder: string,
  environment: Readonly<Record<string, string>>,
  given: readonly string[],
): Promise<number | undefined> {
  for (const name of ['out', 'state']) rmSync(join(folder, name), { recursive: true, force: true });
  const settings = ['checkpoint.interval=100ms', 'sinks.scores.roll.age=1ms'];
  const flags = [...given, ...settings.flatMap((each) => ['-s', each])];
  const run = () => {
    const child = spawn(process.execPath, [fileURLToPath(CLI), 'run', PIPELINE, ...flags], {
      cwd: folder,
      env: { ...process.env, ...environment },
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
    return { child, end: () => (kill(), ended) };
  };
  const files = (): number => {
    const path = join(folder, 'out', 'scores');
    if (!existsSync(path)) return 0;
    return readdirSync(path).filter((name) => name.endsWith('.parquet')).length;
  };
  /** Whether it put out more before it ended. */
  const untilMore = async ({ child }: ReturnType<typeof run>, than: number): Promise<boolean> => {
    const untilMs = performance.now() + RESTART_MS_MAX;
    while (files() <= than && child.exitCode === null) {
      if (performance.now() > untilMs) throw new Error(`no output in ${RESTART_MS_MAX} ms`);
      await sleep(5);
    }
    return child.exitCode === null;
  };
  const first = run();
  try {
    if (!(await untilMore(first, 1))) return undefined;
  } finally {
    await first.end();
  }
  const before = files();
  const start = performance.now();
  const second = run();
  try {
    await untilMore(second, before);
    return (performance.now() - start) / 1000;
  } finally {
    await second.end();
  }
}
