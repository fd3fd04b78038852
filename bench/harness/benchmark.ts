/**
 * What a benchmark is, and how it measures.
 *
 * A benchmark asks one question and lives in one file, `bench/<name>.bench.ts`, which exports it as
 * `benchmark`. It compares *contenders*: each does the same work in its own way. After a warm-up,
 * whose result is checked, the contenders run in turns (A B C A B C …), so that a slow minute of
 * the machine falls on all of them and ratios taken within one turn hold. Only `run` is timed.
 */

import type { Report } from './report.ts';

export interface BenchOptions {
  /** Less data and fewer repetitions: is it still right, and roughly as fast? */
  readonly quick: boolean;
  /** Timed repetitions of each contender. */
  readonly repetitions: number;
  readonly report: Report;
  /** Folder of data that the benchmark cannot make itself; undefined where none is given. */
  readonly data?: string | undefined;
}

export interface Benchmark {
  /** Equals the file's name without `.bench.ts`. */
  readonly name: string;
  /** What a reader wants to know, as a question. */
  readonly question: string;
  run(options: BenchOptions): Promise<void>;
}

/** Where a measurement stands on an axis, for a chart: 1,000 symbols, in the line of DuckDB. */
export interface Point {
  readonly series: string;
  /** What is varied: `symbols`. */
  readonly axis: string;
  readonly x: number;
}

export interface Contender<Result = unknown> {
  readonly name: string;
  readonly point?: Point;
  /** What this contender works on, where it differs from the others' amount. */
  readonly amount?: number;
  /** Before each repetition; not timed. */
  readonly prepare?: () => void | Promise<void>;
  readonly run: () => Result | Promise<Result>;
  /** What `run` knows better than the clock around it: of a child process, say. */
  readonly usage?: (result: Result) => Usage;
  /** Looks at the result of the warm-up and throws where it is wrong; not timed. */
  readonly check?: (result: Result) => void | Promise<void>;
}

export interface Usage {
  readonly seconds?: number;
  /** Of all threads together. */
  readonly cpuSeconds?: number;
  readonly peakBytes?: number;
}

/** One contender. Of each repetition, in the order in which they ran. */
export interface Measurement {
  readonly name: string;
  readonly seconds: readonly number[];
  /** More than the seconds where several cores were at work. */
  readonly cpuSeconds: readonly number[];
  /** Where the contender knows it. */
  readonly peakBytes?: readonly number[];
  /** Units of work of a repetition. */
  readonly amount: number;
  readonly unit: string;
  readonly point?: Point;
}

export interface MeasureOptions {
  readonly repetitions: number;
  /** Units of work a repetition does: 10,000,000 trades. */
  readonly amount: number;
  /** Plural: `trades`. */
  readonly unit: string;
}

/** Runs the contenders in turns and prints a row for each. In the order given. */
export async function measure(
  report: Report,
  // Contenders of one comparison have results of different types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  contenders: readonly Contender<any>[],
  options: MeasureOptions,
): Promise<Measurement[]> {
  const usages = contenders.map((): Required<Usage>[] => []);
  for (const [index, contender] of contenders.entries()) {
    report.progress(`${contender.name}: warm-up`);
    const usage = await named(contender, () => runTimed(contender, true));
    // A quick run is about whether it works: its first time is as good as any.
    if (report.isQuick) usages[index]!.push(usage);
  }
  for (let turn = 0; turn < (report.isQuick ? 0 : options.repetitions); turn++) {
    for (const [index, contender] of contenders.entries()) {
      report.progress(`${contender.name}: ${turn + 1} of ${options.repetitions}`);
      usages[index]!.push(await named(contender, () => runTimed(contender, false)));
    }
  }
  const measurements = contenders.map((contender, index) =>
    summarize(contender, usages[index]!, options),
  );
  report.measurements(measurements);
  return measurements;
}

/** An error says which contender it is of. */
async function named<T>({ name }: Contender, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`"${name}" failed`, { cause: error });
  }
}

async function runTimed(contender: Contender, isChecked: boolean): Promise<Required<Usage>> {
  await contender.prepare?.();
  // Where node runs with --expose-gc: what an earlier contender left behind is not this one's cost.
  (globalThis as { gc?: () => void }).gc?.();
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  const result = await contender.run();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  if (isChecked) await contender.check?.(result);
  const measured = { seconds, cpuSeconds: (user + system) / 1e6, peakBytes: 0 };
  return { ...measured, ...contender.usage?.(result) };
}

function summarize(
  { name, point, amount }: Contender,
  usages: readonly Required<Usage>[],
  options: MeasureOptions,
): Measurement {
  const peakBytes = usages.map((each) => each.peakBytes);
  return {
    name,
    seconds: usages.map((each) => each.seconds),
    cpuSeconds: usages.map((each) => each.cpuSeconds),
    amount: amount ?? options.amount,
    unit: options.unit,
    ...(peakBytes.some((bytes) => bytes > 0) ? { peakBytes } : {}),
    ...(point === undefined ? {} : { point }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Units of work a second, at the median. */
export function rateOf({ amount, seconds }: Pick<Measurement, 'amount' | 'seconds'>): number {
  return amount / median(seconds);
}

/** Largest over the repetitions; 0 where nobody knows. */
export function peakOf({ peakBytes }: Pick<Measurement, 'peakBytes'>): number {
  return Math.max(0, ...(peakBytes ?? []));
}

/**
 * How many times faster `faster` is than `slower` for each unit of work, turn by turn: each value
 * compares two neighbouring runs.
 */
export function speedups(faster: Measurement, slower: Measurement): number[] {
  const scale = faster.amount / slower.amount;
  // Long contenders may have run less often.
  const turns = faster.seconds.slice(0, slower.seconds.length);
  return turns.map((seconds, turn) => (slower.seconds[turn]! / seconds) * scale);
}
