/** `tidemark train`: a model file for a step that can use one. */

import type { Command } from 'commander';
import {
  action,
  type PipelineFlags,
  wholeNumber,
  withExamples,
  withPipelineOptions,
  withSlots,
} from './command.ts';
import { ExitCode } from './exit-code.ts';

/** Options of `train`. */
export interface TrainFlags extends PipelineFlags {
  readonly operator: string;
  readonly out?: string;
  readonly rows: number;
  readonly slots?: number;
  readonly quiet?: boolean;
}

const ROWS_DEFAULT = 200_000;

export function register(program: Command): void {
  const command = withSlots(
    withPipelineOptions(
      program
        .command('train')
        .summary('train the model of a step')
        .description(
          'Reads the sources of the pipeline to their end, through the steps before the one\n' +
            'that is named, and trains its model from the rows that arrive: isolation forests,\n' +
            'of the features, trees and limits that the step names. Nothing else is written.\n' +
            'The same rows make the same model. The first Ctrl-C ends reading and trains from\n' +
            'what there is.',
        )
        .argument('<file>', 'pipeline file'),
    ),
  )
    .requiredOption('--operator <step>', 'the step to train: an isolation_forest')
    .option('--out <path>', 'model file; by default that of the step')
    .option(
      '--rows <n>',
      'rows to train from at most, a sample of all',
      wholeNumber(2),
      ROWS_DEFAULT,
    )
    .option('-q, --quiet', 'no live progress');
  withExamples(command, [
    ['tidemark train trades.yaml --operator forest --out models/trades.json', 'train a model'],
    ['tidemark run trades.yaml -s operators.forest.model=models/trades.json', 'and use it'],
    [
      'tidemark train trades.yaml --operator forest --out m.json -s operators.forest.trees=500',
      'with more trees',
    ],
  ]).action(
    action(async (file: string, flags: TrainFlags) => {
      const { readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const { train, trainingRequest } = await import('./train-model.ts');
      const request = trainingRequest(read.plan, flags);
      if (typeof request === 'string') return command.error(`error: ${request}`);
      return train(request, flags);
    }),
  );
}
