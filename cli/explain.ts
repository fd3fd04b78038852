/** `tidemark explain`: what a pipeline would do. */

import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { action, print, toJson, withExamples, withPipelineOptions, withSlots } from './command.ts';
import type { PipelineFlags } from './command.ts';
import { ExitCode } from './exit-code.ts';

interface ExplainFlags extends PipelineFlags {
  readonly slots?: number;
}

export function register(program: Command): void {
  const command = withSlots(
    withPipelineOptions(
      program
        .command('explain')
        .summary('show the plan of a pipeline')
        .description(
          'Shows the plan of a pipeline without running it: who reads whom, every option with ' +
            'its default, the columns after every step, what the state holds and how ' +
            'many bytes of a checkpoint each key takes, and the checks.',
        )
        .argument('<file>', 'the pipeline file'),
    ),
  );
  withExamples(command, [
    ['tidemark explain pipeline.yaml', 'the plan as a tree'],
    ["tidemark explain pipeline.yaml --json | jq '.operators[].outputs'", 'the plan as JSON'],
  ]).action(
    action(async (file: string, flags: ExplainFlags) => {
      const [{ readPlan }, { explainPlan, renderPlan }] = await Promise.all([
        import('./read-plan.ts'),
        import('./explain-plan.ts'),
      ]);
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const slots = flags.slots ?? availableParallelism();
      if (flags.json === true) print(toJson(explainPlan(read.plan, slots)));
      else print(...renderPlan(explainPlan(read.plan, slots)));
      return ExitCode.done;
    }),
  );
}
