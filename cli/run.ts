/** `tidemark run`: a pipeline, from its sources to its quality report. */

import type { Command } from 'commander';
import { action, withExamples, withPipelineOptions, withSlots, wholeNumber } from './command.ts';
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
            'visible when the run is complete; with checkpoints in the file, at each of them,\n' +
            'and a run that was broken off at any instant goes on from the last one. The first\n' +
            'Ctrl-C ends it cleanly: what has been read is processed and the outputs are\n' +
            'written. With checkpoints the next run goes on there, else open windows are closed.',
        )
        .argument('<file>', 'pipeline file'),
    ),
  )
    .option('-q, --quiet', 'no live progress')
    .option('--no-check', 'leave the quality checks out')
    .option(
      '--from-checkpoint <epoch>',
      'go back to this checkpoint and take back what came after it',
      wholeNumber(1),
    )
    .option('--ignore-state', 'begin anew and remove the checkpoints there are');
  withExamples(command, [
    ['tidemark run bars.yaml', 'run it'],
    ["tidemark run bars.yaml -s sources.trades.path='data/*.csv.gz'", 'over other files'],
    ['tidemark run bars.yaml -e prod.env --slots 4', 'with variables, on four threads'],
    ['tidemark run bars.yaml --json | jq .accounts', 'the summary as JSON'],
    ['tidemark run live.yaml --from-checkpoint 41', 'again from an earlier point'],
  ]).action(
    action(async (file: string, flags: RunFlags) => {
      const { noCheckpoints, readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const writer = read.plan.sinks.find(({ config }) => config['path'] === '-');
      if (flags.json === true && writer !== undefined) {
        command.error(
          `error: --json prints the summary on stdout, where sink ${writer.name} writes its rows`,
        );
      }
      if (flags.fromCheckpoint !== undefined && flags.ignoreState === true) {
        command.error('error: --from-checkpoint and --ignore-state exclude each other');
      }
      const isAboutState = flags.fromCheckpoint !== undefined || flags.ignoreState === true;
      if (isAboutState && read.plan.checkpoint === undefined) {
        command.error(noCheckpoints(file));
      }
      const { runPipeline } = await import('./run-pipeline.ts');
      return runPipeline({ plan: read.plan, file, flags });
    }),
  );
}
