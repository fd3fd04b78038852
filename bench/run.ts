/**
 * `npm run bench -- NAME… [--quick] [--repetitions N] [--json FILE] [--data DIR]`
 *
 * Runs the named benchmarks one after the other, in this process; without a name it lists them.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Benchmark } from './harness/benchmark.ts';
import type { BenchRecord, ReportOutput } from './harness/report.ts';
import { Report } from './harness/report.ts';

const folder = new URL('./', import.meta.url);
const SUFFIX = '.bench.js';

function names(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

async function load(name: string): Promise<Benchmark> {
  const module = (await import(new URL(`${name}${SUFFIX}`, folder).href)) as {
    benchmark: Benchmark;
  };
  return module.benchmark;
}

function machine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    commit: commit(),
    load: readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? 'unknown',
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** On a terminal progress overwrites itself; elsewhere it is left out. */
function terminalOutput(): ReportOutput {
  const isTerminal = process.stderr.isTTY === true;
  const clear = isTerminal ? '\r\x1b[K' : '';
  return {
    out(line) {
      if (isTerminal) process.stderr.write(clear);
      process.stdout.write(`${line}\n`);
    },
    progress(line) {
      if (isTerminal) process.stderr.write(`${clear}  ${line}`);
    },
  };
}

async function list(): Promise<void> {
  process.stdout.write(
    'npm run bench -- NAME… [--quick] [--repetitions N] [--json FILE] [--data DIR]\n\n',
  );
  for (const name of names()) {
    const { question } = await load(name);
    process.stdout.write(`  ${name.padEnd(20)} ${question}\n`);
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      repetitions: { type: 'string' },
      json: { type: 'string' },
      data: { type: 'string' },
    },
  });
  const known = names();
  const unknown = positionals.filter((name) => !known.includes(name));
  const repetitions = Number(values.repetitions ?? (values.quick ? 3 : 7));
  if (unknown.length > 0 || !Number.isInteger(repetitions) || repetitions < 1) {
    process.stderr.write(
      unknown.length > 0
        ? `no benchmark ${unknown.join(', ')}: there are ${known.join(', ')}\n`
        : `--repetitions ${values.repetitions}: expected a whole number above 0\n`,
    );
    return 2;
  }
  if (positionals.length === 0) {
    await list();
    return 0;
  }
  const facts = machine();
  process.stdout.write(
    `${facts['cpu']}, ${facts['cores']} cores, ${facts['memoryGiB']} GiB, Node ${facts['node']}, ` +
      `commit ${facts['commit']}, load ${facts['load']}\n`,
  );
  const records: BenchRecord[] = [];
  for (const name of positionals) {
    const benchmark = await load(name);
    const report = new Report(name, benchmark.question, terminalOutput());
    process.stdout.write(`\n${name}: ${benchmark.question}\n`);
    await benchmark.run({ quick: values.quick, repetitions, report, data: values.data });
    records.push(report.record);
    if (values.json !== undefined) {
      const document = { machine: facts, quick: values.quick, benchmarks: records };
      writeFileSync(values.json, `${JSON.stringify(document, undefined, 2)}\n`);
    }
  }
  return 0;
}

process.exitCode = await main();
