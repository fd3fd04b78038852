/** `tidemark run`: a pipeline, from its sources to its quality report. */

import type { Command } from 'commander';
import { action, withExamples, withPipelineOptions, withSlots } from './command.ts';
import { ExitCode } from './exit-code.ts';
import type { RunFlags } from './run-pipeline.ts';

export function register(program: Command): void {
  const command = withSlots(
    withPipelineOptions(
      program
        .command('run')
        .summary('run a pipeline')
        .description(
          'Lints the pipeline and runs it to the end of its sources: rows through the operators\n' +
            'into the sinks, then the quality checks, then a summary on stderr. Outputs become\n' +
            'visible when the run is complete. The first Ctrl-C ends it cleanly: what has been\n' +
            'read is processed, open windows are closed, and the outputs are written.',
        )
        .argument('<file>', 'pipeline file'),
    ),
  )
    .option('-q, --quiet', 'no live progress')
    .option('--no-check', 'leave the quality checks out');
  withExamples(command, [
    ['tidemark run bars.yaml', 'run it'],
    ["tidemark run bars.yaml -s sources.trades.path='data/*.csv.gz'", 'over other files'],
    ['tidemark run bars.yaml -e prod.env --slots 4', 'with variables, on four threads'],
    ['tidemark run bars.yaml --json | jq .accounts', 'the summary as JSON'],
  ]).action(
    action(async (file: string, flags: RunFlags) => {
      const { readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const writer = read.plan.sinks.find(({ config }) => config['path'] === '-');
      if (flags.json === true && writer !== undefined) {
        command.error(
          `error: --json prints the summary on stdout, where sink ${writer.name} writes its rows`,
        );
      }
      const { runPipeline } = await import('./run-pipeline.ts');
      return runPipeline({ plan: read.plan, file, flags });
    }),
  );
}
