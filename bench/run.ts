/**
 * `npm run bench [-- NAME…] [options]`, as USAGE below has them.
 *
 * Runs the named benchmarks, or all of them, one after the other and each in a process of its own.
 * One that fails does not keep the others from running; the exit code is then 1.
 */

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchmarkNames, loadBenchmark } from './harness/catalog.ts';
import { compareResults } from './harness/compare.ts';
import { describeMachine, projectFolder } from './harness/machine.ts';
import { mergeResults, readResults, stagedPath } from './harness/results.ts';
import { defaultRepetitions, runBenchmark } from './harness/run-benchmarks.ts';

const USAGE = `npm run bench [-- NAME…]

  --quick            little data, few repetitions: is it still right, and roughly as fast?
  --repetitions N    timed runs of each contender (5; 1 with --quick)
  --json FILE        write results; those of other benchmarks in the file are kept
  --compare FILE     show the change since an earlier file, and whether it is more than noise
  --data DIR         folder of real data (default ../shared/data, or TIDEMARK_SHARED)
  --list             say what there is
`;

async function list(): Promise<void> {
  process.stdout.write(`${USAGE}\n`);
  for (const name of benchmarkNames()) {
    const { question } = await loadBenchmark(name);
    process.stdout.write(`  ${name.padEnd(18)} ${question}\n`);
  }
}

function dataFolder(given: string | undefined): string | undefined {
  if (given !== undefined) return given;
  const shared = process.env['TIDEMARK_SHARED'] ?? join(projectFolder(), '..', 'shared');
  const folder = join(shared, 'data');
  return existsSync(folder) ? folder : undefined;
}

function wrongUsage(message: string): number {
  process.stderr.write(`${message}\n\n${USAGE}`);
  return 2;
}

function printMachine(): void {
  const { cpu, cores, memoryGiB, node, commit, hasChanges, load } = describeMachine();
  process.stdout.write(
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, ` +
      `commit ${commit}${hasChanges ? ' with changes' : ''}, load ${load}\n`,
  );
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      repetitions: { type: 'string' },
      json: { type: 'string' },
      compare: { type: 'string' },
      data: { type: 'string' },
    },
  });
}

/** Before anything is measured: hours of results that cannot be written are lost. */
function checkWritable(path: string): void {
  if (existsSync(path)) readResults(path);
  writeFileSync(stagedPath(path), '');
  rmSync(stagedPath(path));
}

/** What `use` returns, or, as a text, why it cannot. */
function attempt<T>(use: () => T): T | string {
  try {
    return use();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function main(): Promise<number> {
  const given = attempt(readArguments);
  if (typeof given === 'string') return wrongUsage(given);
  const { values, positionals } = given;
  if (values.list) {
    await list();
    return 0;
  }
  const known = benchmarkNames();
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return wrongUsage(`no benchmark ${unknown.join(', ')}: there are ${known.join(', ')}`);
  }
  const repetitions = Number(values.repetitions ?? defaultRepetitions(values.quick));
  if (!Number.isInteger(repetitions) || repetitions < 1) {
    return wrongUsage(`--repetitions ${values.repetitions}: expected a whole number above 0`);
  }
  const { compare, json } = values;
  const earlier = attempt(() => (compare === undefined ? undefined : readResults(compare)));
  if (typeof earlier === 'string') return wrongUsage(`--compare: ${earlier}`);
  const problem = attempt(() => (json === undefined ? undefined : checkWritable(json)));
  if (problem !== undefined) return wrongUsage(`--json: ${problem}`);
  const data = dataFolder(values.data);
  printMachine();
  const failures: string[] = [];
  for (const name of positionals.length > 0 ? positionals : known) {
    process.stdout.write(`\n${name}: ${(await loadBenchmark(name)).question}\n`);
    const options = { quick: values.quick, repetitions, ...(data === undefined ? {} : { data }) };
    const result = await runBenchmark(name, options);
    if (typeof result === 'string') {
      failures.push(`${name}: ${result}`);
      process.stderr.write(`FAILED: ${name}: ${result}\n`);
      continue;
    }
    if (json !== undefined) mergeResults(json, [result]);
    if (earlier !== undefined) printChange(compareResults(earlier, result));
  }
  // Once more at the end, and where the tables are: whoever keeps only these must see it too.
  for (const failure of failures) process.stdout.write(`FAILED: ${failure}\n`);
  return failures.length > 0 ? 1 : 0;
}

function printChange(lines: readonly string[]): void {
  process.stdout.write(`\n${lines.join('\n')}\n`);
}

// So that the benchmark under way ends with this process.
process.once('SIGTERM', () => process.exit(143));
process.exitCode = await main();
