/**
 * One benchmark, in a process of its own, so that none of them meets the memory and the compiled
 * code that another has left behind. Started by run.ts: `run-one NAME OPTIONS`, the options as
 * JSON; writes its result where they say.
 */

import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { loadBenchmark } from './harness/catalog.ts';
import { describeMachine, probeMachine } from './harness/machine.ts';
import { Report, type ReportOutput } from './harness/report.ts';
import type { BenchResult } from './harness/results.ts';

/** What run.ts asks for. */
export interface RunOneOptions {
  readonly quick: boolean;
  readonly repetitions: number;
  readonly data?: string;
  readonly command: string;
  /** Where the result goes. */
  readonly resultPath: string;
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
      doing = line;
    },
  };
}

let doing = 'starting';
let hasEnded = false;

function fail(why: string): void {
  hasEnded = true;
  process.stderr.write(`\nFAILED while at "${doing}": ${why}\n`);
  process.exitCode = 1;
}

async function main(name: string, options: RunOneOptions): Promise<void> {
  const { quick, repetitions, data, command, resultPath } = options;
  const startedAt = new Date();
  const machine = describeMachine();
  const probes = [probeMachine()];
  const { question, run } = await loadBenchmark(name);
  const report = new Report(name, question, quick, terminalOutput());
  await run({ quick, repetitions, report, data });
  report.progress('');
  probes.push(probeMachine());
  const result: BenchResult = {
    ...report.record,
    ...{ machine, command, quick },
    startedAt: startedAt.toISOString(),
    elapsedSeconds: (Date.now() - startedAt.getTime()) / 1000,
    probes,
  };
  writeFileSync(resultPath, JSON.stringify(result));
}

// Node ends a process in which nothing can happen any more, whatever is still awaited.
process.once('beforeExit', () => {
  if (!hasEnded) fail('it waits for something that can no longer happen');
});
// So that what it has started ends with it: see `process.once('exit')` of the server.
process.once('SIGTERM', () => {
  process.stderr.write(`\nwas at "${doing}" when it was told to end\n`);
  process.exit(143);
});

try {
  await main(process.argv[2]!, JSON.parse(process.argv[3]!) as RunOneOptions);
  hasEnded = true;
} catch (error) {
  fail(inspect(error));
}
// Whatever a contender has left open must not keep the next benchmark waiting.
process.exit();
