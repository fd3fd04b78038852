/** `tidemark demo`: a generated market, from ticks to a quality report. */

import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';
import type { Command } from 'commander';
import { action, withExamples, withPipelineOptions, withSlots } from './command.ts';
import { ExitCode } from './exit-code.ts';
import type { RunFlags } from './run-pipeline.ts';

export function register(program: Command): void {
  const command = withSlots(
    withPipelineOptions(
      program
        .command('demo')
        .summary('run a generated market')
        .description(
          'Generates a trading day of fifty symbols with planted anomalies, runs it through\n' +
            'bars, rolling scores and detectors into Parquet, checks the outputs, and compares\n' +
            'what was found with what was planted. Needs nothing and writes to out/demo.',
        ),
    ),
  ).option('-q, --quiet', 'no live progress');
  withExamples(command, [
    ['tidemark demo', 'three million trades'],
    ['tidemark demo -s sources.trades.trades=20000000', 'twenty million'],
    ['tidemark demo -s sources.trades.seed=7', 'another market'],
  ]).action(
    action(async (flags: RunFlags) => {
      const file = demoFile();
      const { readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const { runPipeline } = await import('./run-pipeline.ts');
      return runPipeline({ plan: read.plan, file, flags });
    }),
  );
}

/** Path of the demo's pipeline, the short way from here: it stands in the queries to try. */
function demoFile(): string {
  const path = fileURLToPath(new URL('../../config/pipelines/demo.yaml', import.meta.url));
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
