/**
 * The workload W1 from a NATS stream to Parquet, exactly once, beside merely reading the same
 * messages, and reading and decoding them; server and engine share the cores. The engine's time is
 * that of its run: from before its threads start to after its last commit. The stream has sixteen
 * partitions, as `tidemark publish` makes it.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findServer, NatsServer } from '../connectors/testing/nats-server.ts';
import {
  type Benchmark,
  type BenchOptions,
  type Contender,
  measure,
  type Point,
} from './harness/benchmark.ts';
import { withFolder } from './harness/bench-folder.ts';
import { type ProcessRun, runProcess } from './harness/run-process.ts';
import type { Target } from './harness/results.ts';
import { tradesParquet } from './workloads/w1-files.ts';

const CLI = new URL('../cli/main.js', import.meta.url);
const BARE_READ = new URL('./workloads/bare-read.js', import.meta.url);
const PIPELINE = fileURLToPath(new URL('../../bench/workloads/w1-stream.yaml', import.meta.url));
/** Messages of 65,536 trades in Arrow are larger than the server's default of 1 MiB allows. */
const CONFIG = 'max_payload: 8MiB\nmax_pending: 64MiB';

const NAME = 'TRADES';

interface Stream {
  readonly format: 'arrow' | 'json' | 'msgpack';
  readonly rows: number;
  readonly rowsPerMessage: number;
  /** Wanted, against merely reading Arrow, or reading and decoding the others. */
  readonly atLeast?: number;
}

/** Rows for a second or two of each. */
const STREAMS: readonly Stream[] = [
  { format: 'arrow', rows: 1_000_000, rowsPerMessage: 256 },
  { format: 'arrow', rows: 5_000_000, rowsPerMessage: 4096, atLeast: 0.35 },
  { format: 'arrow', rows: 10_000_000, rowsPerMessage: 16_384, atLeast: 0.35 },
  { format: 'arrow', rows: 10_000_000, rowsPerMessage: 65_536 },
  { format: 'json', rows: 500_000, rowsPerMessage: 1, atLeast: 0.6 },
  { format: 'json', rows: 1_000_000, rowsPerMessage: 256 },
  { format: 'msgpack', rows: 500_000, rowsPerMessage: 1 },
  { format: 'msgpack', rows: 1_000_000, rowsPerMessage: 256 },
];

/** The only ones of a quick run. */
const QUICK = { arrow: 4096, json: 1, msgpack: 256 };

export const benchmark: Benchmark = {
  name: 'jetstream',
  question: 'How fast is a stream read, worked on and written, against merely reading it?',
  async run(options) {
    try {
      findServer();
    } catch (error) {
      options.report.note(`left out: ${(error as Error).message}`);
      return;
    }
    for (const stream of STREAMS) {
      if (options.quick && stream.rowsPerMessage !== QUICK[stream.format]) continue;
      const rows = options.quick ? 10_000 : stream.rows;
      // A server for each, as it keeps what it has on disk in its memory.
      await using server = await NatsServer.start({ config: CONFIG });
      await withFolder((folder) => compare(options, server, { ...stream, rows }, folder));
    }
  },
};

interface Work {
  readonly url: string;
  readonly folder: string;
  readonly stream: Stream;
  readonly point: (series: string) => Point;
}

async function compare(
  { report, repetitions }: BenchOptions,
  { url }: NatsServer,
  stream: Stream,
  folder: string,
): Promise<void> {
  const { format, rows, rowsPerMessage, atLeast } = stream;
  const trades = rowsPerMessage === 1 ? 'trade' : 'trades';
  const title = `${format}, ${rowsPerMessage.toLocaleString('en-US')} ${trades} a message`;
  report.section(title);
  report.progress('publishing');
  const input = await tradesParquet({ rows, symbols: 1000 });
  await runProcess(CLI, [
    ...['publish', input, '--columns', 'event_time,symbol,price,size', '--to', url],
    ...['--stream', NAME, '--quiet'],
    ...['--format', format, '--rows-per-message', String(rowsPerMessage)],
  ]);
  const axis = 'trades a message';
  const point = (series: string) => ({ series: `${format}, ${series}`, axis, x: rowsPerMessage });
  const work: Work = { url, folder, stream, point };
  const contenders = [engine(work), bareRead(work, 'read'), bareRead(work, format)];
  const measured = await measure(report, contenders, {
    repetitions: Math.min(3, repetitions),
    amount: rows,
    unit: 'trades',
  });
  const [own, reading, decoding] = measured;
  const target = atLeast === undefined ? undefined : wanted(atLeast);
  const [ofRead, ofDecoding] = format === 'arrow' ? [target, undefined] : [undefined, target];
  report.against(`${title}: tidemark to the bare read`, own!, reading!, ofRead);
  report.against(`${title}: tidemark to read and decode`, own!, decoding!, ofDecoding);
}

function wanted(value: number): Target {
  return { comparison: 'at least', value };
}

function bareRead(
  { url, stream: { rows }, point }: Work,
  what: 'read' | Stream['format'],
): Contender<ProcessRun> {
  const isDecoded = what !== 'read';
  return {
    name: isDecoded ? 'bare read and decode, one thread' : 'bare read',
    ...(isDecoded ? { point: point('read and decoded') } : {}),
    run: () => runProcess(BARE_READ, [url, NAME, what]),
    usage: ({ stdout, ...usage }) => ({
      ...usage,
      seconds: (JSON.parse(stdout) as { seconds: number }).seconds,
    }),
    check: ({ stdout }) => {
      const found = JSON.parse(stdout) as { rows: number };
      if (isDecoded && found.rows !== rows) {
        throw new Error(`decoded ${found.rows} of ${rows} trades`);
      }
    },
  };
}

function engine({ url, folder, stream: { format, rows }, point }: Work): Contender<ProcessRun> {
  return {
    name: 'tidemark, to Parquet, a checkpoint every 10 s',
    point: point('tidemark'),
    prepare: () => rmSync(join(folder, 'out'), { recursive: true, force: true }),
    run: () =>
      runProcess(CLI, ['run', PIPELINE, '--json'], {
        environment: { NATS_URL: url, STREAM: NAME, FORMAT: format, OUTPUT: 'out' },
        directory: folder,
      }),
    usage: ({ stdout, ...usage }) => ({
      ...usage,
      seconds: (JSON.parse(stdout) as { elapsedMs: number }).elapsedMs / 1000,
    }),
    check: ({ stdout }) => {
      const { accounts } = JSON.parse(stdout) as { accounts: { read: number; processed: number } };
      if (accounts.read !== rows || accounts.processed !== rows) {
        throw new Error(`${accounts.processed} of ${rows} trades`);
      }
    },
  };
}
