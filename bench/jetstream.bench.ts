/**
 * The workload W1 from a NATS stream to Parquet, exactly once, beside merely reading the same
 * messages; server, publisher and engine share the cores. The engine's time is that of its run:
 * from before its threads start to after its last commit.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NatsServer } from '../connectors/testing/nats-server.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  measure,
  speedup,
} from './harness/benchmark.ts';
import { type ProcessRun, runProcess } from './harness/run-process.ts';
import { tradesParquet } from './workloads/w1-files.ts';

const CLI = new URL('../cli/main.js', import.meta.url);
const BARE_READ = new URL('./workloads/bare-read.js', import.meta.url);
const PIPELINES = fileURLToPath(new URL('../../bench/workloads/', import.meta.url));

interface Stream {
  readonly name: string;
  readonly format: 'arrow' | 'json';
  readonly rows: number;
  readonly rowsPerMessage: number;
}

export const benchmark: Benchmark = {
  name: 'jetstream',
  question: 'How fast is a stream read, worked on and written, against merely reading it?',
  async run(options) {
    const rows = options.quick ? 200_000 : 10_000_000;
    const jsonRows = options.quick ? 20_000 : 1_000_000;
    await using server = await NatsServer.start();
    for (const rowsPerMessage of [4096, 16_384]) {
      const name = `ARROW${rowsPerMessage}`;
      await compare(options, server, { name, format: 'arrow', rows, rowsPerMessage }, 0.35);
    }
    const json = { name: 'JSON', format: 'json', rows: jsonRows, rowsPerMessage: 1 } as const;
    await compare(options, server, json, 0.6);
  },
};

async function compare(
  { report, repetitions }: BenchOptions,
  server: NatsServer,
  stream: Stream,
  atLeast: number,
): Promise<void> {
  const { name, format, rows, rowsPerMessage } = stream;
  report.section(`${format}, ${rowsPerMessage.toLocaleString('en-US')} trades a message`);
  report.progress('publishing');
  const input = await tradesParquet({ rows, symbols: 1000 });
  const columns = 'event_time,symbol,price,size';
  await runProcess(CLI, [
    ...['publish', input, '--columns', columns, '--to', server.url, '--stream', name, '--quiet'],
    ...['--format', format, '--rows-per-message', String(rowsPerMessage)],
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const read = (what: 'read' | 'parse'): Contender<ProcessRun> => ({
    name: what === 'read' ? 'bare read' : 'bare read and JSON.parse, one thread',
    run: () => runProcess(BARE_READ, [server.url, name, what]),
    usage: ({ stdout, ...usage }) => ({
      ...usage,
      seconds: (JSON.parse(stdout) as { seconds: number }).seconds,
    }),
  });
  const engine: Contender<ProcessRun> = {
    name: 'tidemark, to Parquet, a checkpoint every 10 s',
    prepare: () => rmSync(join(folder, 'out'), { recursive: true, force: true }),
    run: () =>
      runProcess(CLI, ['run', join(PIPELINES, 'w1-stream.yaml'), '--json'], {
        environment: { NATS_URL: server.url, STREAM: name, FORMAT: format, OUTPUT: 'out' },
        directory: folder,
      }),
    usage: ({ stdout, ...usage }) => ({
      ...usage,
      seconds: (JSON.parse(stdout) as { elapsedMs: number }).elapsedMs / 1000,
    }),
    check: ({ stdout }) => {
      const { accounts } = JSON.parse(stdout) as { accounts: { read: number; processed: number } };
      if (accounts.read !== rows) throw new Error(`read ${accounts.read} of ${rows} trades`);
    },
  };
  try {
    const bare = format === 'json' ? [read('read'), read('parse')] : [read('read')];
    const measured = await measure(report, [...bare, engine], {
      repetitions: Math.min(3, repetitions),
      amount: rows,
      unit: 'trades',
    });
    const [own, peer] = [measured.at(-1)!, measured.at(-2)!];
    report.ratio(`tidemark to ${peer.name}`, speedup(own, peer), {
      comparison: 'at least',
      value: atLeast,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
